package report

import (
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"pgregory.net/rapid"
)

// TestLanguages: every language has every text, with the same number of things
// that go into it, and no text is the same by oversight.
func TestLanguages(t *testing.T) {
	names := slices.Sorted(maps.Keys(english()))
	same := []string{"subject.ledger", "mark", "k.due"}
	for _, lang := range Langs() {
		said, err := textsOf(lang)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(said.table)); !slices.Equal(got, names) {
			for _, name := range got {
				if _, ok := english()[name]; !ok {
					t.Errorf("%s has %s, English has not", lang, name)
				}
			}
			for _, name := range names {
				if _, ok := said.table[name]; !ok {
					t.Errorf("%s has no %s", lang, name)
				}
			}
		}
		for name, text := range said.table {
			if text == "" || strings.Count(text, "%s") != strings.Count(english()[name], "%s") || strings.Count(text, "%") != strings.Count(text, "%s") {
				t.Errorf("%s: %s", lang, name)
			}
			if lang != English && len(text) > 30 && text == english()[name] && !slices.Contains(same, name) {
				t.Errorf("%s is English in %s", name, lang)
			}
		}
	}
}

// TestSaid: every text is said somewhere, in every language, and nothing is said
// that has no text, or with too much or too little in it.
func TestSaid(t *testing.T) {
	for _, lang := range Langs() {
		said := map[string]bool{}
		for name, c := range words() {
			texts, err := textsOf(lang)
			if err != nil {
				t.Fatal(err)
			}
			pdf, err := c.pdf(texts, lang)
			if err != nil {
				t.Fatalf("%s in %s: %v", name, lang, err)
			}
			if strings.Contains(textOf(t, pdf), "%!") {
				t.Errorf("%s in %s: something is missing in a text, or too much", name, lang)
			}
			maps.Copy(said, texts.said)
		}
		for name := range english() {
			if !said[name] {
				t.Errorf("%s says %s nowhere", lang, name)
			}
		}
	}
}

// words gives certificates that together have every word of every vocabulary.
func words() map[string]*Certificate {
	all := every()
	for i, reason := range []string{"retention", "objection", "unlawful", "legal_obligation", "child", "request"} {
		c := erased()
		c.Erasure.Reason, c.Erasure.AsActor, c.Erasure.Ground = reason, false, ""
		c.Cells = []Cells{{classes()[i], "2026-01", "2026-01", 1}}
		c.Remains = Remains{Shared: 1, Crowd: 1, Clear: ClearFields(), Learnable: Learnable(false),
			Events: []Count{{classes()[i], families()[i%len(families())], 1, Instant{}, Instant{}}}}
		c.Holds = []Hold{{1, "hold:1", "A17-3-" + string(rune('a'+i%5)), "", ""}}
		c.Identifiers = &Identifiers{Shown: true, Count: 1, List: []Linked{{Identifier: Named("candidate:1"), Acted: 1}}}
		c.Recipients, c.Legs = c.Recipients[:1], nil
		for _, kind := range LegKinds() {
			c.Legs = append(c.Legs, Leg{Deletion: "deletion:1", Kind: kind, State: Done})
		}
		c.Legs[0].State = Due
		all[reason] = c
	}
	hand := ofKind(Retained, true)
	hand.Retention.Schedule, hand.Retention.Cells, hand.Retention.Held = "", 1, 1
	hand.Copies[0], hand.Copies[2] = Copy{Escrow, Due, 41, 0, Instant{}}, Copy{Device, Unknown, 41, 0, Instant{}}
	all["hand"] = hand
	for i, state := range []string{None, Done} {
		c := erased()
		c.Copies[0], c.Copies[1] = Copy{Kind: Escrow, State: None}, []Copy{{Kind: Backup, State: None}, {Backup, Done, 41, 42, at(1)}}[i]
		all["copies "+state] = c
	}
	planned := ofKind(Restricted, false)
	planned.Copies = slices.Insert(planned.Copies, 2, Copy{Device, Due, 41, 0, Instant{}})
	all["planned"] = planned
	held := ofKind(Restricted, false)
	held.Holds = held.Holds[:1]
	all["held"] = held
	twice := erased()
	twice.Recipients = slices.Repeat(twice.Recipients[:1], 2)
	all["twice"] = twice
	all["uncounted"] = uncounted()
	return all
}

// uncounted is a copy that was issued when nobody could count any more.
func uncounted() *Certificate {
	c := erased()
	c.Identifiers = &Identifiers{Count: 2}
	c.Cells, c.Recipients, c.Legs, c.Holds = nil, nil, nil, nil
	c.Copies[1] = Copy{Backup, Done, 41, 42, at(1)}
	c.Remains = Remains{Uncounted: true, Clear: ClearFields(), Learnable: Learnable(false)}
	return c
}

// TestUncounted: such a copy says that it does not know, and no number.
func TestUncounted(t *testing.T) {
	texts, err := textsOf(English)
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := uncounted().pdf(texts, English)
	if err != nil {
		t.Fatal(err)
	}
	text := textOf(t, pdf)
	for _, untrue := range []string{"no events", "0 events", "0 of 256", texts.say("short.due.none")} {
		if strings.Contains(text, untrue) {
			t.Errorf("it says %q", untrue)
		}
	}
	for name, change := range map[string]func(*Certificate){
		"a count":     func(c *Certificate) { c.Remains.Shared = 1 },
		"a recipient": func(c *Certificate) { c.Recipients = erased().Recipients },
		"identifiers": func(c *Certificate) { c.Identifiers = erased().Identifiers },
		"of a class":  func(c *Certificate) { c.Cells = erased().Cells },
	} {
		c := uncounted()
		change(c)
		if err := c.Encode(io.Discard); !errors.Is(err, ErrInvalid) {
			t.Errorf("with %s it is valid: %v", name, err)
		}
	}
}

// TestCounts: numbers are written as the language does.
func TestCounts(t *testing.T) {
	for lang, want := range map[Lang][]string{
		English: {"0 events", "1 event", "1,234 events", "18,446,744,073,709,551,615 events"},
		Dutch:   {"0 gebeurtenissen", "1 gebeurtenis", "1.234 gebeurtenissen", "18.446.744.073.709.551.615 gebeurtenissen"},
		French:  {"0 événement", "1 événement", "1\u00a0234 événements", "18\u00a0446\u00a0744\u00a0073\u00a0709\u00a0551\u00a0615 événements"},
	} {
		said, err := textsOf(lang)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range []uint64{0, 1, 1234, math.MaxUint64} {
			if got := said.count("n.events", n); got != want[i] {
				t.Errorf("%s: %q, want %q", lang, got, want[i])
			}
		}
	}
}

// TestFonts: the three fonts have the same characters, and all that the texts need.
func TestFonts(t *testing.T) {
	needed := "–‹›+"
	for _, lang := range Langs() {
		said, err := textsOf(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range said.table {
			needed += text
		}
	}
	var coverage [3][]rune
	for i, raw := range [][]byte{goregular.TTF, gobold.TTF, gomono.TTF} {
		font, err := sfnt.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		var buf sfnt.Buffer
		for c := rune(0x20); c < 0x30000; c++ {
			if glyph, err := font.GlyphIndex(&buf, c); err == nil && glyph != 0 {
				coverage[i] = append(coverage[i], c)
			}
		}
		for _, c := range needed {
			if !slices.Contains(coverage[i], c) {
				t.Errorf("font %d has no %q", i, c)
			}
		}
		if !slices.Equal(coverage[i], coverage[0]) {
			t.Errorf("font %d has other characters", i)
		}
		if last := coverage[i][len(coverage[i])-1]; last > 0xFFFF {
			t.Errorf("font %d has %U, which the library cannot write", i, last)
		}
	}
}

// TestShown: what cannot be shown, or would hide or turn text, stands as its code
// point.
func TestShown(t *testing.T) {
	glyph, err := newRepertoire()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Łukasz Đorđević-Nuñez": "Łukasz Đorđević-Nuñez",
		"Ольга Ελένη":           "Ольга Ελένη",
		"a\u202eb\nc\x00":       "a‹U+202E›b‹U+000A›c‹U+0000›",
		"李😀":                    "‹U+674E›‹U+1F600›",
		"a\u00a0b\u200bc":       "a‹U+00A0›b‹U+200B›c",
	} {
		if got := glyph.shown(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// TestWrap: no line is wider than it may be, unless it is a single character,
// and nothing is lost but the spaces at which lines break.
func TestWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab /:.-é\n")), 0, 60, -1).Draw(t, "text")
		width := rapid.Float64Range(0.5, 12).Draw(t, "width")
		lines := wrap(text, width, func(rune) float64 { return 1 })
		for _, line := range lines {
			if n := len([]rune(line)); float64(n) > width+1e-6 && n > 1 {
				t.Fatalf("%q is %d wide, not %g", line, n, width)
			}
		}
		if tight(strings.Join(lines, "")) != tight(text) {
			t.Fatalf("%q became %q", text, lines)
		}
	})
}
