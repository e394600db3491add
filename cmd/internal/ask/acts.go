package ask

import (
	"maps"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/access"
	"github.com/imalink/custody/projections/search"
)

// acts counts, by retention class, the events of producers in which an identifier
// of a person acted, or is named as somebody who acts. What data subjects did to
// their own data is none: that goes with them. listed are the events that list the
// person.
func (s *sitting) acts(k *kin, i int, listed []uint64) (counts map[string]uint64, err error) {
	counts = map[string]uint64{}
	all, err := s.positions(k.acting(i, access.Actor, access.Named), accessView)
	if err != nil || len(all) == 0 {
		return counts, err
	}
	acted, err := s.positions(k.acting(i, access.Actor), accessView)
	if err != nil {
		return counts, err
	}
	err = s.search(func(r *search.Reader) error {
		acts, err := r.Values(s.among(all, ofProducers()...), search.Retention)
		if err != nil {
			return err
		}
		for _, v := range acts[search.Retention] {
			counts[v.Text] = v.Count
		}
		own, err := r.Values(narrowed(s.among(both(acted, listed), ofProducers()...), search.ActorKind, "subject"), search.Retention)
		for _, v := range own[search.Retention] {
			counts[v.Text] -= v.Count
		}
		return err
	})
	maps.DeleteFunc(counts, func(_ string, n uint64) bool { return n == 0 })
	return counts, err
}

// both are the positions that are in a and in b, both ascending; not nil.
func both(a, b []uint64) []uint64 {
	common := []uint64{}
	for _, position := range a {
		i, found := slices.BinarySearch(b, position)
		if b = b[i:]; found {
			common = append(common, position)
		}
	}
	return common
}

// A Staying is keys of an identifier that an erasure leaves, and why.
type Staying struct {
	Role   string `json:"role" doc:"subject or actor"`
	Class  string `json:"class" doc:"of retention"`
	Ground string `json:"ground" doc:"of GDPR Art. 17(3); or acted: what employees did is a record of their employer's, and others' data"`
}

// acted is the ground on which somebody who acted stays known as such.
const acted = "acted"

// staying gives what stays of an identifier: what it did as an actor, and what is
// kept of it on a ground as a data subject. Nothing stays where nothing is, but that
// whoever a hold names stays one person: it binds what is kept under any identifier.
func (s *sitting) staying(k *kin, i int, acts map[string]uint64, o PlanOptions) (chains []vault.Chain, why []Staying, err error) {
	stays := func(role vault.Role, class events.Retention, ground string) {
		chains = append(chains, vault.Chain{Class: uint8(class), Role: role})
		why = append(why, Staying{role.String(), class.String(), ground})
	}
	for _, keep := range o.Keep {
		listed, err := s.positions(k.listed(i, uint8(keep.Class)), personView)
		if err != nil {
			return nil, nil, err
		}
		if len(listed) > 0 || o.held && keep.Class == HoldClass {
			stays(vault.Subject, keep.Class, keep.Ground)
		}
	}
	for _, class := range classes() {
		if acts[class.String()] > 0 && !o.AsActor {
			stays(vault.Actor, class, acted)
		}
	}
	return chains, why, nil
}

// An Extent is how much of what is recorded is about somebody.
type Extent struct {
	Events   uint64            `json:"events" doc:"that list the person"`
	Classes  []ClassExtent     `json:"classes" nullable:"false" doc:"by retention class"`
	Groups   []GroupExtent     `json:"groups" nullable:"false" doc:"by retention class and family"`
	Families map[string]uint64 `json:"families"`
	Kinds    map[string]uint64 `json:"kinds"`
	First    *Instant          `json:"first,omitempty" format:"date-time" doc:"event time"`
	Last     *Instant          `json:"last,omitempty" format:"date-time"`
	Shared   uint64            `json:"shared" doc:"that list others as well, who can still open what is sealed"`
	Many     uint64            `json:"many" doc:"that list so many, more than 16, that no person's key closes what is sealed"`
}

// A ClassExtent is the events of a retention class.
type ClassExtent struct {
	Class  string   `json:"class"`
	Events uint64   `json:"events"`
	First  *Instant `json:"first" format:"date-time" doc:"event time"`
	Last   *Instant `json:"last" format:"date-time"`
}

// A GroupExtent is the events of a retention class and a family. Who asks about
// somebody leaves events, too, in classes that producers' are in.
type GroupExtent struct {
	Class  string   `json:"class"`
	Family string   `json:"family"`
	Events uint64   `json:"events"`
	First  *Instant `json:"first" format:"date-time" doc:"event time"`
	Last   *Instant `json:"last" format:"date-time"`
}

// extent sums up the events that list a person, and gives the datasets they are
// about. It costs a look at each of them.
func (s *sitting) extent(k *kin, listed []uint64) (out Extent, datasets []string, err error) {
	out = Extent{Classes: []ClassExtent{}, Groups: []GroupExtent{}, Families: map[string]uint64{}, Kinds: map[string]uint64{}}
	err = s.search(func(r *search.Reader) error {
		f := s.among(listed)
		var sum Summary
		if err := sum.fill(r, f); err != nil {
			return err
		}
		out.Events, out.Kinds, out.First, out.Last = sum.Events, sum.Kinds, sum.First, sum.Last
		values, err := r.Values(f, search.Family, search.Retention, search.Dataset)
		if err != nil {
			return err
		}
		for _, v := range values[search.Family] {
			out.Families[v.Text] = v.Count
		}
		datasets = named(values[search.Dataset])
		for _, v := range named(values[search.Retention]) {
			var sum Summary
			if err := sum.fill(r, narrowed(f, search.Retention, v)); err != nil {
				return err
			}
			out.Classes = append(out.Classes, ClassExtent{v, sum.Events, sum.First, sum.Last})
			if err := out.group(r, narrowed(f, search.Retention, v), v); err != nil {
				return err
			}
		}
		return out.share(r, f, k)
	})
	return out, datasets, err
}

// group sums up the events of a class by family, in alphabetical order.
func (out *Extent) group(r *search.Reader, f search.Filter, class string) error {
	values, err := r.Values(f, search.Family)
	if err != nil {
		return err
	}
	for _, family := range named(values[search.Family]) {
		f := narrowed(f, search.Family, family)
		events, err := r.Count(f)
		if err != nil {
			return err
		}
		first, last, some, err := r.Span(f)
		if err != nil {
			return err
		}
		one := GroupExtent{Class: class, Family: family, Events: events}
		if some {
			one.First, one.Last = instant(first), instant(last)
		}
		out.Groups = append(out.Groups, one)
	}
	return nil
}

// share counts the events that list others as well.
func (out *Extent) share(r *search.Reader, f search.Filter, k *kin) error {
	for position, err := range r.Walk(f) {
		if err != nil {
			return err
		}
		p, err := r.People(position)
		if err != nil {
			return err
		}
		own := k.tags[vault.Subject][p.SubjectCell]
		different := map[projections.Tag]bool{}
		others := false
		for _, tag := range p.Subjects {
			_, is := own[tag]
			others = others || !is
			different[tag] = true
		}
		if others {
			out.Shared++
		}
		if len(different) > vault.MaxWraps {
			out.Many++
		}
	}
	return nil
}
