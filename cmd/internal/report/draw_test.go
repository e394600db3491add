package report

import (
	"fmt"
	"time"

	"github.com/imalink/custody/events"
	"pgregory.net/rapid"
)

// A drawer draws valid parts of certificates.
type drawer struct{ t *rapid.T }

func (d drawer) position() uint64 { return rapid.Uint64Range(1, 1<<63-1).Draw(d.t, "position") }
func (d drawer) number() uint64   { return rapid.Uint64().Draw(d.t, "number") }
func (d drawer) flag() bool       { return rapid.Bool().Draw(d.t, "flag") }
func (d drawer) code() string {
	return rapid.StringMatching(`[a-z0-9][a-z0-9_.-]{0,63}`).Draw(d.t, "code")
}
func (d drawer) reference() string {
	return rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9:._/<&>-]{0,95}`).Draw(d.t, "reference")
}
func (d drawer) hex(n int) string {
	return rapid.StringMatching(fmt.Sprintf(`[0-9a-f]{%d}`, n)).Draw(d.t, "hex")
}
func (d drawer) of(words []string) string { return rapid.SampledFrom(words).Draw(d.t, "word") }

func (d drawer) instant() Instant {
	return At(time.UnixMilli(rapid.Int64Range(0, 253402300799999).Draw(d.t, "ms")))
}

func (d drawer) day() Day     { return Day(d.instant().Format(time.DateOnly)) }
func (d drawer) month() Month { return Month(d.instant().Format("2006-01")) }
func (d drawer) who() Who     { return Who{d.code(), d.code(), d.code()} }

func (d drawer) identifier() Identifier {
	return Named(rapid.StringN(1, 256, -1).Draw(d.t, "identifier"))
}

func some[T any](d drawer, draw func() T) (list []T) {
	for range rapid.IntRange(0, 3).Draw(d.t, "items") {
		list = append(list, draw())
	}
	return list
}

// drawCertificate draws a certificate of any kind.
func drawCertificate(t *rapid.T) *Certificate {
	d := drawer{t}
	kind := rapid.SampledFrom(Kinds()).Draw(t, "kind")
	retention := kind == Retained || kind == DryRun && d.flag()
	c := &Certificate{Version: Format, Kind: kind, Issued: d.instant(), Ledger: Ledger{d.code()[:1], d.hex(32)},
		Remains:  Remains{Shared: d.number(), Crowd: d.number(), Clear: ClearFields(), Learnable: Learnable(retention)},
		Evidence: Evidence{d.position(), d.instant(), d.hex(64), []string{"custody check"}}}
	c.Remains.Events = some(d, func() Count {
		return Count{d.of(classes()), d.of(families()), d.number(), d.instant(), d.instant()}
	})
	if kind == Erased || kind == Retained {
		root := rapid.Uint64Range(1, 1<<40).Draw(t, "root")
		c.Shredding = &Shredding{d.position(), d.instant(), d.hex(64), d.who(), root, root + 1, rapid.Uint64Range(0, 256).Draw(t, "shards"), d.number()}
	}
	c.Copies = d.copies(c.Shredding)
	c.Holds = some(d, func() Hold {
		return Hold{d.position(), d.reference(), d.of(events.KeepGrounds()), d.code(), d.day()}
	})
	if retention {
		c.Retention = &Retention{d.of(classes()), d.month(), d.number(), d.number(), d.code()}
		return c
	}
	d.person(c)
	return c
}

// copies draws one of each kind, in a state that it can have.
func (d drawer) copies(s *Shredding) (list []Copy) {
	former := d.position()
	if s != nil {
		former = s.RootBefore
	}
	for _, kind := range CopyKinds() {
		x := Copy{Kind: kind, State: d.of(CopyStates(kind)), Former: former}
		if x.State == Done && s == nil {
			x.State = Due
		}
		switch {
		case kind == Device && d.flag():
			continue
		case x.State == None:
			x.Former = 0
		case x.State == Done:
			x.Root, x.Found = former+1, d.instant()
		case x.State == Due && d.flag():
			x.Root, x.Found = former, d.instant()
		}
		list = append(list, x)
	}
	return list
}

// person draws what only certificates about a person have.
func (d drawer) person(c *Certificate) {
	c.Erasure = &Erasure{Reason: d.of(events.ErasureReasons()), Request: d.reference(), By: d.who()}
	if c.Kind != DryRun {
		c.Erasure.Position, c.Erasure.Opened, c.Erasure.Restricted, c.Erasure.Due = d.position(), d.instant(), d.instant(), d.instant()
	}
	if d.flag() {
		c.Erasure.AsActor, c.Erasure.Ground = true, d.code()
	}
	c.Identifiers = &Identifiers{Count: d.position()}
	list := some(d, func() Linked {
		links := some(d, func() Link { return Link{d.position(), d.identifier()} })
		return Linked{d.identifier(), links, d.number(), d.flag()}
	})
	if len(list) > 0 {
		c.Identifiers = &Identifiers{true, uint64(len(list)), list}
	}
	c.Cells = some(d, func() Cells {
		a, b := d.month(), d.month()
		return Cells{d.of(classes()), min(a, b), max(a, b), d.number()}
	})
	c.Kept = some(d, func() Kept {
		if d.flag() {
			return Kept{KeptActor, "", "", d.number(), d.number()}
		}
		return Kept{KeptClass, d.of(classes()), d.of(events.KeepGrounds()), d.number(), d.number()}
	})
	c.Recipients = some(d, func() Recipient {
		return Recipient{d.code(), d.number(), d.instant(), d.instant(), d.of(RecipientStates()[1:]), d.instant(), d.position()}
	})
	c.Legs = some(d, func() Leg {
		return Leg{d.reference(), d.of(LegKinds()), d.code(), d.of([]string{Due, Done}), d.day(), d.instant(), d.reference()}
	})
}
