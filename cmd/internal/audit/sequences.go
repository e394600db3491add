package audit

import (
	"errors"
	"maps"
	"slices"

	"github.com/imalink/custody/ledger/evidence"
)

const (
	// shared is the number of every producer beyond those that have their own (docs/FORMAT.md, "Record"): its sequences
	// are of several.
	shared = 65535
	// mostHoles is how many holes of one producer are followed; of more, the oldest are given up.
	mostHoles = 1024
)

// sequences follows the numbers that producers give their events, by the producer's own number.
type sequences map[uint16]*numbers

// numbers are those of one producer, up to some record.
type numbers struct {
	Highest  uint64 `json:"highest"`
	GivenUp  uint64 `json:"given_up,omitempty"` // up to this holes are not followed: what comes late is no repetition
	Holes    []hole `json:"holes,omitempty"`    // in order, apart from one another
	Missing  uint64 `json:"missing,omitempty"`  // those of holes that were given up stay
	Repeated uint64 `json:"repeated,omitempty"`
}

// A hole is numbers From to To that have not come although one after them has.
type hole struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// add notes the number of a record; 0 is none.
func (s sequences) add(r *evidence.Record) {
	if r.Sequence == 0 || r.Producer == shared {
		return
	}
	n := s[r.Producer]
	if n == nil {
		n = &numbers{}
		s[r.Producer] = n
	}
	switch {
	case r.Sequence > n.Highest:
		if r.Sequence > n.Highest+1 {
			n.Holes = append(n.Holes, hole{n.Highest + 1, r.Sequence - 1})
			n.Missing += r.Sequence - n.Highest - 1
		}
		n.Highest = r.Sequence
	case !n.fill(r.Sequence) && r.Sequence > n.GivenUp:
		n.Repeated++
	}
	if len(n.Holes) > mostHoles { // by one
		n.GivenUp = n.Holes[0].To
		n.Holes = slices.Delete(n.Holes, 0, 1)
	}
}

// fill takes a number out of what is missing, and reports whether it was.
func (n *numbers) fill(seq uint64) bool {
	i, found := slices.BinarySearchFunc(n.Holes, seq, func(h hole, seq uint64) int {
		switch {
		case h.To < seq:
			return -1
		case h.From > seq:
			return 1
		}
		return 0
	})
	if !found {
		return false
	}
	h := n.Holes[i]
	var rest []hole
	if h.From < seq {
		rest = append(rest, hole{h.From, seq - 1})
	}
	if seq < h.To {
		rest = append(rest, hole{seq + 1, h.To})
	}
	n.Holes = slices.Replace(n.Holes, i, i+1, rest...)
	n.Missing--
	return true
}

// sound refuses numbers that no records leave behind.
func (s sequences) sound() error {
	for number, n := range s {
		if n == nil || number == 0 || number == shared {
			return errors.New("numbers of no producer")
		}
		before, missing := n.GivenUp, uint64(0)
		for _, h := range n.Holes {
			if h.From <= before || h.To < h.From || h.To >= n.Highest {
				return errors.New("holes out of order")
			}
			before, missing = h.To+1, missing+h.To-h.From+1
		}
		if n.Highest == 0 || n.Highest > evidence.MaxSequence || n.GivenUp >= n.Highest || n.Missing < missing || len(n.Holes) > mostHoles {
			return errors.New("numbers beyond what there are")
		}
	}
	return nil
}

// producers are the producers in order.
func (s sequences) producers() []uint16 { return slices.Sorted(maps.Keys(s)) }
