package events

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestStored: what is appended is read again as it was, for every event of the corpus.
func TestStored(t *testing.T) {
	for n, line := range corpus(t) {
		if n%8 != 0 {
			continue
		}
		e, err := Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		s := storedOf(e)
		raw := s.Append(nil)
		got, err := DecodeStored(raw)
		if err != nil {
			t.Fatalf("line %d: %v\n%s", n, err, raw)
		}
		if !bytes.Equal(got.Append(nil), raw) {
			t.Fatalf("line %d: the stored form is not stable", n)
		}
		if !bytes.Equal(got.Event.AppendJSON(nil), s.Event.AppendJSON(nil)) {
			t.Fatalf("line %d: the event is another", n)
		}
		got.Event, s.Event = nil, nil
		if !reflect.DeepEqual(got, s) {
			t.Fatalf("line %d: %+v\nwant %+v", n, got, s)
		}
	}
}

const storedVector = `{"custodyformat":"1","specversion":"1.0","id":"a1","source":"/ats","type":"eu.custody.data.used.v1",` +
	`"time":"2026-03-02T09:14:05Z","datacontenttype":"application/json","producerinstance":"node-1","producerseq":"12",` +
	`"correlationid":"0123456789abcdef0123456789abcdef","recordedtime":"2026-03-02T09:14:06.007Z","relay":"import",` +
	`"salt":"AQID_v8AAAAAAAAAAAAAAA","sealed":"c2VhbGVk","data":{"actor":{"id":"0123456789abcdef0123456789abcdef","role":"recruiter"},` +
	`"subjects":[{"id":"0123456789abcdef0123456789abcdef","role":"candidate"}],"activity":"placement","ledger":{"class":"T2","tables":"2026-01-15",` +
	`"region":"JP","outside":["JP"],"party":{"code":"acme","position":3,"country":"JP","dpf":{"listed":true,"until":"2027-01-01"}},` +
	`"defaulted":["system"],"special":true,"reference":5}}}`

func TestStoredVector(t *testing.T) {
	s, err := DecodeStored([]byte(storedVector))
	if err != nil {
		t.Fatal(err)
	}
	want := Facts{Class: "T2", Tables: "2026-01-15", Region: "JP", Outside: []string{"JP"},
		Party:     &Party{Code: "acme", Position: 3, Country: "JP", DPF: &DPF{Listed: true, Until: "2027-01-01"}},
		Defaulted: []string{"system"}, Special: true, Reference: 5}
	if !reflect.DeepEqual(s.Facts, want) {
		t.Errorf("facts %+v, want %+v", s.Facts, want)
	}
	if s.Relay != "import" || string(s.Sealed) != "sealed" || s.Salt != [16]byte{1, 2, 3, 0xfe, 0xff} ||
		!s.Recorded.Equal(time.Date(2026, 3, 2, 9, 14, 6, 7_000_000, time.UTC)) {
		t.Errorf("read as relay %q, sealed %q, salt %x, recorded %v", s.Relay, s.Sealed, s.Salt, s.Recorded)
	}
	if s.Event.Kind != DataUsed || s.Event.Seq != 12 || s.Event.Instance != "node-1" || s.Event.Correlation != tagText {
		t.Errorf("the event's attributes are %d %d %q", s.Event.Kind, s.Event.Seq, s.Event.Instance)
	}
	if name := "ledger"; !s.Event.Data.Get(name).IsZero() {
		t.Error("the facts are among the producer's data")
	}
}

// TestStoredIsExact: the same said in any other way is refused.
func TestStoredIsExact(t *testing.T) {
	replaced := func(old, new string) string {
		if !strings.Contains(storedVector, old) {
			t.Fatalf("no %q to replace", old)
		}
		return strings.Replace(storedVector, old, new, 1)
	}
	for name, raw := range map[string]string{
		"white space":                   replaced(`,"id"`, `, "id"`),
		"an escape":                     replaced(`"a1"`, `"\u00611"`),
		"another order":                 replaced(`"salt":"AQID_v8AAAAAAAAAAAAAAA","sealed":"c2VhbGVk"`, `"sealed":"c2VhbGVk","salt":"AQID_v8AAAAAAAAAAAAAAA"`),
		"another order in the data":     replaced(`"special":true,"reference":5`, `"reference":5,"special":true`),
		"another format":                replaced(`"custodyformat":"1"`, `"custodyformat":"2"`),
		"no format":                     replaced(`"custodyformat":"1",`, ``),
		"no content type":               replaced(`"datacontenttype":"application/json",`, ``),
		"no facts":                      replaced(`,"ledger":{`, `,"ledgers":{`),
		"a false flag":                  replaced(`"special":true`, `"special":false`),
		"an empty list":                 replaced(`"outside":["JP"]`, `"outside":[]`),
		"a position of nothing":         replaced(`"reference":5`, `"reference":0`),
		"a position as a fraction":      replaced(`"reference":5`, `"reference":5.0`),
		"an unknown class":              replaced(`"T2"`, `"T9"`),
		"an identifier in clear":        replaced(`"id":"0123456789abcdef0123456789abcdef","role":"candidate"`, `"id":"candidate:1","role":"candidate"`),
		"an upper-case tag":             replaced(`cdef","role":"candidate"`, `cdeF","role":"candidate"`),
		"a correlation in clear":        replaced(`"correlationid":"0123456789abcdef0123456789abcdef"`, `"correlationid":"place-1"`),
		"a reference in clear":          replaced(`"activity"`, `"basis_ref":"basis:1","activity"`),
		"a reason in clear":             replaced(`,"subjects"`, `,"reason":"because","subjects"`),
		"a special category in clear":   replaced(`"activity"`, `"special":["health"],"activity"`),
		"a short salt":                  replaced(`"AQID_v8AAAAAAAAAAAAAAA"`, `"AQID_v8AAAAAAAAAAAAA"`),
		"a salt with other spare bits":  replaced(`"AQID_v8AAAAAAAAAAAAAAA"`, `"AQID_v8AAAAAAAAAAAAAAB"`),
		"a padded seal":                 replaced(`"c2VhbGVk"`, `"c2VhbGVk=="`),
		"a seal of impossible length":   replaced(`"c2VhbGVk"`, `"c2Vhb"`),
		"recorded without milliseconds": replaced(`06.007Z`, `06Z`),
		"recorded with microseconds":    replaced(`06.007Z`, `06.007000Z`),
		"recorded elsewhere":            replaced(`09:14:06.007Z`, `10:14:06.007+01:00`),
		"a second event":                storedVector + storedVector,
		"a line end":                    storedVector + "\n",
	} {
		if _, err := DecodeStored([]byte(raw)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestStoredPerson(t *testing.T) {
	s := storedOf(mustDecode(t, registered(`,"name":"Jan Peeters","contact":"by post","natural_person":true`)))
	raw := s.Append(nil)
	if bytes.Contains(raw, []byte("Peeters")) || bytes.Contains(raw, []byte("by post")) {
		t.Errorf("the person is in clear: %s", raw)
	}
	if _, err := DecodeStored(raw); err != nil {
		t.Errorf("a person without name: %v", err)
	}
	named := bytes.Replace(raw, []byte(`"natural_person":true`), []byte(`"name":"Jan Peeters","natural_person":true`), 1)
	if _, err := DecodeStored(named); refusalOf(t, err).Path != "/data/name" {
		t.Errorf("a person with a name in clear: %v", err)
	}
	acme := storedOf(mustDecode(t, registered(`,"name":"Acme"`))).Append(nil)
	if _, err := DecodeStored(bytes.Replace(acme, []byte(`"name":"Acme",`), nil, 1)); refusalOf(t, err).Type != MissingField {
		t.Errorf("an organisation without a name: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	e := Refusals{Producer: "ats", From: at.Add(-time.Hour), To: at, Types: map[string]int64{PersonalData: 2, BadFormat: 3}}.Event("r1", "/ledger", at)
	const want = `{"specversion":"1.0","id":"r1","source":"/ledger","type":"eu.custody.ledger.refused.v1","time":"2026-03-02T10:00:00.000Z",` +
		`"datacontenttype":"application/json","data":{"producer":"ats","from":"2026-03-02T09:00:00.000Z","to":"2026-03-02T10:00:00.000Z","count":5,` +
		`"types":[{"type":"bad-format","count":3},{"type":"personal-data","count":2}]}}`
	if got := string(e.AppendJSON(nil)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if _, err := Decode([]byte(want)); refusalOf(t, err).Type != UnknownKind {
		t.Errorf("from a producer: %v", err)
	}
	s := Stored{Event: e, Recorded: at}
	if _, err := DecodeStored(s.Append(nil)); err != nil {
		t.Errorf("stored: %v", err)
	}
}

func FuzzDecodeStored(f *testing.F) {
	f.Add([]byte(storedVector))
	f.Add(storedOf(mustDecode(f, typical)).Append(nil))
	f.Add(storedOf(mustDecode(f, secretive)).Append(nil))
	f.Add(storedOf(mustDecode(f, registered(`,"name":"Jan","natural_person":true`))).Append(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := DecodeStored(raw)
		if err != nil {
			refusalOf(t, err)
			return
		}
		if got := s.Append(nil); !bytes.Equal(got, raw) {
			t.Fatalf("accepted\n%s\nbut stored as\n%s", raw, got)
		}
	})
}
