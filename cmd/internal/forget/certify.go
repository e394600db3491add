package forget

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/vault"
)

// blank is a certificate of a kind, as of now.
func (o *Office) blank(k report.Kind, retention bool) *report.Certificate {
	head := o.Ledger.Head()
	c := &report.Certificate{
		Version: report.Format, Kind: k, Issued: report.At(o.Now()),
		Ledger:  report.Ledger{Name: o.Ledger.Name(), ID: o.Ledger.ID()},
		Remains: report.Remains{Clear: report.ClearFields(), Learnable: report.Learnable(retention)},
		Copies:  o.copiesOf(o.Ledger.Vault().RootVersion()),
	}
	c.Evidence = report.Evidence{AsOf: head.Position, At: report.At(head.Recorded), Digest: hex.EncodeToString(head.Digest[:]),
		Verify: []string{"custody check --data DIR --keys DIR"}}
	return c
}

// planned is what a plan says, in the copy of whoever asked for it.
func (o *Office) planned(k report.Kind, p *ask.Plan, r *Request, who events.Who) *report.Certificate {
	c := o.blank(k, false)
	c.Erasure = &report.Erasure{Reason: r.Reason, Request: r.Request, By: report.Who(who), Due: report.At(o.due(r)), AsActor: r.AsActor, Ground: r.Ground}
	c.Identifiers = &report.Identifiers{Shown: true, Count: uint64(len(p.Identifiers))}
	acts := uint64(0)
	for _, id := range p.Identifiers {
		one := report.Linked{Identifier: report.Named(string(id.ID)), Acted: id.Acts, Stays: !id.Goes}
		for _, tie := range id.Links {
			one.Links = append(one.Links, report.Link{Position: tie.Position, By: report.Named(string(tie.By.ID))})
		}
		c.Identifiers.List = append(c.Identifiers.List, one)
		acts += id.Acts
	}
	fill(c, p.Events, p.Standing)
	c.Kept, c.Cells = keptOf(p.Rows, p.Keep, p.Events, acts), cellsOf(monthsOf(p.Cells))
	return c
}

// again is the certificate of an erasure in a copy that names nobody.
func (o *Office) again(d *ask.ErasureDetail) *report.Certificate {
	c := o.blank(report.Restricted, false)
	c.Erasure = erasureOf(&d.Erasure)
	c.Identifiers = &report.Identifiers{Count: uint64(d.Identifiers)}
	c.Evidence.Verify = append(c.Evidence.Verify, show(d.Position))
	for _, k := range d.Keep {
		c.Kept = append(c.Kept, report.Kept{What: report.KeptClass, Class: k.Class, Ground: k.Ground})
	}
	if d.Pursuit == nil || d.Pursuit.Changed {
		c.Remains.Uncounted = true // nobody can tell any more, or it is not one person
		return c
	}
	fill(c, d.Pursuit.Events, d.Pursuit.Standing)
	if d.Pursuit.Rows != nil {
		c.Kept, c.Cells = keptOf(d.Pursuit.Rows, keepOf(d), d.Pursuit.Events, 0), cellsOf(monthsOf(d.Pursuit.Cells))
	}
	return c
}

// show is the command that shows an erasure.
func show(position uint64) string { return fmt.Sprintf("custody erasure show %d", position) }

func erasureOf(e *ask.Erasure) *report.Erasure {
	return &report.Erasure{Position: e.Position, Opened: report.At(e.Opened.Time), Restricted: report.At(e.Opened.Time), Due: report.At(e.Due.Time),
		Reason: e.Reason, Request: e.Request, AsActor: e.AsActor, Ground: e.Ground, By: report.Who{Role: e.Role, Token: e.Token, Approved: e.Approved}}
}

// fill puts in what the events say, and what is due.
func fill(c *report.Certificate, x ask.Extent, s ask.Standing) {
	c.Remains.Shared, c.Remains.Crowd, c.Remains.Events = x.Shared, x.Many, countsOf(x)
	for _, h := range s.Holds {
		c.Holds = append(c.Holds, report.Hold{Position: h.Position, Hold: h.Hold, Ground: h.Ground, Dataset: h.Dataset, Review: report.Day(h.ReviewDue)})
	}
	for _, r := range s.Recipients {
		one := report.Recipient{Party: r.Party, Events: r.Events, First: instant(r.First), Last: instant(r.Last), State: report.Due}
		if r.Told != nil {
			one.State, one.Told, one.Event = r.Told.Outcome, report.At(r.Told.Time.Time), r.Told.Position
		}
		c.Recipients = append(c.Recipients, one)
	}
	for _, l := range s.Legs {
		confirmed, _ := time.Parse(time.RFC3339, l.Confirmed) // zero if it was not
		c.Legs = append(c.Legs, report.Leg{Deletion: l.Deletion, Kind: l.Kind, Party: l.Party, State: l.State, Due: report.Day(l.Due), Confirmed: report.At(confirmed)})
	}
}

func instant(i *ask.Instant) report.Instant {
	if i == nil {
		return report.Instant{}
	}
	return report.At(i.Time)
}

// countsOf are the events by class and family.
func countsOf(x ask.Extent) (counts []report.Count) {
	for _, g := range x.Groups {
		counts = append(counts, report.Count{Class: g.Class, Family: g.Family, Events: g.Events, First: instant(g.First), Last: instant(g.Last)})
	}
	return counts
}

// opened notes when and where an erasure was opened, which is an event about the
// person, too.
func (o *Office) opened(ctx context.Context, c *report.Certificate, g *ask.Going, position uint64) error {
	rec, err := o.Ledger.Event(ctx, position)
	if err != nil {
		return fmt.Errorf("reading an opening: %w", err)
	}
	st, err := events.DecodeStored(rec.Raw)
	if err != nil {
		return fmt.Errorf("%w: position %d: %w", ledger.ErrDamaged, position, err)
	}
	due, _ := time.Parse(time.RFC3339, st.Event.Data.Get("due").Text()) // as the catalogue has it
	c.Erasure.Position, c.Erasure.Opened, c.Erasure.Restricted, c.Erasure.Due = position, report.At(st.Event.At), report.At(st.Event.At), report.At(due)
	c.Cells = cellsOf(monthsOf(with(g, vault.CellID{Class: uint8(st.Event.Kind.Retention()), Role: vault.Subject, Month: vault.MonthOf(st.Event.At)})))
	c.Evidence = o.blank(c.Kind, false).Evidence
	c.Evidence.Verify = append(c.Evidence.Verify, show(position))
	return nil
}

// shredded notes that keys were destroyed just now.
func (o *Office) shredded(ctx context.Context, c *report.Certificate, done ledger.Shredded, rows map[vault.PersonID][]vault.Chain) error {
	if err := o.justDestroyed(ctx, c, done.Position); err != nil {
		return err
	}
	c.Shredding.Shards = uint64(done.Shards)
	for _, chains := range rows {
		if len(chains) == 0 {
			c.Shredding.Rows++
		}
	}
	return nil
}

// justDestroyed notes the event that says that keys were destroyed just now. Its
// error wraps ErrDestroyed.
func (o *Office) justDestroyed(ctx context.Context, c *report.Certificate, position uint64) error {
	_ = o.backup(ctx) // if it fails, the certificate says that the backup is due; it is tried every hour
	if err := o.destroyed(ctx, c, position); err != nil {
		return fmt.Errorf("%w: %w", ErrDestroyed, err)
	}
	c.Copies = o.copiesAfter(c.Shredding, true)
	return nil
}

// destroyed notes the event that says that keys were destroyed, at some time.
func (o *Office) destroyed(ctx context.Context, c *report.Certificate, position uint64) error {
	rec, err := o.Ledger.Event(ctx, position)
	if err != nil {
		return fmt.Errorf("reading that keys were destroyed: %w", err)
	}
	st, err := events.DecodeStored(rec.Raw)
	if err != nil {
		return fmt.Errorf("%w: position %d: %w", ledger.ErrDamaged, position, err)
	}
	d := st.Event.Data
	digest := sha256.Sum256(rec.Raw)
	verify := c.Evidence.Verify
	fresh := o.blank(report.Erased, false)
	c.Kind, c.Issued, c.Evidence = fresh.Kind, fresh.Issued, fresh.Evidence
	c.Evidence.Verify = verify
	if c.Retention != nil {
		c.Kind = report.Retained
	}
	c.Shredding = &report.Shredding{
		Position: position, At: report.At(st.Event.At), Digest: hex.EncodeToString(digest[:]),
		By:         report.Who{Role: d.Get("role").Text(), Token: d.Get("token").Text(), Approved: d.Get("approved_by").Text()},
		RootBefore: uint64(d.Get("former").Int()), RootAfter: uint64(d.Get("root").Int()),
	}
	c.Copies = o.copiesAfter(c.Shredding, false)
	return nil
}

// Certificate is that of an erasure, in a copy that names nobody.
func (o *Office) Certificate(ctx context.Context, a ask.Asker, position uint64, forCase string) (*report.Certificate, error) {
	d, err := o.Desk.Erasure(ctx, a, position, forCase)
	if err != nil {
		return nil, err
	}
	c := o.again(&d)
	if d.Ended == nil || d.State != "shredded" {
		return c, nil
	}
	return c, o.destroyed(ctx, c, d.Ended.Position)
}
