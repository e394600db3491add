package cli

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const coverageJSON = `{` + asOfJSON + `,"producers":[` +
	`{"producer":"ats","instance":"","received":5000,"last":5324,"last_time":"2025-12-31T22:00:00.000Z","missing":[20,376,377,378],"missing_ranges":[{"from":20,"to":20},{"from":376,"to":378}],"missing_count":4,"repeated":1,"unnumbered":0,"silent_seconds":7200.5},` +
	`{"producer":"crm","instance":"b","received":3,"last":3,"last_time":"2025-12-31T22:00:00.000Z","missing":[],"missing_ranges":[],"missing_count":0,"repeated":0,"unnumbered":2,"silent_seconds":864000}],` +
	`"refusals":[{"producer":"ats","type":"personal-data","count":12,"first":"2025-12-30T22:00:00Z","last":"2025-12-31T22:00:00Z"}],"unregistered_parties":["ghost-saas"],` +
	`"unregistered":[{"party":"ghost-saas","received":1,"first_position":7,"last_position":7,"registered_position":0},{"party":"late","received":2,"first_position":7,"last_position":8,"registered_position":9}]}`

func TestCoverage(t *testing.T) {
	d := &desk{objects: map[string]string{"/v1/coverage": coverageJSON}}
	i := deskOf(t, d)
	stdout, _ := i.runs(t, done, "coverage", "--tz", "UTC", "--known-at", "10541")
	prints(t, stdout,
		"PRODUCER          INSTANCE       RECEIVED    HIGHEST   MISSING  REPEATED  UNNUMBERED  LAST EVENT               SILENT    MISSING NUMBERS",
		"ats                                 5,000      5,324         4         1           0  2025-12-31 22:00:00.000  2h0m      20, 376-378",
		"crm               b                     3          3         0         0           2  2025-12-31 22:00:00.000  10 days",
		"", "refused",
		"PRODUCER             EVENTS  WHY                   NOT BEFORE               NOT AFTER",
		"ats                      12  personal-data         2025-12-30 22:00:00.000  2025-12-31 22:00:00.000",
		"", "given personal data before they were registered",
		"PARTY                    EVENTS      FIRST       LAST  REGISTERED SINCE",
		"ghost-saas                    1          7          7  no",
		"late                          2          7          8  at position 9")
	stdout, stderr := i.runs(t, done, "coverage", "-o", "csv")
	prints(t, stdout, "producer,instance,received,last,missing_count,repeated,unnumbered,last_time,silent_seconds,missing",
		"ats,,5000,5324,4,1,0,2025-12-31T22:00:00.000Z,7200,20 376-378", "crm,b,3,3,0,0,2,2025-12-31T22:00:00.000Z,864000,")
	if !strings.Contains(stderr, "-o json") {
		t.Errorf("stderr %q", stderr)
	}
	stdout, _ = i.runs(t, done, "coverage", "-o", "ndjson")
	prints(t, stdout, coverageJSON)
	stdout, _ = i.runs(t, done, "coverage", "-o", "json")
	if !strings.Contains(stdout, "\n  \"unregistered_parties\": [\n    \"ghost-saas\"\n  ]") {
		t.Errorf("json %s", stdout)
	}
	if d.asked[0].line != "GET /v1/coverage?known_at=10541" {
		t.Errorf("asked %q", d.lines())
	}
	for _, format := range formats {
		if stdout, _ := deskOf(t, &desk{objects: map[string]string{"/v1/coverage": "{}"}}).runs(t, failed, "coverage", "-o", format); stdout != "" {
			t.Errorf("an answer without producers as %s: %q", format, stdout)
		}
	}
}

func TestGaps(t *testing.T) {
	var many []gap
	for n := range uint64(14) {
		many = append(many, gap{10 * n, 10*n + n%2})
	}
	for want, list := range map[string][]gap{
		"": nil, "7": {{7, 7}}, "7-9, 11, 13-14": {{7, 9}, {11, 11}, {13, 14}},
		gaps(many[:12], ", "): many[:12], gaps(many[:12], ", ") + " and 2 more gaps": many,
	} {
		if got := someGaps(list); got != want {
			t.Errorf("%v: %q, want %q", list, got, want)
		}
	}
	for seconds, want := range map[float64]string{0: "0s", 59.9: "59s", 61: "1m1s", 3725: "1h2m", 2 * 86400: "2 days"} {
		if got := silence(seconds); got != want {
			t.Errorf("%v s: %q, want %q", seconds, got, want)
		}
	}
}

func explainDesk() *desk {
	return &desk{objects: map[string]string{
		"/v1/events/find": `{"position":7}`,
		"/v1/events/7/explain": `{` + asOfJSON + `,"position":7,"source":"/ats","id":"e-7","kind":"data.shared","time":"2025-03-04T09:00:00.000Z","class":"T3","tables":"2025-01","now":{"class":"T2","tables":"2026-02"},` +
			`"facts":[{"fact":"IN","finding":"third country","source":"=table","verified":false}],"register":[{"position":2,"kind":"governance.party-registered","party":"acme-bank"}]}`,
		"/v1/events/7": `{` + asOfJSON + `,"item":{"position":7,"class":"T3"},"digest":"00ff","persons":[{"mask":"person-1","role":"candidate"}],"event":{"id":"e-7","data":{"n":1.50}}}`,
	}}
}

func TestExplain(t *testing.T) {
	d := explainDesk()
	i := deskOf(t, d)
	stdout, _ := i.runs(t, done, "explain", "7", "--tz", "UTC")
	prints(t, stdout,
		"position          7",
		"event             /ats e-7",
		"kind              data.shared",
		"time              2025-03-04 09:00:00.000",
		"class             T3 (safeguards, Art. 46)",
		"tables            2025-01",
		"now               T2, by tables 2026-02",
		"",
		"FACT                      FINDING                           VERIFIED  SOURCE",
		"IN                        third country                     false     =table",
		"",
		"by the register of then",
		" POSITION  KIND                              PARTY",
		"        2  governance.party-registered       acme-bank")
	stdout, _ = i.runs(t, done, "explain", "7", "-o", "csv")
	prints(t, stdout, "position,class,tables,fact,finding,verified,source", "7,T3,2025-01,IN,third country,false,'=table")
	stdout, _ = i.runs(t, done, "explain", "7", "-o", "ndjson")
	prints(t, stdout, d.objects["/v1/events/7/explain"])
	for name, want := range map[string]string{"/ats/e/7": "id=e%2F7&source=%2Fats", "e-7": "id=e-7"} {
		d := explainDesk()
		deskOf(t, d).runs(t, done, "explain", name, "--case", "c-1", "-o", "json")
		if want := []string{"GET /v1/events/find?" + want, "GET /v1/events/7/explain?case=c-1"}; !slices.Equal(d.lines(), want) {
			t.Errorf("%s: asked %q, want %q", name, d.lines(), want)
		}
	}
	if _, stderr := i.runs(t, failed, "explain", "8"); !strings.Contains(stderr, "not-found") {
		t.Errorf("stderr %q", stderr)
	}
}

func TestEvent(t *testing.T) {
	d := explainDesk()
	i := deskOf(t, d)
	stdout, _ := i.runs(t, done, "event", "e-7")
	prints(t, stdout,
		"item", "  position                7", "  class                   T3",
		"digest                    00ff",
		"", "persons", "  1", "    mask                  person-1", "    role                  candidate",
		"", "event", "  id                      e-7", "  data", "    n                     1.50")
	stdout, _ = i.runs(t, done, "event", "7", "-o", "ndjson")
	prints(t, stdout, d.objects["/v1/events/7"])
}

func TestRegister(t *testing.T) {
	items := []string{`{"what":"party","key":["acme-bank"],"version":{"position":2,"time":"2025-01-01T00:00:00.000Z","data":{"actor":{"role":"dpo"},"country":"BE","storage":["BE","DE"]}}}`}
	d := &desk{lists: map[string][]string{"/v1/register": items}}
	i := deskOf(t, d)
	stdout, _ := i.runs(t, done, "register", "party", "--at", "2025-06-30T00:00:00Z", "--tz", "UTC")
	prints(t, stdout, "WHAT              KEY                            POSITION  TIME                     DATA",
		"party             acme-bank                             2  2025-01-01 00:00:00.000  actor={role=dpo} country=BE storage=BE,DE")
	if d.asked[0].line != "GET /v1/register?at=2025-06-30T00%3A00%3A00Z&what=party" {
		t.Errorf("asked %q", d.lines())
	}
	stdout, _ = i.runs(t, done, "register", "-o", "ndjson")
	prints(t, stdout, items...)
	if got := completed(t, "register", "agr"); !slices.Equal(got, []string{"agreement"}) {
		t.Errorf("completes %q", got)
	}
}

func TestViews(t *testing.T) {
	d := &desk{objects: map[string]string{"/v1/views": `{"views":[{"name":"person","version":3,"position":9,"head":10,"lag":1,"state":"rebuilding","error":""}]}`}}
	d.answer = func(w http.ResponseWriter, r *http.Request, _ map[string]any) bool {
		if r.Method == http.MethodPost && r.URL.Path == "/v1/views/person/rebuild" {
			w.WriteHeader(http.StatusAccepted)
			return true
		}
		return false
	}
	i := deskOf(t, d)
	stdout, _ := i.runs(t, done, "views")
	prints(t, stdout, "NAME          VERSION    POSITION        HEAD       LAG  STATE       ERROR", "person              3           9          10         1  rebuilding")
	stdout, _ = i.runs(t, done, "views", "-o", "ndjson")
	prints(t, stdout, `{"name":"person","version":3,"position":9,"head":10,"lag":1,"state":"rebuilding","error":""}`)
	if _, stderr := i.runs(t, failed, "views", "rebuild", "person", "nosuch"); !strings.Contains(stderr, "begun 1 of 2") || !strings.Contains(stderr, "number 2 of 2") {
		t.Errorf("stderr %q", stderr)
	}
	if _, stderr := i.runs(t, misused, "views", "rebuilt"); !strings.Contains(stderr, "did you mean rebuild?") {
		t.Errorf("stderr %q", stderr)
	}
}
