package cli

import (
	"slices"
	"strings"
	"testing"
)

func seekDesk() *desk {
	return &desk{
		lists: map[string][]string{"events": eventsAt(1, 2, 3)},
		objects: map[string]string{
			"summary":   `{` + asOfJSON + `,"events":120,"persons":104,"unresolved":1,"categories":["career_cv","contact"],"systems":["ats"],"kinds":{"data.accessed":118,"data.exported":2},"first":"2025-03-04T09:00:00.000Z","last":"2025-03-04T10:00:00.000Z"}`,
			"facets":    `{` + asOfJSON + `,"total":1003,"facets":{"class":[{"value":"T0","count":3}],"kind":[{"value":"data.accessed","count":1000},{"value":"data.shared","count":3}],"zzz":[{"value":"=a","count":1}]}}`,
			"histogram": `{` + asOfJSON + `,"by":"day","zone":"Europe/Brussels","items":[{"from":"2025-03-29T23:00:00Z","count":80},{"from":"2025-03-30T22:00:00Z","count":40},{"from":"2025-04-02T22:00:00Z","count":0},{"from":"2025-04-03T22:00:00Z","count":1}]}`,
		},
	}
}

// Without what makes it a question log is a replay, also with the flags that
// both have.
func TestLogIsAQuestionWhenAsked(t *testing.T) {
	for args, want := range map[string]string{
		"":                                  "GET /v1/events/stream",
		"--kind data.shared --producer ats": "GET /v1/events/stream",
		"--from 2025-01-01":                 "GET /v1/events/stream?since=2024-12-31T23%3A00%3A00Z",
		"--system ats":                      "POST /v1/events/search",
		"--facet kind=data.shared":          "POST /v1/events/search",
		"--party acme-bank":                 "POST /v1/events/search",
		"--purpose placement":               "POST /v1/events/search",
		"--category contact":                "POST /v1/events/search",
		"--country IN":                      "POST /v1/events/search",
		"--class T5":                        "POST /v1/events/search",
		"--at 2025-01-01":                   "POST /v1/events/search",
		"--known-at 9":                      "POST /v1/events/search",
		"--case c-1":                        "POST /v1/events/search",
		"--limit 1":                         "POST /v1/events/search",
		"--newest":                          "POST /v1/events/search",
		"--summary":                         "POST /v1/events/search",
		"--facets all":                      "POST /v1/events/search",
		"--histogram day":                   "POST /v1/events/search",
	} {
		d := seekDesk()
		deskOf(t, d).run(t, append([]string{"log"}, strings.Fields(args)...)...)
		if len(d.asked) == 0 || d.asked[0].line != want {
			t.Errorf("log %s asked %q, want %q", args, d.lines(), want)
		}
	}
}

func TestSeek(t *testing.T) {
	d := seekDesk()
	i := deskOf(t, d)
	i.stdin = "candidate:10001\nsess-stolen\n"
	stdout, stderr := i.runs(t, done, "log", "--person", "-", "--actor", "employee:r01", "--session", "-", "--kind", "shared", "--producer", "ats,crm",
		"--from", "2025-03-01", "-o", "ndjson")
	prints(t, stdout, eventsAt(1, 2, 3)...)
	if strings.Contains(stderr, "recorded from") {
		t.Errorf("stderr %q", stderr)
	}
	for n, cursor := range []any{nil, "2"} {
		b := d.asked[n].body
		if b["person"] != "candidate:10001" || b["actor"] != "employee:r01" || b["session"] != "sess-stolen" || b["cursor"] != cursor ||
			b["from"] != "2025-02-28T23:00:00Z" || !slices.Equal(b["kind"].([]any), []any{"data.shared"}) || !slices.Equal(b["producer"].([]any), []any{"ats", "crm"}) {
			t.Errorf("page %d asked with %v", n+1, b)
		}
	}
	stdout, _ = i.runs(t, done, "log", "--system", "ats")
	if lines := strings.Count(stdout, "\n"); lines != 4 {
		t.Errorf("table\n%s", stdout)
	}
}

func TestSessionSummary(t *testing.T) {
	d := seekDesk()
	i := deskOf(t, d)
	stdout, stderr := i.runs(t, done, "log", "--session", "sess-stolen", "--summary", "--case", "b-1", "--tz", "UTC")
	prints(t, stdout,
		"events            120",
		"persons           104",
		"unresolved        1",
		"categories        career_cv,contact",
		"systems           ats",
		"kinds             data.accessed=118 data.exported=2",
		"first             2025-03-04 09:00:00.000",
		"last              2025-03-04 10:00:00.000")
	if !strings.Contains(stderr, "as of position 10541") {
		t.Errorf("stderr %q", stderr)
	}
	if b := d.asked[0].body; len(d.asked) != 1 || len(b) != 3 || b["session"] != "sess-stolen" || b["show"] != "summary" || b["case"] != "b-1" {
		t.Errorf("asked %q with %v", d.lines(), b)
	}
	stdout, _ = i.runs(t, done, "log", "--session", "sess-stolen", "--summary", "-o", "ndjson")
	prints(t, stdout, d.objects["summary"])
	stdout, _ = i.runs(t, done, "log", "--session", "sess-stolen", "--summary", "-o", "csv")
	if !strings.HasPrefix(stdout, "name,value\nevents,120\n") || !strings.Contains(stdout, "first,2025-03-04T09:00:00.000Z\n") {
		t.Errorf("csv %s", stdout)
	}
}

// A count is one request, whoever it is about.
func TestFacets(t *testing.T) {
	d := seekDesk()
	i := deskOf(t, d)
	stdout, _ := i.runs(t, done, "log", "--facets", "kind,class", "--person", "candidate:10001", "--session", "sess-stolen", "--to", "2025-03-31")
	prints(t, stdout,
		"1,003 events",
		"", "kind",
		"  data.accessed  1,000  "+strings.Repeat("█", 56),
		"  data.shared        3  ▏",
		"", "class",
		"  T0  3  "+strings.Repeat("█", 71),
		"", "zzz",
		"  =a  1  "+strings.Repeat("█", 71))
	b := d.asked[0].body
	if len(d.asked) != 1 || len(b) != 5 || b["person"] != "candidate:10001" || b["session"] != "sess-stolen" || b["to"] != "2025-03-31T22:00:00Z" ||
		b["show"] != "facets" || !slices.Equal(b["of"].([]any), []any{"kind", "class"}) {
		t.Errorf("asked %q with %v", d.lines(), b)
	}
	stdout, _ = i.runs(t, done, "log", "--facets", "all", "-o", "ndjson")
	if b := d.asked[1].body; len(b) != 1 {
		t.Errorf("asked with %v", b)
	}
	prints(t, stdout, `{"facet":"kind","value":"data.accessed","count":1000}`, `{"facet":"kind","value":"data.shared","count":3}`,
		`{"facet":"class","value":"T0","count":3}`, `{"facet":"zzz","value":"=a","count":1}`)
	stdout, _ = i.runs(t, done, "log", "--facets", "all", "-o", "csv")
	prints(t, stdout, "facet,value,count", "kind,data.accessed,1000", "kind,data.shared,3", "class,T0,3", "zzz,'=a,1")
	stdout, _ = i.runs(t, done, "log", "--facets", "all", "-o", "json")
	if !strings.Contains(stdout, "\n  \"total\": 1003,\n") {
		t.Errorf("json %s", stdout)
	}
}

func TestHistogram(t *testing.T) {
	d := seekDesk()
	i := deskOf(t, d)
	stdout, _ := i.runs(t, done, "log", "--histogram", "day", "--class", "T3")
	prints(t, stdout,
		"2025-03-30 Sun  80  "+strings.Repeat("█", 60),
		"2025-03-31 Mon  40  "+strings.Repeat("█", 30),
		"...",
		"2025-04-03 Thu   0",
		"2025-04-04 Fri   1  ▊")
	if b := d.asked[0].body; len(b) != 4 || b["by"] != "day" || b["tz"] != "Europe/Brussels" || b["show"] != "histogram" {
		t.Errorf("asked with %v", b)
	}
	stdout, _ = i.runs(t, done, "log", "--histogram", "day", "-o", "csv")
	prints(t, stdout, "from,count", "2025-03-30T00:00:00+01:00,80", "2025-03-31T00:00:00+02:00,40", "2025-04-03T00:00:00+02:00,0", "2025-04-04T00:00:00+02:00,1")
	stdout, _ = i.runs(t, done, "log", "--histogram", "day", "-o", "ndjson")
	prints(t, stdout, `{"from":"2025-03-29T23:00:00Z","count":80}`, `{"from":"2025-03-30T22:00:00Z","count":40}`, `{"from":"2025-04-02T22:00:00Z","count":0}`, `{"from":"2025-04-03T22:00:00Z","count":1}`)
	stdout, _ = i.runs(t, done, "log", "--histogram", "day", "-o", "json")
	if !strings.Contains(stdout, "\n  \"zone\": \"Europe/Brussels\",\n") {
		t.Errorf("json %s", stdout)
	}
}

func TestUnitsAreNamed(t *testing.T) {
	zone, err := (&session{zone: "Europe/Brussels"}).location()
	if err != nil {
		t.Fatal(err)
	}
	from, _ := moment("from", "2024-12-30", zone, 0)
	for unit, want := range map[string][2]string{
		"hour": {"2024-12-30 00:00 CET", "2024-12-30 01:00 CET"}, "day": {"2024-12-30 Mon", "2024-12-31 Tue"}, "week": {"2025-W01", "2025-W02"},
		"month": {"2024-12", "2025-01"}, "quarter": {"2024-Q4", "2025-Q1"}, "year": {"2024", "2025"},
	} {
		if got := [2]string{labelled(from, unit), labelled(following(from, unit), unit)}; got != want {
			t.Errorf("%s: %q, want %q", unit, got, want)
		}
	}
}

// What is counted must be there.
func TestBrokenCounts(t *testing.T) {
	for _, object := range []string{"null", "{}", "[]", `"x"`, `{"facets":[],"items":{},"events":null}`, `{"as_of":"now","facets":{},"items":[],"events":1}`} {
		for _, flag := range []string{"--summary", "--facets=all", "--histogram=day"} {
			d := &desk{objects: map[string]string{"summary": object, "facets": object, "histogram": object}}
			for _, format := range formats {
				if stdout, stderr := deskOf(t, d).runs(t, failed, "log", flag, "-o", format); stdout != "" || !strings.Contains(stderr, "not the JSON expected") {
					t.Errorf("%s %s of %s: stdout %q, stderr %q", flag, format, object, stdout, stderr)
				}
			}
		}
	}
}

// A bar is as long as its count is big, and never nothing for something.
func TestBlocks(t *testing.T) {
	for _, test := range []struct {
		n, most uint64
		want    string
	}{
		{0, 8, ""}, {1, 1000, "▏"}, {8, 8, "████"}, {4, 8, "██"}, {1, 8, "▌"}, {3, 8, "█▌"}, {7, 8, "███▌"}, {31, 32, "███▉"},
	} {
		if got := blocks(test.n, test.most, 4); got != test.want {
			t.Errorf("%d of %d: %q, want %q", test.n, test.most, got, test.want)
		}
	}
}
