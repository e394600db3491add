package verifier_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"iter"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/attest"
	"github.com/imalink/custody/cmd/internal/statement"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/bundle"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// A made is a bundle that was made, and what from.
type made struct {
	*evidencetest.Ledger
	files  bundle.Files
	proofs []*evidence.Verdict // proof, counts, working
}

// days of the statement: 2025-01-03 to 2025-01-12.
const from, to = evidencetest.FirstDay + 2, evidencetest.FirstDay + 11

// make a bundle about events of these classes, two a day from [evidencetest.FirstDay] on.
func makeBundle(t testing.TB, classes ...string) made {
	t.Helper()
	m := made{Ledger: evidencetest.New(1), files: bundle.Files{bundle.Verifier: []byte("another page\n"), bundle.Events: {}}}
	var all []events.Record
	for i := range 24 {
		s := evidencetest.Shared{Class: classes[i%len(classes)], Time: time.Unix((evidencetest.FirstDay*2+int64(i))*43200, 0)}
		if s.Class > "T1" {
			s.Region = "US"
		}
		raw := s.Stored()
		all = append(all, events.Record{Position: m.AddEvent(raw) + 1, Digest: m.Record(m.Size() - 1).Digest, Raw: raw})
	}
	by := m.Commit()
	m.Commit()
	m.Grow(2)
	note := m.Note(m.Size(), evidencetest.Everybody)
	prove := func(name string, q evidence.Question) *evidence.Verdict {
		v, err := evidence.Verify(must(evidence.ProveLight(m, note, q, by))(t), evidencetest.Trust())
		if err != nil {
			t.Fatal(err)
		}
		m.files[name] = must(evidence.ProveLight(m, note, q, by))(t)
		return v
	}
	counts := prove(bundle.Counts, statement.CountQuestion(law.Day(from), law.Day(to)))
	proof, working := statement.ListQuestions(counts)
	m.proofs = []*evidence.Verdict{prove(bundle.Proof, proof), counts, prove(bundle.Working, working)}
	m.files[bundle.Checkpoint] = note.Bytes()
	m.tell(t, all)
	return m
}

// tell makes the statement, and adds the events that it lists.
func (m *made) tell(t testing.TB, all []events.Record) {
	t.Helper()
	figures := must(statement.FiguresOf(m.proofs[0], m.proofs[1], m.proofs[2]))(t)
	s := must(statement.Make(context.Background(), statement.Sources{
		Name: "imalink-be", ID: "000102030405060708090a0b0c0d0e0f", Figures: figures, Cosigners: statement.CosignersOf(m.proofs[0]), Head: m.Size(),
		Issued: time.Date(2026, 1, 1, 9, 30, 0, 0, time.UTC), Grace: statement.DefaultGrace, Months: statement.DefaultMonths,
		Replay: func(_ context.Context, from, to uint64) iter.Seq2[events.Record, error] {
			return func(yield func(events.Record, error) bool) {
				for _, r := range all[from-1 : to] {
					if !yield(r, nil) {
						return
					}
				}
			}
		},
	}))(t)
	var text, page bytes.Buffer
	if err := s.Encode(&text); err != nil {
		t.Fatal(err)
	}
	if err := s.Page(&page, statement.Langs()[0]); err != nil {
		t.Fatal(err)
	}
	m.files[bundle.Statement], m.files[bundle.Page] = text.Bytes(), page.Bytes()
	for _, r := range all {
		listed := false
		for _, p := range m.proofs {
			for _, l := range p.List {
				listed = listed || l.Position() == r.Position
			}
		}
		if listed {
			m.files[bundle.Events] = append(append(m.files[bundle.Events], r.Raw...), '\n')
		}
	}
}

// bytes is the bundle, signed by the key of a line of docs/FORMAT.md, evidence-keys-1.
func (m *made) bytes(t testing.TB, line int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bundle.Write(&b, evidencetest.Origin, m.files, must(checkpoint.ParseSigner(evidencetest.Key(line)))(t)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func must[T any](x T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

// swapped changes the last byte of a member, and its sums in the zip file so that they fit, but not the manifest.
func swapped(t testing.TB, whole []byte, name string) []byte {
	t.Helper()
	b := bytes.Clone(whole)
	central := bytes.LastIndex(b, []byte(name)) - 46
	local := int(binary.LittleEndian.Uint32(b[central+42:]))
	size := int(binary.LittleEndian.Uint32(b[local+22:]))
	data := b[local+30+len(name):][:size]
	data[size-1] ^= 1
	binary.LittleEndian.PutUint32(b[local+14:], crc32.ChecksumIEEE(data))
	binary.LittleEndian.PutUint32(b[central+16:], crc32.ChecksumIEEE(data))
	return b
}

// attested is what package attest says of a bundle, in the form of custody verify.
func attested(t testing.TB, b, trustFile []byte) string {
	t.Helper()
	var trust *checkpoint.Trust
	if trustFile != nil {
		trust = must(checkpoint.ParseTrust(trustFile))(t)
	}
	v, err := attest.Verify(b, trust)
	if err != nil {
		return `{"outcome":"false"}`
	}
	shown := struct {
		Outcome string              `json:"outcome"`
		Proofs  []*evidence.Verdict `json:"proofs"`
		Signed  []string            `json:"signed"`
		Grade   string              `json:"grade"`
	}{v.Outcome.String(), v.Proofs, []string{}, v.Statement.Result.Grade}
	for _, k := range v.Signed {
		shown.Signed = append(shown.Signed, k.String())
	}
	return encoded(t, shown)
}

// TestBundles holds the page against package attest: true bundles, with transfers and without, and false ones.
func TestBundles(t *testing.T) {
	trust := evidencetest.TrustFile("100")
	dirty, clean := makeBundle(t, "T0", "T1", "T5", "U", "T2"), makeBundle(t, "T0")
	const key, logKey = 2, 1
	changed := func(name string, change func([]byte) []byte) []byte {
		m := dirty
		m.files = maps.Clone(dirty.files)
		m.files[name] = change(bytes.Clone(dirty.files[name]))
		return m.bytes(t, key)
	}
	replaced := func(old, new string) []byte {
		return changed(bundle.Statement, func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				t.Fatalf("the statement does not say %s", old)
			}
			return bytes.Replace(b, []byte(old), []byte(new), 1)
		})
	}
	asked := func(m made, name string, by int, change func(*evidence.Question)) []byte {
		v := m.proofs[map[string]int{bundle.Proof: 0, bundle.Counts: 1, bundle.Working: 2}[name]]
		q := v.Question
		change(&q)
		other := m
		other.files = maps.Clone(m.files)
		other.files[name] = must(evidence.ProveLight(m, v.Head.Note, q, m.Commits[by]))(t)
		return other.bytes(t, key)
	}
	same := func(*evidence.Question) {}
	first := func(b []byte) []byte { return b[bytes.IndexByte(b, '\n')+1:] }
	whole := dirty.bytes(t, key)
	for name, c := range map[string]struct {
		file, trust []byte
		want        string
	}{
		"dirty":             {whole, trust, "proven"},
		"clean":             {clean.bytes(t, key), trust, "proven"},
		"no trust":          {whole, nil, "unsigned"},
		"by the log's key":  {dirty.bytes(t, logKey), trust, "unsigned"},
		"no witness":        {whole, []byte(strings.Replace(string(trust), "witness ", "# ", 1)), "unsigned"},
		"cut off":           {whole[:len(whole)-1], trust, "false"},
		"longer":            {append(bytes.Clone(whole), 0), trust, "false"},
		"an event less":     {changed(bundle.Events, first), trust, "false"},
		"an event twice":    {changed(bundle.Events, func(b []byte) []byte { return append(b, b[:bytes.IndexByte(b, '\n')+1]...) }), trust, "false"},
		"an event changed":  {changed(bundle.Events, func(b []byte) []byte { b[40] ^= 1; return b }), trust, "false"},
		"no last LF":        {changed(bundle.Events, func(b []byte) []byte { return b[:len(b)-1] }), trust, "false"},
		"other proof":       {changed(bundle.Working, func([]byte) []byte { return dirty.files[bundle.Proof] }), trust, "false"},
		"other days":        {changed(bundle.Counts, func([]byte) []byte { return clean.files[bundle.Counts] }), trust, "false"},
		"other commit":      {asked(dirty, bundle.Counts, 1, same), trust, "false"},
		"a day more":        {asked(dirty, bundle.Counts, 0, func(q *evidence.Question) { q.To++ }), trust, "false"},
		"a class less":      {asked(clean, bundle.Counts, 0, func(q *evidence.Question) { q.Flags &^= evidence.T3 }), trust, "false"},
		"an empty list":     {asked(clean, bundle.Working, 0, func(q *evidence.Question) { q.What = evidence.List }), trust, "false"},
		"counts no more":    {asked(clean, bundle.Counts, 0, func(q *evidence.Question) { q.What, q.Flags = evidence.Absence, evidence.T5 }), trust, "false"},
		"the same again":    {asked(dirty, bundle.Counts, 0, same), trust, "proven"},
		"other checkpoint":  {changed(bundle.Checkpoint, func([]byte) []byte { return dirty.Note(dirty.Size()-1, evidencetest.Log).Bytes() }), trust, "false"},
		"says other days":   {replaced(`"from": "2025-01-03"`, `"from": "2025-01-02"`), trust, "false"},
		"says less":         {replaced(`"transfers": 8`, `"transfers": 7`), trust, "false"},
		"says another root": {replaced(`"root": "`, `"root": "0`), trust, "false"},
		"says a name twice": {replaced(`"version": 1,`, `"version": 1, "version": 1,`), trust, "false"},
		"other page":        {swapped(t, whole, bundle.Page), trust, "false"},
		"other verifier":    {swapped(t, whole, bundle.Verifier), trust, "false"},
		"says other size":   {replaced(`"size": 28`, `"size": 29`), trust, "false"},
	} {
		got, want := string(verify(t, vector{c.file, c.trust})[0]), attested(t, c.file, c.trust)
		if outcome(want) != c.want {
			t.Errorf("%s: package attest says %s, want %s", name, outcome(want), c.want)
		}
		if outcome(got) != outcome(want) || outcome(got) != "false" && got != want {
			t.Errorf("%s:\n%.1500s, want\n%.1500s", name, got, want)
		}
	}
	headers(t, whole, trust)
}

// headers changes a bit in each byte of a zip file's headers and directory, and here and there in its members.
func headers(t *testing.T, whole, trust []byte) {
	t.Helper()
	var all []int
	directory := bytes.Index(whole, []byte("PK\x01\x02"))
	for i := range whole {
		if i < 40 || i >= directory || i%(len(whole)/100) == 0 {
			all = append(all, i)
		}
	}
	want := changed(whole, all, func(b []byte) string { return outcome(attested(t, b, trust)) })
	if got := changes(t, vector{whole, trust}, all); got != want || strings.Contains(got, "p") {
		t.Errorf("of %d changes the page says\n%s, and package attest\n%s", len(all), got, want)
	}
}

// TestStrictJSON demands that a name twice, a wide number or an escape is not read as something else.
func TestStrictJSON(t *testing.T) {
	base := string(evidencetest.Shared{Class: "T4", Region: "US", Time: time.Unix(1_740_000_000, 0)}.Stored())
	for name, text := range map[string]string{
		"name twice":      strings.Replace(base, `"data":{`, `"data":{},"data":{`, 1),
		"byte order mark": "\ufeff" + base,
		"something after": base + "{}",
		"comma":           strings.Replace(base, `}}}`, `},}}`, 1),
		"no UTF-8":        strings.Replace(base, "ats", "a\xffs", 1),
		"surrogate":       strings.Replace(base, "acme-bank", `acme\ud800bank`, 1),
		"control":         strings.Replace(base, "acme-bank", "acme\x01bank", 1),
		"zero before":     strings.Replace(base, `"T4"`, `01`, 1),
	} {
		if text == base {
			t.Fatalf("%s: nothing was changed", name)
		}
		script := fmt.Sprintf("try { custody.record(Uint8Array.from(atob(%s), (c) => c.charCodeAt(0))); 'read' } catch (e) { e.code }", encoded(t, []byte(text)))
		if got := evaluate[string](t, script); got != "json" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if !json.Valid([]byte(base)) {
		t.Error("the event itself is no JSON")
	}
}
