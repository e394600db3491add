package statement

import (
	"slices"
	"strings"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// ownSource is the ledger's own, which is no producer.
const ownSource = "/custody"

// sequences follows the numbers that producers give their events.
type sequences struct {
	span
	tracks map[track]*numbers
	last   map[string]said // by source
}

type track struct{ source, instance string }

// said is what a producer said last, and when its last event was.
type said struct {
	day     law.Day // the latest of its events' days
	stopped bool
}

// numbers are those of one copy of a producer, up to some event.
type numbers struct {
	highest    uint64
	day        law.Day // of the event with it
	missing    []hole
	events     uint64 // in the range, with the next two
	unnumbered uint64
	repeated   uint64
	latest     law.Day
}

// A hole is numbers that have not come, between two events that have.
type hole struct {
	from, to      uint64
	after, before law.Day // law.Past: there is none before
}

func newSequences(s span) *sequences {
	return &sequences{span: s, tracks: map[track]*numbers{}, last: map[string]said{}}
}

func (s *sequences) add(e *entry) {
	ev := e.st.Event
	if ev.Source == ownSource {
		return
	}
	t := track{ev.Source, ev.Instance}
	n := s.tracks[t]
	if n == nil {
		n = &numbers{day: law.Past, latest: e.day}
		s.tracks[t] = n
	}
	beat := ev.Kind == events.LedgerHeartbeat
	s.last[ev.Source] = said{max(s.last[ev.Source].day, e.day), beat && ev.Data.Get("state").Text() == "stopped"}
	n.latest = max(n.latest, e.day)
	n.number(ev.Seq, e)
	if last := uint64(ev.Data.Get("last").Int()); beat && last > n.highest {
		n.missing = append(n.missing, hole{n.highest + 1, last, n.day, e.day})
		n.highest, n.day = last, e.day
	}
}

// number notes that a number came; 0 is none.
func (n *numbers) number(seq uint64, e *entry) {
	inside := uint64(0)
	if e.inside {
		inside = 1
	}
	n.events += inside
	switch {
	case seq == 0:
		n.unnumbered += inside
	case seq > n.highest:
		if seq > n.highest+1 {
			n.missing = append(n.missing, hole{n.highest + 1, seq - 1, n.day, e.day})
		}
		n.highest, n.day = seq, e.day
	case !n.fill(seq, e.day):
		n.repeated += inside
	}
}

// fill takes a number out of what is missing, and reports whether it was.
func (n *numbers) fill(seq uint64, day law.Day) bool {
	i, found := slices.BinarySearchFunc(n.missing, seq, func(h hole, seq uint64) int {
		switch {
		case h.to < seq:
			return -1
		case h.from > seq:
			return 1
		}
		return 0
	})
	if !found {
		return false
	}
	h := n.missing[i]
	var rest []hole
	if h.from < seq {
		rest = append(rest, hole{h.from, seq - 1, h.after, day})
	}
	if seq < h.to {
		rest = append(rest, hole{seq + 1, h.to, day, h.before})
	}
	n.missing = slices.Replace(n.missing, i, i+1, rest...)
	return true
}

// sorted gives the copies of producers in order.
func (s *sequences) sorted() (tracks []track) {
	for t := range s.tracks {
		tracks = append(tracks, t)
	}
	slices.SortFunc(tracks, func(a, b track) int { return compareTexts(a.source, b.source, a.instance, b.instance) })
	return tracks
}

// gaps are the numbers that never came, between days that touch the range.
func (s *sequences) gaps() (all []Gap) {
	for _, t := range s.sorted() {
		for _, h := range s.tracks[t].missing {
			if !s.touches(h.after, h.before) {
				continue
			}
			g := Gap{Producer: strings.TrimPrefix(t.source, "/"), Instance: t.instance, From: h.from, To: h.to, Before: dayOf(h.before)}
			if h.after != law.Past {
				g.After = dayOf(h.after)
			}
			all = append(all, g)
		}
	}
	return all
}

// producers are the copies of producers that have to do with the range.
func (s *sequences) producers() (all []Producer) {
	for _, t := range s.sorted() {
		n, last := s.tracks[t], s.last[t.source]
		p := Producer{
			Producer: strings.TrimPrefix(t.source, "/"), Instance: t.instance, Events: n.events, Unnumbered: n.unnumbered, Repeated: n.repeated,
			Last: dayOf(n.latest), Silent: last.day < s.to && !last.stopped,
		}
		for _, h := range n.missing {
			if s.touches(h.after, h.before) {
				p.Missing += h.to - h.from + 1
			} else {
				p.Elsewhere += h.to - h.from + 1
			}
		}
		if p.Events+p.Missing+p.Elsewhere > 0 || p.Silent {
			all = append(all, p)
		}
	}
	return all
}
