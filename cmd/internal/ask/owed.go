package ask

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections/search"
)

// Owed is a party that received a person's data and is to be told that they are
// erased (GDPR Art. 19).
type Owed struct {
	Share
	Told *Told `json:"told,omitempty" doc:"absent while it is to be told"`
}

// Told is how a recipient was told of an erasure.
type Told struct {
	Position uint64  `json:"position"`
	Time     Instant `json:"time" format:"date-time"`
	Outcome  string  `json:"outcome" doc:"sent, acknowledged; impossible or disproportionate, which end the duty"`
}

// owed gives the parties that events disclosed somebody's data to, and which of
// them were told since a position. An authority that received them in an inquiry
// is no recipient (GDPR Art. 4(9)).
func (s *sitting) owed(ctx context.Context, listed []uint64, since uint64) ([]Owed, error) {
	told, err := s.told(ctx, listed, since)
	if err != nil {
		return nil, err
	}
	all := []Owed{}
	err = s.search(func(r *search.Reader) error {
		f := s.among(listed, disclosures()...)
		roles, err := r.Values(f, search.RecipientRole)
		if err != nil {
			return err
		}
		f = narrowed(f, search.RecipientRole, slices.DeleteFunc(named(roles[search.RecipientRole]), func(role string) bool { return role == "authority" })...)
		parties, err := r.Values(f, search.Recipient)
		if err != nil {
			return err
		}
		for _, party := range parties[search.Recipient] {
			share, err := shareOf(r, f, party)
			if err != nil {
				return err
			}
			all = append(all, Owed{share, told.of(share)})
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Owed) int { return cmp.Compare(a.Party, b.Party) })
	return all, err
}

// tellings are how parties were told, in order of recording.
type tellings map[string][]Told

// of is how a party was told of what it received, nil if it was not, or received
// something afterwards.
func (t tellings) of(share Share) *Told {
	all := t[share.Party]
	if len(all) == 0 {
		return nil
	}
	last := slices.MaxFunc(all, func(a, b Told) int { return a.Time.Compare(b.Time.Time) })
	if share.Last != nil && share.Last.After(last.Time.Time) {
		return nil
	}
	return &last
}

// told reads which parties were told of an erasure, by events recorded since a
// position.
func (s *sitting) told(ctx context.Context, listed []uint64, since uint64) (tellings, error) {
	all := tellings{}
	err := s.each(ctx, listed, events.SubjectRecipientNotified, func(position uint64, e *events.Event) {
		if position <= since || e.Data.Get("about").Text() != "erasure" {
			return
		}
		party := e.Data.Get("recipient").Object().Get("party").Text()
		all[party] = append(all[party], Told{position, Instant{e.At}, e.Data.Get("outcome").Text()})
	})
	return all, err
}

// A Leg is one place from which a person's data were deleted, or are due to be,
// as of the latest event that says so.
type Leg struct {
	Deletion  string  `json:"deletion" doc:"reference of the deletion it is part of"`
	Kind      string  `json:"kind" doc:"live, replica, index, cache, export, backup, processor"`
	Party     string  `json:"party,omitempty"`
	State     string  `json:"state" doc:"done or due"`
	Due       string  `json:"due,omitempty" format:"date"`
	Confirmed string  `json:"confirmed_at,omitempty" format:"date-time"`
	Position  uint64  `json:"position" doc:"of the event that says so"`
	Time      Instant `json:"time" format:"date-time"`
}

// legs reads the legs of every deletion of somebody's data, and at which position
// one was last recorded.
func (s *sitting) legs(ctx context.Context, listed []uint64) (legs []Leg, last uint64, err error) {
	type place struct{ deletion, kind, party string }
	latest := map[place]Leg{}
	err = s.each(ctx, listed, events.DataDeleted, func(position uint64, e *events.Event) {
		last = position
		for _, item := range e.Data.Get("legs").List() {
			text := func(name string) string { return item.Object().Get(name).Text() }
			l := Leg{e.Data.Get("deletion").Text(), text("kind"), text("party"), text("state"), text("due"), text("confirmed_at"), position, Instant{e.At}}
			at := place{l.Deletion, l.Kind, l.Party}
			if before, is := latest[at]; !is || !e.At.Before(before.Time.Time) { // what comes late may be overtaken
				latest[at] = l
			}
		}
	})
	legs = slices.AppendSeq([]Leg{}, maps.Values(latest))
	slices.SortFunc(legs, func(a, b Leg) int {
		return cmp.Or(cmp.Compare(a.Deletion, b.Deletion), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Party, b.Party))
	})
	return legs, last, err
}

// among is the filter of the events at some positions that are of some kinds.
func (s *sitting) among(positions []uint64, kinds ...events.Kind) search.Filter {
	f := search.Filter{From: s.q.From, To: s.q.To, Until: s.asOf.Position, Among: positions}
	if len(kinds) > 0 {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = k.Name()
		}
		f = narrowed(f, search.Kind, names...)
	}
	return f
}

// each gives fn the events of a kind at some positions, as they are stored, in
// order.
func (s *sitting) each(ctx context.Context, positions []uint64, k events.Kind, fn func(position uint64, e *events.Event)) error {
	var some []uint64
	err := s.search(func(r *search.Reader) error {
		for position, err := range r.Walk(s.among(positions, k)) {
			if err != nil {
				return err
			}
			some = append(some, position)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, position := range some {
		st, err := s.stored(ctx, position)
		if err != nil {
			return err
		}
		fn(position, st.Event)
	}
	return nil
}
