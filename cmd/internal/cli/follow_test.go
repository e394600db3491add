package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// line is what the server says of one event.
func line(position int, kind string) string {
	return fmt.Sprintf(`{"position":%d,"digest":"00","source":"/ats","id":"e","type":"eu.custody.%s.v1","time":"2025-01-01T00:00:00Z","recordedtime":"2025-01-01T00:00:00.000Z"}`+"\n", position, kind)
}

func shared(positions ...int) string {
	var b strings.Builder
	for _, p := range positions {
		b.WriteString(line(p, "data.shared"))
	}
	return b.String()
}

const closing = `{"error":{"title":"The ledger is not open","status":503}}` + "\n"

// script answers requests in turn, the last for ever, and keeps what was asked.
type script struct {
	mu      sync.Mutex
	answers []func(w http.ResponseWriter, r *http.Request)
	asked   []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer := s.answers[min(len(s.asked), len(s.answers)-1)]
	s.asked = append(s.asked, r.URL.RawQuery)
	s.mu.Unlock()
	answer(w, r)
}

// says answers with some lines and ends; breaks does and lets the connection go.
func says(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

func breaks(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, text)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func refuses(status int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// hangs says some lines and then nothing more.
func hangs(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, text)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

var away = func(_ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

var positions = regexp.MustCompile(`"position":(\d+),`)

// TestFollowGoesOn: whatever becomes of the server in between, what is followed is one sequence.
func TestFollowGoesOn(t *testing.T) {
	for format, want := range map[string]string{
		"ndjson": shared(1, 2, 3, 4, 5) + `{"end":{"position":5}}` + "\n",
		"json":   "[" + strings.TrimSuffix(strings.ReplaceAll(shared(1, 2, 3, 4, 5), "\n", ",\n "), ",\n ") + "]\n",
	} {
		s := &script{answers: []func(http.ResponseWriter, *http.Request){
			breaks(shared(1, 2) + shared(3)[:40]), refuses(503), away, says(shared(3) + closing), refuses(502), breaks(""),
			says(shared(4, 5) + `{"end":{"position":5}}` + "\n"),
		}}
		status, stdout, stderr := serverOf(t, s.ServeHTTP).run(t, "log", "--follow", "--to-position", "5", "-o", format)
		if status != done || stdout != want {
			t.Errorf("%s: %d %s\ngot  %s\nwant %s", format, status, stderr, stdout, want)
		}
		if format == "json" && !json.Valid([]byte(stdout)) {
			t.Errorf("not JSON: %s", stdout)
		}
		wantAsked := []string{"follow=true&to=5", "follow=true&from=3&to=5", "follow=true&from=3&to=5", "follow=true&from=3&to=5", "follow=true&from=4&to=5", "follow=true&from=4&to=5", "follow=true&from=4&to=5"}
		if !slices.Equal(s.asked, wantAsked) {
			t.Errorf("%s: asked %q", format, s.asked)
		}
		// It is said once that the server is away, and once that it is back.
		for text, n := range map[string]int{"asking again until the server is back\n": 3, "the server is back; going on after position 2\n": 1, "the server is back; going on after position 3\n": 2} {
			if strings.Count(stderr, text) != n {
				t.Errorf("%s: %q is not there %d times: %s", format, text, n, stderr)
			}
		}
	}
}

// What is read and not shown is not asked for again; nor is a span given up.
func TestFollowChooses(t *testing.T) {
	s := &script{answers: []func(http.ResponseWriter, *http.Request){
		breaks(""), breaks(line(7, "data.accessed") + line(8, "data.shared") + line(9, "data.accessed")), says(shared(10) + `{"end":{"position":10}}` + "\n"),
	}}
	status, stdout, stderr := serverOf(t, s.ServeHTTP).run(t, "log", "-f", "--from-position", "7", "--from", "2025-01-01", "--tz", "UTC", "--kind", "data.shared", "-o", "ndjson")
	if want := shared(8, 10) + `{"end":{"position":10}}` + "\n"; status != done || stdout != want {
		t.Errorf("%d %s\n%s", status, stderr, stdout)
	}
	const since = "&since=2025-01-01T00%3A00%3A00Z"
	if want := []string{"follow=true&from=7" + since, "follow=true&from=7" + since, "follow=true&from=10" + since}; !slices.Equal(s.asked, want) {
		t.Errorf("asked %q", s.asked)
	}
}

// What will not pass ends following, and says how to go on; what was never there is not waited for.
func TestFollowGivesUp(t *testing.T) {
	for name, test := range map[string]struct {
		answers []func(http.ResponseWriter, *http.Request)
		asked   int
		stderr  string
	}{
		"never there":      {[]func(http.ResponseWriter, *http.Request){refuses(503)}, 1, "custody status"},
		"token revoked":    {[]func(http.ResponseWriter, *http.Request){breaks(shared(1)), refuses(401)}, 2, "--from-position 2"},
		"revoked meantime": {[]func(http.ResponseWriter, *http.Request){says(shared(1) + `{"error":{"status":401}}` + "\n")}, 1, "--from-position 2"},
		"not its answer":   {[]func(http.ResponseWriter, *http.Request){breaks(shared(1)), says("<html>\n")}, 2, "--from-position 2"},
		"neither":          {[]func(http.ResponseWriter, *http.Request){says("{}\n")}, 1, "not the JSON expected"},
		"one missing":      {[]func(http.ResponseWriter, *http.Request){breaks(shared(1)), says(shared(3))}, 2, "after position 1 the server sent 3"},
		"one again":        {[]func(http.ResponseWriter, *http.Request){breaks(shared(1, 2)), says(shared(2))}, 2, "after position 2 the server sent 2"},
	} {
		s := &script{answers: test.answers}
		status, stdout, stderr := serverOf(t, s.ServeHTTP).run(t, "log", "--follow", "-o", "ndjson")
		if status != failed || len(s.asked) != test.asked || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%s: status %d, asked %d times, stderr %q", name, status, len(s.asked), stderr)
		}
		if got := positions.FindAllString(stdout, -1); len(got) != len(slices.Compact(got)) {
			t.Errorf("%s: shown twice: %s", name, stdout)
		}
	}
}

// watched calls then when what is written holds text.
type watched struct {
	bytes.Buffer
	text string
	then func()
	err  error
}

func (w *watched) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.Buffer.Write(b)
	if w.text != "" && strings.Contains(w.String(), w.text) {
		w.text = ""
		w.then()
	}
	return n, err
}

// Interrupting is how following ends, whatever it is doing; an array is closed.
func TestFollowIsInterrupted(t *testing.T) {
	for name, test := range map[string]struct {
		answers        []func(http.ResponseWriter, *http.Request)
		stdout, stderr string // at which it is interrupted
		want           string
	}{
		"while it copies":  {[]func(http.ResponseWriter, *http.Request){hangs(shared(1))}, `"position":1`, "", "[" + strings.TrimSpace(shared(1)) + "]\n"},
		"while it waits":   {[]func(http.ResponseWriter, *http.Request){breaks(shared(1)), refuses(503)}, "", "asking again", "[" + strings.TrimSpace(shared(1)) + "]\n"},
		"after it is back": {[]func(http.ResponseWriter, *http.Request){breaks(""), refuses(503), hangs("")}, "", "is back", "[]\n"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s := &script{answers: test.answers}
		i := serverOf(t, s.ServeHTTP)
		out, notes := &watched{text: test.stdout, then: cancel}, &watched{text: test.stderr, then: cancel}
		status := RunContext(ctx, Env{Args: []string{"log", "--follow", "-o", "json"}, Stdin: strings.NewReader(""), Stdout: out, Stderr: notes, Getenv: func(n string) string { return i.env[n] }})
		if status != done || out.String() != test.want || strings.Contains(notes.String(), "custody:") {
			t.Errorf("%s: status %d, stdout %q, stderr %q", name, status, out.String(), notes.String())
		}
	}
	// Before the first answer.
	ctx, cancel := context.WithCancel(t.Context())
	i := serverOf(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	var out, notes bytes.Buffer
	status := RunContext(ctx, Env{Args: []string{"log", "--follow"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &notes, Getenv: func(n string) string { return i.env[n] }})
	if status != done || out.Len()+notes.Len() > 0 {
		t.Errorf("before the first answer: %d %q %q", status, &out, &notes)
	}
}

// What cannot be written is not asked for again.
func TestFollowCannotWrite(t *testing.T) {
	s := &script{answers: []func(http.ResponseWriter, *http.Request){hangs(shared(1))}}
	i := serverOf(t, s.ServeHTTP)
	var notes bytes.Buffer
	status := RunContext(t.Context(), Env{Args: []string{"log", "--follow"}, Stdin: strings.NewReader(""), Stdout: &watched{err: errors.New("full")}, Stderr: &notes, Getenv: func(n string) string { return i.env[n] }})
	if status != failed || len(s.asked) != 1 || !strings.Contains(notes.String(), "writing the answer: full") {
		t.Errorf("status %d, asked %d times, %q", status, len(s.asked), &notes)
	}
}

// A server that is not there for a while is found again where it was.
func TestFollowRestart(t *testing.T) {
	first := httptest.NewServer(http.HandlerFunc(breaks(shared(1))))
	address := first.Listener.Addr().String()
	var asked string
	second := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.RawQuery
		io.WriteString(w, shared(2)+`{"end":{"position":2}}`+"\n")
	})}
	defer second.Close()
	var out bytes.Buffer
	notes := &watched{text: "asking again", then: func() {
		first.Close()
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		go second.Serve(l)
	}}
	status := RunContext(t.Context(), Env{Args: []string{"log", "--follow", "-o", "ndjson", "--url", "http://" + address}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: notes, Getenv: func(string) string { return "" }})
	if want := shared(1, 2) + `{"end":{"position":2}}` + "\n"; status != done || out.String() != want || asked != "follow=true&from=2" {
		t.Errorf("%d %s: asked %q\n%s", status, notes, asked, &out)
	}
}
