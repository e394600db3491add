package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func aQuery() Query {
	return Query{
		Role: "investigator", Token: "inv-1", Case: "breach-2026.07", Query: "person.accesses", Filters: []string{"purpose", "kind", "purpose"},
		From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 1, 1, 2, 3, 4_500_000, time.FixedZone("", 7200)),
		AsOf: 812, Persons: 3, Subjects: []string{"candidate:10412"}, Actors: []string{"employee:jdp"},
	}
}

func aReveal() Reveal {
	return Reveal{Role: "dpo", Token: "dpo", Case: "c1", Approved: "dpo-2", ReasonCode: "art-15", Reason: "to tell them", Subjects: []string{"candidate:1", "candidate:2"},
		Actors: []string{"employee:a"}, Bulk: "reveal:7", Part: 2, Parts: 2}
}

// storable makes tags of identifiers, as the ledger does, and drops what is sealed.
func storable(e *Event) *Stored {
	n := 0
	tagged := e.Rewrite(func(_ string, s Secrecy, v Value) Value {
		if s == Sealed {
			return Value{}
		}
		n++
		return TextOf(fmt.Sprintf("%032x", n))
	})
	return &Stored{Event: tagged, Recorded: e.At}
}

const askedAt = "2026-03-02T09:14:05.120Z"

func made(t testing.TB, e *Event, err error) *Event {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestQueryEvent(t *testing.T) {
	at, _ := time.Parse(time.RFC3339, askedAt)
	e, err := aQuery().Event("q-1", "/custody", at)
	got := string(made(t, e, err).AppendJSON(nil))
	want := `{"specversion":"1.0","id":"q-1","source":"/custody","type":"eu.custody.ledger.queried.v1","time":"` + askedAt + `","datacontenttype":"application/json","data":{` +
		`"role":"investigator","token":"inv-1","case":"breach-2026.07","query":"person.accesses","filter":["kind","purpose"],` +
		`"from":"2026-03-01T00:00:00.000Z","to":"2026-03-31T23:02:03.004Z","as_of":812,"persons":3,"subjects":[{"id":"candidate:10412"}],"handlers":["employee:jdp"]}}`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if !e.At.Equal(at) || e.Kind != LedgerQueried {
		t.Errorf("%v at %v", e.Kind, e.At)
	}
	e, err = Query{Role: "auditor", Token: "a", Query: "transfers"}.Event("q-2", "/custody", at)
	got = string(made(t, e, err).AppendJSON(nil))
	if want := `"data":{"role":"auditor","token":"a","query":"transfers","as_of":0,"persons":0}}`; !strings.HasSuffix(got, want) {
		t.Errorf("the least there is to say: %s", got)
	}
}

func TestRevealEvent(t *testing.T) {
	at, _ := time.Parse(time.RFC3339, askedAt)
	e, err := aReveal().Event("r-1", "/custody", at)
	got := string(made(t, e, err).AppendJSON(nil))
	want := `"data":{"role":"dpo","token":"dpo","case":"c1","approved_by":"dpo-2","reason_code":"art-15","bulk":{"id":"reveal:7","part":2,"parts":2},"reason":"to tell them",` +
		`"subjects":[{"id":"candidate:1"},{"id":"candidate:2"}],"handlers":["employee:a"]}}`
	if !strings.HasSuffix(got, want) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	st, err := DecodeStored(storable(e).Append(nil))
	if err != nil || strings.Contains(string(st.Append(nil)), "tell") || len(st.Event.Data.Get("handlers").List()) != 1 {
		t.Errorf("stored: %v", err)
	}
}

// TestAskedIsReadable makes events of anything that fits, and some things that do not: what is made can be
// stored and read again.
func TestAskedIsReadable(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "person.accesses", "A", "0475 12 34 56", "\xff", "dpo"}), rapid.StringMatching(`[a-z0-9][a-z0-9_.-]{0,70}`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at"))
		q := Query{
			Role: text.Draw(t, "role"), Token: text.Draw(t, "token"), Case: text.Draw(t, "case"), Query: text.Draw(t, "query"),
			Filters: rapid.SliceOfN(text, 0, 70).Draw(t, "filters"), AsOf: rapid.Uint64().Draw(t, "as of"), Persons: rapid.Int64().Draw(t, "persons"),
			Subjects: rapid.SliceOfN(text, 0, 4).Draw(t, "subjects"), Actors: rapid.SliceOfN(text, 0, 4).Draw(t, "actors"),
		}
		if rapid.Bool().Draw(t, "sound") {
			q.Role, q.Token, q.Query, q.AsOf, q.Persons = "dpo", "dpo-1", "search", 7, 8
		}
		if rapid.Bool().Draw(t, "in time") {
			q.From = at
		}
		e, err := q.Event("q", "/custody", at)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		st := storable(e)
		again, err := DecodeStored(st.Append(nil))
		if err != nil || string(again.Append(nil)) != string(st.Append(nil)) {
			t.Fatalf("stored and not readable: %v", err)
		}
	})
}

// TestAskedRefuses names the field of what cannot be said, and never its value.
func TestAskedRefuses(t *testing.T) {
	many := make([]string, MaxSubjects+1)
	codes := make([]string, 65)
	for i := range many {
		many[i] = fmt.Sprint("candidate:", i)
	}
	for i := range codes {
		codes[i] = fmt.Sprint("f", i)
	}
	for _, tt := range []struct {
		want   string
		change func(*Query)
	}{
		{"/data/role: bad-format", func(q *Query) { q.Role = "" }},
		{"/data/token: bad-format", func(q *Query) { q.Token = "A b" }},
		{"/data/query: bad-format", func(q *Query) { q.Query = "" }},
		{"/data/case: bad-format", func(q *Query) { q.Case = "Case 7" }},
		{"/data/case: personal-data", func(q *Query) { q.Case = "0475123456" }},
		{"/data/case: own-identifier", func(q *Query) { q.Case, q.Subjects = "of-e1007", []string{"e1007"} }},
		{"/data/case: own-identifier", func(q *Query) { q.Case, q.Actors = "jdp", []string{"JDP"} }},
		{"/data/filter/0: bad-format", func(q *Query) { q.Filters = []string{"Purpose"} }},
		{"/data/filter: out-of-range", func(q *Query) { q.Filters = codes }},
		{"/data/as_of: out-of-range", func(q *Query) { q.AsOf = 1 << 63 }},
		{"/data/persons: out-of-range", func(q *Query) { q.Persons = -1 }},
		{"/data/subjects: out-of-range", func(q *Query) { q.Subjects = many }},
		{"/data/subjects/0/id: out-of-range", func(q *Query) { q.Subjects = []string{""} }},
		{"/data/subjects: not-unique", func(q *Query) { q.Subjects = []string{"candidate:1", "candidate:1"} }},
		{"/data/handlers/0: bad-utf8", func(q *Query) { q.Actors = []string{"\xff"} }},
		{"/data/handlers: not-unique", func(q *Query) { q.Actors = []string{"a", "a"} }},
		{"/data/from: bad-format", func(q *Query) { q.From = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"/data/subjects/0/id: out-of-range", func(q *Query) { q.Subjects = []string{strings.Repeat("e", 257)} }},
	} {
		q := aQuery()
		tt.change(&q)
		if _, err := q.Event("q", "/custody", time.Now()); err == nil || !strings.HasPrefix(err.Error(), tt.want+": ") {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	for want, change := range map[string]func(*Reveal){
		"/data/bulk/part: out-of-range": func(r *Reveal) { r.Part = 0 },
		"/data/bulk/id: bad-format":     func(r *Reveal) { r.Bulk = "a b" },
		"/data/reason: out-of-range":    func(r *Reveal) { r.Reason = strings.Repeat("e", 201) },
	} {
		r := aReveal()
		change(&r)
		if _, err := r.Event("r", "/custody", time.Now()); err == nil || !strings.HasPrefix(err.Error(), want+": ") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestAskedOfARole shows that somebody may be called what a role, a token or a question is called.
func TestAskedOfARole(t *testing.T) {
	q := aQuery()
	q.Subjects, q.Actors = []string{"investigator", "inv-1"}, []string{"person.accesses", "kind"}
	if _, err := q.Event("q", "/custody", time.Now()); err != nil {
		t.Error(err)
	}
}

func TestAskedDoesNotPrint(t *testing.T) {
	var out strings.Builder
	q, r := aQuery(), aReveal()
	for _, v := range []any{q, &q, r, &r, []Query{q}, struct{ Q Query }{q}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb, v)
		}
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(j)
		slog.New(slog.NewTextHandler(&out, nil)).Info("asked", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("asked", "v", v)
	}
	for _, secret := range slices.Concat(q.Subjects, q.Actors, r.Subjects, r.Actors, []string{r.Reason}) {
		if strings.Contains(out.String(), secret) || strings.Contains(out.String(), fmt.Sprintf("%x", secret)) {
			t.Errorf("an identifier was printed in %d bytes", out.Len())
		}
	}
}

// TestAskedByProducers shows that nobody else can say that the ledger was asked.
func TestAskedByProducers(t *testing.T) {
	e, err := aQuery().Event("q", "/ats", time.Now())
	if _, err = Decode(made(t, e, err).AppendJSON(nil)); err == nil || !strings.Contains(err.Error(), UnknownKind) {
		t.Errorf("a producer's: %v", err)
	}
}

func TestCheckCode(t *testing.T) {
	for text, want := range map[string]string{"case-7": "", "": BadFormat, "Case": BadFormat, "0475123456": PersonalData, strings.Repeat("a", 65): BadFormat} {
		if err := CheckCode("/case", text); (err == nil) != (want == "") || err != nil && (err.Type != want || err.Path != "/case") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
