package access

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// examples are messages as they are stored, one of each kind and version.
func examples() []string {
	const head3 = `{"accessformat":"3","what":"`
	const head2 = `{"accessformat":"2","what":"`
	const head = `{"accessformat":"1","what":"`
	const at = `","at":"2026-03-02T09:14:05.120Z"`
	return []string{
		head + producerAdded + at + `,"by":"00112233445566ff","producer":{"name":"ats","families":["data","subject"]}}`,
		head + producerChanged + at + `,"by":"00112233445566ff","producer":{"name":"ats","families":["data"],"except":["data.deleted"]}}`,
		head + producerRemoved + at + `,"by":"00112233445566ff","name":"ats"}`,
		head + tokenCreated + at + `,"token":{"id":"00112233445566ff","role":"operator","name":"init","hash":"` + strings.Repeat("ab", 32) + `"}}`,
		head + tokenCreated + at + `,"by":"00112233445566ff","token":{"id":"00112233445566fe","role":"producer","name":"one","producer":"ats","hash":"` +
			strings.Repeat("ab", 32) + `","expires":"2027-01-01T00:00:00.000Z"}}`,
		head + tokenRevoked + at + `,"by":"00112233445566ff","id":"00112233445566fe"}`,
		head2 + tokenCreated + at + `,"by":"00112233445566ff","token":{"id":"00112233445566fd","role":"investigator","name":"inv","hash":"` +
			strings.Repeat("ab", 32) + `","expires":"2027-01-01T00:00:00.000Z","case":"c-7","from":"2026-03-01T00:00:00.000Z","to":"2026-04-01T00:00:00.000Z"}}`,
		head2 + tokenCreated + at + `,"by":"00112233445566ff","token":{"id":"00112233445566fc","role":"subject","name":"me","hash":"` +
			strings.Repeat("ab", 32) + `","person":"000102030405060708090a0b0c0d0e0f"}}`,
		head + tokenCreated + at + `,"by":"00112233445566ff","token":{"id":"00112233445566fb","role":"subject","name":"nobody","hash":"` +
			strings.Repeat("ab", 32) + `"}}`,
		head3 + tokenCreated + at + `,"by":"00112233445566ff","token":{"id":"00112233445566fa","role":"producer","name":"nkey","producer":"ats","nkey":"` +
			aKey + `","expires":"2027-01-01T00:00:00.000Z"}}`,
	}
}

func TestDecodeExamples(t *testing.T) {
	for _, text := range examples() {
		m, err := decode([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if b, err := m.encode(); err != nil || string(b) != text {
			t.Errorf("again: %s, %v, want %s", b, err, text)
		}
	}
}

// TestDecodeRefuses goes through every truncation and many alterations.
func TestDecodeRefuses(t *testing.T) {
	for _, text := range examples() {
		for i := range text {
			if _, err := decode([]byte(text[:i])); !errors.Is(err, ErrCorrupt) {
				t.Errorf("truncated to %d: %v", i, err)
			}
		}
		for _, edit := range [][2]string{
			{`"accessformat":"1"`, `"accessformat":"2"`},
			{`"accessformat":"2"`, `"accessformat":"1"`},
			{`"accessformat":"2"`, `"accessformat":"3"`},
			{`"case":"c-7"`, `"case":"C 7"`},
			{`"case":"c-7"`, `"case":""`},
			{`"case":"c-7",`, `"case":"c-7","case":"c-7",`},
			{`"from":"2026-03-01T00:00:00.000Z"`, `"from":"2026-03-01"`},
			{`"from":"2026-03-01T00:00:00.000Z"`, `"from":"2026-04-01T00:00:00.000Z"`},
			{`"to":"2026-04-01T00:00:00.000Z"`, `"to":"2026-04-01T00:00:00Z"`},
			{`"role":"investigator"`, `"role":"auditor"`},
			{`"role":"subject"`, `"role":"dpo","case":"c-7"`},
			{`"person":"00`, `"person":"0A`},
			{`"person":"00`, `"person":"`},
			{`"person"`, `"case":"c-7","person"`},
			{`"person":"00`, `"person":"candidate:1`},
			{`"accessformat":"1",`, ``},
			{`{"accessformat"`, `{"AccessFormat"`},
			{`{"accessformat"`, ` {"accessformat"`},
			{`"what":"`, `"what":"x`},
			{`"at":"2026-03-02T09:14:05.120Z"`, `"at":"2026-03-02T09:14:05.12Z"`},
			{`"at":"2026-03-02T09:14:05.120Z"`, `"at":"2026-03-02T10:14:05.120+01:00"`},
			{`"at":"2026-03-02T09:14:05.120Z"`, `"at":"2026-02-30T09:14:05.120Z"`},
			{`"at":`, `"at":"2026-03-02T09:14:05.120Z","at":`},
			{`"at":`, `"why":"","at":`},
			{`"at":`, `"name":"crm","id":"00112233445566ff","at":`},
			{`}`, `},"producer":null}`},
			{`"name":"ats"}`, `"name":"ats","id":"00112233445566fe"}`},
			{`"id":"00112233445566fe"}`, `"name":"ats","id":"00112233445566fe"}`},
			{`,"name":"ats"}`, `}`},
			{`Z"`, `Z","by":""`},
			{`"by":"00112233445566ff"`, `"by":"somebody"`},
			{`["data"`, `["subject","data"`},
			{`["data"`, `["data","data"`},
			{`["data"`, `["people"`},
			{`"families":["data"]`, `"families":[]`},
			{`"except":["data.deleted"]`, `"except":[]`},
			{`"role":"`, `"role":"super`},
			{`"role":"operator"`, `"role":"operator","producer":"ats"`},
			{`"role":"producer"`, `"role":"relay"`},
			{`"hash":"ab`, `"hash":"`},
			{`"hash":"ab`, `"hash":"AB`},
			{`"nkey":"UAB`, `"nkey":"UBB`},
			{`"nkey":"UAB`, `"nkey":"SUAB`},
			{`"nkey":"UAB`, `"nkey":"`},
			{`"nkey":"UAB`, `"hash":"","nkey":"UAB`},
			{`"nkey":"UAB`, `"hash":"` + strings.Repeat("ab", 32) + `","nkey":"UAB`},
			{`"role":"producer","name":"nkey","producer":"ats"`, `"role":"relay","name":"nkey"`},
			{`"accessformat":"3"`, `"accessformat":"2"`},
			{`"accessformat":"3"`, `"accessformat":"1"`},
			{`"expires":"2027-01-01T00:00:00.000Z"`, `"expires":"never"`},
			{`"name":"ats"`, `"name":"A"`},
			{`"id":"00112233445566f`, `"id":"00112233445566F`},
		} {
			altered := strings.Replace(text, edit[0], edit[1], 1)
			if altered == text {
				continue
			}
			if _, err := decode([]byte(altered)); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s for %s in %s: %v", edit[1], edit[0], text, err)
			}
		}
		if _, err := decode([]byte(text + "\n")); !errors.Is(err, ErrCorrupt) {
			t.Errorf("trailing byte: %v", err)
		}
	}
}

// TestApplyRefuses shows histories that no store could have written.
func TestApplyRefuses(t *testing.T) {
	ex := examples()
	added, removed, first, producers, revoked := ex[0], ex[2], ex[3], ex[4], ex[5]
	for name, history := range map[string][]string{
		"added twice":          {added, added},
		"changed, never added": {ex[1]},
		"removed, never added": {removed},
		"removed twice":        {added, removed, removed},
		"same token id twice":  {first, first},
		"token of no producer": {producers},
		"revoked, never made":  {revoked},
		"revoked twice":        {added, producers, revoked, revoked},
		"revoked with it":      {added, producers, removed, revoked},
		"same key twice":       {added, ex[9], strings.Replace(ex[9], "66fa", "66f9", 1)},
		"a revoked key again":  {added, ex[9], removed, added, strings.Replace(ex[9], "66fa", "66f9", 1)},
		"key of no producer":   {ex[9]},
	} {
		st := newState()
		for i, text := range history {
			m, err := decode([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			err = st.apply("test", stream.Message{Subject: subject("test", m.What), Data: []byte(text), Sequence: uint64(i) + 1})
			if last := i == len(history)-1; errors.Is(err, ErrCorrupt) != last {
				t.Errorf("%s: message %d: %v", name, i+1, err)
			}
		}
	}
	for name, m := range map[string]stream.Message{
		"another ledger":  {Subject: subject("other", producerAdded), Data: []byte(added), Sequence: 1},
		"another subject": {Subject: subject("test", producerChanged), Data: []byte(added), Sequence: 1},
		"a gap":           {Subject: subject("test", producerAdded), Data: []byte(added), Sequence: 2},
		"a repeat":        {Subject: subject("test", producerAdded), Data: []byte(added), Sequence: 0},
	} {
		if err := newState().apply("test", m); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenStopsShort(t *testing.T) {
	log := &memoryLog{}
	s := open(t, log, newClock())
	s.mustPut(t, "ats", "data")
	if _, err := Open(t.Context(), Config{Log: shortLog{log}, Ledger: "test"}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a log that ends before its last message: %v", err)
	}
}

// shortLog says it holds one message more than it has.
type shortLog struct{ *memoryLog }

func (l shortLog) Last() uint64 { return l.memoryLog.Last() + 1 }

// FuzzDecode holds that whatever decodes encodes to the same bytes.
func FuzzDecode(f *testing.F) {
	for _, text := range examples() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		again, err := m.encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("decoded %q encodes to %q, %v", b, again, err)
		}
	})
}

// FuzzTokenID holds that an id is found only in what has the form of a token.
func FuzzTokenID(f *testing.F) {
	_, secret, _ := mint(RoleRelay)
	f.Add(secret.Reveal())
	f.Add("custody_a_0123456789abcdef_")
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := tokenID(text)
		if ok && (len(id) != 16 || !strings.Contains(text, "_"+id+"_") || !strings.HasPrefix(text, "custody_")) {
			t.Fatalf("id %q", id)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	log, c := &memoryLog{}, newClock()
	s := open(b, log, c)
	text, _ := s.mustToken(b, NewToken{Role: RoleRelay, Name: "import"})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Authenticate(text); err != nil {
			b.Fatal(err)
		}
	}
}
