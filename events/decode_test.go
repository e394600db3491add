package events

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// corpus yields the lines of a year of events, with their numbers.
func corpus(t testing.TB) iter.Seq2[int, []byte] {
	t.Helper()
	return func(yield func(int, []byte) bool) {
		f, err := os.Open("testdata/events.ndjson.gz")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, MaxEvent)
		for n := 1; lines.Scan(); n++ {
			if !yield(n, lines.Bytes()) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCorpus: every line decodes without a warning, and its canonical form says the same and is stable.
func TestCorpus(t *testing.T) {
	lines := 0
	for n, line := range corpus(t) {
		lines++
		e, err := Decode(line)
		if err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		if len(e.Warnings) > 0 {
			t.Errorf("line %d: warnings %q", n, e.Warnings)
		}
		canonical := e.AppendJSON(nil)
		if n%16 == 0 && !sameJSON(t, line, canonical) {
			t.Fatalf("line %d: the canonical form says something else", n)
		}
		again, err := Decode(canonical)
		if err != nil {
			t.Fatalf("line %d: the canonical form: %v", n, err)
		}
		if !bytes.Equal(again.AppendJSON(nil), canonical) {
			t.Fatalf("line %d: the canonical form is not stable", n)
		}
	}
	if lines != 10_646 {
		t.Errorf("%d lines", lines)
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var va, vb any
	if err := errors.Join(json.Unmarshal(a, &va), json.Unmarshal(b, &vb)); err != nil {
		t.Fatal(err)
	}
	ca, errA := json.Marshal(va)
	cb, errB := json.Marshal(vb)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(ca, cb)
}

// TestBad: each bad event is refused at its path. The last and the one with another producer's
// source are well-formed; who may send them, and whether they conflict, the ledger decides.
func TestBad(t *testing.T) {
	raw, err := os.ReadFile("testdata/bad.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		var bad struct {
			Path, Why string
			Event     json.RawMessage
		}
		if err := json.Unmarshal(line, &bad); err != nil {
			t.Fatal(err)
		}
		_, err := Decode(bad.Event)
		if bad.Why == "another producer" || bad.Why == "same identity, other content" {
			if err != nil {
				t.Errorf("%s: %v", bad.Why, err)
			}
			continue
		}
		if refusal := refusalOf(t, err); refusal.Path != bad.Path {
			t.Errorf("%s: refused at %q, want %q", bad.Why, refusal.Path, bad.Path)
		}
	}
}

// refusalOf gives the *Error that err must be; a nil one becomes an empty one.
func refusalOf(t testing.TB, err error) *Error {
	t.Helper()
	if err == nil {
		return &Error{}
	}
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("%T is no *Error: %v", err, err)
	}
	return refusal
}

// beat is a heartbeat with room for one more member of the event and of its data.
func beat(attribute, member string) string {
	return `{"specversion":"1.0","id":"a1","source":"/ats","type":"eu.custody.ledger.heartbeat.v1",` +
		`"time":"2026-03-02T09:14:05Z"` + attribute + `,"data":{"state":"running"` + member + `}}`
}

func TestStrictness(t *testing.T) {
	wide := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	published := func(document string) string {
		return strings.Replace(strings.Replace(beat("", `,"actor":{"id":"employee:d01","role":"dpo"},"policy":"privacy","version":"v1",`+
			`"sha256":"`+strings.Repeat("0f", 32)+`","effective_from":"2026-01-01T00:00:00Z","document":`+document),
			"ledger.heartbeat", "governance.policy-published", 1), `"state":"running",`, "", 1)
	}
	for _, c := range []struct{ name, raw, typ, path string }{
		{"a heartbeat", beat("", ""), "", ""},
		{"white space", " \n" + strings.ReplaceAll(beat("", ""), ":\"", " :\t\"") + "\r\n", "", ""},
		{"escaped names and values", strings.Replace(strings.Replace(beat("", ""), `"id"`, `"\u0069d"`, 1), "running", `r\u0075nning`, 1), "", ""},
		{"the type after the data", `{"data":{"state":"ru\u006ening"},"specversion":"1.0","id":"a1","source":"/ats","time":"2026-03-02T09:14:05Z","\u0074ype":"eu.custody.ledger.heartbeat.v1"}`, "", ""},
		{"no type, data first", `{"data":{"x":1},"specversion":"1.0","id":"a1","source":"/ats","time":"2026-03-02T09:14:05Z"}`, MissingField, "/type"},
		{"an unknown type, data first", `{"data":{"x":1},"type":"x"}`, UnknownKind, "/type"},
		{"the ledger's own kind", strings.Replace(beat("", ""), "heartbeat", "refused", 1), UnknownKind, "/type"},
		{"the ledger's own kind, data first", `{"data":{},"type":"eu.custody.ledger.refused.v1"}`, UnknownKind, "/type"},

		{"nothing", "", NotJSON, ""},
		{"not an object", "[]", WrongType, ""},
		{"cut off", beat("", "")[:100], NotJSON, "/time"},
		{"cut off in a name", beat("", "")[:4], NotJSON, ""},
		{"a NUL", "\x00", NotJSON, ""},
		{"a byte order mark", "\ufeff" + beat("", ""), NotJSON, ""},
		{"a control character", beat("", ",\"reason\":\"a\tb\""), NotJSON, "/data/reason"},
		{"a bad escape", beat("", `,"reason":"\x"`), NotJSON, "/data/reason"},
		{"a short escape", beat("", `,"reason":"\u12"`), NotJSON, "/data/reason"},
		{"a trailing comma", beat("", ","), NotJSON, "/data"},
		{"a leading zero", beat("", `,"last":01`), NotJSON, "/data"},
		{"a bare minus", beat("", `,"last":-`), NotJSON, "/data/last"},
		{"a misspelt literal", beat("", `,"last":nul`), WrongType, "/data/last"},
		{"two events", beat("", "") + beat("", ""), TrailingBytes, ""},
		{"trailing garbage", beat("", "") + "x", TrailingBytes, ""},

		{"bad UTF-8 in a value", beat("", ",\"reason\":\"a\xff\""), BadUTF8, "/data/reason"},
		{"bad UTF-8 after an escape", beat("", ",\"reason\":\"\\n\xc3\""), BadUTF8, "/data/reason"},
		{"bad UTF-8 in a name", beat("", ",\"\xff\":1"), BadUTF8, "/data"},
		{"bad UTF-8 after an earlier fault", beat(`,"x":1`, ",\"reason\":\"\xff\""), UnknownField, "/x"},
		{"a lone high surrogate", beat("", `,"reason":"\ud83d"`), BadUTF8, "/data/reason"},
		{"a lone low surrogate", beat("", `,"reason":"\ude00"`), BadUTF8, "/data/reason"},
		{"two high surrogates", beat("", `,"reason":"\ud83d\ud83d"`), BadUTF8, "/data/reason"},
		{"a surrogate pair", beat("", `,"reason":"\ud83d\ude00"`), "", ""},

		{"the same attribute twice", beat(`,"id":"a2"`, ""), DuplicateKey, "/id"},
		{"the same field twice, once escaped", beat("", `,"stat\u0065":"running"`), DuplicateKey, "/data/state"},
		{"the same name twice in a document", published(`{"a":1,"a":2}`), DuplicateKey, "/data/document/a"},
		{"deep enough", published(`{"a":` + wide(5) + `}`), "", ""},
		{"too deep", published(`{"a":` + wide(6) + `}`), TooDeep, "/data/document/a/0/0/0/0/0"},
		{"far too deep", published(`{"a":` + wide(100_000) + `}`), TooDeep, "/data/document/a/0/0/0/0/0"},
		{"far too deep and data first", `{"data":` + wide(100_000) + `}`, WrongType, "/data"},

		{"an unknown attribute", beat(`,"dataschema":"x"`, ""), UnknownField, "/dataschema"},
		{"an unknown attribute that must not be named", beat(`,"jan.peeters@example.org":1`, ""), UnknownField, ""},
		{"an unknown field with a long name", beat("", `,"`+strings.Repeat("x", 65)+`":1`), UnknownField, "/data"},
		{"an unknown field with a slash", beat("", `,"a/b":1`), UnknownField, "/data"},
		{"a field of the ledger's", beat(`,"salt":"AAAA"`, ""), LedgerField, "/salt"},
		{"the ledger's facts", beat("", `,"ledger":{}`), LedgerField, "/data/ledger"},
		{"a field of another kind", beat("", `,"mode":"view"`), UnknownField, "/data/mode"},

		{"null", beat("", `,"last":null`), WrongType, "/data/last"},
		{"a number for a string", strings.Replace(beat("", ""), `"1.0"`, "1.0", 1), WrongType, "/specversion"},
		{"a string for a number", beat("", `,"last":"1"`), WrongType, "/data/last"},
		{"a fraction", beat("", `,"last":1.5`), WrongType, "/data/last"},
		{"a whole fraction", beat("", `,"last":1.0`), "", ""},
		{"a whole exponent", beat("", `,"last":12.5e1`), "", ""},
		{"a negative exponent", beat("", `,"last":1e-1`), WrongType, "/data/last"},
		{"a huge exponent", beat("", `,"last":1e99999999999999999999`), OutOfRange, "/data/last"},
		{"a huge exponent of nothing", beat("", `,"last":0e99999999999999999999`), "", ""},
		{"a huge negative exponent", beat("", `,"last":10e-99999999999999999999`), WrongType, "/data/last"},
		{"negative", beat("", `,"last":-1`), OutOfRange, "/data/last"},
		{"minus nothing", beat("", `,"last":-0`), "", ""},
		{"the most", beat("", `,"last":1000000000000`), "", ""},
		{"more than the most", beat("", `,"last":1000000000001`), OutOfRange, "/data/last"},
		{"more than fits", beat("", `,"last":99999999999999999999`), OutOfRange, "/data/last"},

		{"another version", strings.Replace(beat("", ""), `"1.0"`, `"0.3"`, 1), NotInVocabulary, "/specversion"},
		{"200 characters", beat("", `,"reason":"`+strings.Repeat("é", 200)+`"`), "", ""},
		{"201 characters", beat("", `,"reason":"`+strings.Repeat("é", 201)+`"`), OutOfRange, "/data/reason"},
		{"no identifier", beat("", `,"actor":{"id":"","role":"dpo"}`), OutOfRange, "/data/actor/id"},
		{"the first missing attribute", `{"specversion":"1.0","id":"a1"}`, MissingField, "/source"},
		{"a present fault before a missing field", strings.Replace(beat("", `,"last":-1`), `"id":"a1",`, "", 1), OutOfRange, "/data/last"},
		{"a processor without its party", beat("", `,"actor":{"id":"x1","role":"dpo","kind":"processor"}`), MissingField, "/data/actor/party"},
		{"no role", beat("", `,"actor":{"id":"x1"}`), MissingField, "/data/actor/role"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode([]byte(c.raw))
			if got := refusalOf(t, err); got.Type != c.typ || got.Path != c.path {
				t.Errorf("got %q at %q, want %q at %q", got.Type, got.Path, c.typ, c.path)
			}
		})
	}
}

func TestMissingOfActivityOrFour(t *testing.T) {
	event := func(fields string) []byte {
		return []byte(`{"specversion":"1.0","id":"a1","source":"/ats","type":"eu.custody.data.used.v1","time":"2026-03-02T09:14:05Z","data":{` +
			`"subjects":[{"id":"candidate:1","role":"candidate"}],"actor":{"id":"employee:d01","role":"dpo"}` + fields + `}}`)
	}
	for fields, path := range map[string]string{
		``:                                      "/data/system",
		`,"system":"ats"`:                       "/data/dataset",
		`,"system":"ats","purpose":"placing"`:   "/data/dataset",
		`,"dataset":"cv","categories":["name"]`: "/data/system",
		`,"system":"ats","dataset":"cv","categories":["name"]`:                      "/data/purpose",
		`,"activity":"placement"`:                                                   "",
		`,"activity":"placement","our_role":"processor"`:                            "/data/on_behalf_of",
		`,"activity":"placement","our_role":"processor","on_behalf_of":"acme-bank"`: "",
		`,"activity":"placement","our_role":"controller"`:                           "",
	} {
		_, err := Decode(event(fields))
		if got := refusalOf(t, err); got.Path != path {
			t.Errorf("%s: refused at %q (%s), want %q", fields, got.Path, got.Type, path)
		}
	}
}

func TestLimits(t *testing.T) {
	if _, err := Decode(bytes.Repeat([]byte(" "), MaxEvent+1)); refusalOf(t, err).Type != TooLarge {
		t.Errorf("more than 1 MiB: %v", err)
	}
	full := beat("", "")
	full += strings.Repeat(" ", MaxEvent-len(full))
	if _, err := Decode([]byte(full)); err != nil {
		t.Errorf("exactly 1 MiB: %v", err)
	}
	if _, err := Decode(crowded(MaxSubjects)); err != nil {
		t.Errorf("5,000 subjects: %v", err)
	}
	if _, err := Decode(crowded(MaxSubjects + 1)); refusalOf(t, err).Type != OutOfRange || refusalOf(t, err).Path != "/data/subjects" {
		t.Errorf("5,001 subjects: %v", err)
	}
}

// TestDistinct: a repeated subject is found wherever it is, in long lists and short ones.
func TestDistinct(t *testing.T) {
	for _, n := range []int{2, fewItems, fewItems + 1, 200, MaxSubjects} {
		raw := string(crowded(n))
		if _, err := Decode([]byte(raw)); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, (n - 1) / 2, n - 2} {
			repeated := strings.Replace(raw, "candidate:"+decimal(int64(10_000+n-1)), "candidate:"+decimal(int64(10_000+i)), 1)
			if _, err := Decode([]byte(repeated)); refusalOf(t, err).Type != NotUnique {
				t.Errorf("%d subjects, the last as number %d: %v", n, i, err)
			}
		}
	}
	other := strings.Replace(string(crowded(2)), `10001","role":"candidate"`, `10000","role":"other"`, 1)
	if _, err := Decode([]byte(other)); err != nil {
		t.Errorf("one identifier in two roles: %v", err)
	}
}

// TestErrorsEchoNothing: whatever is wrong, the error holds no word of the event.
func TestErrorsEchoNothing(t *testing.T) {
	const secret = "zebra-4711"
	for _, raw := range []string{
		strings.ReplaceAll(typical, `"ats"`, `"zebra-4711 "`),
		strings.ReplaceAll(typical, `"A6-1-b"`, `"zebra-4711"`),
		strings.ReplaceAll(typical, `"1.0"`, `"zebra-4711"`),
		strings.ReplaceAll(typical, `eu.custody.data.shared.v1`, `zebra-4711`),
		strings.ReplaceAll(typical, `"2026-03-02T`, `"zebra-4711T`),
		strings.ReplaceAll(typical, `"observed"`, `{"zebra-4711":1}`),
		strings.ReplaceAll(typical, `"records":1`, `"records":1,"zebra-4711!":1`),
		strings.ReplaceAll(strings.ReplaceAll(typical, "candidate:10412", secret), `"acme-bank"`, `"zebra-4711"`),
	} {
		if raw == typical {
			t.Fatal("nothing was changed")
		}
		if _, err := Decode([]byte(raw)); err == nil || strings.Contains(err.Error(), "zebra") {
			t.Errorf("the error is %v", err)
		}
	}
}

// TestInstants holds the parser of instants against the standard library's, leap seconds aside, and
// offsets of 24 hours or 60 minutes, which only the library takes.
func TestInstants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[0-2]0[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])`).Draw(t, "instant")
		want, err := time.Parse(time.RFC3339Nano, s)
		got, ok := parseInstant(s)
		if ok != (err == nil) || ok && !got.Equal(want) {
			t.Fatalf("%s is %v, %t; want %v, %v", s, got, ok, want, err)
		}
	})
	for s, want := range map[string]string{
		"2016-12-31T23:59:60Z":                  "2017-01-01T00:00:00Z",
		"2017-01-01T00:59:60+01:00":             "2017-01-01T00:00:00Z",
		"2016-12-31T23:58:60Z":                  "",
		"2016-12-31t12:00:00z":                  "2016-12-31T12:00:00Z",
		"2016-12-31T12:00:00.":                  "",
		"2016-12-31T12:00:00":                   "",
		"2016-12-31 12:00:00Z":                  "",
		"2016-12-31T12:00:00.1234567891Z":       "2016-12-31T12:00:00.123456789Z",
		"2016-12-31T12:00:00.123456789123456+0": "",
		"2016-12-31T24:00:00Z":                  "",
	} {
		got, ok := parseInstant(s)
		if ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s is %v, %t; want %q", s, got, ok, want)
		}
	}
}

// TestDates tries every day of some years, and the days around every month's end.
func TestDates(t *testing.T) {
	for year := 1896; year <= 2104; year += 4 {
		for month := 0; month <= 13; month++ {
			for day := 0; day <= 32; day++ {
				s := string(appendDate(nil, year, month, day))
				_, err := time.Parse(time.DateOnly, s)
				if isDate(s) != (err == nil) {
					t.Fatalf("%s is %t", s, isDate(s))
				}
			}
		}
	}
}

func appendDate(dst []byte, year, month, day int) []byte {
	two := func(n int) { dst = append(dst, byte('0'+n/10), byte('0'+n%10)) }
	two(year / 100)
	two(year % 100)
	dst = append(dst, '-')
	two(month)
	dst = append(dst, '-')
	two(day)
	return dst
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(typical))
	f.Add([]byte(beat(`,"producerseq":"7","correlationid":"a"`, `,"reason":"\u00e9\ud83d\ude00\n"`)))
	f.Add([]byte(`{"specversion":"1.0","id":"a1","source":"/ats","type":"eu.custody.governance.policy-published.v1","time":"2026-03-02T09:14:05Z",` +
		`"data":{"actor":{"id":"e1","role":"dpo"},"policy":"p","version":"1","sha256":"` + strings.Repeat("00", 32) +
		`","effective_from":"2026-03-02T09:14:05.1+01:00","document":{"b":[1,2.50,null,{"\u0061":"x"}],"a":true}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Decode(raw)
		if err != nil {
			if refusal := refusalOf(t, err); refusal.Type == "" || refusal.Detail == "" {
				t.Fatalf("an empty error: %#v", refusal)
			}
			return
		}
		canonical := e.AppendJSON(nil)
		if len(canonical) > MaxEvent {
			return // "1e9" grows
		}
		again, err := Decode(canonical)
		if err != nil {
			t.Fatalf("the canonical form is refused: %v\n%s", err, canonical)
		}
		if !bytes.Equal(again.AppendJSON(nil), canonical) {
			t.Fatalf("the canonical form is not stable:\n%s\n%s", canonical, again.AppendJSON(nil))
		}
		stored := storedOf(e).Append(nil)
		if _, err := DecodeStored(stored); err != nil && refusalOf(t, err).Type != TooLarge {
			t.Fatalf("the stored form is refused: %v\n%s", err, stored)
		}
	})
}
