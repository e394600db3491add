package law_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/events/law"
	"pgregory.net/rapid"
)

// some are places of every status, an alias of each kind, and two codes that are none.
var some = []string{"BE", "DE", "FR", "GP", "NC", "GL", "GB", "UK", "XI", "EL", "GI", "CH", "US", "CA", "BR", "IN", "RS", "MA", "SJ", "EU", "XX"}

func places(most int) *rapid.Generator[[]string] {
	return rapid.SliceOfN(rapid.SampledFrom(some), 0, most)
}

func days() *rapid.Generator[law.Day] {
	return rapid.OneOf(rapid.SampledFrom(edges()), rapid.Map(rapid.Int32Range(8000, 25000), func(d int32) law.Day { return law.Day(d) }))
}

func someTool() *rapid.Generator[law.Tool] {
	return rapid.Custom(func(t *rapid.T) law.Tool {
		codes := []string{"", "A45-3", "A46-2-b", "A46-2-c", "A49-1-b", "privacy-shield", "safe-harbour"}
		return law.Tool{Code: rapid.SampledFrom(codes).Draw(t, "tool"), Reference: rapid.SampledFrom([]string{"", "ref:1"}).Draw(t, "reference")}
	})
}

func someParty() *rapid.Generator[*law.Party] {
	return rapid.Custom(func(t *rapid.T) *law.Party {
		if rapid.IntRange(0, 9).Draw(t, "registered") == 0 {
			return nil
		}
		p := &law.Party{Country: rapid.SampledFrom(some).Draw(t, "country"), Storage: places(2).Draw(t, "storage"), Access: places(2).Draw(t, "access"),
			InternationalOrganisation: rapid.IntRange(0, 9).Draw(t, "organisation") == 0, PIPEDA: rapid.Bool().Draw(t, "pipeda")}
		if rapid.Bool().Draw(t, "dpf") {
			p.DPF = law.Always()
		}
		if rapid.Bool().Draw(t, "tools") {
			p.Tools = []law.RegisteredTool{{Tool: someTool().Draw(t, "registered tool"), Interval: law.Always(),
				Instrument: rapid.SampledFrom([]string{"", "scc-2010-87", "scc-2021-914"}).Draw(t, "instrument")}}
		}
		return p
	})
}

func someFacts() *rapid.Generator[law.Facts] {
	return rapid.Custom(func(t *rapid.T) law.Facts {
		return law.Facts{
			Day: days().Draw(t, "day"), Data: rapid.Bool().Draw(t, "data"),
			ActorKind:      rapid.SampledFrom([]string{"", "human", "contractor", "processor", "service"}).Draw(t, "actor"),
			ActorParty:     someParty().Draw(t, "actor party"),
			RecipientRole:  rapid.SampledFrom([]string{"", "subject", "client", "processor"}).Draw(t, "recipient"),
			RecipientParty: someParty().Draw(t, "recipient party"),
			Storage:        places(2).Draw(t, "storage"), Access: places(2).Draw(t, "access"),
			Tool: someTool().Draw(t, "tool"),
		}
	})
}

// outsideness orders the classes by how far from the EEA the data are known to have gone.
func outsideness(c law.Class) int {
	return map[law.Class]int{law.None: 0, law.T0: 1, law.U: 2, law.T1: 3, law.T1f: 3, law.T2: 4, law.T3: 5, law.T4: 5, law.T5: 6}[c]
}

// TestOutsidePlaceNeverHelps: one more outside place, in the event or in the register, never makes a class more inside.
func TestOutsidePlaceNeverHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := someFacts().Draw(t, "facts")
		before := law.Classify(f)
		place := rapid.SampledFrom([]string{"IN", "RS", "NC", "GL"}).Draw(t, "place")
		wider := func(list []string) []string { return append(slices.Clone(list), place) }
		register := func(p *law.Party, storage bool) *law.Party {
			if p == nil {
				return nil
			}
			q := *p
			if storage {
				q.Storage = wider(q.Storage)
			} else {
				q.Access = wider(q.Access)
			}
			return &q
		}
		g := f
		switch rapid.IntRange(0, 5).Draw(t, "where") {
		case 0:
			g.Storage = wider(f.Storage)
		case 1:
			g.Access = wider(f.Access)
		case 2:
			g.RecipientParty = register(f.RecipientParty, true)
		case 3:
			g.RecipientParty = register(f.RecipientParty, false)
		case 4:
			g.ActorParty = register(f.ActorParty, true)
		case 5:
			g.ActorParty = register(f.ActorParty, false)
		}
		after := law.Classify(g)
		if outsideness(after.Class) < outsideness(before.Class) {
			t.Fatalf("%s became %s; %+v", before.Class, after.Class, after.Why)
		}
	})
}

// TestAliasesAndOrder: neither an alias for its country nor the order or repetition of places changes anything.
func TestAliasesAndOrder(t *testing.T) {
	canonical := func(list []string) []string {
		out := make([]string, 0, 2*len(list))
		for _, code := range slices.Backward(list) {
			out = append(out, law.Canonical(code), code)
		}
		return out
	}
	party := func(p *law.Party) *law.Party {
		if p == nil {
			return nil
		}
		q := *p
		q.Country, q.Storage, q.Access = law.Canonical(p.Country), canonical(p.Storage), canonical(p.Access)
		return &q
	}
	rapid.Check(t, func(t *rapid.T) {
		f := someFacts().Draw(t, "facts")
		g := f
		g.Storage, g.Access = canonical(f.Storage), canonical(f.Access)
		g.RecipientParty, g.ActorParty = party(f.RecipientParty), party(f.ActorParty)
		v, w := law.Classify(f), law.Classify(g)
		slices.Sort(v.Outside)
		slices.Sort(w.Outside)
		if v.Class != w.Class || v.Region != w.Region || !slices.Equal(v.Outside, w.Outside) {
			t.Fatalf("%s %q %v, and under its other names %s %q %v", v.Class, v.Region, v.Outside, w.Class, w.Region, w.Outside)
		}
	})
}

// TestVerdictIsAFunction: the same facts give the same verdict, and are left as they were.
func TestVerdictIsAFunction(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := someFacts().Draw(rt, "facts")
		v := law.Classify(f)
		check(t, f, v)
		if w := law.Classify(f); !reflect.DeepEqual(v, w) {
			rt.Fatalf("%+v, then %+v", v, w)
		}
	})
}

func TestDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(-60_000_000_000, 250_000_000_000).Draw(t, "unix")
		at := time.Unix(seconds, rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
		zone := time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone"))
		d := law.DayOf(at.In(zone))
		if want := at.UTC().Format(time.DateOnly); d.String() != want {
			t.Fatalf("DayOf = %s, want %s", d, want)
		}
		if again, err := law.ParseDay(d.String()); err != nil || again != d {
			t.Fatalf("ParseDay(%s) = %s, %v", d, again, err)
		}
	})
	for _, text := range []string{"", "2025-02-29", "2025-2-1", "25-02-01", "2025-03-15T00:00:00Z", " 2025-03-15", "2025-13-01", "past"} {
		if d, err := law.ParseDay(text); err != law.ErrDay {
			t.Errorf("ParseDay(%q) = %s, %v", text, d, err)
		}
	}
}
