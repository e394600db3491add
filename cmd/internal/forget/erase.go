package forget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/vault"
)

// Erase opens an erasure and, if so asked, carries it out. The error is a [*Held],
// an [*AlreadyOpen] or a [*Waiting], one that wraps [ErrDestroyed], or one of the
// desk's or the ledger's.
//
// If the answer is lost it was opened or not: asking again opens it, or says that
// it is open; with Now it carries out the one that is open, if that keeps the same.
// If keys were destroyed already, nobody is known by the identifier any more, and
// the list of erasures has its number.
func (o *Office) Erase(ctx context.Context, a ask.Asker, r Request) (*report.Certificate, error) {
	who := decider(a)
	if err := o.check(who, &r); err != nil {
		return nil, err
	}
	if r.AsActor {
		var err error
		if r.agreed, err = o.second(a, r.Approval, actOfErasure, withoutApproval(r), func() (Terms, error) { return o.erasureTerms(ctx, a, &r) }); err != nil {
			return nil, err
		}
	}
	who.Approved = r.agreed.By
	c, err := o.erase(ctx, a, who, &r)
	r.agreed.End(err == nil)
	return c, err
}

func (o *Office) erase(ctx context.Context, a ask.Asker, who events.Who, r *Request) (*report.Certificate, error) {
	o.turn.Lock()
	defer o.turn.Unlock()
	p, err := o.plan(ctx, a, r)
	switch open := openErasure(&p); {
	case err != nil:
		return nil, err
	case !covered(p.Holds, r.Keep):
		return nil, &Held{p.Holds}
	case open != 0:
		return o.goOn(ctx, a, who, r, &p, open)
	}
	return o.begin(ctx, a, who, r, &p)
}

// begin opens an erasure, and carries it out if that is asked.
func (o *Office) begin(ctx context.Context, a ask.Asker, who events.Who, r *Request, p *ask.Plan) (*report.Certificate, error) {
	c := o.planned(report.Restricted, p, r, who)
	open, err := o.Ledger.RecordOpening(ctx, o.opening(who, r, p.Keep, p.Subjects()...))
	if err != nil {
		return nil, fmt.Errorf("opening an erasure: %w", err)
	}
	if err := o.opened(ctx, c, &p.Going, open); err != nil {
		return nil, err
	}
	if !r.Now {
		return c, nil
	}
	return o.shred(ctx, who, open, decision{c, p.Rows, p.AsOf.Position}, func() (decision, error) { return o.decideAgain(ctx, a, who, r, open) })
}

// goOn carries out the erasure of somebody that is open already, as it was opened:
// what stays is not for the later to change.
func (o *Office) goOn(ctx context.Context, a ask.Asker, who events.Who, r *Request, p *ask.Plan, open uint64) (*report.Certificate, error) {
	d, err := o.Desk.Pursue(ctx, open)
	switch {
	case err != nil:
		return nil, err
	case !r.Now || d.AsActor != r.AsActor || !sameKeep(keepOf(&d), p.Keep):
		return nil, &AlreadyOpen{open}
	}
	decided, err := o.joined(who, r, p, &d)
	if err != nil {
		return nil, err
	}
	return o.shred(ctx, who, open, decided, func() (decision, error) { return o.decideAgain(ctx, a, who, r, open) })
}

// A decision is an erasure that can be carried out: the certificate so far, and
// what it was decided from.
type decision struct {
	certificate *report.Certificate
	rows        map[vault.PersonID][]vault.Chain
	asOf        uint64
}

// joined is the decision to carry out an erasure that is open, with a plan made
// since.
func (o *Office) joined(who events.Who, r *Request, p *ask.Plan, d *ask.ErasureDetail) (decision, error) {
	if err := ready(d); err != nil {
		return decision{}, err
	}
	c := o.planned(report.Restricted, p, r, who)
	c.Erasure = erasureOf(&d.Erasure)
	c.Evidence.Verify = append(c.Evidence.Verify, show(d.Position))
	return decision{c, p.Rows, p.AsOf.Position}, nil
}

// decideAgain decides on an erasure that somebody asked for as it is now.
func (o *Office) decideAgain(ctx context.Context, a ask.Asker, who events.Who, r *Request, open uint64) (decision, error) {
	d, err := o.Desk.Pursue(ctx, open)
	if err != nil {
		return decision{}, err
	}
	p, err := o.plan(ctx, a, r)
	if err != nil {
		return decision{}, err
	}
	return o.joined(who, r, &p, &d)
}

// second returns the agreement on an act, or asks for one, on the terms of now.
func (o *Office) second(a ask.Asker, approval, act string, exact any, terms func() (Terms, error)) (Agreement, error) {
	b, err := json.Marshal(exact)
	if err != nil {
		return Agreement{}, fmt.Errorf("comparing an act: %w", err)
	}
	by := Token{a.Token, a.Name}
	if approval != "" {
		return o.Approvals.Of(by, approval, act, b)
	}
	t, err := terms()
	if err != nil {
		return Agreement{}, err
	}
	return Agreement{}, o.Approvals.Ask(by, act, b, t)
}

// withoutApproval is all of a request that two people agree on.
func withoutApproval(r Request) any {
	r.Approval = ""
	type exact Request // whose fields are written
	return exact(r)
}

// openErasure is the erasure of the person that is open, 0 if none is.
func openErasure(p *ask.Plan) uint64 {
	for _, r := range p.Restrictions {
		if r.Kind == events.LedgerErasureOpened.Name() {
			return r.Position
		}
	}
	return 0
}

// bound reports whether the person stays bound by each hold that names them.
func bound(holds []ask.Hold, keep []events.Keeping) bool {
	return !slices.ContainsFunc(holds, ask.Hold.Names) || slices.ContainsFunc(keep, func(k events.Keeping) bool { return k.Class == ask.HoldClass })
}

// covered reports whether what is kept is kept on the ground of each hold.
func covered(holds []ask.Hold, keep []events.Keeping) bool {
	return !slices.ContainsFunc(holds, func(h ask.Hold) bool {
		return !slices.ContainsFunc(keep, func(k events.Keeping) bool { return k.Ground == h.Ground })
	})
}

// keepOf is what stays at an erasure as it was opened.
func keepOf(d *ask.ErasureDetail) (keep []events.Keeping) {
	for _, k := range d.Keep {
		class, _ := ParseClass(k.Class)
		keep = append(keep, events.Keeping{Class: class, Ground: k.Ground})
	}
	return keep
}

// sameKeep compares what stays, whatever the order. None is there twice.
func sameKeep(a, b []events.Keeping) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(k events.Keeping) bool { return !slices.Contains(b, k) })
}

// Shred carries out an erasure that is open, before its day if it must be. The
// error is [ErrEnded], [ErrDecideAgain] or a [*Held], one that wraps
// [ErrDestroyed], or one of the desk's or the ledger's. If the answer is lost,
// asking again carries it out, or says that it has ended.
func (o *Office) Shred(ctx context.Context, a ask.Asker, position uint64, forCase string) (*report.Certificate, error) {
	o.turn.Lock()
	defer o.turn.Unlock()
	d, err := o.Desk.Erasure(ctx, a, position, forCase)
	if err != nil {
		return nil, err
	}
	return o.carryOut(ctx, decider(a), &d)
}

// carryOut destroys the keys of an open erasure that nothing is in the way of.
func (o *Office) carryOut(ctx context.Context, who events.Who, d *ask.ErasureDetail) (*report.Certificate, error) {
	decided, err := o.unnamed(d)
	if err != nil {
		return nil, err
	}
	return o.shred(ctx, who, d.Position, decided, func() (decision, error) {
		d, err := o.Desk.Pursue(ctx, d.Position)
		if err != nil {
			return decision{}, err
		}
		return o.unnamed(&d)
	})
}

// unnamed is the decision to carry out an erasure, with a certificate that names
// nobody.
func (o *Office) unnamed(d *ask.ErasureDetail) (decision, error) {
	if err := ready(d); err != nil {
		return decision{}, err
	}
	return decision{o.again(d), d.Pursuit.Rows, d.AsOf.Position}, nil
}

// ready says why an erasure cannot be carried out.
func ready(d *ask.ErasureDetail) error {
	switch {
	case d.Pursuit == nil:
		return ErrEnded
	case d.Pursuit.Changed || d.Pursuit.Rows == nil:
		return ErrDecideAgain
	case !covered(d.Pursuit.Holds, keepOf(d)), !bound(d.Pursuit.Holds, keepOf(d)):
		return &Held{d.Pursuit.Holds}
	}
	return nil
}

// attempts is how often an erasure is decided anew because something was
// recorded about the person between deciding and carrying out.
const attempts = 5

// shred destroys keys and completes the certificate.
func (o *Office) shred(ctx context.Context, who events.Who, open uint64, d decision, again func() (decision, error)) (*report.Certificate, error) {
	end, err := o.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	o.before(ctx)
	for left := attempts; ; left-- {
		done, err := o.Ledger.Erase(ctx, ledger.Erasing{Who: who, Opening: open, Rows: d.rows, AsOf: d.asOf})
		switch {
		case err == nil:
			o.Log.Info("keys of a person were destroyed", "erasure", open, "position", done.Position, "root", done.Root)
			return d.certificate, o.shredded(ctx, d.certificate, done, d.rows)
		case done.Root != 0:
			return nil, fmt.Errorf("%w: %w", ErrDestroyed, err)
		case !errors.Is(err, ledger.ErrChanged) || left == 0:
			return nil, fmt.Errorf("destroying keys: %w", err)
		}
		if d, err = again(); err != nil {
			return nil, err
		}
	}
}

// Cancel ends an erasure that is open without carrying it out, and returns the
// position of the event that says so. The error is [ErrEnded], or one of the
// desk's or the ledger's. If the answer is lost, asking again cancels it, or says
// that it has ended.
func (o *Office) Cancel(ctx context.Context, a ask.Asker, position uint64, reason, forCase string) (uint64, error) {
	o.turn.Lock()
	defer o.turn.Unlock()
	d, err := o.Desk.Erasure(ctx, a, position, forCase)
	if err != nil {
		return 0, err
	}
	if d.Pursuit == nil {
		return 0, ErrEnded
	}
	at, err := o.Ledger.RecordCancelling(ctx, events.Cancelling{Who: decider(a), Erasure: position, Reason: reason})
	if err != nil {
		return 0, fmt.Errorf("cancelling an erasure: %w", err)
	}
	return at, nil
}
