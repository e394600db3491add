package statement

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events/law"
)

// maxNumber is the greatest that a number can be: one that JavaScript reads exactly.
const maxNumber = 1<<53 - 1

// maxText is how many characters a text may have.
const maxText = 256

// A checker remembers the first member that is wrong.
type checker struct {
	field string
	span  span   // the range
	last  uint64 // position
}

// need notes a member unless it is right. It is given names, never values.
func (k *checker) need(right bool, field string) {
	if !right && k.field == "" {
		k.field = field
	}
}

func (k *checker) one(words []string, text, field string) {
	k.need(slices.Contains(words, text), field)
}

// text wants visible ASCII or a space.
func (k *checker) text(field string, texts ...string) {
	for _, text := range texts {
		right := len(text) > 0 && len(text) <= maxText
		for _, b := range []byte(text) {
			right = right && b >= ' ' && b <= '~'
		}
		k.need(right, field)
	}
}

func (k *checker) textOrNone(field string, texts ...string) {
	for _, text := range texts {
		if text != "" {
			k.text(field, text)
		}
	}
}

// hex wants n lower-case hexadecimal digits.
func (k *checker) hex(text string, n int, field string) {
	right := len(text) == n
	for _, b := range []byte(text) {
		right = right && (b >= '0' && b <= '9' || b >= 'a' && b <= 'f')
	}
	k.need(right, field)
}

func (k *checker) number(field string, numbers ...uint64) {
	for _, n := range numbers {
		k.need(n <= maxNumber, field)
	}
}

// position wants one of the events covered.
func (k *checker) position(n uint64, field string) { k.need(n >= 1 && n <= k.last, field) }

func (k *checker) positionOrNone(n uint64, field string) { k.need(n <= k.last, field) }

func (k *checker) instant(i Instant, field string) {
	k.need(!i.IsZero() && i.Equal(report.At(i.Time).Time) && i.UTC().Year() >= 1970 && i.UTC().Year() <= 9999, field)
}

// day wants a day that exists, from 1970 on.
func (k *checker) day(d Day, field string) law.Day {
	day, err := law.ParseDay(string(d))
	k.need(err == nil && len(d) == len("2026-03-02"), field)
	return day
}

func (k *checker) dayOrNone(d Day, field string) {
	if d != "" {
		k.day(d, field)
	}
}

// days wants two days of the range, in order.
func (k *checker) days(first, last Day, field string) {
	k.need(k.span.holds(k.day(first, field)) && k.span.holds(k.day(last, field)) && first <= last, field)
}

// ascending wants positions in order, each once, as many as there are events.
func (k *checker) ascending(positions []uint64, events uint64, field string) {
	k.need(uint64(len(positions)) == events && events > 0, field)
	before := uint64(0)
	for _, p := range positions {
		k.position(p, field)
		k.need(p > before, field)
		before = p
	}
}

// inOrder wants a list in order, nothing in it twice.
func inOrder[T any](k *checker, list []T, field string, compare func(a, b T) int) {
	for i := range list[min(1, len(list)):] {
		k.need(compare(list[i], list[i+1]) < 0, field)
	}
}

// check reports what is wrong with s as an error that wraps ErrInvalid.
func (s *Statement) check() error {
	k := &checker{last: s.Covers.Events}
	k.head(s)
	k.items(s)
	k.chains(s)
	k.locations(s)
	k.systems(s)
	k.unknowns(s)
	k.controls(s)
	k.rest(s)
	if k.field == "" {
		k.table(s)
		k.derived(s)
	}
	if k.field != "" {
		return fmt.Errorf("%w: %s", ErrInvalid, k.field)
	}
	return nil
}

func (k *checker) head(s *Statement) {
	k.need(s.Version == Format, "version")
	k.instant(s.Issued, "issued")
	k.text("ledger.name", s.Ledger.Name)
	k.hex(s.Ledger.ID, 32, "ledger.id")
	k.span = span{k.day(s.Range.From, "range.from"), k.day(s.Range.To, "range.to")}
	k.need(0 <= k.span.from && k.span.from <= k.span.to, "range")
	k.instant(s.Range.Closes, "range.closes")
	k.need(!s.Range.Closes.Before(begins(k.span.to+1)), "range.closes")
	c := &s.Covers
	k.text("covers.origin", c.Origin)
	k.need(c.Events >= 1 && c.Commit > c.Events && c.Size >= c.Commit && c.Head >= c.Size && c.Head <= maxNumber && c.Lag == c.Head-c.Events, "covers")
	k.hex(c.Root, 64, "covers.root")
	k.hex(c.Annotated, 64, "covers.annotated")
	k.hex(c.Rules, 64, "covers.rules")
	k.instant(c.KnownAt, "covers.known_at")
	k.text("covers.tables", c.Tables)
	k.need(c.Months >= 1 && c.Months <= maxNumber, "covers.months")
}

// derived holds what follows from the rest against the rest.
func (k *checker) derived(s *Statement) {
	again := *s
	again.Classes, again.Controls = slices.Clone(s.Classes), slices.Clone(s.Controls)
	again.derive()
	k.need(reflect.DeepEqual(again.Controls, s.Controls), "controls")
	k.need(slices.Equal(again.Classes, s.Classes), "classes")
	k.need(reflect.DeepEqual(again.Result, s.Result), "result")
	k.need(s.closed() == s.Range.Closed, "range.closed")
	k.need(s.Again.Register == s.Covers.Events && s.Again.Tables == s.Covers.Tables, "again")
}

// table holds the counts of the table against the lists.
func (k *checker) table(s *Statement) {
	sums := map[string]*Class{}
	for _, name := range classes() {
		sums[name] = &Class{Class: name, Events: uint64(len(s.behind(name)))}
	}
	for _, it := range slices.Concat(s.Transfers, s.Working) {
		sum := sums[it.Class]
		sum.Events, sum.Persons = sum.Events+1, sum.Persons+it.Persons
		if it.Late {
			sum.Late++
		}
	}
	if k.need(len(s.Classes) == len(classes()), "classes"); len(s.Classes) != len(classes()) {
		return
	}
	var examined, classed uint64
	for i, name := range classes() {
		c, sum := &s.Classes[i], sums[name]
		if _, class := law.ParseClass(name); class {
			classed += c.Events
		}
		k.need(c.Class == name && c.Shown == shown(name), "classes.class")
		k.need(name == "T0" || c.Events == sum.Events && c.Persons == sum.Persons && c.Late == sum.Late, "classes.events")
		k.need(c.Late <= c.Events, "classes.late")
		k.number("classes", c.Events, c.Persons)
	}
	for _, row := range s.Systems {
		for _, d := range row.Days {
			examined += d.Examined
		}
	}
	k.need(examined == classed, "systems.days")
}

// items checks the two lists of events.
func (k *checker) items(s *Statement) {
	for _, list := range []struct {
		field   string
		items   []Item
		classes []string
	}{
		{"transfers", s.Transfers, []string{"T2", "T3", "T4", "T5", "U"}},
		{"working", s.Working, []string{"T1", "T1f"}},
	} {
		inOrder(k, list.items, list.field, func(a, b Item) int { return cmp.Compare(a.Position, b.Position) })
		for i := range list.items {
			it := &list.items[i]
			k.one(list.classes, it.Class, list.field+".class")
			k.item(it, list.field)
		}
	}
}

func (k *checker) item(it *Item, field string) {
	k.position(it.Position, field+".position")
	k.hex(it.Digest, 64, field+".digest")
	k.days(it.Day, it.Day, field+".day")
	k.text(field+".kind", it.Kind)
	k.textOrNone(field, it.Party, it.Role, it.Via, it.Region, it.Tool, it.ToolRef, it.Assessment, it.System, it.Purpose, it.Secrecy)
	k.text(field, it.Outside...)
	k.text(field, it.Categories...)
	k.number(field+".persons", it.Persons)
	k.need((it.Class == "U") == slices.Contains(Missings(), it.Missing) && (it.Class == "U" || it.Missing == ""), field+".missing")
}
