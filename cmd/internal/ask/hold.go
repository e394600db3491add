package ask

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/governance"
	"github.com/imalink/custody/projections/search"
)

// A Hold is a legal hold that was placed and not released: what it is about may
// not be erased (GDPR Art. 17(3)).
type Hold struct {
	Hold      string  `json:"hold" doc:"its reference"`
	Position  uint64  `json:"position" doc:"of the event that placed it"`
	Placed    Instant `json:"placed" format:"date-time"`
	Ground    string  `json:"ground" doc:"of GDPR Art. 17(3)"`
	Dataset   string  `json:"dataset,omitempty"`
	ReviewDue string  `json:"review_due,omitempty" format:"date"`
	By        string  `json:"by" doc:"why it stands in the way: it names the person, or a dataset of theirs, or everything; or unclear, when not everybody whom it names can be known any more"`
}

// Names reports whether the hold names the person whose erasure it stands in the
// way of: it binds them as long as its own event can be told to be about them.
func (h Hold) Names() bool { return h.By == byPerson }

// HoldClass is the class of the events that place holds.
const HoldClass = events.Governance

// Why a hold stands in the way.
const (
	byPerson  = "person"
	byDataset = "dataset"
	byAll     = "everything"
	unclear   = "unclear"
)

// A placed hold is one event that placed one, and whom it names.
type placed struct {
	Hold
	named  bool // it names people
	lost   bool // of whom one, or more, can no longer be known
	cell   projections.Cell
	people []projections.Tag
}

// held reads every hold in force, and resolves whom they name. A reference that was
// released and placed again holds by what was said since; one that was placed
// twice, by both.
func (s *sitting) held() (all []placed, people *crowd, err error) {
	err = s.views.Read(governanceView, func(tx *bolt.Tx) error {
		r, err := governance.Read(tx)
		if err != nil {
			return err
		}
		for thing, err := range r.List(governance.WhatHold, time.Time{}, s.asOf.Position) {
			if err != nil {
				return err
			}
			if thing.Version.Kind == events.GovernanceHoldReleased {
				continue
			}
			some, err := s.placed(r, thing.Key...)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading holds: %w", err)
	}
	people = newCrowd(s.vault)
	err = s.search(func(r *search.Reader) error {
		for i := range all {
			if err := all[i].naming(r); err != nil {
				return err
			}
			people.add(all[i].cell, all[i].people...)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if err := people.resolve(); err != nil {
		return nil, nil, err
	}
	for i := range all {
		p := &all[i]
		p.lost = slices.ContainsFunc(p.people, func(t projections.Tag) bool { return people.who(p.cell, t).IsZero() })
	}
	return all, people, nil
}

// placed gives the events that placed a hold since it was last released.
func (s *sitting) placed(r *governance.Reader, key ...string) (since []placed, err error) {
	for v, err := range r.History(governance.WhatHold, s.asOf.Position, key...) {
		if err != nil {
			return nil, err
		}
		if v.Kind == events.GovernanceHoldReleased {
			since = nil
			continue
		}
		p := placed{named: v.Subjects > 0}
		if err := json.Unmarshal(v.Data, &p.Hold); err != nil {
			return nil, fmt.Errorf("%w: the hold at position %d", projections.ErrDamaged, v.Position) // the cause may quote the data
		}
		p.Position, p.Placed = v.Position, Instant{v.Time}
		since = append(since, p)
	}
	return since, nil
}

// naming reads whom a hold names.
func (p *placed) naming(r *search.Reader) error {
	if !p.named {
		return nil
	}
	e, err := show(r, p.Position)
	p.cell, p.people = e.people.SubjectCell, e.people.Subjects
	return err
}

// holds gives the holds that stand in the way of erasing somebody, whose data are
// in some datasets.
func (s *sitting) holds(k *kin, datasets []string) ([]Hold, error) {
	all, _, err := s.held()
	if err != nil {
		return nil, err
	}
	holds := []Hold{}
	for _, p := range all {
		if p.By = p.reaches(k, datasets); p.By != "" {
			holds = append(holds, p.Hold)
		}
	}
	return holds, nil
}

// reaches says why a hold stands in somebody's way, "" if it does not. One that
// names somebody who can no longer be known may mean anybody: what was kept of
// them is nobody's by that name, and somebody's by another.
func (p *placed) reaches(k *kin, datasets []string) string {
	own := k.tags[vault.Subject][p.cell]
	switch {
	case p.named && slices.ContainsFunc(p.people, func(t projections.Tag) bool { _, is := own[t]; return is }):
		return byPerson
	case p.named && p.lost:
		return unclear
	case p.named:
		return ""
	case p.Dataset == "":
		return byAll
	case slices.Contains(datasets, p.Dataset):
		return byDataset
	}
	return ""
}
