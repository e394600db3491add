package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"pgregory.net/rapid"
)

// TestDeterministic: the same certificate gives the same bytes, whoever else
// makes one at the same time.
func TestDeterministic(t *testing.T) {
	c := erased()
	c.Identifiers.List[0].Identifier = Named("many:\u00a0 -\u2010\u2011Ωµ\u03bc") // characters that may share a glyph
	want := mustPDF(t, c, English)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var b bytes.Buffer
			if err := c.PDF(&b, English); err != nil || !bytes.Equal(b.Bytes(), want) {
				t.Errorf("other bytes, or %v", err)
			}
		})
	}
	all.Wait()
}

// TestEveryField changes each field of a certificate in turn and demands that
// what can be read changes with it.
func TestEveryField(t *testing.T) {
	index := regexp.MustCompile(`\[\d+\]`)
	for name, make := range map[string]func() *Certificate{
		"erased":    erased,
		"retention": func() *Certificate { return ofKind(Retained, true) },
	} {
		base := drawn(t, make())
		fields := leaves(reflect.ValueOf(make()).Elem(), name)
		if len(fields) < 60 {
			t.Errorf("%s has %d fields", name, len(fields))
		}
		tried := map[string]bool{} // of several items of a list, one that has the field
		for i, field := range fields {
			c, kind := make(), index.ReplaceAllString(field.path, "")
			if tried[kind] || !alter(leaves(reflect.ValueOf(c).Elem(), "")[i]) {
				continue
			}
			tried[kind] = true
			if drawn(t, c) == base {
				t.Errorf("%s is not seen", field.path)
			}
		}
	}
}

// drawn is the text of a certificate that need not be valid.
func drawn(t *testing.T, c *Certificate) string {
	t.Helper()
	said, err := textsOf(English)
	if err != nil {
		t.Fatal(err)
	}
	glyph, err := newRepertoire()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	s := c.draw(said, glyph, frame{title: said.say(c.titleName()), about: c.about(said), dry: c.Kind == DryRun})
	if err := s.pdf.Output(&b); err != nil || said.missing != "" {
		t.Fatalf("%v, no text for %q", err, said.missing)
	}
	return textOf(t, b.Bytes())
}

type leaf struct {
	path  string
	value reflect.Value
}

// leaves finds the fields that hold no others.
func leaves(v reflect.Value, path string) (all []leaf) {
	switch {
	case v.Type() == reflect.TypeFor[Identifier]() || v.Type() == reflect.TypeFor[Instant]():
		return []leaf{{path, v}}
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return leaves(v.Elem(), path)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			all = append(all, leaves(v.Field(i), path+"."+v.Type().Field(i).Name)...)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			all = append(all, leaves(v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case v.Kind() != reflect.Pointer:
		return []leaf{{path, v}}
	}
	return all
}

// alter gives a field another value; it leaves alone what is not there.
func alter(l leaf) bool {
	v := l.value
	switch x := v.Interface().(type) {
	case Identifier:
		v.Set(reflect.ValueOf(Named(x.text + "+")))
		return !x.IsZero()
	case Instant:
		v.Set(reflect.ValueOf(At(x.Add(49 * time.Hour))))
		return !x.IsZero()
	case uint64:
		v.SetUint(x + 1_000)
		return x != 0
	case bool:
		v.SetBool(!x)
		return true
	case Kind:
		v.SetString(string(DryRun))
		return true
	case int:
		v.SetInt(int64(x + 1))
		return true
	}
	text := v.String()
	if text == KeptClass || text == KeptActor {
		v.SetString(KeptActor) // the other way has no ground
		return text == KeptClass
	}
	for _, list := range vocabularies() {
		if ok, _ := regexp.MatchString(list.path, l.path); ok && text != "" {
			v.SetString(list.words[(slices.Index(list.words, text)+1)%len(list.words)])
			return true
		}
	}
	v.SetString(text + "x")
	return text != ""
}

// vocabularies are the words that fields can have, by expressions for their paths.
func vocabularies() []struct {
	path  string
	words []string
} {
	return []struct {
		path  string
		words []string
	}{
		{`Erasure.Reason$`, events.ErasureReasons()},
		{`\].Ground$`, events.KeepGrounds()},
		{`Class$`, classes()},
		{`Family$`, families()},
		{`Legs.*Kind$`, LegKinds()},
		{`Copies.*Kind$`, CopyKinds()},
		{`Recipients.*State$`, RecipientStates()},
		{`State$`, []string{Due, Done}},
		{`Clear.[0-9]*.$`, ClearFields()},
		{`Learnable.[0-9]*.$`, Learnable(false)},
	}
}

// TestLongLists: each page has the titles of its table, its number and the whole
// count, and no row is lost.
func TestLongLists(t *testing.T) {
	const n = 200
	c := long(n)
	c.Identifiers.List[0].Identifier = Named(strings.Repeat("😀", 256)) // 2,304 characters: more than a column has room for on one page
	c.Identifiers.List[0].Links = slices.Repeat([]Link{{7, Named(strings.Repeat("x", 256))}}, 20)
	pages := pagesOf(t, mustPDF(t, c, English))
	all := strings.Join(pages, "")
	for i := range n {
		if strings.Count(all, fmt.Sprintf("number:%06d", i)) != 1 || strings.Count(all, fmt.Sprintf("party-%06d", i)) != 1 {
			t.Fatalf("row %d is not there, or twice", i)
		}
	}
	if got := strings.Count(all, "‹"); got != 256 {
		t.Errorf("%d of 256 characters of a long identifier", got)
	}
	for i, page := range pages {
		if !strings.Contains(page, fmt.Sprintf("Page%dof%d", i+1, len(pages))) {
			t.Errorf("page %d has no number", i+1)
		}
		if strings.Contains(page, "number:") && !strings.Contains(page, "Linkedbyevent") || strings.Contains(page, "party-") && !strings.Contains(page, "Disclosures") {
			t.Errorf("the table on page %d has no titles", i+1)
		}
	}
}

// TestDrawn makes a PDF of what nobody thought of: each identifier is in it, as
// it can be shown.
func TestDrawn(t *testing.T) {
	glyph, err := newRepertoire()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range 12 {
		c := rapid.Custom(drawCertificate).Example(seed)
		text := strings.Join(pagesOf(t, mustPDF(t, c, Langs()[seed%3])), "")
		if c.Identifiers == nil {
			continue
		}
		for _, one := range c.Identifiers.List {
			if want := tight(glyph.shown(one.Identifier.text)); !strings.Contains(text, want) {
				t.Errorf("seed %d: %q is not there", seed, want)
			}
		}
	}
}

// TestInside: no text stands outside of the page's margins.
func TestInside(t *testing.T) {
	place := regexp.MustCompile(`BT ([0-9.-]+) ([0-9.-]+) Td`)
	for name, c := range every() {
		for _, lang := range Langs() {
			for _, page := range contentsOf(t, mustPDF(t, c, lang)) {
				for _, m := range place.FindAllStringSubmatch(page, -1) {
					var x, y float64
					fmt.Sscan(m[1]+" "+m[2], &x, &y)
					if (x < left*72/25.4-0.01 || x > right*72/25.4 || y < 8*72/25.4) && !strings.Contains(name, "dry") {
						t.Fatalf("%s in %s: text at %s %s", name, lang, m[1], m[2])
					}
				}
			}
		}
	}
}

// TestMarks: a dry run says so on every page, and nothing else does; a copy says
// whether it names the person.
func TestMarks(t *testing.T) {
	for name, c := range every() {
		pages := pagesOf(t, mustPDF(t, c, English))
		for i, page := range pages {
			if strings.Contains(page, tight("DRY RUN: nothing was done")) != (c.Kind == DryRun) {
				t.Errorf("%s, page %d: the mark of a dry run", name, i+1)
			}
		}
		text := strings.Join(pages, "")
		if named := strings.Contains(text, tight("names the person")); named != (c.Identifiers != nil && c.Identifiers.Shown) {
			t.Errorf("%s says that it names the person: %t", name, named)
		}
		if nobody := strings.Contains(text, tight("This copy names nobody")); nobody != (c.Identifiers != nil && !c.Identifiers.Shown) {
			t.Errorf("%s says that it names nobody: %t", name, nobody)
		}
	}
}

// TestMetadata: what the file says of itself is that of the certificate, and
// names nobody.
func TestMetadata(t *testing.T) {
	pdf := mustPDF(t, erased(), French)
	for _, want := range []string{"/Lang (fr)", "/CreationDate (D:20261123051405)", "/ModDate (D:20261123051405)", "<dc:title>", "Certificat d’effacement</rdf:li>", "effacement 104171</rdf:li>",
		"<xmp:CreateDate>2026-11-23T05:14:05Z</xmp:CreateDate>", "<xmp:CreatorTool>Custody</xmp:CreatorTool>"} {
		if !bytes.Contains(pdf, []byte(want)) {
			t.Errorf("%s is not there", want)
		}
	}
	again := every()["again"]
	for _, secret := range []string{"candidate", "ilse", "Ελένη"} {
		if text := textOf(t, mustPDF(t, again, English)); strings.Contains(text, secret) {
			t.Errorf("a copy that is issued again holds %q", secret)
		}
		plain, wide := []byte(secret), []byte{}
		for _, c := range secret {
			wide = append(wide, byte(c>>8), byte(c))
		}
		if bytes.Contains(pdf, plain) || bytes.Contains(pdf, wide) {
			t.Errorf("%q stands outside of the pages", secret)
		}
	}
}

// TestRefused: what is not valid, or not to be written, gives an error that says
// which, and no PDF.
func TestRefused(t *testing.T) {
	var b bytes.Buffer
	if err := erased().PDF(&b, "de"); !errors.Is(err, ErrLang) {
		t.Errorf("German: %v", err)
	}
	c := erased()
	c.Remains.Learnable = c.Remains.Learnable[1:]
	if err := c.PDF(&b, English); !errors.Is(err, ErrInvalid) {
		t.Errorf("not all that can be learnt: %v", err)
	}
	if b.Len() > 0 {
		t.Errorf("%d bytes of a refused PDF", b.Len())
	}
	if err := erased().PDF(failing{}, English); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a writer that fails: %v", err)
	}
	if err := erased().Encode(failing{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
