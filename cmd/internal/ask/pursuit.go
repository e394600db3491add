package ask

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections/search"
)

// Pursuit is how far an open erasure is.
type Pursuit struct {
	Standing
	Persons  []Masked `json:"persons" nullable:"false" doc:"whom it is about: one, unless identifiers were unlinked since; unresolved is nobody's any more"`
	Events   Extent   `json:"events"`
	Changed  bool     `json:"changed,omitempty" doc:"identifiers were linked or unlinked since it was opened: what it was decided from is not so any more"`
	Complete bool     `json:"complete" doc:"a deletion was reported since, no leg is due, every recipient was told, and no hold is in the way"`
	Going             // nothing if it changed or the person is no more
}

// pursue finds out how far an open erasure is, and an identifier of each person
// it is about.
func (s *sitting) pursue(ctx context.Context, o *opening) (p Pursuit, about []vault.Identifier, err error) {
	people := newCrowd(s.vault)
	people.add(o.people.SubjectCell, o.people.Subjects...)
	if err := people.resolve(); err != nil {
		return p, nil, err
	}
	p.Standing = Standing{Holds: []Hold{}, Recipients: []Owed{}, Legs: []Leg{}, Restrictions: []Restriction{}}
	p.Persons, p.Events = []Masked{}, Extent{Classes: []ClassExtent{}, Groups: []GroupExtent{}}
	seen := map[vault.PersonID]bool{}
	for _, tag := range o.people.Subjects {
		who := people.who(o.people.SubjectCell, tag)
		if seen[who] {
			continue
		}
		seen[who] = true
		p.Persons = append(p.Persons, Masked{Mask: s.masks.of("person", who)})
		if id, err := s.vault.IdentifierOf(who); err == nil {
			about = append(about, id)
		} else if !errors.Is(err, vault.ErrGone) {
			return p, nil, fmt.Errorf("finding whom an erasure is about: %w", err)
		}
	}
	if len(about) != 1 || len(seen) > 1 {
		p.Changed = true
		return p, about, nil
	}
	return p, about, s.pursueOne(ctx, o, &p, about[0])
}

// pursueOne completes p for the one person whom an erasure is about.
func (s *sitting) pursueOne(ctx context.Context, o *opening, p *Pursuit, id vault.Identifier) error {
	k, err := kinOf(s.vault, id)
	if err != nil {
		return err
	}
	all, err := s.prepared(ctx, k, PlanOptions{AsActor: o.actor, Keep: o.keep}, o.position)
	if err != nil {
		return err
	}
	p.Standing, p.Events = all.standing, all.extent
	own := k.tags[vault.Subject][o.people.SubjectCell]
	for _, tag := range o.people.Subjects {
		if _, is := own[tag]; !is {
			p.Changed = true
		}
	}
	if p.Changed = p.Changed || len(k.ids) != len(o.people.Subjects); !p.Changed {
		p.Going = all.going
	}
	p.Complete = p.complete(o.position)
	return nil
}

// complete reports whether nothing is left to wait for since an erasure was
// opened. Where no deletion was reported, nobody knows what is still there.
func (p *Pursuit) complete(opened uint64) bool {
	return !p.Changed && p.deleted > opened && len(p.Holds) == 0 && p.due() == 0 && p.untold() == 0
}

// due is how many legs are.
func (s *Standing) due() (n int) {
	for _, l := range s.Legs {
		if l.State != "done" {
			n++
		}
	}
	return n
}

// untold is how many recipients are to be told.
func (s *Standing) untold() (n int) {
	for _, r := range s.Recipients {
		if r.Told == nil {
			n++
		}
	}
	return n
}

// An OpenErasure is one that waits for its keys to be destroyed. It names nobody.
type OpenErasure struct {
	Position uint64 // of the opening
	Due      time.Time
	Who      events.Who // opened it
	Complete bool       // nothing is left to wait for, see [Pursuit]
	Changed  bool       // not so any more as it was decided: somebody must decide again
	Holds    int        // legal holds that stand in the way

	Rows map[vault.PersonID][]vault.Chain // as in Plan; nil if it changed or the person is no more
	AsOf uint64                           // position up to which holds and acts were looked for
}

// OpenErasures gives every erasure that is open, for whoever carries them out. It
// shows nobody to anybody, and is not recorded. It costs as much as a plan for
// each of them.
func (d *Desk) OpenErasures(ctx context.Context) ([]OpenErasure, error) {
	s := &sitting{Desk: d}
	var err error
	if s.asOf, err = d.knownAt(ctx, ""); err != nil {
		return nil, err
	}
	if err := s.waitForErasure(ctx); err != nil {
		return nil, err
	}
	var opened []uint64
	err = s.search(func(r *search.Reader) error {
		for position, err := range r.Walk(s.among(nil, events.LedgerErasureOpened)) {
			if err != nil {
				return err
			}
			opened = append(opened, position)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var open []OpenErasure
	for _, position := range opened {
		switch one, is, err := s.openErasure(ctx, position); {
		case err != nil:
			return nil, err
		case is:
			open = append(open, one)
		}
	}
	return open, nil
}

// openErasure gives one, false if it ended.
func (s *sitting) openErasure(ctx context.Context, position uint64) (e OpenErasure, open bool, err error) {
	if _, ended, err := s.ended(ctx, position); ended || err != nil {
		return e, false, err
	}
	o, err := s.opening(ctx, position)
	if err != nil {
		return e, false, err
	}
	p, _, err := s.pursue(ctx, &o)
	if err != nil {
		return e, false, err
	}
	return OpenErasure{Position: position, Due: o.due, Who: o.who, Complete: p.Complete, Changed: p.Changed, Holds: len(p.Holds),
		Rows: p.Rows, AsOf: s.asOf.Position}, true, nil
}
