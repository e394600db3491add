package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// answers are the right answers about what a ledger holds. Those of the year of
// input were computed by an independent program.
type answers struct {
	Accesses    map[string][]string `json:"accesses"` // ids of events, by identifier
	Disclosures map[string][]string `json:"disclosures"`
	Timeline    map[string][]string `json:"timeline"`
	Actors      map[string][]string `json:"actors"` // accesses, by who acted

	Recipients   map[string]received `json:"recipients"`
	Unregistered []string            `json:"unregistered"`

	Class    map[string]string         `json:"transfer_class"` // by id of the event
	Counts   map[string]int            `json:"transfer_counts"`
	Quarters map[string]map[string]int `json:"transfer_quarters"` // of event time, in UTC

	Gaps   map[string][]uint64 `json:"gaps"` // by source
	Stolen extent              `json:"stolen"`
}

// received is what a party received. Times are compared as they are written.
type received struct {
	Events  int    `json:"events"`
	Persons int    `json:"persons"`
	First   string `json:"first"`
	Last    string `json:"last"`
}

// extent is what the stolen session touched.
type extent struct {
	Events     int      `json:"events"`
	Persons    []string `json:"persons"`
	Categories []string `json:"categories"`
	First      string   `json:"first"`
	Last       string   `json:"last"`
}

// lists are the answers about somebody, by what is shown.
func (a *answers) lists() map[string]map[string][]string {
	return map[string]map[string][]string{"accesses": a.Accesses, "disclosures": a.Disclosures, "timeline": a.Timeline}
}

// ofYear reads the answers about the year of input.
func ofYear(ts *testscript.TestScript) (a *answers) {
	packed, err := os.Open(ts.Getenv("ANSWERS"))
	ts.Check(err)
	defer packed.Close()
	in, err := gzip.NewReader(packed)
	ts.Check(err)
	ts.Check(json.NewDecoder(in).Decode(&a))
	if len(a.Timeline) == 0 || len(a.Class) == 0 || len(a.Recipients) == 0 || a.Stolen.Events == 0 {
		ts.Fatalf("the answers are not all there")
	}
	return a
}

// replayed is a line of a replay, as far as the class of an event goes.
type replayed struct{ Source, ID, Class string }

// bruteForce computes the answers about what a replay holds, event by event, from
// the events as they were sent: only there are people in clear.
func bruteForce(ts *testscript.TestScript, events, log string) *answers {
	sent := map[identity]*sentEvent{}
	for line := range strings.Lines(events) {
		e := &sentEvent{}
		ts.Check(json.Unmarshal([]byte(line), e))
		if sent[e.identity] == nil {
			sent[e.identity] = e
		}
	}
	f := newFold()
	in := bufio.NewScanner(strings.NewReader(log))
	in.Buffer(nil, 8<<20)
	for in.Scan() {
		var r replayed
		ts.Check(json.Unmarshal(in.Bytes(), &r))
		if r.Source == "" || r.Source == "/custody" {
			continue // the end, or the ledger's own
		}
		e := sent[identity{r.Source, r.ID}]
		if e == nil {
			ts.Fatalf("the replay holds what was not sent")
		}
		f.add(e, r.Class)
	}
	ts.Check(in.Err())
	return f.answers()
}

// sameAnswers holds the brute force against the independent program: it is no
// oracle unless they agree.
func sameAnswers(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "sameanswers EVENTS LOG")
	want, got := ofYear(ts), bruteForce(ts, ts.ReadFile(args[0]), ts.ReadFile(args[1]))
	for show, lists := range want.lists() {
		for who, ids := range lists {
			if !slices.Equal(sortedCopy(got.lists()[show][who]), sortedCopy(ids)) {
				ts.Fatalf("%s of %s: %d, want %d", show, who, len(got.lists()[show][who]), len(ids))
			}
		}
	}
	for who, ids := range want.Actors {
		if !slices.Equal(sortedCopy(got.Actors[who]), sortedCopy(ids)) {
			ts.Fatalf("what %s did: %d, want %d", who, len(got.Actors[who]), len(ids))
		}
	}
	for name, pair := range map[string][2]any{
		"recipients": {got.Recipients, want.Recipients}, "unregistered": {got.Unregistered, want.Unregistered},
		"class": {got.Class, want.Class}, "counts": {got.Counts, want.Counts}, "quarters": {got.Quarters, want.Quarters},
		"gaps": {got.Gaps, want.Gaps}, "stolen": {got.Stolen, want.Stolen},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			ts.Fatalf("%s: %s", name, different(pair[0], pair[1]))
		}
	}
}

func sortedCopy(list []string) []string { return slices.Sorted(slices.Values(list)) }

// different says how two values differ, in at most some lines.
func different(got, want any) string {
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if g.Kind() != reflect.Map || g.Type() != w.Type() {
		return fmt.Sprintf("got %v, want %v", short(got), short(want))
	}
	var b bytes.Buffer
	keys := map[any]bool{}
	for _, m := range []reflect.Value{g, w} {
		for _, k := range m.MapKeys() {
			keys[k.Interface()] = true
		}
	}
	for k := range maps.Keys(keys) {
		one, other := g.MapIndex(reflect.ValueOf(k)), w.MapIndex(reflect.ValueOf(k))
		if !one.IsValid() || !other.IsValid() || !reflect.DeepEqual(one.Interface(), other.Interface()) {
			fmt.Fprintf(&b, "%v: got %s, want %s\n", k, short(one), short(other))
		}
		if b.Len() > 1000 {
			break
		}
	}
	return b.String()
}

func short(v any) string {
	text := fmt.Sprint(v)
	return text[:min(len(text), 400)]
}
