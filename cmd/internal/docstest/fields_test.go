package docstest

import (
	"slices"
	"strings"
	"testing"
)

// A field is a row of a table of fields.
type field struct{ required, meaning, kept string }

// fieldTable reads the table of fields of a section. A row may name several fields.
func fieldTable(t *testing.T, s *section) map[string]field {
	t.Helper()
	all := map[string]field{}
	for _, row := range s.table(t, "field", "required", "meaning", "kept") {
		for _, name := range words(row[0]) {
			if _, twice := all[name]; twice {
				t.Errorf("%s: %q has %s twice", s.page, s.title, name)
			}
			all[name] = field{row[1], row[2], row[3]}
		}
	}
	return all
}

// pagesOfEvents is everything that the pages of events say about fields.
type pagesOfEvents struct {
	sections []section
	shared   map[string]map[string]field // by page#anchor, tables that several kinds have
}

func readPages(t *testing.T) *pagesOfEvents {
	t.Helper()
	p := &pagesOfEvents{shared: map[string]map[string]field{}}
	for _, page := range []string{"README.md", "data.md", "subject.md", "governance.md", "breach.md", "ledger.md"} {
		p.sections = append(p.sections, sections(t, "events/"+page)...)
	}
	for i := range p.sections {
		s := &p.sections[i]
		if fields := fieldTable(t, s); len(fields) > 0 {
			p.shared[strings.TrimPrefix(s.page, "events/")+"#"+anchor(s.title)] = fields
		}
	}
	return p
}

// titled gives the only section of this title.
func (p *pagesOfEvents) titled(t *testing.T, title string) *section {
	t.Helper()
	i := slices.IndexFunc(p.sections, func(s section) bool { return s.title == title })
	if i < 0 {
		t.Errorf("no page has an entry %s", title)
		return nil
	}
	return &p.sections[i]
}

// fieldsOf gives every field that a kind is said to have: those of the tables that its page begins with
// a link to, and its own, which count where both speak of the same field.
func (p *pagesOfEvents) fieldsOf(t *testing.T, s *section, withShared bool) map[string]field {
	t.Helper()
	all := map[string]field{}
	first := slices.IndexFunc(p.sections, func(o section) bool { return o.page == s.page })
	for _, m := range links.FindAllStringSubmatch(p.sections[first].text, -1) {
		link := m[1]
		if strings.HasPrefix(link, "#") {
			link = strings.TrimPrefix(s.page, "events/") + link
		}
		for name, f := range p.shared[link] {
			if withShared {
				all[name] = f
			}
		}
	}
	for name, f := range fieldTable(t, s) {
		all[name] = f
	}
	return all
}
