package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// invocation is one command line, run in this process.
type invocation struct {
	stdin string
	env   map[string]string
}

func (i invocation) run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = RunContext(t.Context(), Env{
		Args: args, Stdin: strings.NewReader(i.stdin), Stdout: &out, Stderr: &err,
		Getenv: func(name string) string { return i.env[name] },
	})
	return status, out.String(), err.String()
}

// serverOf answers requests on this machine, and is where the invocation finds
// its server.
func serverOf(t *testing.T, h http.HandlerFunc) invocation {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return invocation{env: map[string]string{"CUSTODY_URL": s.URL, "CUSTODY_TOKEN": "custody_test_token"}}
}

func eachCommand(t *testing.T, fn func(t *testing.T, cmd *cobra.Command)) {
	s := &session{}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		t.Run(strings.ReplaceAll(cmd.CommandPath(), " ", "/"), func(t *testing.T) { fn(t, cmd) })
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(s.root())
}

func TestEveryCommandExplainsItself(t *testing.T) {
	eachCommand(t, func(t *testing.T, cmd *cobra.Command) {
		if cmd.Short == "" || strings.Contains(cmd.Short, "\n") || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("Short is %q", cmd.Short)
		}
		if len(cmd.Long) <= len(cmd.Short) {
			t.Error("Long says no more than Short")
		}
		for line := range strings.Lines(cmd.Long) {
			if len(strings.TrimSuffix(line, "\n")) > 90 {
				t.Errorf("wider than a terminal: %s", line)
			}
		}
		if !strings.Contains(cmd.Example, "custody") {
			t.Errorf("Example is %q", cmd.Example)
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("--%s is not explained", f.Name)
			}
		})
	})
}

// Every command line in a help text exists, with its flags.
func TestExamplesAreOfThisProgram(t *testing.T) {
	root := (&session{}).root()
	eachCommand(t, func(t *testing.T, cmd *cobra.Command) {
		for _, line := range regexp.MustCompile(`(?m)(?:^|[ (])custody ([^|>)\n]*)`).FindAllStringSubmatch(strings.ReplaceAll(cmd.Example, "\\\n", " "), -1) {
			words := strings.Fields(line[1])
			target, _, err := root.Find(words)
			if err != nil || target == root {
				t.Errorf("%q is no command", strings.Join(words, " "))
				continue
			}
			for _, w := range words {
				name, _, _ := strings.Cut(strings.TrimLeft(w, "-"), "=")
				switch {
				case strings.HasPrefix(w, "--") && target.Flag(name) == nil && root.PersistentFlags().Lookup(name) == nil:
					t.Errorf("%s has no flag %s", target.CommandPath(), w)
				case !strings.HasPrefix(w, "--") && strings.HasPrefix(w, "-") && len(w) == 2 && root.PersistentFlags().ShorthandLookup(name) == nil && target.Flags().ShorthandLookup(name) == nil:
					t.Errorf("%s has no flag %s", target.CommandPath(), w)
				}
			}
		}
	})
}

// However a command is misused, the exit status is 2, there is one clear line
// and perhaps a hint, and no value is repeated.
func TestMisuse(t *testing.T) {
	const value = "candidate:99887"
	for _, args := range [][]string{
		{value},
		{"statos"},
		{"--" + "nosuch=" + value, "status"},
		{"status", value},
		{"status", "--url"},
		{"status", "-o", value},
		{"status", "--url", "candidate://99887"},
		{"status", "--url", "http://example.org", "--token", value},
		{"status", "--token", value, "--token-file", "x"},
		{"-ocandidate", "-candidate:99887", "status"},
		{"init"},
		{"init", "--data", "d"},
		{"serve", "--keys", "k"},
		{"check"},
		{"producer", value},
		{"producer", "add"},
		{"producer", "add", value},
		{"token", "create", "--role", value},
		{"token", "create", "--role", value, "--name", "x", "--expires", "-1"},
		{"token", "create", "--expires", value},
		{"token", "revoke"},
		{"emit", value, value},
		{"emit", "--from-line", "0"},
		{"emit", "--from-line", value},
		{"emit", "--retry-for", value},
		{"lint"},
		{"schema", value},
		{"schema", "-o", "csv"},
		{"log", "--from", value},
		{"log", "--to", value},
		{"log", "--tz", value},
		{"log", "--kind", value},
		{"log", "--from-position", value},
		{"log", "--from-position", "9", "--to-position", "8"},
		{"record"},
		{"record", value, "--source", "/x"},
		{"record", "ledger.heartbeat"},
		{"record", "ledger.heartbeat", "--source", "/x", value},
		{"record", "ledger.heartbeat", "--source", "/x", "nosuch=" + value},
		{"record", "data.accessed", "--source", "/x", "result_count=" + value},
		{"record", "data.accessed", "--source", "/x", "subjects=" + value},
		{"record", "data.accessed", "--source", "/x", "subjects.7.id=" + value},
		{"record", "data.accessed", "--source", "/x", "subjects.id=" + value, "subjects.id=" + value},
		{"record", "data.accessed", "--source", "/x", "actor.id.x=" + value},
		{"record", "data.accessed", "--source", "/x", "subjects.id=" + value, "basis=" + value},
		{"version", value},
	} {
		status, stdout, stderr := invocation{}.run(t, args...)
		if status != misused || stdout != "" {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
		if lines := strings.Count(stderr, "\n"); lines < 1 || lines > 2 || !strings.HasPrefix(stderr, "custody: ") {
			t.Errorf("%q: stderr %q", args, stderr)
		}
		if strings.Contains(stderr, "99887") {
			t.Errorf("%q: the value is repeated: %q", args, stderr)
		}
	}
}

func TestTokenIsFound(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("of-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		env  map[string]string
		want string
	}{
		{nil, nil, ""},
		{nil, map[string]string{"CUSTODY_TOKEN": " of-env\n"}, "Bearer of-env"},
		{nil, map[string]string{"CUSTODY_TOKEN_FILE": file}, "Bearer of-file"},
		{nil, map[string]string{"CUSTODY_TOKEN": "of-env", "CUSTODY_TOKEN_FILE": file}, "Bearer of-env"},
		{[]string{"--token", "of-flag"}, map[string]string{"CUSTODY_TOKEN": "of-env"}, "Bearer of-flag"},
		{[]string{"--token-file", file}, map[string]string{"CUSTODY_TOKEN": "of-env"}, "Bearer of-file"},
	} {
		got := "nothing asked"
		i := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.Header.Get("Authorization")
			io.WriteString(w, `{"tokens":[]}`)
		})
		delete(i.env, "CUSTODY_TOKEN")
		for k, v := range test.env {
			i.env[k] = v
		}
		if status, _, stderr := i.run(t, append([]string{"token", "list"}, test.args...)...); status != done || got != test.want {
			t.Errorf("%v %v: %d %s, sent %q, want %q", test.args, test.env, status, stderr, got, test.want)
		}
	}
}

// What the server says is passed on, on one line, with a step to take.
func TestProblems(t *testing.T) {
	for _, test := range []struct {
		code       int
		body, want string
	}{
		{401, `{"title":"No valid token was given"}`, "--token-file"},
		{403, `{"title":"No","detail":"it is of role dpo"}`, "it is of role dpo"},
		{400, `{"title":"Wrong","detail":"at least one","path":"/families"}`, "Wrong: /families: at least one"},
		{503, `{"title":"The ledger is not open"}`, "custody status"},
		{500, "<html>", "Internal Server Error"},
		{302, "", "Found"},
		{404, "{\"title\":\"a\\nb\\u001b[2J\"}", "a b [2J"},
	} {
		i := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(test.code)
			io.WriteString(w, test.body)
		})
		status, stdout, stderr := i.run(t, "producer", "list")
		if status != failed || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") > 2 {
			t.Errorf("%d %s: status %d, stderr %q, want %q", test.code, test.body, status, stderr, test.want)
		}
	}
}

func TestNoServer(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	status, _, stderr := invocation{env: map[string]string{"CUSTODY_URL": s.URL}}.run(t, "producer", "list")
	if status != failed || !strings.Contains(stderr, "custody serve") {
		t.Errorf("%d %q", status, stderr)
	}
}

func TestTokenCreatePrintsTheTokenOnly(t *testing.T) {
	var asked map[string]any
	i := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		json.NewDecoder(r.Body).Decode(&asked)
		io.WriteString(w, `{"token":"custody_relay_x","id":"x"}`)
	})
	status, stdout, stderr := i.run(t, "token", "create", "--role", "relay", "--name", "import", "--expires", "30")
	if status != done || stdout != "custody_relay_x\n" || stderr != "" || asked["role"] != "relay" || asked["expires"] == nil {
		t.Errorf("%d %q %q; asked %v", status, stdout, stderr, asked)
	}
	i = serverOf(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{}`) })
	if status, stdout, _ := i.run(t, "token", "create", "--role", "relay", "--name", "x"); status != failed || stdout != "" {
		t.Errorf("an answer without a token: %d %q", status, stdout)
	}
}

func TestListsArePaged(t *testing.T) {
	i := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "":
			io.WriteString(w, `{"producers":[{"name":"ats","families":["data","subject"]}],"next":"c2"}`)
		case "c2":
			io.WriteString(w, `{"producers":[{"name":"crm","families":["data"],"except":["data.deleted"]}]}`)
		}
	})
	_, stdout, _ := i.run(t, "producer", "list", "-o", "csv")
	if want := "name,families,except\nats,\"data,subject\",\ncrm,data,data.deleted\n"; stdout != want {
		t.Errorf("%q, want %q", stdout, want)
	}
}

// A replay ends well only with the line that says so; else it says how far it
// came.
func TestLogThatBreaksOff(t *testing.T) {
	const event = `{"position":7,"digest":"00","source":"/ats","id":"a","type":"eu.custody.data.shared.v1","time":"2025-01-01T00:00:00Z","recordedtime":"2025-01-01T00:00:00.000Z","class":"T0"}` + "\n"
	for name, test := range map[string]struct {
		body   string
		status int
	}{
		"whole":          {event + `{"end":{"position":7}}` + "\n", done},
		"no end":         {event, failed},
		"half an end":    {event + `{"end":{"posi`, failed},
		"end cut short":  {event + `{"end":{"position":7}}`, failed},
		"an error":       {event + `{"error":{"title":"The ledger is not open"}}` + "\n", failed},
		"not its answer": {event + "<html>\n", failed},
	} {
		i := serverOf(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, test.body) })
		status, stdout, stderr := i.run(t, "log", "-o", "ndjson")
		if status != test.status || !strings.HasPrefix(stdout, event) {
			t.Errorf("%s: status %d, stdout %q", name, status, stdout)
		}
		if status == failed && !strings.Contains(stderr, "--from-position 8") {
			t.Errorf("%s: stderr %q", name, stderr)
		}
	}
}

func ExampleRun() {
	status := Run(Env{Args: []string{"version", "extra"}, Stdin: strings.NewReader(""), Stdout: os.Stdout, Stderr: os.Stdout,
		Getenv: func(string) string { return "" }})
	fmt.Println(status)
	// Output:
	// custody: custody version takes no arguments, not 1
	//   usage: custody version [flags]
	// 2
}
