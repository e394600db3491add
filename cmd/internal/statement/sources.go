package statement

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

var (
	// ErrDiffers is that the stored events give other figures than the proofs:
	// one of them is false.
	ErrDiffers = errors.New("the stored events and the proofs differ")
	// ErrSources is that something which a statement is made from is missing, or
	// does not fit the rest.
	ErrSources = errors.New("a statement cannot be made from this")
	// ErrDamaged is that stored events do not read as they were written, or do not
	// follow each other.
	ErrDamaged = errors.New("stored events are damaged")
)

// Sources are what a statement is made from.
type Sources struct {
	Name, ID string // of the ledger

	// Replay gives the stored events of positions from to to, both included,
	// without a gap, as ledger.ReplayTo does.
	Replay func(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]

	Figures   Figures // what the proofs say; its days are those of the statement
	Cosigners []Cosignature
	Head      uint64    // position of the ledger's last event
	Issued    time.Time // when this is made

	Grace  time.Duration // after the last day, before it is closed; not negative
	Months int           // how old the confirmation of a location may be; at least 1

	Progress func(done, of uint64) // is told now and then how many events were read; may be nil
}

// A Cosignature is one that verifies, of the checkpoint.
type Cosignature struct {
	Key  string // name, +, id
	Role string // Witness or Replay
	Time time.Time
}

// Defaults of [Sources]: what the flag "late" of a record waits, and how long a
// location is good without being confirmed again.
const (
	DefaultGrace  = 24 * time.Hour
	DefaultMonths = 12
)

// Make makes a statement. It reads every stored event that the figures cover once,
// in order, and keeps what is listed. Its error wraps [ErrSources], [ErrDiffers],
// [ErrDamaged], or what Replay or the context gave; nothing has happened then.
func Make(ctx context.Context, src Sources) (*Statement, error) {
	if err := src.check(); err != nil {
		return nil, err
	}
	w := newWalk(span{src.Figures.From, src.Figures.To})
	if err := w.read(ctx, &src); err != nil {
		return nil, err
	}
	s := w.statement(src.Months)
	s.Version, s.Limits = Format, Limits()
	s.Issued = report.At(src.Issued)
	s.Ledger = Ledger{src.Name, src.ID}
	s.Covers = src.Figures.covers()
	s.Covers.KnownAt, s.Covers.Head = report.At(w.recorded), src.Head
	s.Covers.Lag, s.Covers.Tables, s.Covers.Months = src.Head-src.Figures.Events, law.Version(), uint64(src.Months)
	s.Cosigners = w.cosigners(src.Cosigners)
	s.Range = rangeOf(src.Figures.From, src.Figures.To, src.Grace)
	s.Range.Closed = s.closed()
	s.derive()
	if err := s.Agrees(src.Figures); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSources, err)
	}
	return s, nil
}

func (src *Sources) check() error {
	f := &src.Figures
	switch {
	case f.From > f.To || f.From < 0:
		return fmt.Errorf("%w: the days are out of order", ErrSources)
	case f.Events == 0 || f.Commit <= f.Events || f.Size < f.Commit:
		return fmt.Errorf("%w: the commit must lie beyond the events that it covers, and within the checkpoint", ErrSources)
	case src.Head < f.Size:
		return fmt.Errorf("%w: the head is before the checkpoint", ErrSources)
	case src.Replay == nil || src.Issued.IsZero():
		return fmt.Errorf("%w: Replay and Issued are needed", ErrSources)
	case src.Grace < 0 || src.Grace%time.Millisecond != 0 || src.Months < 1:
		return fmt.Errorf("%w: a grace of whole milliseconds, and a month or more", ErrSources)
	}
	return nil
}

// rangeOf is the range, and when it closes: at its end and a grace.
func rangeOf(from, to law.Day, grace time.Duration) Range {
	return Range{From: dayOf(from), To: dayOf(to), Closes: report.At(begins(to + 1).Add(grace))}
}

// closed reports whether a witness signed after the range had closed, and nothing that was recorded until then is
// left out: all under the checkpoint but the commit itself is covered, or what is covered goes so far.
func (s *Statement) closed() bool {
	after := func(at Instant) bool { return !at.Before(s.Range.Closes.Time) }
	witnessed := slices.ContainsFunc(s.Cosigners, func(c Cosigner) bool { return c.Role == Witness && after(c.At) })
	return witnessed && (s.Covers.Size == s.Covers.Events+1 || after(s.Covers.KnownAt))
}

// begins is the first instant of a day.
func begins(d law.Day) time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

func dayOf(d law.Day) Day { return Day(d.String()) }

// A span is days, both ends included.
type span struct{ from, to law.Day }

func (s span) holds(d law.Day) bool { return s.from <= d && d <= s.to }

// touches reports whether days from one to another, in any order, share one with
// the span.
func (s span) touches(a, b law.Day) bool { return min(a, b) <= s.to && max(a, b) >= s.from }
