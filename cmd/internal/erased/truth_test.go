package erased

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
)

// ask asks about people in every way, so that whatever keeps anything has them.
func (s *scene) ask(ids ...string) {
	s.t.Helper()
	q := func(name string) ask.Question { return ask.Question{Name: name, Case: "case-1"} }
	for _, id := range ids {
		for _, show := range []string{"", "timeline", "accesses", "recipients", "reads"} {
			_, err := s.desk.Lookup(s.t.Context(), dpo(), ask.Person, id, show, q("person."+show))
			s.must(err)
		}
		_, err := s.desk.Search(s.t.Context(), dpo(), "events", ask.Question{Name: "events", About: ask.Identified(id, "", "")}, ask.Counting{})
		s.must(err)
		_, err = s.office.Plan(s.t.Context(), dpo(), forget.Request{Identifier: id, Reason: "objection"})
		s.must(err)
	}
	_, err := s.desk.Search(s.t.Context(), dpo(), "summary", q("events"), ask.Counting{})
	s.must(err)
}

// mayAsk gives somebody a token to ask about themselves.
func (s *scene) mayAsk(id string) {
	s.t.Helper()
	row, err := s.l.RowOf(id)
	s.must(err)
	_, _, err = s.l.Access().CreateToken(s.t.Context(), "0001020304050607", access.NewToken{Role: access.RoleSubject, Name: "own-record", Box: access.Box{Person: row}})
	s.must(err)
}

// erase erases people, each with the identifiers that are linked with theirs.
func (s *scene) erase(f folk, ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		c, err := s.office.Erase(s.t.Context(), dpo(), forget.Request{Identifier: id, Reason: "objection", Request: "R-" + fmt.Sprint(len(s.left)), Now: true})
		s.must(err)
		s.certificates[id] = c
		s.left[id] = len(s.sent)
		if i := slices.Index(f.people, id); i >= 0 && f.alias[i] != "" {
			s.left[f.alias[i]] = len(s.sent)
		}
		for _, show := range []string{"timeline", "accesses"} {
			if _, err := s.desk.Lookup(s.t.Context(), dpo(), ask.Person, id, show, ask.Question{Name: "person"}); id != f.staff[0] && !errors.Is(err, ask.ErrNotKnown) {
				s.t.Errorf("after it, known: %v", err)
			}
		}
	}
}

// went is what is gone by now.
func (s *scene) went() went {
	return went{left: maps.Clone(s.left), unheard: len(s.sent)}
}

// hunted makes hints of people from what an adversary knew before: for each of
// them one tag, and one event sealed for them alone.
func (a *adversary) hunted(gone went) (h hints) {
	for _, id := range gone.ids() {
		var own hints
		for _, r := range a.rows {
			if r.id == id {
				a.hint(r, gone, &own)
			}
		}
		h.tags = append(h.tags, own.tags[:min(1, len(own.tags))]...)
		h.events = append(h.events, own.events[:min(1, len(own.events))]...)
		h.chains = append(h.chains, own.chains[:min(1, len(own.chains))]...)
	}
	return h
}

// hint adds every hint there is of a row.
func (a *adversary) hint(r row, gone went, h *hints) {
	for cell, es := range a.cells {
		for e := range es {
			c := chain(r.key, cell.class, cell.role)
			t := tagOf(e, c)
			switch {
			case cell.role != 1 || len(a.byTag[t]) == 0:
				continue
			case cell.class == byte(gone.class) && cell.month < gone.before:
				h.chains = append(h.chains, hintChain{c, t})
				continue
			}
			h.tags = append(h.tags, hintTag{cell, t})
			for _, e := range a.byTag[t] {
				if b, ok := parseBlob(e.sealed); ok && b.mode == 1 {
					h.events = append(h.events, &hintSealed{e.salt, b.commitment})
				}
			}
		}
	}
}

// A trial is what was known before, and what must be true of what is left.
type trial struct {
	sent    []sent
	before  *adversary
	known   map[string]bool // who left and is known all the same: who acted, who was met again
	remains went
}

// hold has an adversary attack what is left, and says what is wrong.
func (c *trial) hold(t *testing.T, h hoard) *adversary {
	t.Helper()
	hints := c.before.hunted(c.remains)
	secrets := c.before.secrets(c.remains.left)
	for _, id := range c.remains.ids() {
		secrets[id] = "identifier of somebody who went" // in clear nobody's stands anywhere
		if !c.known[id] {
			hints.ids = append(hints.ids, id)
		}
	}
	for cell, es := range c.before.cells {
		for e := range es {
			if cell.class == byte(c.remains.class) && cell.month < c.remains.before {
				secrets[string(e[:])] = "key of a cell that went"
			}
		}
	}
	a := attack(t, h, hints, nil)
	for _, wrong := range append(a.compare(c.sent, c.remains), h.search(secrets)...) {
		t.Error(wrong)
	}
	for what := range a.found {
		t.Errorf("found: %s", what)
	}
	for _, id := range hints.ids {
		if _, learnt := a.ids[id]; learnt {
			t.Error("it learns an identifier of somebody who went")
		}
	}
	events := c.before.ownEvents()
	for _, wrong := range differ("of the ledger's own", c.before.own(events, c.remains.left), a.own(events, c.remains.left)) {
		t.Error(wrong)
	}
	for p := range a.pairs {
		if _, gone := c.remains.left[p.id]; gone && c.before.ownEvent(p.event) {
			t.Errorf("it learns whom an event of the ledger's own is about: %s", p.event)
		}
	}
	if len(secrets) < 300 || len(a.keys) < 500 || len(a.ids) < people {
		t.Errorf("%d secrets, %d keys, %d identifiers: it is no adversary", len(secrets), len(a.keys), len(a.ids))
	}
	t.Logf("%d bytes of %d files, %d keys, %d texts, %d of 32 bytes tried, %d secrets looked for", h.size(), len(h), len(a.keys), len(a.texts), a.tried, len(secrets))
	return a
}

// TestErased does all of it on one ledger, in the order in which things happen.
func TestErased(t *testing.T) {
	s := newScene(t)
	f := everybody()
	s.fill(f)
	s.close() // the vault's index is written as it ends
	s.open()
	worker, again, late := f.staff[0], f.people[3], f.people[4]
	goes := []string{f.people[0], f.people[1], f.people[2], again, worker}
	s.mayAsk(goes[0])
	s.ask(append(slices.Clone(goes), late, f.alias[1], f.people[30])...)
	s.must(s.set.Rebuild("person"))
	_, err := s.l.Backup(t.Context(), s.cfg.Ship.Backup, nil)
	s.must(err)

	atFirst := s.gather()
	before := attack(t, atFirst.inVain(), hints{ids: goes}, nil)
	t.Run("before", func(t *testing.T) {
		for _, wrong := range before.compare(s.sent, s.went()) {
			t.Error(wrong)
		}
		if len(before.ids) != people+people/10+employees+1 || len(before.found) < 2 {
			t.Errorf("it learns %d identifiers, and %v", len(before.ids), before.found)
		}
	})
	s.erase(f, goes...)
	at := &trial{sent: s.sent, before: before, known: map[string]bool{worker: true}, remains: s.went()}
	t.Run("running", func(t *testing.T) { at.hold(t, s.gather()) })

	month, err := forget.ParseMonth("2025-03")
	s.must(err)
	kept, err := s.office.Retain(t.Context(), dpo(), forget.Period{Class: events.Disclosure, Before: month}, "", "")
	s.must(err)
	s.about(events.Access, time.April, f.staff[1], true, again)
	s.send(len(s.sent) - 1)
	s.must(s.set.Rebuild("search"))
	s.close()
	s.open()
	s.ask(f.people[30], f.people[11])
	s.erase(f, late)
	s.close()
	at.sent, at.known[again], at.remains = s.sent, true, s.went()
	at.remains.class, at.remains.before = events.Disclosure, int32(month)
	left := s.gather()
	var after *adversary
	t.Run("stopped", func(t *testing.T) { after = at.hold(t, left) })
	t.Run("left out", func(t *testing.T) { leftOut(t, at, atFirst, left, after) })
	t.Run("learnable", func(t *testing.T) { learnable(t, s, at, kept, after) })
}
