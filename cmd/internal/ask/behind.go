package ask

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/search"
)

// A tagAt is a tag of one event, and where it stands.
type tagAt struct {
	pointer string
	cell    projections.Cell
	tag     projections.Tag
}

// tagsOf are the people of an event, in the order in which its data has them. The
// kinds with handlers have no employee.
func tagsOf(e *projections.Event, who string) (tags []tagAt) {
	add := func(cell projections.Cell, text, pointer string) {
		if tag, is := vault.ParseTag(text); is {
			tags = append(tags, tagAt{pointer, cell, projections.Tag(tag)})
		}
	}
	d := e.Stored.Event.Data
	if who != "subjects" {
		actor := d.Get("actor").Object()
		add(e.People.ActorCell, actor.Get("id").Text(), "/data/actor/id")
		add(e.People.ActorCell, actor.Get("for").Text(), "/data/actor/for")
		add(e.People.ActorCell, d.Get("employee").Text(), "/data/employee")
		for i, h := range d.Get("handlers").List() {
			add(e.People.ActorCell, h.Text(), fmt.Sprintf("/data/handlers/%d", i))
		}
	}
	if who != "actors" {
		for i, subject := range d.Get("subjects").List() {
			add(e.People.SubjectCell, subject.Object().Get("id").Text(), fmt.Sprintf("/data/subjects/%d/id", i))
		}
	}
	return tags
}

// behindEvent finds who is behind the tags of one event.
func (s *sitting) behindEvent(ctx context.Context, r RevealRequest, out *Revealed) error {
	_, e, err := s.read(ctx, r.Position)
	if err != nil {
		return err
	}
	return s.behind(tagsOf(e, r.Who), out)
}

// behindSession finds who is behind the tags of a session's events.
func (s *sitting) behindSession(ctx context.Context, r RevealRequest, out *Revealed) error {
	f, err := s.filter(ctx)
	if err != nil {
		return err
	}
	found := map[tagAt]bool{}
	err = s.search(func(reader *search.Reader) error {
		for position, err := range reader.Walk(f) {
			if err != nil {
				return err
			}
			p, err := reader.People(position)
			if err != nil {
				return err
			}
			if r.Who != "subjects" {
				for _, tag := range append([]projections.Tag{p.Actor}, p.Named...) {
					found[tagAt{cell: p.ActorCell, tag: tag}] = true
				}
			}
			if r.Who != "actors" {
				for _, tag := range p.Subjects {
					found[tagAt{cell: p.SubjectCell, tag: tag}] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	tags := make([]tagAt, 0, len(found))
	for tag := range found {
		if !tag.tag.IsZero() {
			tags = append(tags, tag)
		}
	}
	if err := s.behind(tags, out); err != nil {
		return err
	}
	slices.SortFunc(out.Items, func(a, b Identity) int { return cmp.Or(cmp.Compare(a.role, b.role), cmp.Compare(a.ID, b.ID)) })
	out.Items = slices.Compact(out.Items) // the same tag is another in every cell
	return nil
}

// behindHandle gives every identifier of the person a handle stands for.
func (s *sitting) behindHandle(ctx context.Context, out *Revealed) error {
	self, ids, err := s.vault.People(s.q.About[0].ID.id)
	if err != nil {
		return fmt.Errorf("finding linked identifiers: %w", err)
	}
	if len(ids) == 0 {
		return s.nobody(ctx)
	}
	role, part := vault.Subject, "person"
	if s.q.About[0].What == Acting {
		role, part = vault.Actor, "actor"
	}
	for _, id := range ids {
		out.Items = append(out.Items, Identity{Mask: s.masks.of(part, self), ID: disclosed(id), role: role})
	}
	return nil
}

// behind goes from tags to identities, in their order.
func (s *sitting) behind(tags []tagAt, out *Revealed) error {
	people := newCrowd(s.vault)
	for _, t := range tags {
		people.add(t.cell, t.tag)
	}
	if err := people.resolve(); err != nil {
		return err
	}
	names := newNaming(people)
	for _, t := range tags {
		id, known, err := names.identifier(t.cell, t.tag)
		if err != nil {
			return err
		}
		if !known {
			out.Unresolved++
			continue
		}
		one := Identity{Pointer: t.pointer, ID: disclosed(id), role: vault.Role(t.cell.Role)}
		one.Mask = s.masks.of(map[vault.Role]string{vault.Subject: "person", vault.Actor: "actor"}[one.role], people.who(t.cell, t.tag))
		out.Items = append(out.Items, one)
	}
	return nil
}

// revealedAll records that identities are about to be shown: each identifier once
// in each role, at most [events.MaxSubjects] of a role in one event.
func (s *sitting) revealedAll(ctx context.Context, r RevealRequest, items []Identity) (positions []uint64, err error) {
	lists := map[vault.Role][]string{}
	for _, item := range items {
		lists[item.role] = append(lists[item.role], string(item.ID))
	}
	var parts [2][][]string
	for i, role := range []vault.Role{vault.Subject, vault.Actor} {
		slices.Sort(lists[role])
		parts[i] = slices.Collect(slices.Chunk(slices.Compact(lists[role]), events.MaxSubjects))
	}
	n := max(len(parts[0]), len(parts[1]), 1)
	says := events.Reveal{Approved: r.Approved, ReasonCode: r.ReasonCode, Reason: r.Reason}
	if n > 1 {
		var id [16]byte
		rand.Read(id[:]) // never fails
		says.Bulk = hex.EncodeToString(id[:])
	}
	for part := range n {
		one := says
		if n > 1 {
			one.Part = uint64(part) + 1
		}
		if n > 1 && part == n-1 {
			one.Parts = uint64(n)
		}
		if part < len(parts[0]) {
			one.Subjects = parts[0][part]
		}
		if part < len(parts[1]) {
			one.Actors = parts[1][part]
		}
		position, err := s.revealed(ctx, one)
		if err != nil {
			return nil, err
		}
		positions = append(positions, position)
	}
	return positions, nil
}
