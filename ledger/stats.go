package ledger

import (
	"sync/atomic"
	"time"

	"github.com/imalink/custody/ledger/natsd"
)

// stats counts what the ledger has done since it was opened.
type stats struct {
	groups, events, bytes          atomic.Uint64
	recorded, duplicates, refusals atomic.Uint64
	indexFailing                   atomic.Bool // the last move of keys to the identity index failed
	markedTo                       atomic.Uint64
	markedAt                       atomic.Int64 // Unix ms of the last durable mark, 0 before
}

func (s *stats) group(events, bytes int) {
	s.groups.Add(1)
	s.events.Add(uint64(events))
	s.bytes.Add(uint64(bytes))
}

func (s *stats) marked(position uint64, at time.Time) {
	s.markedTo.Store(position)
	s.markedAt.Store(at.UnixMilli())
}

// results counts what callers were told.
func (s *stats) results(results []Result) {
	for i := range results {
		switch results[i].Status {
		case Recorded:
			s.recorded.Add(1)
		case Duplicate:
			s.duplicates.Add(1)
		case Refused:
			s.refusals.Add(1)
		}
	}
}

// State is what an operator asks a ledger for. It names no person.
type State struct {
	Name, ID string
	Head     Head
	Halted   error // why recording has stopped, or nil

	// since it was opened
	Groups, Events, Bytes          uint64
	Recorded, Duplicates, Refusals uint64

	Marked   uint64        // position that the durable mark names
	MarkedAt time.Time     // when the durable mark was last written, zero if not yet
	Start    *natsd.Report // what the preflight found
	Waiting  int           // requests waiting for the sequencer

	IndexFailing bool // the identity index cannot be written; memory grows until it can
}

// State is the ledger's state now.
func (l *Ledger) State() State {
	s := State{
		Name: l.manifest.Name, ID: l.manifest.ID, Head: l.Head(), Halted: l.Halted(),
		Groups: l.stats.groups.Load(), Events: l.stats.events.Load(), Bytes: l.stats.bytes.Load(),
		Recorded: l.stats.recorded.Load(), Duplicates: l.stats.duplicates.Load(), Refusals: l.stats.refusals.Load(),
		Start: l.start, Waiting: len(l.incoming), IndexFailing: l.stats.indexFailing.Load(), Marked: l.stats.markedTo.Load(),
	}
	if ms := l.stats.markedAt.Load(); ms != 0 {
		s.MarkedAt = time.UnixMilli(ms)
	}
	return s
}

// Halted is why recording has stopped, wrapping [ErrHalted], or nil.
func (l *Ledger) Halted() error {
	if reason := l.halted.Load(); reason != nil {
		return *reason
	}
	return nil
}
