package ask

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/imalink/custody/ledger/access"
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

	Limit  int    `json:"-"` // items of a page, at most [MaxLimit]; 0 is [DefaultLimit]
	Cursor string `json:"-"` // Next of the page before

	own bool // it is about who asks
}

// LogValue gives the name of what is asked and nothing else.
func (q Question) LogValue() slog.Value { return slog.StringValue(q.Name) }

// About is somebody, or a session, that events must concern: by handle, or by
// identifier where it came in a body.
type About struct {
	What   What
	Handle string
	ID     opaqueID
}

// AsOf says up to which event an answer is complete.
type AsOf struct {
	Position uint64  `json:"position" doc:"the answer holds everything up to this position, and nothing beyond"`
	Recorded Instant `json:"recordedtime" format:"date-time" doc:"when that was recorded"`
}

// A Window is what a question's times were taken to mean: from is inside, to is
// not; absent is open.
type Window struct {
	From *Instant `json:"from,omitempty" format:"date-time"`
	To   *Instant `json:"to,omitempty" format:"date-time"`
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

// begin settles what can be settled before anything is read: the asker's box, what
// the question means, as of when, and whether this goes on with an answer. Nothing
// is recorded yet.
func (d *Desk) begin(ctx context.Context, a Asker, q Question) (*sitting, error) {
	s := &sitting{Desk: d, asker: a, q: q}
	if err := s.box(); err != nil {
		return nil, err
	}
	if err := s.q.settle(); err != nil {
		return nil, err
	}
	if err := s.digested(); err != nil {
		return nil, err
	}
	if q.Cursor != "" {
		return s, s.resume()
	}
	rand.Read(s.masks.key[:]) // never fails
	var err error
	s.asOf, err = d.knownAt(ctx, q.KnownAt)
	return s, err
}

// settle completes the question, and refuses one that makes no sense.
func (q *Question) settle() error {
	if !q.At.IsZero() && (q.To.IsZero() || q.At.Before(q.To)) {
		q.To = q.At.Add(time.Millisecond) // at is inside
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return fmt.Errorf("%w: from is not before to", ErrQuestion)
	}
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 0 || q.Limit > MaxLimit {
		return fmt.Errorf("%w: limit is 1 to %d", ErrQuestion, MaxLimit)
	}
	return checkValues(q.Any)
}

// unbounded refuses a window where there is none of event time.
func (q *Question) unbounded() error {
	if !q.From.IsZero() || !q.To.IsZero() {
		return fmt.Errorf("%w: from and to bound nothing here", ErrQuestion)
	}
	return nil
}

// digested digests all that is asked, and who is one person with whom it is asked
// about: pages on either side of a change of that would not be of one answer.
func (s *sitting) digested() error {
	asked, err := json.Marshal(s.q)
	if err != nil {
		return fmt.Errorf("a question: %w", err)
	}
	h := sha256.New()
	h.Write(asked)
	for _, about := range s.q.About {
		if about.What == Session {
			continue
		}
		_, linked, err := s.vault.People(about.ID.id)
		if err != nil {
			return fmt.Errorf("finding linked identifiers: %w", err)
		}
		for _, id := range linked {
			h.Write(append([]byte(id), 0))
		}
	}
	h.Sum(s.digest[:0])
	return nil
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

// box holds a subject to the own record, and an investigator to the token's case
// and window. Times are those of events: whole milliseconds.
func (s *sitting) box() error {
	a, q := s.asker, &s.q
	if a.Role == access.RoleSubject && !q.own || a.Case != "" && q.Case != "" && q.Case != a.Case {
		return ErrBox
	}
	q.Case = cmp.Or(q.Case, a.Case)
	for _, t := range []*time.Time{&q.From, &q.To, &q.At} {
		*t = t.Truncate(time.Millisecond)
	}
	switch {
	case !q.From.IsZero() && !a.holds(q.From), !q.At.IsZero() && !a.holds(q.At):
		return ErrBox
	case !q.To.IsZero() && !a.holds(q.To.Add(-time.Millisecond)): // the last that is inside
		return ErrBox
	}
	if q.From.IsZero() {
		q.From = a.From
	}
	if q.To.IsZero() {
		q.To = a.To
	}
	return nil
}

// inForce is when registrations must have been in force: at the time asked for, or
// at the end of the asker's window if that is over; zero is now.
func (s *sitting) inForce() time.Time {
	end := s.asker.To.Add(-time.Millisecond)
	if s.q.At.IsZero() && !s.asker.To.IsZero() && end.Before(s.now()) {
		return end
	}
	return s.q.At
}

// knownAt is as of when a question is answered: the head now, or where the ledger was.
func (d *Desk) knownAt(ctx context.Context, text string) (AsOf, error) {
	head := d.ledger.Head()
	now := AsOf{head.Position, Instant{head.Recorded}}
	if text == "" {
		return now, nil
	}
	position, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t, err := time.Parse(time.RFC3339Nano, text)
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
	return AsOf{position, Instant{st.Recorded}}, nil
}

// window is what the times of the question were taken to mean.
func (s *sitting) window() (w Window) {
	if !s.q.From.IsZero() {
		w.From = instant(s.q.From)
	}
	if !s.q.To.IsZero() {
		w.To = instant(s.q.To)
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
