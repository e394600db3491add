package emit_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// proven is the receipt of a stored event among others, by a ledger that signs what it stored.
func proven(t testing.TB, st *events.Stored, change func(*evidence.Record)) []byte {
	t.Helper()
	stored := st.Append(nil)
	l := evidencetest.New(7)
	l.Grow(37)
	record := evidencetest.RecordOf(stored)
	if change != nil {
		change(&record)
	}
	index := l.Add(record)
	l.Grow(200)
	proof, err := evidence.ProveEvent(l, l.Note(l.Size(), evidencetest.Log), index, stored)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// compared is what comes of a receipt of an event as it was sent.
func compared(t testing.TB, proof []byte, sent *events.Event) error {
	t.Helper()
	r, err := emit.ReadReceipt(proof, evidencetest.Trust())
	if err == nil {
		err = r.Compare(sent)
	}
	return err
}

// TestReceiptOfTheYear: for every event of the year the honest receipt compares equal.
func TestReceiptOfTheYear(t *testing.T) {
	t.Parallel()
	l, trust := evidencetest.New(7), evidencetest.Trust()
	lines := year(t)
	for _, line := range lines {
		l.AddEvent(storedOf(decoded(t, line)).Append(nil))
	}
	note := l.Note(l.Size(), evidencetest.Log)
	for i, line := range lines {
		proof, err := evidence.ProveEvent(l, note, uint64(i), l.Event(uint64(i)))
		if err != nil {
			t.Fatal(err)
		}
		r, err := emit.ReadReceipt(proof, trust)
		if err == nil {
			err = r.Compare(decoded(t, line))
		}
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
	}
}

// with replaces a field of a stored event's data; the zero Value removes it.
func with(st *events.Stored, name string, v events.Value) {
	e := *st.Event
	var ok bool
	if e.Data, ok = e.Data.With(name, v); !ok {
		panic("no field " + name)
	}
	st.Event = &e
}

// otherwise is what is stored of an event if another was sent, with a piece of it replaced.
func otherwise(t testing.TB, sent *events.Event, old, new string) *events.Stored {
	t.Helper()
	raw := string(sent.AppendJSON(nil))
	if !strings.Contains(raw, old) {
		t.Fatalf("no %s in what was sent", old)
	}
	return storedOf(decoded(t, []byte(strings.Replace(raw, old, new, 1))))
}

// TestReceiptLies: whatever of an event a ledger alters, the receipt it signs shows it, and where.
func TestReceiptLies(t *testing.T) {
	t.Parallel()
	sent := shared(t, 0)
	honest := storedOf(sent)
	if err := compared(t, proven(t, honest, nil), sent); err != nil {
		t.Fatal(err)
	}
	tag := func(subject int) events.Value {
		return honest.Event.Data.Get("subjects").List()[subject].Object().Get("id")
	}
	text := func(old, new string) func(*events.Stored) {
		return func(st *events.Stored) { *st = *otherwise(t, sent, old, new) }
	}
	for _, lie := range []struct {
		path string
		tell func(*events.Stored)
	}{
		{"/data/purpose", text(`"purpose":"service_provision"`, `"purpose":"marketing"`)},
		{"/data/purpose", text(`"purpose":"service_provision",`, ``)},
		{"/data/purpose", func(st *events.Stored) { // it says that it filled in what it changed
			with(st, "purpose", events.TextOf("marketing"))
			st.Facts.Defaulted = []string{"purpose"}
		}},
		{"/data/subjects/1", text(`,{"id":"candidate:7","role":"candidate"}`, ``)},
		{"/data/subjects/1/id", func(st *events.Stored) { // one person stands for two
			raw := strings.Replace(string(st.Append(nil)), tag(1).Text(), tag(0).Text(), 1)
			same, err := events.DecodeStored([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			*st = *same
		}},
		{"/data/subjects/0/country", text(`,"country":"BE"`, ``)},
		{"/data/subjects/0/role", text(`"role":"candidate"`, `"role":"employee"`)},
		{"/data/subjects/1/country", text(`"role":"candidate"}]`, `"role":"candidate","country":"US"}]`)},
		{"/data/categories/0", text(`"contact","career_cv"`, `"identification","career_cv"`)},
		{"/data/categories/1", text(`"contact","career_cv"`, `"contact"`)},
		{"/data/recipient/party", text(`"party":"acme-bank"`, `"party":"other-bank"`)},
		{"/data/recipient/via", text(`"party":"acme-bank"`, `"party":"acme-bank","via":"mail"`)},
		{"/data/actor/session", text(`,"session":"sess-0289"`, ``)},
		{"/data/reference", text(`"reference":"vacancy:662",`, ``)},
		{"/data/basis_ref", text(`"activity"`, `"basis_ref":"lia-1","activity"`)},
		{"/data/location", text(`"activity"`, `"location":{"storage":["US"]},"activity"`)},
		{"/data/bulk", text(`"activity"`, `"bulk":{"id":"b-1","part":1,"parts":2},"activity"`)},
		{"/data/ledger/special", text(`"special":["health"],`, ``)},
		{"/id", text(`"id":"e-0"`, `"id":"e-1"`)},
		{"/source", text(`"source":"/ats"`, `"source":"/crm"`)},
		{"/time", text(`"time":"2026-03-02T09:14:05Z"`, `"time":"2025-03-02T09:14:05Z"`)},
		{"/producerinstance", text(`"node-1"`, `"node-2"`)},
		{"/producerseq", text(`"producerseq":"1"`, `"producerseq":"2"`)},
		{"/correlationid", text(`"correlationid":"place-2291",`, ``)},
		{"/causationid", text(`"correlationid"`, `"causationid":"order-1","correlationid"`)},
		{"/traceparent", text(`00f067aa0ba902b7-01`, `00f067aa0ba902b8-01`)},
		{"/sealed", func(st *events.Stored) { st.Sealed = nil }},
		{"/data/ledger/special", func(st *events.Stored) { st.Facts.Special = false }},
		{"/data/ledger/a9", func(st *events.Stored) { st.Facts.A9 = false }},
		{"/data/ledger/art10", func(st *events.Stored) { st.Facts.Art10 = true }},
		{"/data/ledger/class", func(st *events.Stored) { st.Facts.Class, st.Facts.Region = "T0", "" }},
		{"/data/ledger/class", func(st *events.Stored) { st.Facts.Class, st.Facts.Tables, st.Facts.Region = "", "", "" }},
		{"/data/ledger/class", func(st *events.Stored) { st.Facts.Region = "US" }},
		{"/data/ledger/class", func(st *events.Stored) { st.Facts.Outside = []string{"US"} }},
		{"/data/ledger/defaulted", func(st *events.Stored) { // there is no activity that says so
			*st = *otherwise(t, sent, `,"activity":"placement"`, ``)
			st.Facts.Defaulted = []string{"system"}
		}},
		{"/data/ledger/class", func(st *events.Stored) { // the party's own facts give another
			st.Facts.Party = &events.Party{Code: "acme-bank", Position: 3, Country: "US", Storage: []string{"US"}, Access: []string{"US"}}
			st.Facts.Class, st.Facts.Region = "T0", ""
		}},
		{"/data/ledger/party", func(st *events.Stored) { st.Facts.Party = &events.Party{Code: "other", Position: 3, Country: "BE"} }},
		{"/data/ledger/reference", func(st *events.Stored) { st.Facts.Reference = 38 }}, // itself
		{"/data/ledger/basis_ref", func(st *events.Stored) { st.Facts.BasisRef = 3 }},
	} {
		st := *honest
		e := *honest.Event
		st.Event = &e
		lie.tell(&st)
		if bytes.Equal(st.Append(nil), honest.Append(nil)) {
			t.Errorf("%s: no lie", lie.path)
		}
		err := compared(t, proven(t, &st, nil), sent)
		d, ok := errors.AsType[*emit.Difference](err)
		if !ok || !errors.Is(err, emit.ErrReceiptDiffers) || d.Position != 38 || !slices.ContainsFunc(d.Paths, func(p string) bool { return strings.HasPrefix(p, lie.path) }) {
			t.Errorf("%s: %v", lie.path, err)
		}
	}
}

// TestReceiptKind: another kind of event is a difference at /type.
func TestReceiptKind(t *testing.T) {
	sent := shared(t, 0)
	st := otherwise(t, sent, "eu.custody.data.shared.v1", "eu.custody.data.transferred.v1")
	if err := compared(t, proven(t, st, nil), sent); !errors.Is(err, emit.ErrReceiptDiffers) || !strings.Contains(err.Error(), "/type") {
		t.Error(err)
	}
}

// TestReceiptMisflagged: a record that is not that of its event is found without what was sent.
func TestReceiptMisflagged(t *testing.T) {
	sent := shared(t, 0)
	for name, change := range map[string]func(*evidence.Record){
		"kind":            func(r *evidence.Record) { r.Kind++ },
		"flags (U)":       func(r *evidence.Record) { r.Flags &^= evidence.Unknown; r.Region = [2]byte{} },
		"flags (T5,U)":    func(r *evidence.Record) { r.Flags ^= evidence.Unknown | evidence.T5 },
		"flags (special)": func(r *evidence.Record) { r.Flags ^= evidence.Special },
		"flags (late)":    func(r *evidence.Record) { r.Flags ^= evidence.Late },
		"region":          func(r *evidence.Record) { r.Region = [2]byte{'U', 'S'} },
		"time":            func(r *evidence.Record) { r.Time-- },
		"sequence":        func(r *evidence.Record) { r.Sequence++ },
	} {
		_, err := emit.ReadReceipt(proven(t, storedOf(sent), change), evidencetest.Trust())
		if !errors.Is(err, emit.ErrReceiptRecord) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReceiptSigned: who did not sign, or falsely, and proofs of something else.
func TestReceiptSigned(t *testing.T) {
	l := evidencetest.NewWorld(1)
	n := l.Size()
	make := func(note checkpoint.Note, event []byte) []byte {
		proof, err := evidence.ProveEvent(l, note, l.Shared, event)
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	good := make(l.Note(n, evidencetest.Log), l.Event(l.Shared))
	r, err := emit.ReadReceipt(good, evidencetest.Trust())
	if err != nil || r.Position != l.Shared+1 || r.Checkpoint.Size != n || len(r.Signed.Log) != 1 || r.Record != l.Record(l.Shared) {
		t.Fatalf("%v, %+v", err, r.Signed)
	}
	forged := l.Note(n, evidencetest.Log)
	forged.Signatures[0].Bytes[7] ^= 1
	growth, err := evidence.ProveGrowth(l, l.Note(5, evidencetest.Log), l.Note(n, evidencetest.Log))
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]struct {
		proof []byte
		want  error
	}{
		"another key":       {make(l.Note(n, evidencetest.Former), l.Event(l.Shared)), emit.ErrReceiptUnsigned}, // it counts up to 100
		"only a witness":    {make(l.Note(n, evidencetest.Witness), l.Event(l.Shared)), emit.ErrReceiptUnsigned},
		"forged":            {make(forged, l.Event(l.Shared)), checkpoint.ErrSignature},
		"no event":          {make(l.Note(n, evidencetest.Log), nil), emit.ErrReceiptFalse},
		"a proof of growth": {growth, emit.ErrReceiptFalse},
		"nothing":           {nil, emit.ErrReceiptFalse},
	} {
		if _, err := emit.ReadReceipt(bad.proof, evidencetest.Trust()); !errors.Is(err, bad.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := emit.ReadReceipt(bad.proof, nil); errors.Is(bad.want, emit.ErrReceiptUnsigned) && err != nil {
			t.Errorf("%s, trusting nobody: %v", name, err)
		}
	}
	for i := range good { // every byte counts
		flipped := bytes.Clone(good)
		flipped[i] ^= 1 << (i % 8)
		if r, err := emit.ReadReceipt(flipped, evidencetest.Trust()); err == nil {
			t.Errorf("byte %d: still a receipt, of %d", i, r.Position)
		}
	}
}

// TestAlteredReceipts takes any event of the year and changes any clear field at the top of its data: the comparison
// names it.
func TestAlteredReceipts(t *testing.T) {
	t.Parallel()
	lines := year(t)
	rapid.Check(t, func(t *rapid.T) {
		e, err := events.Decode(lines[rapid.IntRange(0, len(lines)-1).Draw(t, "line")])
		if err != nil {
			t.Fatal(err)
		}
		honest, other := storedOf(e), storedOf(e)
		var names []string
		for name := range honest.Event.Data.All() {
			names = append(names, name)
		}
		name := rapid.SampledFrom(names).Draw(t, "field")
		with(other, name, events.Value{})
		proof := evidenceOf(t, other)
		if proof == nil {
			return // without it there is no such event
		}
		r, err := emit.ReadReceipt(proof, nil)
		if err != nil {
			t.Fatal(err)
		}
		d, ok := errors.AsType[*emit.Difference](r.Compare(e))
		if !ok || !slices.Contains(d.Paths, "/data/"+name) {
			t.Fatalf("without %s: %v", name, d)
		}
	})
}

// evidenceOf is the receipt of a stored event, or nil if it is none.
func evidenceOf(t rapid.TB, st *events.Stored) []byte {
	stored := st.Append(nil)
	if _, err := events.DecodeStored(stored); err != nil {
		return nil
	}
	l := evidencetest.New(7)
	index := l.AddEvent(stored)
	proof, err := evidence.ProveEvent(l, l.Note(l.Size(), evidencetest.Log), index, stored)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}
