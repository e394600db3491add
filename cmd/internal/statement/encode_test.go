package statement

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
)

func encoded(t testing.TB, s *Statement) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRoundTrip: what was encoded is read back as it was, with any white space.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := made(t, small(t), "2025-06-01", "2025-06-30")
	raw := encoded(t, s)
	var tight bytes.Buffer
	if err := json.Compact(&tight, raw); err != nil {
		t.Fatal(err)
	}
	for _, form := range [][]byte{raw, tight.Bytes()} {
		again, err := Decode(bytes.NewReader(form))
		if err != nil || !bytes.Equal(encoded(t, again), raw) {
			t.Fatal("another statement came back", err)
		}
	}
}

// TestStrict: whatever Encode would not have written is refused, and the error
// repeats nothing of it.
func TestStrict(t *testing.T) {
	t.Parallel()
	good := string(encoded(t, made(t, small(t), "2025-06-01", "2025-06-30")))
	for name, change := range map[string][2]string{
		"unknown member":      {`"version": 1,`, `"version": 1, "zulu": 1,`},
		"member twice":        {`"version": 1,`, `"version": 1, "version": 1,`},
		"other case":          {`"issued"`, `"Issued"`},
		"other version":       {`"version": 1`, `"version": 2`},
		"number with zeros":   {`"transfers": 1,`, `"transfers": 1.0,`},
		"number as text":      {`"transfers": 1,`, `"transfers": "1",`},
		"null":                {`"lag": `, `"lag": null, "lug": `},
		"empty list":          {`"ledger": {`, `"corrections": [], "ledger": {`},
		"time with zone":      {`"issued": "2026-01-01T09:30:00.000Z"`, `"issued": "2026-01-01T10:30:00.000+01:00"`},
		"time without ms":     {`"issued": "2026-01-01T09:30:00.000Z"`, `"issued": "2026-01-01T09:30:00Z"`},
		"day that is none":    {`"to": "2025-06-30"`, `"to": "2025-06-31"`},
		"days out of order":   {`"from": "2025-06-01"`, `"from": "2025-07-01"`},
		"a better grade":      {`"grade": "F"`, `"grade": "B"`},
		"a reason less":       {`"why": "transfer",`, `"why": "zulu",`},
		"a better verdict":    {`"policy": "broken"`, `"policy": "kept"`},
		"a transfer less":     {`"class": "T2",`, `"class": "T0",`},
		"a class less":        {`"class": "T10",`, `"class": "T11",`},
		"an event outside":    {`"day": "2025-06-20",`, `"day": "2025-07-20",`},
		"position beyond":     {"\"transfers\": [\n    {\n      \"position\": ", "\"transfers\": [\n    {\n      \"position\": 9"},
		"digest too short":    {`"digest": "`, `"digest": "a`},
		"commit too soon":     {`"commit": `, `"commit": 0`},
		"control less":        {`"control": 8,`, `"control": 9,`},
		"control answered":    {`"unanswered"`, `"met"`},
		"unknown assertion":   {`"assertion": "observed"`, `"assertion": "zulu"`},
		"less that it cannot": {`"unsent",`, ``},
		"confirmed in time":   {`"confirmed": "2025-01-01"`, `"confirmed": "2020-01-01"`},
		"not closed":          {`"closed": true`, `"closed": false`},
		"fewer examined":      {`"examined": 1`, `"examined": 0`},
		"more persons":        {"\"class\": \"T2\",\n      \"shown\": \"proven\",\n      \"events\": 1,\n      \"persons\": 2", "\"class\": \"T2\",\n      \"shown\": \"proven\",\n      \"events\": 1,\n      \"persons\": 3"},
		"another register":    {`"register": `, `"register": 1`},
		"role":                {`"role": "witness"`, `"role": "zulu"`},
		"more after":          {"\n}\n", "\n}{}\n"},
		"not UTF-8":           {`"imalink-be"`, "\"imalink\xff\""},
		"not ASCII":           {`"imalink-be"`, `"imalink-bé"`},
		"days too many":       {`"expected": 30`, `"expected": 31`},
		"shown":               {`"asserted"`, `"proven"`},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if text == good {
			t.Errorf("%s: nothing to change", name)
			continue
		}
		s, err := Decode(strings.NewReader(text))
		if s != nil || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), "zulu") || strings.Contains(err.Error(), "imalink") {
			t.Errorf("%s: the error repeats what was sent: %v", name, err)
		}
	}
	if _, err := Decode(failing{}); err == nil || errors.Is(err, ErrInvalid) {
		t.Errorf("a reader that fails: %v", err)
	}
	s := made(t, small(t), "2025-06-01", "2025-06-30")
	if err := s.Encode(failing{}); err == nil || errors.Is(err, ErrInvalid) {
		t.Errorf("a writer that fails: %v", err)
	}
	s.Result.Grade = "A"
	if err := s.Encode(failing{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a better grade was written: %v", err)
	}
	if err := s.Page(failing{}, English); !errors.Is(err, ErrInvalid) {
		t.Errorf("a better grade was printed: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errors.New("gone") }
func (failing) Write([]byte) (int, error) { return 0, errors.New("gone") }

// FuzzDecode holds that whatever is read as a statement is one, says the same when
// written again, and can be printed.
func FuzzDecode(f *testing.F) {
	d := newDiary()
	d.gave("2025-06-05", "alpine", "processor")
	d.gave("2025-06-06", "ghost", "client")
	var all []events.Record
	for _, line := range d.lines {
		e, err := events.Decode([]byte(line))
		if err != nil {
			f.Fatal(err)
		}
		var facts events.Facts
		switch e.Data.Get("recipient").Object().Get("party").Text() {
		case "alpine":
			facts = events.Facts{Class: "T2", Tables: "x", Region: "CH", Outside: []string{"CH"}, Party: &events.Party{Code: "alpine", Position: 3, Country: "CH"}}
		case "ghost":
			facts = events.Facts{Class: "U", Tables: "x"}
		}
		all = append(all, stored(f, uint64(len(all)+1), e, e.At, facts))
	}
	f.Add(encoded(f, made(f, all, "2025-06-01", "2025-06-30")))
	f.Add(encoded(f, made(f, all, "2025-05-01", "2025-05-31")))
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Decode(bytes.NewReader(raw))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		again, err := Decode(bytes.NewReader(encoded(t, s)))
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Fatal("another statement came back", err)
		}
		if err := s.Page(&bytes.Buffer{}, French); err != nil {
			t.Fatal(err)
		}
	})
}
