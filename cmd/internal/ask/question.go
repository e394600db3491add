package ask

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/imalink/custody/projections/search"
)

// Limits of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// A Question is what is asked about events. The zero value of a field asks for
// everything.
type Question struct {
	Name string `json:"name"` // what is asked, a code such as person.accesses
	Case string `json:"case"` // the case it is asked for

	From, To time.Time // event time: from included, to excluded
	At       time.Time // as of this event time: nothing later
	KnownAt  string    // as known at a position, in digits, or at a recorded time, RFC 3339

	Any    map[search.Facet][]string // of each facet any of the values
	About  []About                   // people and sessions that it must concern, all of them
	Newest bool                      // newest first, by order of recording

	Limit  int    `json:"-"` // items of a page
	Cursor string `json:"-"` // Next of the page before
}

// About is somebody, or a session, that events must concern: by handle, or by
// identifier where it came in a body.
type About struct {
	What   What
	Handle string
	ID     opaqueID
}

// AsOf says up to which event an answer is complete.
type AsOf struct {
	Position uint64    `json:"position" doc:"the answer holds everything up to this position, and nothing beyond"`
	Recorded time.Time `json:"recordedtime" doc:"when that was recorded"`
}

// A Window is what a question's times were taken to mean: from is inside, to is
// not; absent is open.
type Window struct {
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
}

// A sitting is one question while it is answered.
type sitting struct {
	*Desk
	asker  Asker
	q      Question
	digest [32]byte
	asOf   AsOf
	after  uint64 // the last position of the page before, 0 on the first page
	total  uint64 // as counted for the first page
	masks  masks
}

// begin settles what can be settled before anything is read: the asker's box, as
// of when, and whether this goes on with an answer. Nothing is recorded yet.
func (d *Desk) begin(ctx context.Context, a Asker, q Question) (*sitting, error) {
	s := &sitting{Desk: d, asker: a, q: q}
	if err := s.box(); err != nil {
		return nil, err
	}
	if !q.At.IsZero() && (s.q.To.IsZero() || q.At.Before(s.q.To)) {
		s.q.To = q.At.Add(time.Millisecond) // at is inside
	}
	if !s.q.From.IsZero() && !s.q.To.IsZero() && !s.q.From.Before(s.q.To) {
		return nil, fmt.Errorf("%w: from is not before to", ErrQuestion)
	}
	if s.q.Limit == 0 {
		s.q.Limit = DefaultLimit
	}
	asked, err := json.Marshal(s.q)
	if err != nil {
		return nil, fmt.Errorf("a question: %w", err)
	}
	s.digest = sha256.Sum256(asked)
	if q.Cursor != "" {
		return s, s.resume()
	}
	rand.Read(s.masks.key[:]) // never fails
	s.asOf, err = d.settle(ctx, q.KnownAt)
	return s, err
}

// resume takes over what the first page settled.
func (s *sitting) resume() error {
	var c cursor
	if err := s.seals.open(s.asker.Token, s.q.Cursor, &c); err != nil {
		return err
	}
	switch {
	case s.now().Unix() >= c.Expires:
		return ErrHandle
	case c.Question != s.digest:
		return ErrCursor
	}
	s.asOf, s.after, s.total, s.masks.key = c.AsOf, c.After, c.Total, c.Mask
	return nil
}

// next is the cursor of the page behind a position.
func (s *sitting) next(after uint64) (string, error) {
	return s.seals.close(s.asker.Token, cursor{Question: s.digest, AsOf: s.asOf, After: after, Total: s.total,
		Mask: s.masks.key, Expires: s.now().Add(handleTime).Unix()})
}

// continues reports whether this is a page behind the first.
func (s *sitting) continues() bool { return s.q.Cursor != "" }

// box holds an investigator to the token's case and window.
func (s *sitting) box() error {
	a, q := s.asker, &s.q
	if a.Case != "" {
		if q.Case != "" && q.Case != a.Case {
			return ErrBox
		}
		q.Case = a.Case
	}
	if !a.From.IsZero() && q.From.Before(a.From) {
		if !q.From.IsZero() {
			return ErrBox
		}
		q.From = a.From
	}
	if !a.To.IsZero() && (q.To.IsZero() || q.To.After(a.To)) {
		if !q.To.IsZero() {
			return ErrBox
		}
		q.To = a.To
	}
	return nil
}

// settle is the as-of of a question: the head now, or where the ledger was.
func (d *Desk) settle(ctx context.Context, knownAt string) (AsOf, error) {
	head := d.ledger.Head()
	now := AsOf{head.Position, head.Recorded}
	if knownAt == "" {
		return now, nil
	}
	position, err := strconv.ParseUint(knownAt, 10, 63)
	if err != nil {
		t, err := time.Parse(time.RFC3339Nano, knownAt)
		if err != nil {
			return AsOf{}, fmt.Errorf("%w: known_at is a position, or an RFC 3339 instant", ErrQuestion)
		}
		since, err := d.ledger.RecordedSince(ctx, t.Add(time.Nanosecond)) // what was recorded at t was known at t
		if err != nil {
			return AsOf{}, fmt.Errorf("finding what was known: %w", err)
		}
		position = since - 1
	}
	if position == 0 || position >= now.Position {
		if position == 0 {
			return AsOf{}, nil
		}
		return now, nil
	}
	st, err := d.stored(ctx, position)
	if err != nil {
		return AsOf{}, err
	}
	return AsOf{position, st.Recorded}, nil
}

// window is what the times of the question were taken to mean.
func (s *sitting) window() (w Window) {
	if !s.q.From.IsZero() {
		w.From = &s.q.From
	}
	if !s.q.To.IsZero() {
		w.To = &s.q.To
	}
	return w
}

// filters are the names of what the question restricts, never the values.
func (q *Question) filters() (names []string) {
	for f := range q.Any {
		names = append(names, f.String())
	}
	for _, about := range q.About {
		names = append(names, string(about.What))
	}
	for name, set := range map[string]bool{"from": !q.From.IsZero(), "to": !q.To.IsZero(), "at": !q.At.IsZero(), "known_at": q.KnownAt != ""} {
		if set {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
