package crash_test

import (
	"slices"
	"testing"
)

// A fate is what became of what was asked: done by the last try that was answered
// so, settled when that answer came; open since the first try after it that was not;
// over since the last try ended. 0 is never.
type fate struct{ done, settled, open, over int }

func fateOf(tries []*try) (f fate) {
	for _, t := range tries {
		if t.done && t.asked > f.done {
			f.done, f.settled = t.asked, t.ended
		}
		f.over = max(f.over, t.ended)
	}
	for _, t := range tries {
		if !t.done && t.asked > f.done && (f.open == 0 || t.asked < f.open) {
			f.open = t.asked
		}
	}
	return f
}

// A tally counts events that are to be all there, or all gone.
type tally struct{ there, gone int }

func (c *tally) count(there bool) {
	if there {
		c.there++
	} else {
		c.gone++
	}
}

func (c *tally) half() bool { return c.there > 0 && c.gone > 0 }

// forgotten says before which month accesses are gone, and since when and before
// which month they may be; "" is none.
func (ps *people) forgotten() (done, maybe string, open int) {
	for _, t := range ps.retentions {
		if t.done {
			done = max(done, t.before)
		}
	}
	for _, t := range ps.retentions {
		if !t.done && t.before > done {
			maybe = max(maybe, t.before)
			if open == 0 || t.asked < open {
				open = t.asked
			}
		}
	}
	return done, maybe, open
}

// verify asks the server about everybody and holds what it says against what was
// promised: nobody who was erased is there, everybody else is, whole; and the
// erasures that are open are those of people who are there.
func (ps *people) verify(t *testing.T, srv *server, token string) {
	t.Helper()
	ps.lock.Lock()
	defer ps.lock.Unlock()
	var retained tally
	var restricted []uint64
	for _, p := range ps.all {
		a := srv.timeline(t, token, p)
		ps.hold(p, a, &retained)
		if a.erasure != 0 {
			restricted = append(restricted, a.erasure)
		}
	}
	slices.Sort(restricted)
	if there := srv.crowd(t, token); there != crowd {
		t.Errorf("of %d people whom nobody asked to erase %d are there", crowd, there)
	}
	if open := srv.openErasures(t, token); !slices.Equal(open, restricted) {
		t.Errorf("erasures %v are open, and people are restricted by %v", open, restricted)
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if retained.half() {
		ps.fault("a retention that was not answered is half done: of %d events it took %d", retained.there+retained.gone, retained.gone)
	}
	ps.report(t)
}

// hold holds what is shown of one person against what was promised.
func (ps *people) hold(p *person, a answer, retained *tally) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	f := fateOf(p.tries)
	done, maybe, since := ps.forgotten()
	var whole tally
	for id, n := range p.notes {
		there := a.shown[id]
		delete(a.shown, id)
		switch {
		case there && n.month < done:
			ps.fault("an event of a month that was forgotten is shown of somebody")
		case there && n.acked > 0 && n.acked < f.done:
			ps.fault("an event is shown of somebody who was erased after it")
		case n.month < done, n.acked == 0:
		case n.month < maybe:
			if n.acked < since {
				retained.count(there)
			}
		case n.first > f.over && !there:
			ps.fault("an event is not shown of whom it is about")
		case n.first > f.settled && n.acked < f.open:
			whole.count(there)
		}
	}
	switch {
	case whole.gone == 0 && whole.there > 0:
		ps.undone++
	case whole.there == 0 && whole.gone > 0:
		ps.done++
	case whole.half():
		ps.fault("an erasure that was not answered is half done: of %d events it took %d", whole.there+whole.gone, whole.gone)
	}
	if a.known && !p.mayBeKnown() {
		ps.fault("somebody who was erased is known")
	}
	if len(a.shown) > 0 {
		ps.fault("%d events are shown of somebody whom they are not about", len(a.shown))
	}
}

// mayBeKnown reports whether nothing was answered that says that nobody is known, or
// an event came after it.
func (p *person) mayBeKnown() bool {
	done := fateOf(p.tries).done
	for _, n := range p.notes {
		if n.last > done {
			return true
		}
	}
	return done == 0
}

// finish has everything forgotten that was asked and may not have been, and every
// person who came back: by an event that was recorded after the erasure. In the end
// nobody of them is known.
func (ps *people) finish(t *testing.T, srv *server, tok tokens) {
	t.Helper()
	for _, p := range ps.everybody(true) {
		known := srv.timeline(t, tok.officer, p).known
		if !known && fateOf(p.tries).open == 0 {
			continue
		}
		end := ps.begin(p, "")
		erased := 0
		for _, id := range p.ids {
			said := unsure
			srv.insist(t, func() (err error) { said, err = srv.erase(tok.officer, id); return err }, new(bool))
			if said == erasedNow {
				erased++
			}
		}
		end(true)
		if known != (erased > 0) {
			t.Errorf("somebody is known: %t, and erasing says otherwise", known)
		}
	}
	if _, before, _ := ps.forgotten(); before != "" {
		end := ps.begin(nil, before)
		srv.insist(t, func() error { return srv.retain(tok.officer, before) }, new(bool))
		end(true)
	}
	ps.verify(t, srv, tok.officer)
	for _, p := range ps.everybody(true) {
		if srv.timeline(t, tok.officer, p).known {
			t.Error("somebody is known after the erasure was done again")
		}
	}
}
