package ask

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/search"
)

// An opening is an erasure as it was opened.
type opening struct {
	position uint64
	at, due  time.Time
	who      events.Who
	reason   string
	request  string
	actor    bool
	ground   string
	keep     []events.Keeping
	people   projections.People
}

// opening reads the erasure opened at a position. The error wraps
// ledger.ErrNoEvent if none was.
func (s *sitting) opening(ctx context.Context, position uint64) (o opening, err error) {
	_, e, err := s.read(ctx, position)
	if err != nil {
		return o, err
	}
	if e.Stored.Event.Kind != events.LedgerErasureOpened {
		return o, fmt.Errorf("%w: no erasure was opened at position %d", ledger.ErrNoEvent, position)
	}
	d := e.Stored.Event.Data
	text := func(name string) string { return d.Get(name).Text() }
	o = opening{position: position, at: e.Stored.Event.At, who: events.Who{Role: text("role"), Token: text("token"), Approved: text("approved_by")},
		reason: text("reason_code"), request: text("request"), actor: d.Get("actor_too").Bool(), ground: text("ground"), people: e.People}
	if o.due, err = time.Parse(time.RFC3339Nano, text("due")); err != nil {
		return o, fmt.Errorf("%w: position %d: due is no instant", ledger.ErrDamaged, position)
	}
	for _, v := range d.Get("keep").List() {
		class, _ := parseClass(v.Object().Get("class").Text())
		o.keep = append(o.keep, events.Keeping{Class: class, Ground: v.Object().Get("ground").Text()})
	}
	return o, nil
}

// classes are those of retention, in order of their numbers.
func classes() []events.Retention {
	return []events.Retention{events.Access, events.Disclosure, events.LegalState, events.Governance, events.Breach, events.Operation}
}

func parseClass(name string) (events.Retention, bool) {
	for _, class := range classes() {
		if class.String() == name {
			return class, true
		}
	}
	return 0, false
}

// States of an erasure.
const (
	erasureOpen      = "open"
	erasureCancelled = "cancelled"
	erasureShredded  = "shredded"
)

// An ending is an event that ended an erasure.
type ending struct {
	position uint64
	at       time.Time
	state    string
	root     uint64
}

// endings remembers how erasures ended, by the position of the opening. What was
// recorded does not change, so that each event is read once.
type endings struct {
	mu    sync.Mutex
	until uint64 // every event up to here was looked at
	all   map[uint64]ending
}

// ended says how the erasure opened at a position ended, false if it had not.
func (s *sitting) ended(ctx context.Context, opened uint64) (ending, bool, error) {
	e := &s.Desk.endings
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.until < s.asOf.Position {
		if err := e.follow(ctx, s); err != nil {
			return ending{}, false, err
		}
	}
	end, is := e.all[opened]
	return end, is && end.position <= s.asOf.Position, nil
}

// follow reads what ended since it last did.
func (e *endings) follow(ctx context.Context, s *sitting) error {
	kinds := []string{events.LedgerErasureCancelled.Name(), events.LedgerKeyShredded.Name()}
	f := search.Filter{Any: map[search.Facet][]string{search.Kind: kinds}, Until: s.asOf.Position}
	for more := true; more; {
		var some []uint64
		err := s.search(func(r *search.Reader) (err error) {
			some, more, err = r.Page(f, e.until, s.stretch, false)
			return err
		})
		if err != nil {
			return err
		}
		for _, position := range some {
			st, err := s.stored(ctx, position)
			if err != nil {
				return err
			}
			e.note(position, st.Event)
			e.until = position
		}
	}
	e.until = s.asOf.Position
	return nil
}

// note takes in one event; one of no erasure ends none, number 0. Keys that are
// destroyed are so, whatever was said before.
func (e *endings) note(position uint64, ev *events.Event) {
	opened := uint64(ev.Data.Get("erasure").Int())
	end := ending{position: position, at: ev.At, state: erasureCancelled}
	if ev.Kind == events.LedgerKeyShredded {
		end.state, end.root = erasureShredded, uint64(ev.Data.Get("root").Int())
	}
	if before, is := e.all[opened]; is && (before.state == erasureShredded || end.state == erasureCancelled) {
		return
	}
	if e.all == nil {
		e.all = map[uint64]ending{}
	}
	e.all[opened] = end
}
