package docstest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
)

// TestKinds: every kind has one entry, on the page of its family, that names the law or a term of DPV and
// its retention class; and no page has an entry of anything else.
func TestKinds(t *testing.T) {
	p := readPages(t)
	kinds := map[string]events.Kind{}
	for _, k := range events.Kinds() {
		kinds[k.Name()] = k
		s := p.titled(t, k.Name())
		if s == nil {
			continue
		}
		if want := "events/" + k.Family() + ".md"; s.page != want {
			t.Errorf("%s stands in %s, not in %s", k, s.page, want)
		}
		if !strings.Contains(s.text, "GDPR") {
			t.Errorf("%s names no article", k)
		}
		if !strings.Contains(s.text, "· kept as "+k.Retention().String()+"\n") {
			t.Errorf("%s does not say that it is kept as %s", k, k.Retention())
		}
	}
	entries := map[string]int{}
	for _, s := range p.sections {
		if strings.Contains(s.title, ".") {
			entries[s.title]++
			if _, ok := kinds[s.title]; !ok || entries[s.title] > 1 {
				t.Errorf("%s: %s is no kind, or is there twice", s.page, s.title)
			}
		}
	}
}

// TestFields: the pages have every field of the catalogue and no other, say rightly when it is required,
// name every word that it can be, and say rightly what is kept of it.
func TestFields(t *testing.T) {
	p, schema := readPages(t), published(t)
	for _, k := range events.Kinds() {
		s := p.titled(t, k.Name())
		if s == nil || k.ByLedger() {
			continue
		}
		compare(t, k.Name(), p.fieldsOf(t, s, true), schema, schema.dataOf(t, k), secrecies(t, schema, k))
	}
}

// TestObjects does the same for the envelope and for the objects that several kinds have.
func TestObjects(t *testing.T) {
	p, schema := readPages(t), published(t)
	envelope := &shape{Properties: maps.Clone(schema.Properties), Required: schema.Required}
	envelope.Properties["type"] = &shape{Pattern: "of a kind"} // the list of kinds is the pages themselves
	all := secrecies(t, schema, events.BreachConfirmed)
	maps.Copy(all, secrecies(t, schema, events.DataShared))
	compare(t, "envelope", fieldTable(t, p.titled(t, "Envelope")), schema, envelope, all)
	for name, def := range schema.Defs {
		if def.Items != nil {
			def = def.Items
		}
		if def.Properties == nil {
			continue
		}
		if s := p.titled(t, name); s != nil {
			compare(t, name, fieldTable(t, s), schema, def, below(all, name))
		}
	}
}

// below keeps what is known of the fields of one object. A kind has it under its own name, but for one.
func below(all map[string]string, object string) map[string]string {
	if object == "subjectsUnknown" {
		object = "subjects_unknown"
	}
	inner := map[string]string{}
	for name, kept := range all {
		if rest, ok := strings.CutPrefix(name, object+"."); ok {
			inner[rest] = kept
		}
	}
	return inner
}

// compare holds what a page says against the schema, and against what becomes of each value.
func compare(t *testing.T, of string, said map[string]field, schema, object *shape, kept map[string]string) {
	t.Helper()
	known := object.flat()
	for name := range said {
		if known[name] == nil {
			t.Errorf("%s: the page has a field %s, the catalogue does not", of, name)
		}
	}
	for name, spec := range known {
		f, ok := said[name]
		if !ok {
			t.Errorf("%s: the page does not have the field %s", of, name)
			continue
		}
		if want := object.requires(name); f.required != want {
			t.Errorf("%s: %s is said to be required %q, want %q", of, name, f.required, want)
		}
		checkWords(t, of+": "+name, f.meaning, spec.vocabulary(), known)
		want, linked := kept[name], schema.isObject(spec)
		if linked {
			want = "" // its own fields say it
		}
		if f.kept != want {
			t.Errorf("%s: %s is said to be kept %q, is %q", of, name, f.kept, want)
		}
		if name, ok := strings.CutPrefix(spec.Ref, "#/$defs/"); ok && linked && !strings.Contains(f.meaning, "#"+anchor(name)+")") {
			t.Errorf("%s: no link to the fields of %s", of, name)
		}
	}
}

// checkWords: of a closed vocabulary all words are named, and what is named is one of them, another field
// or a term of DPV.
func checkWords(t *testing.T, of, meaning string, vocabulary []string, fields map[string]*shape) {
	t.Helper()
	named := words(meaning)
	for _, w := range vocabulary {
		if !slices.Contains(named, w) {
			t.Errorf("%s: the word %s is not named", of, w)
		}
	}
	for _, w := range named {
		if len(vocabulary) > 0 && !slices.Contains(vocabulary, w) && fields[w] == nil && !strings.Contains(w, ":") {
			t.Errorf("%s: %s is named and is no word of it", of, w)
		}
	}
}

// TestWords: the tables of words have every word of the vocabularies that have a name, and no other.
func TestWords(t *testing.T) {
	s := readPages(t).titled(t, "Words")
	said := map[string][]string{}
	for _, table := range s.tables {
		var rows []string
		for _, row := range table[2:] {
			rows = append(rows, words(row[0])...)
		}
		said[strings.Trim(table[0][0], "`")] = rows
	}
	named := 0
	for name, def := range published(t).Defs {
		if len(def.Enum) == 0 {
			continue
		}
		named++
		if got := said[name]; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(def.Enum))) {
			t.Errorf("%s: the page has %q, the catalogue %q", name, got, def.Enum)
		}
	}
	if named != len(said) {
		t.Errorf("the page has %d vocabularies, the catalogue %d", len(said), named)
	}
}
