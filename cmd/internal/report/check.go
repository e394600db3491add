package report

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// maxList is how many items a list may have.
const maxList = 100_000

// A checker remembers the first field that is wrong.
type checker struct{ field string }

// need notes field unless it is right. It is given names, never values.
func (k *checker) need(right bool, field string) {
	if !right && k.field == "" {
		k.field = field
	}
}

// code wants the form of a code of the catalogue. Whether it looks like personal
// data was judged when it was recorded.
func (k *checker) code(text, field string) { k.need(isCode(text), field) }

func (k *checker) codeOrNone(text, field string) { k.need(text == "" || isCode(text), field) }

func isCode(text string) bool {
	right := len(text) >= 1 && len(text) <= 64
	for i, b := range []byte(text) {
		right = right && (b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || i > 0 && (b == '_' || b == '.' || b == '-'))
	}
	return right
}

func (k *checker) one(words []string, text, field string) {
	k.need(slices.Contains(words, text), field)
}

func (k *checker) instant(i Instant, field string) {
	k.need(!i.IsZero() && i.Equal(At(i.Time).Time) && i.UTC().Year() >= 1970 && i.UTC().Year() <= 9999, field)
}

func (k *checker) instantOrNone(i Instant, field string) {
	if !i.IsZero() {
		k.instant(i, field)
	}
}

// printed wants text of 1 to max characters, all of them visible ASCII or a space.
func (k *checker) printed(text string, max int, field string) {
	right := len(text) > 0 && len(text) <= max
	for _, b := range []byte(text) {
		right = right && b >= ' ' && b <= '~'
	}
	k.need(right, field)
}

// hex wants n lower-case hexadecimal digits.
func (k *checker) hex(text string, n int, field string) {
	right := len(text) == n
	for _, b := range []byte(text) {
		right = right && (b >= '0' && b <= '9' || b >= 'a' && b <= 'f')
	}
	k.need(right, field)
}

func (k *checker) day(d Day, field string)     { k.need(d == "" || d.valid(), field) }
func (k *checker) month(m Month, field string) { k.need(m.valid(), field) }

// identifier wants 1 to 256 code points, as events do.
func (k *checker) identifier(i Identifier, field string) {
	n := utf8.RuneCountInString(i.text)
	k.need(n >= 1 && n <= 256 && utf8.ValidString(i.text), field)
}

// each checks the items of a list.
func each[T any](k *checker, list []T, field string, check func(T)) {
	k.need(len(list) <= maxList, field)
	for _, item := range list {
		check(item)
	}
}

// check reports what is wrong with c as an error that wraps ErrInvalid.
func (c *Certificate) check() error {
	k := &checker{}
	k.need(c.Version == Format, "version")
	k.need(slices.Contains(Kinds(), c.Kind), "kind")
	k.instant(c.Issued, "issued")
	k.printed(c.Ledger.Name, 32, "ledger.name")
	k.hex(c.Ledger.ID, 32, "ledger.id")
	k.parts(c)
	k.lists(c)
	k.remains(c)
	k.position(c.Evidence.AsOf, "evidence.as_of")
	k.instant(c.Evidence.At, "evidence.at")
	k.hex(c.Evidence.Digest, 64, "evidence.digest")
	k.need(len(c.Evidence.Verify) > 0, "evidence.verify")
	each(k, c.Evidence.Verify, "evidence.verify", func(text string) { k.printed(text, 200, "evidence.verify") })
	if k.field != "" {
		return fmt.Errorf("%w: %s", ErrInvalid, k.field)
	}
	return nil
}

func (k *checker) position(n uint64, field string) { k.need(n > 0 && n <= 1<<63-1, field) }

// parts checks that each kind has its parts, and no other.
func (k *checker) parts(c *Certificate) {
	k.need((c.Erasure == nil) != (c.Retention == nil), "erasure")
	k.need(c.Erasure != nil || c.Kind == DryRun || c.Kind == Retained, "erasure")
	k.need(c.Retention != nil || c.Kind != Retained, "retention")
	k.need((c.Shredding != nil) == (c.Kind == Erased || c.Kind == Retained), "shredding")
	k.need((c.Identifiers != nil) == (c.Erasure != nil), "identifiers")
	if c.Erasure != nil {
		k.erasure(c.Erasure, c.Kind == DryRun)
	}
	if r := c.Retention; r != nil {
		k.one(classes(), r.Class, "retention.class")
		k.month(r.Before, "retention.before")
		k.codeOrNone(r.Schedule, "retention.schedule")
	}
	if s := c.Shredding; s != nil {
		k.position(s.Position, "shredding.position")
		k.instant(s.At, "shredding.at")
		k.hex(s.Digest, 64, "shredding.digest")
		k.who(s.By, "shredding.by")
		k.need(s.RootBefore > 0 && s.RootAfter > s.RootBefore, "shredding.root_after")
		k.need(s.Shards <= 256, "shredding.shards")
	}
	if ids := c.Identifiers; ids != nil {
		k.identifiers(ids)
	}
}
