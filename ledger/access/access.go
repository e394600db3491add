// Package access keeps who may do what with a ledger: its producers and its
// bearer tokens.
//
// What is always true:
//
//  1. The state is the fold of the access stream and of nothing else.
//  2. A change counts only once it is durable in that stream. A change whose
//     fate is unknown counts from the moment the stream shows it, never before.
//  3. What no row of the table in roles.go allows is refused, and so is every
//     source and family that a producer was not added for.
//  4. The text of a token exists once, in the [Secret] given to whoever made
//     it. The stream and the memory hold its SHA-256, compared in constant time.
//     Of a token that is an NKEY they hold the public key, never the seed.
//  5. A revoked or expired token, and every token of a removed producer, fails
//     from that moment on, and for ever.
package access

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imalink/custody/ledger/stream"
)

// Limits of one ledger. They bound the memory of the state and the number of
// metric series.
const (
	MaxProducers = 1_000
	MaxTokens    = 10_000 // neither revoked nor expired
)

// Errors that callers branch on. Input that is refused for its form is an
// *events.Error instead, naming the field.
var (
	// ErrUnauthenticated reports a token that is unknown, malformed, revoked
	// or expired. Which of these it is, is not said.
	ErrUnauthenticated = errors.New("no valid token")

	// ErrNotFound reports a producer or token that does not exist.
	ErrNotFound = errors.New("not found")

	// ErrConflict reports a change that the present state forbids: a second
	// first token, or a revocation that would leave no operator.
	ErrConflict = errors.New("in conflict with the present state")

	// ErrLimit reports that [MaxProducers] or [MaxTokens] is reached.
	ErrLimit = errors.New("limit reached")

	// ErrUnknown reports a change of which it is not known whether it was
	// made. Making it again is safe.
	ErrUnknown = errors.New("outcome unknown")

	// ErrCorrupt reports a stream that does not fold: a message that is not
	// exactly as this package writes it, or one that the state before it
	// forbids, or a gap.
	ErrCorrupt = errors.New("access stream is unsound")
)

// A Log is the durable order of changes. *stream.Stream is the one that is
// used; the tests have another, which fails on demand.
type Log interface {
	// Append stores msgs in order and returns once they are durable. After
	// an error that wraps [stream.ErrRejected] or [stream.ErrHalted] nothing
	// was stored; after any other, all of it may have been.
	Append(ctx context.Context, msgs []stream.Message) (last uint64, err error)

	// Last returns the last sequence known to be durable.
	Last() uint64

	// Replay yields the messages from..to, both included, without gaps.
	Replay(ctx context.Context, from, to uint64) iter.Seq2[stream.Message, error]

	// Reconcile finds out what became of an append of unknown fate and
	// returns the last durable sequence.
	Reconcile(ctx context.Context) (last uint64, err error)
}

// Config says where the changes are kept. Log and Ledger are required.
type Config struct {
	Log    Log
	Ledger string           // the ledger's name, part of every subject
	Now    func() time.Time // the clock; default time.Now
}

// A Store is the open state. Its methods may be called concurrently; readers
// never wait for a change.
type Store struct {
	cfg   Config
	state atomic.Pointer[state] // never modified once stored

	change  sync.Mutex // held by the one change that is being made
	unknown bool       // guarded by change: the last append's fate is unknown

	notify atomic.Pointer[func()]
}

// Open folds the whole stream. It returns an error wrapping [ErrCorrupt] if
// the stream does not fold; it changes nothing. ctx bounds the reading only.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Store{cfg: cfg}
	s.state.Store(newState())
	if err := s.catchUp(ctx, cfg.Log.Last()); err != nil {
		return nil, err
	}
	return s, nil
}

// Position returns the sequence of the last change that counts.
func (s *Store) Position() uint64 { return s.state.Load().position }

// Notify has f called after every change that counts, before whoever made it is
// answered. f must be quick, and may read the store but not change it. It takes
// the place of the one before.
func (s *Store) Notify(f func()) { s.notify.Store(&f) }

// replace makes st the state. The caller holds s.change, or is alone.
func (s *Store) replace(st *state) {
	s.state.Store(st)
	if f := s.notify.Load(); f != nil {
		(*f)()
	}
}

// catchUp folds what the stream holds after the state, up to last.
func (s *Store) catchUp(ctx context.Context, last uint64) error {
	st := s.state.Load()
	if last <= st.position {
		return nil
	}
	st = st.clone()
	for m, err := range s.cfg.Log.Replay(ctx, st.position+1, last) {
		if err != nil {
			return fmt.Errorf("reading the access stream: %w", err)
		}
		if err := st.apply(s.cfg.Ledger, m); err != nil {
			return err
		}
	}
	if st.position != last {
		return fmt.Errorf("%w: it ends at message %d, not at %d", ErrCorrupt, st.position, last)
	}
	s.replace(st)
	return nil
}

// Producers returns all registered producers by name.
func (s *Store) Producers() []Producer {
	st := s.state.Load()
	list := make([]Producer, 0, len(st.producers))
	for _, p := range st.producers {
		list = append(list, p.Producer.clone())
	}
	slices.SortFunc(list, func(a, b Producer) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Registered reports whether a producer of that name is registered.
func (s *Store) Registered(name string) bool {
	_, ok := s.state.Load().producers[name]
	return ok
}

// Tokens returns every token ever made, the oldest first, without its secret.
func (s *Store) Tokens() []Token {
	st := s.state.Load()
	list := make([]Token, 0, len(st.tokens))
	for _, t := range st.tokens {
		list = append(list, t.Token)
	}
	slices.SortFunc(list, func(a, b Token) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}
