package ask

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/vault"
)

// PlanOptions say what erasure is planned.
type PlanOptions struct {
	Case    string // what it is asked for, a code
	Reason  string // why identifiers are shown, a code
	AsActor bool   // what the person did as an actor goes as well
	Keep    []events.Keeping

	held bool // by a hold that names the person
}

// check refuses options that make no sense.
func (o *PlanOptions) check() error {
	if o.Reason == "" {
		return fmt.Errorf("%w: reason is missing", ErrQuestion)
	}
	kept := map[events.Retention]bool{}
	for _, k := range o.Keep {
		switch {
		case !slices.Contains(classes(), k.Class) || kept[k.Class]:
			return fmt.Errorf("%w: keep names a class that there is not, or one twice", ErrQuestion)
		case !slices.Contains(events.KeepGrounds(), k.Ground):
			return fmt.Errorf("%w: the ground to keep is one of %v", ErrQuestion, events.KeepGrounds())
		}
		kept[k.Class] = true
	}
	return nil
}

// bind keeps, beside what is kept on a ground, what binds the person to holds that
// name them: without the class of those events a hold would name nobody, and not
// hold what was kept for it. What was decided stays as it was decided.
func (o *PlanOptions) bind(holds []Hold, decided bool) {
	i := slices.IndexFunc(holds, func(h Hold) bool { return h.Names() })
	if o.held = i >= 0; !o.held || decided || len(o.Keep) == 0 || slices.ContainsFunc(o.Keep, func(k events.Keeping) bool { return k.Class == HoldClass }) {
		return
	}
	o.Keep = append(slices.Clone(o.Keep), events.Keeping{Class: HoldClass, Ground: holds[i].Ground})
}

// A Plan is an erasure before it is opened: what goes, what stays and why, and
// what stands in its way.
type Plan struct {
	AsOf        AsOf      `json:"as_of"`
	Identifiers []Planned `json:"identifiers" nullable:"false" doc:"every identifier of the person"`
	Events      Extent    `json:"events"`
	Standing
	Going
	Keep     []events.Keeping `json:"-"` // what stays on a ground: as asked, and whatever binds the person to a hold
	Recorded uint64           `json:"recorded" doc:"position of the event that says that these identifiers were shown"`
}

// Subjects are the person's identifiers, for events.Opening. Every call is a
// disclosure.
func (p *Plan) Subjects() (ids []string) {
	for _, one := range p.Identifiers {
		ids = append(ids, string(one.ID))
	}
	return ids
}

// Planned is what becomes of one identifier.
type Planned struct {
	ID    Disclosed `json:"id"`
	Links []Tie     `json:"links" nullable:"false" doc:"by which it is one person's with others; none for the only one, or if who linked it was forgotten"`
	Acts  uint64    `json:"acts" doc:"events of producers in which it acted, or is named as somebody who acts; a data subject's own acts are not among them"`
	Goes  bool      `json:"goes" doc:"the identifier itself is destroyed"`
	Stays []Staying `json:"stays" nullable:"false" doc:"keys that stay, and with them the identifier"`
}

// Standing is what stands in the way of an erasure, and who else must act.
type Standing struct {
	Holds        []Hold        `json:"holds" nullable:"false" doc:"legal holds in force that keep the data (GDPR Art. 17(3))"`
	Recipients   []Owed        `json:"recipients" nullable:"false" doc:"who is to be told, or was (GDPR Art. 19)"`
	Legs         []Leg         `json:"legs" nullable:"false" doc:"copies elsewhere, as last reported"`
	Restrictions []Restriction `json:"restrictions" nullable:"false" doc:"in force; an erasure that is open already is among them"`

	deleted uint64 // position of the last deletion that was reported, 0 if none was
}

// ErasurePlan says what erasing a person means, as of now: it changes nothing.
// It shows every identifier and who linked it, and so is recorded as one
// ledger.identity-revealed, before it is given. Somebody unknown is recorded as
// by [Desk.Lookup]. A token with a window gets [ErrBox]: a plan is whole.
// It costs a look at every event that lists the person.
func (d *Desk) ErasurePlan(ctx context.Context, a Asker, identifier string, o PlanOptions) (Plan, error) {
	s, out, linkers, err := d.planning(ctx, a, identifier, o)
	if err != nil {
		return Plan{}, err
	}
	linked := make([]string, len(linkers))
	for i, id := range linkers {
		linked[i] = id.Reveal()
	}
	out.Recorded, err = s.revealed(ctx, events.Reveal{ReasonCode: o.Reason, Subjects: out.Subjects(), Actors: linked})
	if err != nil {
		return Plan{}, err
	}
	return out, nil
}

// planning makes a plan that nobody has been shown yet.
func (d *Desk) planning(ctx context.Context, a Asker, identifier string, o PlanOptions) (s *sitting, out Plan, linkers []vault.Identifier, err error) {
	if err := o.check(); err != nil {
		return nil, out, nil, err
	}
	q := Question{Name: "erasure.plan", Case: o.Case}
	if a.windowed() {
		return nil, out, nil, ErrBox
	}
	id, _, err := d.find(ctx, a, Person, vault.Identifier(identifier), q)
	if err != nil {
		return nil, out, nil, err
	}
	q.About = []About{{What: Person, ID: opaqueID{id}}}
	if s, err = d.begin(ctx, a, q); err != nil {
		return nil, out, nil, err
	}
	out, linkers, err = s.plan(ctx, id, o)
	return s, out, linkers, err
}

// windowed reports whether the asker may not look at all times.
func (a Asker) windowed() bool {
	return a.Role == access.RoleSubject || !a.From.IsZero() || !a.To.IsZero()
}

// revealed records that identifiers are about to be shown, in one event. After an
// error none may be: [ErrNotKnown] if one of them was erased meanwhile.
func (s *sitting) revealed(ctx context.Context, r events.Reveal) (position uint64, err error) {
	r.Role, r.Token, r.Case = string(s.asker.Role), s.asker.Name, s.q.Case
	position, err = s.reveal(ctx, r)
	if errors.Is(err, ledger.ErrNobody) {
		return 0, s.nobody(ctx)
	}
	if err != nil {
		return 0, errors.Join(ErrNotRecorded, err)
	}
	return position, nil
}

// plan makes a plan, and gives the identifiers of who linked others.
func (s *sitting) plan(ctx context.Context, id vault.Identifier, o PlanOptions) (out Plan, linkers []vault.Identifier, err error) {
	if err := s.waitForErasure(ctx); err != nil {
		return out, nil, err
	}
	k, err := kinOf(s.vault, id)
	switch {
	case err != nil:
		return out, nil, err
	case len(k.ids) == 0:
		return out, nil, s.nobody(ctx)
	case len(k.ids) > events.MaxSubjects:
		return out, nil, fmt.Errorf("%w: more than %d identifiers are linked as one person's", ErrQuestion, events.MaxSubjects)
	}
	p, err := s.prepared(ctx, k, o, 0)
	if err != nil {
		return out, nil, err
	}
	ties, linkers, err := s.ties(k, p.listed)
	if err != nil {
		return out, nil, err
	}
	out = Plan{AsOf: s.asOf, Events: p.extent, Standing: p.standing, Going: p.going, Keep: p.keep}
	for i, id := range k.ids {
		out.Identifiers = append(out.Identifiers, Planned{disclosed(id), ties[i], p.acts[i], len(p.going.Rows[k.rows[i]]) == 0, p.stays[i]})
	}
	return out, linkers, nil
}

// waitForErasure waits for the views that an erasure is judged by.
func (s *sitting) waitForErasure(ctx context.Context) error {
	return s.wait(ctx, searchView, personView, accessView, governanceView)
}

// prepared is all that is asked before somebody is erased.
type prepared struct {
	listed   []uint64 // the events that list the person
	extent   Extent
	standing Standing
	acts     []uint64    // of each identifier, how many
	stays    [][]Staying // of each
	going    Going
	keep     []events.Keeping
}

// prepared asks it, of an erasure that was opened at a position; 0 is none.
func (s *sitting) prepared(ctx context.Context, k *kin, o PlanOptions, opened uint64) (p prepared, err error) {
	if p.listed, err = s.positions(k.listed(everyone, 0), personView); err != nil {
		return p, err
	}
	var datasets []string
	if p.extent, datasets, err = s.extent(k, p.listed); err != nil {
		return p, err
	}
	if p.standing.Holds, err = s.holds(k, datasets); err != nil {
		return p, err
	}
	o.bind(p.standing.Holds, opened != 0)
	p.keep = o.Keep
	p.going.Rows = map[vault.PersonID][]vault.Chain{}
	for i := range k.rows {
		acts, err := s.acts(k, i, p.listed)
		if err != nil {
			return p, err
		}
		chains, why, err := s.staying(k, i, acts, o)
		if err != nil {
			return p, err
		}
		if err := s.goes(&p.going, k, i, chains); err != nil {
			return p, err
		}
		p.stays = append(p.stays, append([]Staying{}, why...))
		p.acts = append(p.acts, 0)
		for _, n := range acts {
			p.acts[i] += n
		}
	}
	if p.standing.Recipients, err = s.owed(ctx, p.listed, opened); err != nil {
		return p, err
	}
	if p.standing.Legs, p.standing.deleted, err = s.legs(ctx, p.listed); err != nil {
		return p, err
	}
	p.standing.Restrictions, err = s.restrictionsAmong(ctx, p.listed)
	return p, err
}
