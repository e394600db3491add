package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// desk answers questions over HTTP as docs/API.md says, about what a test put in.
type desk struct {
	t       *testing.T
	lists   map[string][]string                                           // by path, or "events"
	objects map[string]string                                             // by path, or by what a search shows
	known   map[string]string                                             // handles, by identifier
	answer  func(http.ResponseWriter, *http.Request, map[string]any) bool // before all else; false is not answered
	most    int                                                           // items of a page

	mu    sync.Mutex
	asked []asked
}

// asked is a request: its line, and what its body said.
type asked struct {
	line string
	body map[string]any
}

const asOfJSON = `"as_of":{"position":10541,"recordedtime":"2025-12-31T22:00:00.000Z"}`

// deskOf serves d, and checks of every command line that no identifier came in a
// URL.
func deskOf(t *testing.T, d *desk) invocation {
	d.t = t
	if d.most == 0 {
		d.most = 2
	}
	i := serverOf(t, d.serve)
	t.Cleanup(func() {
		for _, a := range d.asked {
			for _, secret := range []string{"10001", "r01", "stolen"} {
				if strings.Contains(a.line, secret) {
					t.Errorf("an identifier is in %q", a.line)
				}
			}
		}
	})
	return i
}

// unpaged are the lists that come at once.
var unpaged = []string{"/v1/parties", "/v1/register", "/v1/transfers/map"}

func (d *desk) serve(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body map[string]any
	if len(raw) > 0 && json.Unmarshal(raw, &body) != nil {
		d.t.Errorf("the body of %s is %q", r.URL, raw)
	}
	d.mu.Lock()
	d.asked = append(d.asked, asked{r.Method + " " + r.URL.String(), body})
	d.mu.Unlock()
	if d.answer != nil && d.answer(w, r, body) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	path := r.Method + " " + r.URL.Path
	switch {
	case strings.HasSuffix(path, "/lookup"):
		d.lookup(w, r, body)
	case r.Method == http.MethodGet && d.objects[r.URL.Path] != "":
		io.WriteString(w, d.objects[r.URL.Path])
	case r.Method == http.MethodGet && slices.Contains(unpaged, r.URL.Path) && d.lists[r.URL.Path] != nil:
		if q := r.URL.Query(); q.Has("limit") || q.Has("cursor") || q.Has("order") {
			refuse(w, 400, "invalid-request", "")
			return
		}
		fmt.Fprintf(w, `{%s,"items":[%s]}`, asOfJSON, strings.Join(d.lists[r.URL.Path], ","))
	case r.Method == http.MethodGet && d.lists[r.URL.Path] != nil:
		q := r.URL.Query()
		limit, _ := strconv.Atoi(q.Get("limit"))
		d.page(w, d.lists[r.URL.Path], q.Get("cursor"), limit, "")
	case path == "POST /v1/events/search" && body["show"] != nil:
		show := body["show"].(string)
		fmt.Fprintf(w, `{%q:%s}`, show, d.objects[show])
	case path == "POST /v1/events/search":
		limit, _ := body["limit"].(float64)
		cursor, _ := body["cursor"].(string)
		d.page(w, d.lists["events"], cursor, int(limit), "")
	default:
		refuse(w, 404, "not-found", `"detail":"`+r.URL.Path+`"`)
	}
}

func (d *desk) lookup(w http.ResponseWriter, r *http.Request, body map[string]any) {
	identifier, _ := body["identifier"].(string)
	handle := d.known[identifier]
	if handle == "" {
		refuse(w, 404, "not-known", "")
		return
	}
	show, _ := body["show"].(string)
	limit, _ := body["limit"].(float64)
	items := d.lists[strings.TrimSuffix(r.URL.Path, "lookup")+handle+"/"+show]
	found := fmt.Sprintf(`"handle":%q,"identifiers":2`, handle)
	switch show {
	case "recipients":
		fmt.Fprintf(w, `{%s,"recipients":{%s,"items":[%s]}}`, found, asOfJSON, strings.Join(items, ","))
	case "reads":
		fmt.Fprintf(w, `{%s,"reads":`, found)
		d.page(w, items, "", int(limit), "")
		io.WriteString(w, "}")
	default:
		d.page(w, items, "", int(limit), found+",")
	}
}

// page gives some of a list; a cursor is how many came before.
func (d *desk) page(w io.Writer, items []string, cursor string, limit int, more string) {
	from, _ := strconv.Atoi(cursor)
	to := min(len(items), from+min(limit, d.most))
	next := ""
	if to < len(items) {
		next = fmt.Sprintf(`,"next":"%d"`, to)
	}
	fmt.Fprintf(w, `{%s%s,"window":{"from":"2025-02-28T23:00:00.000Z","to":"2025-03-31T22:00:00.000Z"},"total":%d,"items":[%s]%s}`,
		more, asOfJSON, len(items), strings.Join(items[from:to], ","), next)
}

// refuse answers with a problem.
func refuse(w http.ResponseWriter, status int, word, more string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	if more != "" {
		more = "," + more
	}
	fmt.Fprintf(w, `{"type":"urn:custody:problem:%s","title":"Title of %s","status":%d%s}`, word, word, status, more)
}

// lines are the requests that were made.
func (d *desk) lines() []string {
	var lines []string
	for _, a := range d.asked {
		lines = append(lines, a.line)
	}
	return lines
}

// events are some items of lists, by position.
func eventsAt(positions ...int) []string {
	var items []string
	for _, p := range positions {
		items = append(items, fmt.Sprintf(`{"position":%d,"source":"/ats","id":"e-%d","kind":"data.shared","time":"2025-03-04T09:00:00.000Z","recordedtime":"2025-03-04T09:00:01.000Z",`+
			`"actor":{"mask":"actor-1f2e3d4c","role":"recruiter","kind":"human","unit":"sales"},"persons":1,"system":"ats","categories":["contact","career_cv"],"purpose":"placement",`+
			`"party":"acme-bank","recipient_role":"client","class":"T3","region":"IN","countries":["BE","IN"]}`, p, p))
	}
	return items
}

// runs demands an exit status and returns what was printed.
func (i invocation) runs(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	status, stdout, stderr := i.run(t, args...)
	if status != want {
		t.Fatalf("%q: exit status %d, want %d; stdout %q, stderr %q", args, status, want, stdout, stderr)
	}
	return stdout, stderr
}

// prints demands lines on standard output, whose ends may be blank.
func prints(t *testing.T, got string, want ...string) {
	t.Helper()
	if lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n"); !slices.Equal(lines, want) {
		t.Errorf("printed\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
