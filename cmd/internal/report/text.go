package report

import (
	"errors"
	"fmt"
	"strconv"
)

// Lang is a language that a PDF can be in, by its ISO 639-1 code.
type Lang string

// The languages of Belgium's authority that we write, and English.
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
	table   map[string]string
	groups  string // what goes between groups of three digits
	missing string // a name that has no text; the PDF fails
	said    map[string]bool
}

func textsOf(lang Lang) (*texts, error) {
	t := &texts{said: map[string]bool{}}
	switch lang {
	case English:
		t.table, t.groups = english(), ","
	case Dutch:
		t.table, t.groups = dutch(), "."
	case French:
		t.table, t.groups = french(), "\u00a0"
	default:
		return nil, fmt.Errorf("%w: en, nl or fr", ErrLang)
	}
	return t, nil
}

// say gives a text with what goes into it.
func (t *texts) say(name string, in ...any) string {
	text, ok := t.table[name]
	if !ok {
		t.missing = name
	}
	t.said[name] = true
	if len(in) == 0 {
		return text
	}
	return fmt.Sprintf(text, in...)
}

// count says how many of something there are. French has the singular for none.
func (t *texts) count(name string, n uint64) string {
	if n == 1 || n == 0 && t.groups == "\u00a0" {
		return t.say(name+".one", t.number(n))
	}
	return t.say(name+".many", t.number(n))
}

// number writes n with its digits in groups of three.
func (t *texts) number(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	text := ""
	for ; len(digits) > 3; digits = digits[:len(digits)-3] {
		text = t.groups + digits[len(digits)-3:] + text
	}
	return digits + text
}

// position writes a place in the ledger: a name, so without groups.
func position(n uint64) string { return strconv.FormatUint(n, 10) }

// instant writes a time to the second, as documents do, in UTC.
func instant(i Instant) string { return i.UTC().Format("2006-01-02 15:04:05 UTC") }

// date writes the UTC day of a time.
func date(i Instant) string {
	if i.IsZero() {
		return "–"
	}
	return i.UTC().Format("2006-01-02")
}

// orNone shows that there is nothing.
func orNone[T ~string](text T) string {
	if text == "" {
		return "–"
	}
	return string(text)
}
