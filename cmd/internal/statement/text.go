package statement

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
)

// Lang is a language of the page, by its ISO 639-1 code.
type Lang string

// The languages: all of them are on every page.
const (
	English Lang = "en"
	Dutch   Lang = "nl"
	French  Lang = "fr"
)

// Langs lists the languages.
func Langs() []Lang { return []Lang{English, Dutch, French} }

// ErrLang is that there are no texts in a language.
var ErrLang = errors.New("no such language")

// texts are what is said in one language. A table gives a text by its name; %s
// stands for what goes in, in order.
type texts struct {
	lang   Lang
	table  map[string]string
	groups string // what goes between groups of three digits
	none   string // which number word none takes
	pause  string // between clauses
}

func textsOf(lang Lang) (*texts, error) {
	switch lang {
	case English:
		return &texts{lang, english(), ",", "many", "; "}, nil
	case Dutch:
		return &texts{lang, dutch(), ".", "many", "; "}, nil
	case French:
		return &texts{lang, french(), "\u00a0", "one", "\u00a0; "}, nil
	}
	return nil, fmt.Errorf("%w: en, nl or fr", ErrLang)
}

// A word is the name of a text that goes into another.
type word string

// A counted is a number with what is counted: its text has the names .one and .many.
type counted struct {
	name string
	n    uint64
}

// Clauses go into a text one after another, with semicolons.
type clauses []any

// A speaker says everything in every language: a span each, of which the page's
// style shows one.
type speaker struct {
	all     []*texts
	said    map[string]bool
	missing string // a name that has no text; the page fails
}

func newSpeaker() (*speaker, error) {
	p := &speaker{said: map[string]bool{}}
	for _, lang := range Langs() {
		t, err := textsOf(lang)
		if err != nil {
			return nil, err
		}
		p.all = append(p.all, t)
	}
	return p, nil
}

// in is a text in one language, as text.
func (p *speaker) in(lang Lang, name string) string {
	p.said[name] = true
	for _, t := range p.all {
		if t.lang == lang {
			return t.table[name]
		}
	}
	return ""
}

// say gives a text in every language, with what goes into it: texts, numbers,
// words, counted things, and clauses of these.
func (p *speaker) say(name string, in ...any) template.HTML {
	var b strings.Builder
	for _, t := range p.all {
		fmt.Fprintf(&b, `<span lang="%s">%s</span>`, t.lang, p.text(t, name, in...))
	}
	return template.HTML(b.String())
}

// text is a text in one language, as HTML.
func (p *speaker) text(t *texts, name string, in ...any) string {
	text, ok := t.table[name]
	if !ok {
		p.missing = name
	}
	p.said[name] = true
	if len(in) == 0 {
		return html.EscapeString(text)
	}
	values := make([]any, len(in))
	for i, v := range in {
		values[i] = p.value(t, v)
	}
	return fmt.Sprintf(html.EscapeString(text), values...)
}

func (p *speaker) value(t *texts, v any) string {
	switch v := v.(type) {
	case word:
		return p.text(t, string(v))
	case counted:
		form := ".many"
		if v.n == 1 || v.n == 0 && t.none == "one" {
			form = ".one"
		}
		return p.text(t, v.name+form, v.n)
	case clauses:
		var all []string
		for _, c := range v {
			all = append(all, p.value(t, c))
		}
		return strings.Join(all, t.pause)
	case uint64:
		return grouped(v, t.groups)
	case position:
		return strconv.FormatUint(uint64(v), 10)
	case Day:
		return unbroken(string(v))
	case Instant:
		return unbroken(instant(v))
	case template.HTML:
		return string(v)
	}
	return html.EscapeString(fmt.Sprint(v))
}

// unbroken keeps a day or a time on one line.
func unbroken(text string) string { return `<span class="day">` + html.EscapeString(text) + `</span>` }

// A position is a place in the ledger: a name, so without groups of digits.
type position uint64

// grouped writes n with its digits in groups of three.
func grouped(n uint64, groups string) string {
	digits := strconv.FormatUint(n, 10)
	text := ""
	for ; len(digits) > 3; digits = digits[:len(digits)-3] {
		text = groups + digits[len(digits)-3:] + text
	}
	return digits + text
}

// number writes n in a table, in any language.
func number(n uint64) string { return grouped(n, "\u202f") }

// instant writes a time to the second, in UTC.
func instant(i Instant) string { return i.UTC().Format("2006-01-02 15:04:05 UTC") }
