package statement

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLanguages: every language has every text, with the same number of things that
// go into it, and no long text is the same by oversight.
func TestLanguages(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(english()))
	for _, lang := range Langs() {
		said, err := textsOf(lang)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(said.table)); !slices.Equal(got, names) {
			for _, name := range append(got, names...) {
				if slices.Contains(got, name) != slices.Contains(names, name) {
					t.Errorf("%s: %s is in one language only", lang, name)
				}
			}
		}
		for name, text := range said.table {
			if text == "" || strings.Count(text, "%s") != strings.Count(english()[name], "%s") || strings.Count(text, "%") != strings.Count(text, "%s") {
				t.Errorf("%s: %s", lang, name)
			}
			if lang != English && len(text) > 25 && text == english()[name] {
				t.Errorf("%s is English in %s", name, lang)
			}
			if lang == French && regexp.MustCompile(` [:;?!»]|« `).MatchString(text) {
				t.Errorf("%s can break before its punctuation in French", name)
			}
		}
	}
	if _, err := textsOf("de"); !errors.Is(err, ErrLang) {
		t.Error(err)
	}
}

// every gives statements that together say everything. Not all are valid.
func every(t testing.TB) (all []*Statement) {
	d := newDiary()
	d.happened()
	year := record(t, d.lines...)
	for _, days := range [][2]string{{"2025-02-01", "2025-02-28"}, {"2025-01-01", "2025-01-31"}, {"2025-01-01", "2025-12-31"}, {"2024-01-01", "2026-02-28"}, {"2024-01-01", "2024-01-02"}} {
		all = append(all, made(t, year, days[0], days[1]))
	}
	s := made(t, year, "2025-01-01", "2025-12-31")
	s.Result.Reasons = whys()
	s.Result.Transfers, s.Result.Unknown, s.Result.Unmapped = 1, 2, 1
	s.Controls[4].Result, s.Controls[5].Result = Attested, Reconciled
	none := uint64(0)
	s.Controls[4].Attested = []Attestation{{Position: 1, Outcome: "effective"}, {Position: 2, Outcome: "effective", Unmapped: &none, From: "2025-01-01", To: "2025-02-01"}}
	for _, missing := range Missings() {
		s.Unknowns.Parties = append(s.Unknowns.Parties, Lacking{Party: "x", Missing: missing, Registered: 1})
	}
	s.Unknowns.Parties[0].Party = ""
	for role := range english() {
		if role, of := strings.CutPrefix(role, "as."); of {
			s.Transfers = append(s.Transfers, Item{Position: 1, Day: "2025-03-01", Class: "T3", Party: "x", Role: role, Via: "y", Tool: "A46-2-c", ToolRef: "scc:1", Assessment: "tia:1", Secrecy: "inquiry", IO: true})
		}
	}
	for _, known := range assertions() {
		s.Locations = append(s.Locations, Location{Source: Register, Position: 1, Party: "x", IO: true, Assertion: known, Confirmed: "2020-01-01", Stale: true}, Location{Source: Register, Position: 1, Party: "x", Stale: true})
	}
	s.Locations = append(s.Locations, Location{Source: Register, Position: 1, Party: "x", Confirmed: "2020-01-01"}, Location{Source: Own, Events: 2})
	s.Onward = append(s.Onward, Onward{How: Recorded, Chain: []string{"x"}, First: "2025-01-01", Last: "2025-01-01"})
	s.Unknowns.Gaps = append(s.Unknowns.Gaps, Gap{Producer: "x", From: 1, To: 2, Before: "2025-01-01"})
	s.Unknowns.Refused = []Refused{{Producer: "x", Type: "bad-format", Events: 2, First: "2025-01-01", Last: "2025-01-01"}}
	s.Unknowns.Lost = []Lost{{Position: 1, From: 1, To: 2}}
	s.Again.Differences = []Difference{{"none", "T5", 1, []uint64{1}}, {"T0", "none", 1, []uint64{1}}}
	s.Corrections = append(s.Corrections, Correction{Position: 1, Day: "2025-01-01", Effect: "replace", Reason: "x", Corrects: 1})
	s.Cosigners = append(s.Cosigners, Cosigner{Key: "x", Role: Witness, Announced: 1}, Cosigner{Key: "x", Role: Witness, Announced: 1, Operator: "y"})
	s.Systems = append(s.Systems, System{})
	return append(all, s)
}

// TestSaid: every text is said somewhere, in every language, and nothing is said
// that has no text, or with too much or too little in it.
func TestSaid(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for i, s := range every(t) {
		text, p, err := s.page(English)
		if err != nil {
			t.Fatal(i, err)
		}
		if i := strings.Index(text, "%!"); i >= 0 {
			t.Errorf("something is missing in a text, or too much: %s", text[i:i+60])
		}
		maps.Copy(said, p.said)
	}
	for name := range english() {
		if !said[name] {
			t.Errorf("%s is said nowhere", name)
		}
	}
}

// TestPage: a page is well formed, holds every language, shows one of them first,
// runs nothing and asks for nothing.
func TestPage(t *testing.T) {
	t.Parallel()
	all := every(t)
	for _, s := range all {
		for _, lang := range Langs() {
			text, _, err := s.page(lang)
			if err != nil {
				t.Fatal(err)
			}
			wellFormed(t, text)
			for _, word := range []string{"<script", "javascript:", "http:", "https:", "src=", "href=", "@import", "<link", "<iframe", "<object", "<form", "onload", "onclick"} {
				if strings.Contains(strings.ToLower(text), word) {
					t.Errorf("it has %s", word)
				}
			}
			for _, url := range regexp.MustCompile(`url\([^)]*\)`).FindAllString(text, -1) {
				if url != "url(#hatch)" {
					t.Errorf("it refers to %s", url)
				}
			}
			if !strings.Contains(text, `<html lang="`+string(lang)+`">`) || strings.Count(text, " checked>") != 1 || !strings.Contains(text, `id="`+string(lang)+`" checked>`) {
				t.Errorf("%s is not shown first", lang)
			}
			for _, other := range Langs() {
				if texts, _ := textsOf(other); !strings.Contains(text, texts.table["title"]) {
					t.Errorf("it does not say it in %s", other)
				}
			}
		}
	}
	var b bytes.Buffer
	if err := all[0].Page(&b, "de"); !errors.Is(err, ErrLang) || b.Len() > 0 {
		t.Error(err)
	}
	if err := all[0].Page(failing{}, English); err == nil || errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

// wellFormed wants every element to be closed in its place.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(strings.NewReplacer(" checked>", " checked=''>", "<!DOCTYPE html>", "").Replace(text)))
	d.AutoClose, d.Entity = xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if !slices.Contains([]string{"meta", "input", "br"}, token.Name.Local) {
				open = append(open, token.Name.Local)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != token.Name.Local {
				t.Fatalf("%s is closed in %v", token.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Fatalf("%v stay open", open)
	}
}

// TestEscaped: whatever a statement that was decoded holds stays text.
func TestEscaped(t *testing.T) {
	t.Parallel()
	const nasty = `"><img onerror='x' &`
	d := newDiary()
	d.happened()
	s := made(t, record(t, d.lines...), "2025-01-01", "2025-12-31")
	s.Ledger.Name, s.Covers.Origin, s.Covers.Tables, s.Again.Tables = nasty, nasty, nasty, nasty
	for i := range s.Transfers {
		it := &s.Transfers[i]
		it.Party, it.Role, it.Kind, it.Via, it.Tool, it.ToolRef, it.Purpose, it.System, it.Secrecy = nasty, nasty, nasty, nasty, nasty, nasty, nasty, nasty, nasty
		it.Outside, it.Categories = []string{nasty}, []string{nasty}
	}
	s.Cosigners[0].Key, s.Policies[0].Policy = nasty, nasty
	s.Unknowns.Producers[0].Producer = nasty
	text, _, err := s.page(English)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "<img") || strings.Count(text, "onerror") < 10 {
		t.Error("it is not escaped, or not there")
	}
	wellFormed(t, text)
}

// TestPicture: the bars hold every examined event, whatever the range, and there are
// not too many of them.
func TestPicture(t *testing.T) {
	t.Parallel()
	for _, s := range every(t)[:5] {
		p := page{Statement: s}
		bars := p.bars()
		var sum, moved, unknown, work uint64
		for i := range bars {
			sum, moved, unknown, work = sum+bars[i].sum(), moved+bars[i].moved, unknown+bars[i].unknown, work+bars[i].work
		}
		if len(bars) > mostBars || sum != p.Examined() || moved != s.Result.Transfers || unknown != s.Result.Unknown || work != uint64(len(s.Working)) {
			t.Errorf("%d bars of %d days: %d, %d, %d, %d", len(bars), p.Bin(), sum, moved, unknown, work)
		}
		if days := s.span(); uint64(len(bars))*p.Bin() <= uint64(days.to-days.from) {
			t.Error("the bars do not reach the end")
		}
	}
}

// TestNumbers: numbers are written as the language does.
func TestNumbers(t *testing.T) {
	t.Parallel()
	p, err := newSpeaker()
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[uint64]string{
		0:       `<span lang="en">0 events</span><span lang="nl">0 gebeurtenissen</span><span lang="fr">0 événement</span>`,
		1:       `<span lang="en">1 event</span><span lang="nl">1 gebeurtenis</span><span lang="fr">1 événement</span>`,
		1234567: "<span lang=\"en\">1,234,567 events</span><span lang=\"nl\">1.234.567 gebeurtenissen</span><span lang=\"fr\">1\u00a0234\u00a0567 événements</span>",
	} {
		if got := p.say("source.event", counted{"n.events", n}); string(got) != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
