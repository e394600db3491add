package evidence_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// TestRecord reads what is written, and refuses each way in which a record contradicts itself.
func TestRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := evidencetest.New(rapid.Uint64().Draw(t, "seed"))
		r := l.Random()
		if got, err := evidence.DecodeRecord(r.Append(nil)); err != nil || got != r {
			t.Fatalf("%+v, %v; want %+v", got, err, r)
		}
	})
	sound := evidence.Record{Kind: 6, Flags: evidence.T4, Region: [2]byte{'U', 'S'}, Producer: 1, Time: evidence.MaxTime, Sequence: evidence.MaxSequence}
	if err := sound.Sound(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(r *evidence.Record){
		"an undefined flag":      func(r *evidence.Record) { r.Flags |= 1 << 16 },
		"the last flag":          func(r *evidence.Record) { r.Flags |= 1 << 31 },
		"two classes":            func(r *evidence.Record) { r.Flags |= evidence.Unknown },
		"a region of no class":   func(r *evidence.Record) { r.Flags = evidence.Late },
		"a region of T0":         func(r *evidence.Record) { r.Flags = evidence.T0 },
		"a region in lower case": func(r *evidence.Record) { r.Region = [2]byte{'u', 's'} },
		"half a region":          func(r *evidence.Record) { r.Region = [2]byte{'U', 0} },
		"the last day":           func(r *evidence.Record) { r.Time = evidence.MaxTime + 1 },
		"no producer":            func(r *evidence.Record) { r.Producer = 0 },
	} {
		r := sound
		change(&r)
		if _, err := evidence.DecodeRecord(r.Append(nil)); !errors.Is(err, evidence.ErrRecord) || r.Sound() == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{"short": sound.Append(nil)[:53], "long": sound.Append([]byte{1}), "version 2": append([]byte{2}, sound.Append(nil)[1:]...)} {
		if _, err := evidence.DecodeRecord(b); !errors.Is(err, evidence.ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDerived holds the records of stored events against what docs/FORMAT.md says of them.
func TestDerived(t *testing.T) {
	at := time.Date(2026, 3, 2, 0, 0, 0, 999_000_000, time.UTC)
	for _, test := range []struct {
		event  evidencetest.Shared
		flags  evidence.Flags
		region string
	}{
		{evidencetest.Shared{Class: "T0"}, evidence.T0, "\x00\x00"},
		{evidencetest.Shared{Class: "T1f", Region: "CA"}, evidence.T1, "CA"},
		{evidencetest.Shared{Class: "T5", Region: "ZZ", Delay: 24 * time.Hour}, evidence.T5, "ZZ"},
		{evidencetest.Shared{Class: "U", Region: "US", Delay: 24*time.Hour + time.Millisecond}, evidence.Unknown | evidence.Late, "US"},
		{evidencetest.Shared{Class: "T2", Region: "CH", Special: true, Bulk: true}, evidence.T2 | evidence.Special | evidence.Bulk, "CH"},
	} {
		test.event.Time = at
		r := evidencetest.RecordOf(test.event.Stored())
		if r.Kind != 6 || r.Flags != test.flags|evidence.Shared || string(r.Region[:]) != test.region || r.Time != at.UnixMilli() || r.Day() != 20514 || r.Sequence != 1841 || r.Sound() != nil {
			t.Errorf("%+v gives %+v", test.event, r)
		}
	}
}

// TestFlags reads the names that are written.
func TestFlags(t *testing.T) {
	for i, name := range evidence.FlagNames() {
		if f, err := evidence.ParseFlags(name); err != nil || f != 1<<i || f.String() != name {
			t.Errorf("%s is %b, %v", name, f, err)
		}
	}
	if f, err := evidence.ParseFlags("T2,T4,U"); err != nil || f != evidence.T2|evidence.T4|evidence.Unknown || f.String() != "T2,T4,U" {
		t.Errorf("%v, %v", f, err)
	}
	for _, text := range []string{"", "T6", "t2", "T2,", "T2, T3", "secret-name"} {
		if _, err := evidence.ParseFlags(text); !errors.Is(err, evidence.ErrQuestion) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestQuestion refuses each question that cannot be asked.
func TestQuestion(t *testing.T) {
	good := evidence.Question{What: evidence.Count, Flags: evidence.Late, Of: evidence.Positions, From: 3, To: 9}
	days := evidence.Question{What: evidence.List, Flags: evidence.T1 | evidence.Unknown, Of: evidence.Days, From: 7, To: 7}
	for _, q := range []evidence.Question{good, days, {What: evidence.Absence, Flags: evidence.Classes, Of: evidence.Days, To: 0xFFFE}, {What: evidence.Count, Flags: evidence.Bulk, Of: evidence.Instants, To: 1<<53 - 1}} {
		if err := q.Check(9); err != nil {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for name, test := range map[string]struct {
		q      evidence.Question
		change func(q *evidence.Question)
	}{
		"nothing asked":         {good, func(q *evidence.Question) { q.What = 0 }},
		"something else asked":  {good, func(q *evidence.Question) { q.What = 4 }},
		"no flag":               {good, func(q *evidence.Question) { q.Flags = 0 }},
		"flags that overlap":    {good, func(q *evidence.Question) { q.Flags |= evidence.Bulk }},
		"a class and another":   {good, func(q *evidence.Question) { q.Flags |= evidence.T3 }},
		"a flag not counted":    {good, func(q *evidence.Question) { q.Flags = 1 << 16 }},
		"of nothing":            {good, func(q *evidence.Question) { q.Of = 0 }},
		"of something else":     {good, func(q *evidence.Question) { q.Of = 4 }},
		"no positions":          {good, func(q *evidence.Question) { q.From = 9 }},
		"positions backwards":   {good, func(q *evidence.Question) { q.From = 10 }},
		"positions beyond":      {good, func(q *evidence.Question) { q.To = 10 }},
		"days backwards":        {days, func(q *evidence.Question) { q.From = 8 }},
		"the day that is none":  {days, func(q *evidence.Question) { q.To = 0xFFFF }},
		"days beyond 16 bits":   {days, func(q *evidence.Question) { q.To = 0x10007 }},
		"no instants":           {good, func(q *evidence.Question) { q.Of, q.To = evidence.Instants, q.From }},
		"an instant of 2^53":    {good, func(q *evidence.Question) { q.Of, q.To = evidence.Instants, 1<<53 }},
		"positions beyond 2^53": {good, func(q *evidence.Question) { q.From, q.To = 1<<53, 1<<53+1 }},
	} {
		q := test.q
		test.change(&q)
		if err := q.Check(9); !errors.Is(err, evidence.ErrQuestion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParseCommit refuses everything but what the ledger writes.
func TestParseCommit(t *testing.T) {
	l := evidencetest.New(1)
	l.Grow(4)
	c := l.Truth()
	stored := string(l.Commit().Event)
	if got, err := evidence.ParseCommit([]byte(stored)); err != nil || got != c || !strings.HasSuffix(stored, string(c.Append(nil))) {
		t.Fatalf("%+v, %v; want %+v", got, err, c)
	}
	data := stored[strings.Index(stored, `"data":`):]
	for _, change := range [][2]string{
		{`{"custodyformat":"1",`, `{"custodyformat":"2",`}, {`{"custodyformat"`, ` {"custodyformat"`}, {`"size":4`, `"size":04`}, {`"size":4`, `"size":0`},
		{`"size":4`, `"size":-4`}, {`"size":4`, `"size":1099511627776`}, {`"size":4`, `"size":"4"`}, {`"size":4`, `"size":4.0`}, {`"size":4`, `"size":`},
		{`"root":"`, `"root":"a`}, {`"root":"`, `"root": "`}, {`"annotated"`, `"root"`}, {`}}}`, `}}}` + "\n"}, {`}}}`, `}}`}, {`"ledger":{}`, `"ledger":{"class":"T0"}`},
		{data, strings.Replace(data, "b", "B", -1)}, {`"rules":"`, `"rules":"0`}, {`"data":{"size"`, `"data":{"x":1,"size"`}, {stored, ""}, {stored, data}, {data, ""},
	} {
		altered := strings.Replace(stored, change[0], change[1], 1)
		if _, err := evidence.ParseCommit([]byte(altered)); altered == stored || !errors.Is(err, evidence.ErrFormat) {
			t.Errorf("%q for %q: %v", change[1], change[0], err)
		}
	}
	for i := range stored {
		if i < len(stored)-len(data) {
			continue
		}
		for bit := range 8 {
			altered := []byte(stored)
			altered[i] ^= 1 << bit
			if got, err := evidence.ParseCommit(altered); err == nil && (got == c || !bytes.HasSuffix(altered, got.Append(nil))) {
				t.Fatalf("bit %d of byte %d is another, and it is the same commit", bit, i)
			}
		}
	}
}
