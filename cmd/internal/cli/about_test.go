package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func personDesk() *desk {
	return &desk{
		known: map[string]string{"candidate:10001": "h1", "employee:r01": "h2"},
		lists: map[string][]string{
			"/v1/persons/h1/timeline":    eventsAt(1, 2, 3, 4, 5),
			"/v1/persons/h1/accesses":    eventsAt(2, 3, 5),
			"/v1/persons/h1/disclosures": eventsAt(4),
			"/v1/persons/me/timeline":    eventsAt(1, 5),
			"/v1/persons/h1/reads":       {`{"position":9,"time":"2025-03-04T09:00:00.000Z","role":"dpo","token":"dpo-1","query":"person.accesses","case":"c-1","persons":1}`},
			"/v1/persons/h1/recipients":  {`{"party":"acme-bank","events":3,"first":"2025-03-04T09:00:00.000Z","last":"2025-03-05T09:00:00.000Z","categories":["contact"],"purposes":["placement"],"classes":{"T0":2,"T3":1},"roles":["client"],"agreements":["dpa-1"]}`},
			"/v1/actors/h2/accesses":     eventsAt(2),
			"/v1/actors/h2/timeline":     eventsAt(2, 3),
		},
	}
}

// A list comes whole, page by page, whatever the format: the lookup gives the
// first page, the handle the rest.
func TestPersonIsPaged(t *testing.T) {
	d := personDesk()
	i := deskOf(t, d)
	all := eventsAt(1, 2, 3, 4, 5)

	stdout, stderr := i.runs(t, done, "person", "candidate:10001", "-o", "ndjson")
	prints(t, stdout, all...)
	for _, want := range []string{"as of position 10541, recorded 2025-12-31T22:00:00.000Z\n", "2 identifiers of the same person",
		"event time from 2025-02-28T23:00:00Z (included) to 2025-03-31T22:00:00Z (excluded) (days of Europe/Brussels)\n"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr %q does not say %q", stderr, want)
		}
	}
	want := []string{"POST /v1/persons/lookup", "GET /v1/persons/h1/timeline?cursor=2&limit=1000", "GET /v1/persons/h1/timeline?cursor=4&limit=1000"}
	if !slices.Equal(d.lines(), want) {
		t.Errorf("asked %q, want %q", d.lines(), want)
	}
	if b := d.asked[0].body; b["identifier"] != "candidate:10001" || b["show"] != "timeline" || b["limit"] != 1000.0 || len(b) != 3 {
		t.Errorf("looked up %v", b)
	}

	stdout, _ = i.runs(t, done, "person", "candidate:10001", "-o", "json")
	want[0] = "{" + asOfJSON + `,"window":{"from":"2025-02-28T23:00:00.000Z","to":"2025-03-31T22:00:00.000Z"},"total":5,"items":[` + strings.Join(all, ",\n ") + "]}\n"
	if stdout != want[0] || !json.Valid([]byte(stdout)) {
		t.Errorf("json %s, want %s", stdout, want[0])
	}

	stdout, _ = i.runs(t, done, "person", "candidate:10001", "--tz", "UTC")
	lines := strings.Split(stdout, "\n")
	if len(lines) != 7 || !strings.HasPrefix(lines[0], " POSITION  TIME ") ||
		!strings.HasPrefix(lines[1], "        1  2025-03-04 09:00:00.000  data.shared               /ats          actor-1f2e3d4c    recruiter         acme-bank           T3     contact,career_cv") {
		t.Errorf("table\n%s", stdout)
	}

	stdout, _ = i.runs(t, done, "person", "candidate:10001", "-o", "csv")
	lines = strings.Split(stdout, "\n")
	if len(lines) != 7 || !strings.HasPrefix(lines[0], "position,source,id,kind,time,recordedtime,relay,actor_mask,actor_role,") ||
		!strings.HasPrefix(lines[5], "5,/ats,e-5,data.shared,2025-03-04T09:00:00.000Z,2025-03-04T09:00:01.000Z,,actor-1f2e3d4c,recruiter,human,sales,,1,ats,,,,\"contact,career_cv\",") {
		t.Errorf("csv\n%s", stdout)
	}
}

func TestPersonShows(t *testing.T) {
	for _, test := range []struct {
		args, table string
		rows        int
	}{
		{"person candidate:10001 --show accesses", "POSITION TIME KIND ACTOR ROLE UNIT SYSTEM DATASET MODE CATEGORIES PURPOSE", 3},
		{"person candidate:10001 --show disclosures", "POSITION TIME KIND PARTY AS CLASS REGION COUNTRIES PERSONS CATEGORIES PURPOSE", 1},
		{"person candidate:10001 --show reads", "POSITION TIME ROLE TOKEN QUERY CASE PERSONS", 1},
		{"person candidate:10001 --show recipients", "PARTY EVENTS FIRST LAST AS CLASSES AGREEMENTS CATEGORIES PURPOSES", 1},
		{"person me", "POSITION TIME KIND SOURCE ACTOR ROLE PARTY CLASS CATEGORIES PURPOSE", 2},
		{"actor employee:r01 --show accesses", "POSITION TIME KIND ACTOR ROLE UNIT SYSTEM DATASET MODE CATEGORIES PURPOSE", 1},
		{"actor employee:r01", "POSITION TIME KIND SOURCE ACTOR ROLE PARTY CLASS CATEGORIES PURPOSE", 2},
	} {
		d := personDesk()
		stdout, _ := deskOf(t, d).runs(t, done, strings.Fields(test.args)...)
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if got := strings.Join(strings.Fields(lines[0]), " "); got != test.table || len(lines) != test.rows+1 {
			t.Errorf("%s:\n%s", test.args, stdout)
		}
	}
}

// Me is asked about by no lookup: the token says who it is.
func TestPersonMe(t *testing.T) {
	d := personDesk()
	deskOf(t, d).runs(t, done, "person", "me", "--from", "2025-03-01", "-o", "json")
	if want := []string{"GET /v1/persons/me/timeline?from=2025-02-28T23%3A00%3A00Z&limit=1000"}; !slices.Equal(d.lines(), want) {
		t.Errorf("asked %q", d.lines())
	}
}

// What a question is bounded by goes with every page.
func TestTermsAreSent(t *testing.T) {
	d := personDesk()
	deskOf(t, d).runs(t, done, "person", "candidate:10001", "--from", "2025-03-01", "--to", "2025-03-31", "--at", "2025-06-30", "--known-at", "10000",
		"--case", "c-1", "--kind", "governance,data.shared", "--class", "T5,T3", "--facet", "basis=A6-1-a,A6-1-b", "--newest", "-o", "csv")
	b := d.asked[0].body
	for name, want := range map[string]string{"from": "2025-02-28T23:00:00Z", "to": "2025-03-31T22:00:00Z", "at": "2025-06-30T21:59:59.999Z",
		"known_at": "10000", "case": "c-1", "order": "newest", "class": "[T3 T5]", "basis": "[A6-1-a A6-1-b]"} {
		if got := fmt.Sprint(b[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if kinds := fmt.Sprint(b["kind"]); !strings.HasPrefix(kinds, "[data.shared governance.") {
		t.Errorf("kinds %s", kinds)
	}
	for _, part := range []string{"at=2025-06-30T21%3A59%3A59.999Z", "basis=A6-1-a%2CA6-1-b", "case=c-1", "class=T3%2CT5", "cursor=2", "known_at=10000", "order=newest"} {
		if !strings.Contains(d.asked[1].line, part) {
			t.Errorf("the second page is asked for by %s, without %s", d.asked[1].line, part)
		}
	}
}

func TestLimit(t *testing.T) {
	for limit, want := range map[int]struct{ requests, rows int }{1: {1, 1}, 2: {1, 2}, 3: {2, 3}, 5: {3, 5}, 6: {3, 5}} {
		d := personDesk()
		stdout, stderr := deskOf(t, d).runs(t, done, "person", "candidate:10001", "-o", "ndjson", "--limit", fmt.Sprint(limit))
		if rows := strings.Count(stdout, "\n"); rows != want.rows || len(d.asked) != want.requests {
			t.Errorf("limit %d: %d rows by %q", limit, rows, d.lines())
		}
		if cut := strings.Contains(stderr, fmt.Sprintf("the first %d of 5\n", limit)); cut != (limit < 5) {
			t.Errorf("limit %d: stderr %q", limit, stderr)
		}
	}
}

// An identifier may come from standard input.
func TestIdentifierFromInput(t *testing.T) {
	d := personDesk()
	i := deskOf(t, d)
	i.stdin = "  candidate:10001\r\nmore\n"
	i.runs(t, done, "person", "-", "-o", "csv")
	if d.asked[0].body["identifier"] != "candidate:10001" {
		t.Errorf("looked up %v", d.asked[0].body)
	}
	i.stdin = "\n"
	if _, stderr := i.runs(t, misused, "person", "-"); !strings.Contains(stderr, "standard input holds no identifier") {
		t.Errorf("stderr %q", stderr)
	}
}

// What the server will not answer has its own exit status and next step, and
// nothing on standard output.
func TestRefusedQuestions(t *testing.T) {
	for _, test := range []struct {
		code       int
		word, more string
		status     int
		want       string
	}{
		{404, "not-known", "", failed, "not known: Title of not-known\n  give it whole"},
		{409, "ambiguous", `"candidates":["candidate:77","employee:77"]`, misused, "  give one of candidate:77, employee:77\n"},
		{410, "handle-expired", "", failed, "--from and --to"},
		{403, "outside-box", "", failed, "--case"},
		{403, "forbidden", "", failed, "custody token create --help"},
		{503, "read-not-recorded", "", failed, "custody status"},
		{503, "view-behind", "", failed, "custody views"},
		{400, "invalid-request", `"path":"/from"`, failed, "/from"},
	} {
		i := deskOf(t, &desk{answer: func(w http.ResponseWriter, r *http.Request, _ map[string]any) bool {
			refuse(w, test.code, test.word, test.more)
			return true
		}})
		for _, args := range [][]string{{"person", "candidate:10001"}, {"actor", "employee:r01", "-o", "json"}, {"log", "--person", "candidate:10001", "-o", "ndjson"},
			{"log", "--session", "stolen", "--summary", "-o", "json"}, {"log", "--actor", "employee:r01", "--facets", "all"}} {
			stdout, stderr := i.runs(t, test.status, args...)
			if stdout != "" || !strings.Contains(stderr, test.want) || strings.Contains(stderr, "10001") || strings.Contains(stderr, "r01") {
				t.Errorf("%s %q: stdout %q, stderr %q", test.word, args, stdout, stderr)
			}
		}
	}
}

// TestMyRecipients asks for what comes at once without anything that cuts it.
func TestMyRecipients(t *testing.T) {
	d := &desk{objects: map[string]string{"/v1/persons/me/recipients": `{` + asOfJSON + `,"items":[{"party":"acme-bank"},{"party":"us-mail"}]}`}}
	stdout, _ := deskOf(t, d).runs(t, done, "person", "me", "--show", "recipients", "--limit", "1", "--case", "c-1", "-o", "ndjson")
	prints(t, stdout, `{"party":"acme-bank"}`)
	if want := []string{"GET /v1/persons/me/recipients?case=c-1"}; !slices.Equal(d.lines(), want) {
		t.Errorf("asked %q, want %q", d.lines(), want)
	}
}

// TestBeforeEverything asks as of when there was nothing.
func TestBeforeEverything(t *testing.T) {
	d := &desk{objects: map[string]string{"/v1/parties": `{"as_of":{"position":0,"recordedtime":"0001-01-01T00:00:00Z"},"items":[]}`}}
	stdout, stderr := deskOf(t, d).runs(t, done, "party", "list", "--known-at", "0")
	if stdout != "" || !strings.HasPrefix(stderr, "as of position 0, before anything was recorded\n") || strings.Contains(stderr, "0001") {
		t.Errorf("stdout %q, stderr %q", stdout, stderr)
	}
}

// TestNoSuchThing says what to look at instead.
func TestNoSuchThing(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"party nobody", "custody party list shows"},
		{"explain /ats/nothing", "/producer/id"},
		{"event nothing", "/producer/id"},
	} {
		d := &desk{answer: func(w http.ResponseWriter, _ *http.Request, _ map[string]any) bool {
			refuse(w, 404, "not-found", "")
			return true
		}}
		stdout, stderr := deskOf(t, d).runs(t, failed, strings.Fields(test.args)...)
		if stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: stdout %q, stderr %q", test.args, stdout, stderr)
		}
	}
}
