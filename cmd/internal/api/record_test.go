package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// parse reads an answer exactly as the document describes it.
func parse(t *testing.T, a answer) []eventResult {
	t.Helper()
	if a.StatusCode != 200 {
		t.Fatalf("status %d: %s", a.StatusCode, a.body)
	}
	var list []eventResult
	if a.Header.Get("Content-Type") == linesType {
		for line := range strings.Lines(a.body) {
			var one eventResult
			strict(t, line, &one)
			list = append(list, one)
		}
		return list
	}
	var all results
	strict(t, a.body, &all)
	return all.Results
}

// strict decodes one JSON value that is all of text, without unknown fields.
func strict(t *testing.T, text string, v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if d.More() {
		t.Fatalf("more than one value in %s", text)
	}
}

// brief writes results so that they can be compared.
func brief(list []eventResult) string {
	var b strings.Builder
	for _, r := range list {
		fmt.Fprintf(&b, "%d %s %s %s %d", r.Line, r.Source, r.ID, r.Status, r.Position)
		if r.Error != nil {
			fmt.Fprintf(&b, " %s %s", r.Error.Path, r.Error.Type)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestPostStructured(t *testing.T) {
	r := newRig(t)
	for i, want := range []string{"0 /ats a recorded 1\n", "0 /ats a duplicate 1\n"} {
		a := r.post(structuredType, event("/ats", "a"))
		if got := brief(parse(t, a)); got != want {
			t.Errorf("time %d: %q, want %q", i+1, got, want)
		}
		if a.Header.Get("X-Request-Id") == "" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", a.Header)
		}
	}
	if st, err := events.DecodeStored(r.ledger.raws[0]); err != nil || st.Relay != "test-relay" {
		t.Errorf("stored relay %v, %v", st, err)
	}
	a := r.send(access.RoleProducer, "POST", "/v1/events", event("/ats", "b"), "Content-Type", structuredType)
	if got := brief(parse(t, a)); got != "0 /ats b recorded 2\n" {
		t.Errorf("by the producer: %s", got)
	}
	if st, err := events.DecodeStored(r.ledger.raws[1]); err != nil || st.Relay != "" {
		t.Errorf("a producer's own event names a relay: %v", err)
	}
}

func TestPostBinary(t *testing.T) {
	r := newRig(t)
	var whole map[string]json.RawMessage
	if err := json.Unmarshal([]byte(event("/ats", "bin")), &whole); err != nil {
		t.Fatal(err)
	}
	a := r.post("application/json", string(whole["data"]), "Ce-Specversion", "1.0", "Ce-Id", "bin", "Ce-Source", "/ats",
		"Ce-Type", "eu.custody.data.accessed.v1", "Ce-Time", "2026-03-02T09:14:05.120Z")
	if got := brief(parse(t, a)); got != "0 /ats bin recorded 1\n" {
		t.Error(got)
	}
	if got := brief(parse(t, r.post(structuredType, event("/ats", "bin")))); got != "0 /ats bin duplicate 1\n" {
		t.Errorf("the same event in structured mode: %s", got)
	}
	a = r.post("application/json", `{}`, "Ce-Id", "bin")
	if a.StatusCode != 400 || !strings.Contains(a.body, `"path":"/`) {
		t.Errorf("without its attributes: %d %s", a.StatusCode, a.body)
	}
}

// mixed are events of which some are refused, and the results they get.
func mixed() (lines []string, want string) {
	return []string{
			event("/ats", "1"),
			event("/nobody", "2"),
			event("/ats", "1"),
			strings.Replace(event("/ats", "4"), `"basis"`, `"comment"`, 1),
			strings.Replace(event("/ats", "1"), "05.120Z", "06.120Z", 1),
			strings.Replace(event("/ats", "6"), "data.accessed", "breach.closed", 1),
			strings.Replace(event("/register", "7"), "accessed", "eaten", 1),
			"{}", "17", `"x"`, "{",
			event("/ats", "8"),
		}, `
1 /ats 1 recorded 1
2 /nobody 2 refused 0 /source source
3 /ats 1 duplicate 1
4 /ats 4 refused 0 /data/comment unknown-field
5 /ats 1 refused 0 /id conflict
6 /ats 6 refused 0
7 /register 7 refused 0 /type unknown-kind
8   refused 0
9   refused 0
10   refused 0
11   refused 0
12 /ats 8 recorded 2
`
}

// same compares got with want, line by line, as far as want goes in each.
func same(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(strings.TrimSpace(got), "\n"), strings.Split(strings.TrimSpace(want), "\n")
	if len(g) != len(w) {
		t.Fatalf("%d results, want %d:\n%s", len(g), len(w), got)
	}
	for i := range w {
		if !strings.HasPrefix(g[i], w[i]) {
			t.Errorf("result %d: %q, want %q", i+1, g[i], w[i])
		}
	}
}

func TestPostLines(t *testing.T) {
	lines, want := mixed()
	for _, end := range []string{"\n", "\r\n"} {
		r := newRig(t)
		same(t, brief(parse(t, r.post(linesType, strings.Join(lines, end)))), want)
	}
	r := newRig(t)
	a := r.post(linesType, "\n"+lines[0]+"\n\n \t\n"+lines[11]+"\n\n", "Accept", linesType)
	if a.Header.Get("Content-Type") != linesType {
		t.Errorf("NDJSON was asked for, %s came", a.Header.Get("Content-Type"))
	}
	same(t, brief(parse(t, a)), "2 /ats 1 recorded 1\n5 /ats 8 recorded 2")
}

func TestPostBatch(t *testing.T) {
	lines, want := mixed()
	lines = slices.Delete(lines, 10, 11) // what is no JSON cannot be an element
	var numbered strings.Builder
	for line := range strings.Lines(strings.TrimSpace(want)) {
		if !strings.HasPrefix(line, "11 ") {
			_, rest, _ := strings.Cut(line, " ")
			numbered.WriteString("0 " + rest)
		}
	}
	r := newRig(t)
	same(t, brief(parse(t, r.post(batchType, "["+strings.Join(lines, ",")+"]"))), numbered.String())
	for body, status := range map[string]int{"[]": 200, " [ ] ": 200, "": 400, "[": 400, "{}": 400, "[" + lines[0]: 400, "[" + lines[0] + "]]": 400, "[" + lines[0] + " " + lines[0] + "]": 400} {
		r := newRig(t)
		if a := r.post(batchType, body); a.StatusCode != status || len(r.ledger.raws) != 0 {
			t.Errorf("batch of %d bytes: %d, want %d, and %d recorded: %s", len(body), a.StatusCode, status, len(r.ledger.raws), a.body)
		}
	}
	for _, typ := range []string{linesType, structuredType} {
		if a := newRig(t).post(typ, ""); a.StatusCode != map[string]int{linesType: 200, structuredType: 400}[typ] {
			t.Errorf("empty body of %s: %d %s", typ, a.StatusCode, a.body)
		}
	}
}

// TestPostMany sends enough for several processors, and compares each result.
func TestPostMany(t *testing.T) {
	r := newRig(t)
	var lines []string
	var want strings.Builder
	for i := range MaxEvents {
		source, rest := "/ats", fmt.Sprintf("recorded %d", i-i/7)
		if i%7 == 0 {
			source, rest = "/other", "refused 0 /source source"
		}
		lines = append(lines, event(source, fmt.Sprintf("e%d", i)))
		fmt.Fprintf(&want, "0 %s e%d %s\n", source, i, rest)
	}
	a := r.post(batchType, "["+strings.Join(lines, ",")+"]")
	got := strings.Split(brief(parse(t, a)), "\n")
	for i, line := range strings.Split(want.String(), "\n") {
		if i < MaxEvents && i%7 != 0 && got[i] != line || !strings.HasPrefix(line, got[i][:min(8, len(got[i]))]) {
			t.Fatalf("result %d: %q, want %q", i, got[i], line)
		}
	}
	if r.ledger.calls != 1 {
		t.Errorf("%d calls of Record, want 1", r.ledger.calls)
	}
}

func TestDryRun(t *testing.T) {
	r := newRig(t)
	lines, _ := mixed()
	a := r.send(access.RoleRelay, "POST", "/v1/events?dry_run=true", strings.Join(lines[:3], "\n"), "Content-Type", linesType)
	same(t, brief(parse(t, a)), "1 /ats 1 valid 0\n2 /nobody 2 refused 0 /source source\n3 /ats 1 valid 0")
	r.ledger.halted = ledger.ErrHalted
	a = r.send(access.RoleRelay, "POST", "/v1/events?dry_run=true", lines[0], "Content-Type", structuredType)
	same(t, brief(parse(t, a)), "0 /ats 1 valid 0")
	a = r.send(access.RoleRelay, "POST", "/v1/events?dry_run=true", lines[1], "Content-Type", structuredType)
	if a.StatusCode != 403 {
		t.Errorf("a dry run of an event that may not be sent: %d", a.StatusCode)
	}
	if r.ledger.calls != 0 || len(r.ledger.refusals) != 0 {
		t.Errorf("a dry run reached the ledger: %d calls, refusals %v", r.ledger.calls, r.ledger.refusals)
	}
}

// TestSingleRefused goes through the statuses of a single event.
func TestSingleRefused(t *testing.T) {
	r := newRig(t)
	parse(t, r.post(structuredType, event("/ats", "1")))
	lines, _ := mixed()
	for i, want := range map[int]string{
		1: "403 not-allowed /source", 3: "400 invalid-event /data/comment", 4: "409 conflict /id", 6: "400 invalid-event /type", 10: "400 invalid-event",
	} {
		a := r.post(structuredType, lines[i], "Accept", "application/x-ndjson")
		var p struct {
			Problem
			Results []eventResult `json:"results"`
		}
		strict(t, a.body, &p)
		got := strings.TrimSpace(fmt.Sprint(a.StatusCode, " ", strings.TrimPrefix(p.Type, problemPrefix), " ", p.Path))
		if got != want || p.Status != a.StatusCode || a.Header.Get("Content-Type") != problemType {
			t.Errorf("event %d: %s, want %s", i+1, got, want)
		}
		if len(p.Results) != 1 || p.Results[0].Status != "refused" || p.Results[0].Error.Path != p.Path {
			t.Errorf("event %d: results %+v", i+1, p.Results)
		}
	}
}

// TestRefusalsAreCounted shows who is told of what was refused.
func TestRefusalsAreCounted(t *testing.T) {
	r := newRig(t)
	lines, _ := mixed()
	parse(t, r.post(linesType, strings.Join(lines, "\n")))
	r.send(access.RoleProducer, "POST", "/v1/events", "{", "Content-Type", structuredType)
	want := map[string]int64{" source": 1, "ats unknown-field": 2, "ats conflict": 1, "register unknown-kind": 1}
	for k, n := range want {
		if r.ledger.refusals[k] != n {
			t.Errorf("%q: %d, want %d, of %v", k, r.ledger.refusals[k], n, r.ledger.refusals)
		}
	}
	if n := r.ledger.refusals["ats not-json"]; n != 1 {
		t.Errorf("what a producer's token sent is not counted as its own: %v", r.ledger.refusals)
	}
	metrics := r.send(access.RoleOperator, "GET", "/metrics", "").body
	for _, line := range []string{
		`custody_events_recorded_total{producer="ats"} 2`, `custody_events_duplicates_total{producer="ats"} 1`,
		`custody_events_refusals_total{producer="other",type="source"} 1`, `custody_events_refusals_total{producer="ats",type="unknown-field"} 2`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("/metrics has no %s", line)
		}
	}
	if strings.Contains(metrics, "nobody") {
		t.Error("/metrics repeats a source that nobody registered")
	}
}
