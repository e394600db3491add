package report

import (
	"slices"

	"github.com/imalink/custody/events"
)

func (k *checker) who(w Who, field string) {
	k.code(w.Role, field+".role")
	k.code(w.Token, field+".token")
	k.codeOrNone(w.Approved, field+".approved_by")
}

// reference wants text of 1 to 96 characters; none of them says more than a
// reference of the catalogue can.
func (k *checker) reference(text, field string) { k.printed(text, 96, field) }

func (k *checker) erasure(e *Erasure, dry bool) {
	k.need((e.Position == 0) == dry && e.Position <= 1<<63-1, "erasure.position")
	k.need(e.Opened.IsZero() == dry, "erasure.opened")
	k.need(dry || !e.Restricted.IsZero(), "erasure.restricted_since")
	k.need(dry || !e.Due.IsZero(), "erasure.due")
	k.instantOrNone(e.Opened, "erasure.opened")
	k.instantOrNone(e.Restricted, "erasure.restricted_since")
	k.instantOrNone(e.Due, "erasure.due")
	k.one(events.ErasureReasons(), e.Reason, "erasure.reason")
	if e.Request != "" {
		k.reference(e.Request, "erasure.request")
	}
	k.who(e.By, "erasure.by")
	k.codeOrNone(e.Ground, "erasure.ground")
	k.need((e.Ground != "") == e.AsActor, "erasure.ground")
	k.need(!e.AsActor || dry || e.By.Approved != "", "erasure.by.approved_by")
}

func (k *checker) identifiers(ids *Identifiers) {
	k.need(ids.Count > 0, "identifiers.count")
	if ids.Shown {
		k.need(uint64(len(ids.List)) == ids.Count, "identifiers.list")
	} else {
		k.need(len(ids.List) == 0, "identifiers.list")
	}
	each(k, ids.List, "identifiers.list", func(one Linked) {
		k.identifier(one.Identifier, "identifiers.list.identifier")
		each(k, one.Links, "identifiers.list.links", func(l Link) {
			k.position(l.Position, "identifiers.list.links.position")
			if !l.By.IsZero() {
				k.identifier(l.By, "identifiers.list.links.by")
			}
		})
	})
}

// lists checks what is destroyed, what stays and what is due.
func (k *checker) lists(c *Certificate) {
	each(k, c.Cells, "cells", func(x Cells) {
		k.one(classes(), x.Class, "cells.class")
		k.month(x.From, "cells.from")
		k.month(x.To, "cells.to")
		k.need(x.From <= x.To, "cells.to")
	})
	each(k, c.Holds, "holds", func(h Hold) {
		k.position(h.Position, "holds.position")
		k.reference(h.Hold, "holds.hold")
		k.one(events.KeepGrounds(), h.Ground, "holds.ground")
		k.codeOrNone(h.Dataset, "holds.dataset")
		k.day(h.Review, "holds.review")
	})
	each(k, c.Kept, "kept", func(x Kept) {
		k.one([]string{KeptClass, KeptActor}, x.What, "kept.what")
		if x.What == KeptClass {
			k.one(classes(), x.Class, "kept.class")
			k.one(events.KeepGrounds(), x.Ground, "kept.ground")
		} else {
			k.need(x.Class == "" && x.Ground == "", "kept.class")
		}
	})
	each(k, c.Recipients, "recipients", func(r Recipient) {
		k.code(r.Party, "recipients.party")
		k.instant(r.First, "recipients.first")
		k.instant(r.Last, "recipients.last")
		k.one(RecipientStates(), r.State, "recipients.state")
		k.instantOrNone(r.Told, "recipients.told")
		k.need(r.Told.IsZero() == (r.State == Due), "recipients.told")
		k.need((r.Event == 0) == (r.State == Due) && r.Event <= 1<<63-1, "recipients.event")
	})
	each(k, c.Legs, "legs", k.leg)
	k.copies(c)
}

func (k *checker) leg(l Leg) {
	k.reference(l.Deletion, "legs.deletion")
	k.one(LegKinds(), l.Kind, "legs.kind")
	k.codeOrNone(l.Party, "legs.party")
	k.one([]string{Due, Done}, l.State, "legs.state")
	k.day(l.Due, "legs.due")
	k.instantOrNone(l.Confirmed, "legs.confirmed")
	if l.Attest != "" {
		k.reference(l.Attest, "legs.attest")
	}
}

// copies wants one of each kind, in their order, and nothing done before keys were
// destroyed, or that was not looked at.
func (k *checker) copies(c *Certificate) {
	kinds := CopyKinds()
	if !slices.ContainsFunc(c.Copies, func(x Copy) bool { return x.Kind == Device }) {
		kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind == Device })
	}
	k.need(slices.EqualFunc(c.Copies, kinds, func(x Copy, kind string) bool { return x.Kind == kind }), "copies.kind")
	for _, x := range c.Copies {
		k.one(CopyStates(x.Kind), x.State, "copies.state")
		k.need(x.State != Done || c.Shredding != nil && x.Root > x.Former, "copies.state")
		k.need((x.Former == 0) == (x.State == None), "copies.former")
		k.need(c.Shredding == nil || x.State == None || x.Former == c.Shredding.RootBefore, "copies.former")
		k.need(x.Root == 0 || x.State == Due || x.State == Done, "copies.root")
		k.need((x.Root == 0) == x.Found.IsZero(), "copies.found")
		k.instantOrNone(x.Found, "copies.found")
	}
}

// remains wants everything that can still be seen or learnt to be stated.
func (k *checker) remains(c *Certificate) {
	each(k, c.Remains.Events, "remains.events", func(n Count) {
		k.one(classes(), n.Class, "remains.events.class")
		k.one(families(), n.Family, "remains.events.family")
		k.instantOrNone(n.First, "remains.events.first")
		k.instantOrNone(n.Last, "remains.events.last")
	})
	if r := c.Remains; r.Uncounted {
		k.need(c.Erasure != nil && !c.Identifiers.Shown, "remains.uncounted")
		k.need(len(r.Events)+len(c.Cells)+len(c.Recipients)+len(c.Legs) == 0 && r.Shared == 0 && r.Crowd == 0, "remains.uncounted")
	}
	k.need(slices.Equal(c.Remains.Clear, ClearFields()), "remains.clear")
	k.need(slices.Equal(c.Remains.Learnable, Learnable(c.Retention != nil)), "remains.learnable")
}
