// Package ledger records events of personal-data processing, for good.
//
// What is true of every ledger:
//
//  1. An event is acknowledged only after it is durable: fsynced by the
//     embedded server ([natsd]), after the vault rows it needs.
//  2. A position, once given, is for ever that event's: the stream only grows,
//     and no function of this package changes or removes what it holds.
//  3. (source, id) is an identity for ever. Repeating an event gives the first
//     one's position; the same identity with other content is refused.
//  4. No identifier of a person is stored but as a tag that the [vault] alone
//     can resolve; delicate fields are sealed.
//  5. What an event means (defaults, the party's facts, its transfer class) is
//     decided in arrival order by what governance events recorded before it
//     said, and stored in it with the version of the legal tables.
//  6. One process at a time has a ledger open; one goroutine, the sequencer,
//     gives places; one group at a time is being committed.
//  7. If it is not known whether a group was recorded, the ledger halts rather
//     than guess. Opening it again finds out, from the bytes on disk.
//
// Reading order: ledger.go, sequence.go, place.go, group.go, tail.go,
// register.go, repeat.go, replay.go, check.go.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/notary"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

var (
	// ErrConfig is returned when the configuration cannot be used.
	ErrConfig = errors.New("ledger: unusable configuration")
	// ErrExists is returned by Create where a ledger, or anything else, is.
	ErrExists = errors.New("ledger: already there")
	// ErrNoLedger is returned by Open and Check where no ledger is.
	ErrNoLedger = errors.New("ledger: none here")
	// ErrLocked is returned when another process has the ledger open.
	ErrLocked = errors.New("ledger: in use")
	// ErrDamaged is returned when something on disk is not what was written.
	// It is evidence: show it, never retry it away.
	ErrDamaged = errors.New("ledger: damaged")
	// ErrNotRecorded is returned when a fault kept events from being recorded.
	// Some of the request may be recorded: send it again.
	ErrNotRecorded = errors.New("ledger: not recorded")
	// ErrHalted is returned once it is unknown what was recorded. Every further
	// request gets it, until the ledger is opened anew; sending again is safe.
	ErrHalted = errors.New("ledger: recording has stopped")
	// ErrNoEvent is returned for a position the ledger has not reached.
	ErrNoEvent = errors.New("ledger: no such event")
	// ErrClosed is returned once Close has begun.
	ErrClosed = errors.New("ledger: closed")
)

// A Config says where a ledger is.
type Config struct {
	Data string // data directory
	Keys string // key directory: root key and durable mark; never inside Data
	Name string // only for Create: 1 to 32 of [a-z0-9-]
	// Origin is only for Create: the name under which checkpoints are signed, for good;
	// "" is custody/<name>/<id>.
	Origin string

	// Index opens the identity index, a disposable view, at a path whose folder
	// exists. Open calls it once this process has the ledger, and closes what it
	// returns. Nothing else needs it.
	Index func(path string) (Index, error)
	// Device is given the ledger's id and returns what seals the root key; nil is
	// that the key directory alone keeps it.
	Device func(id string) (vault.Wrapper, error)
	// Ship is where a change of keys is taken before it comes into force.
	Ship Shipper
	// Pace is between commits to what was recorded, and between checkpoints that are
	// signed for it; 0 is that no evidence is kept. See [notary].
	Pace time.Duration
	// Log receives what an operator should know; nil discards it. No message
	// names a person.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// wrapper is what seals the root key of a ledger, nil for nothing.
func wrapper(device func(id string) (vault.Wrapper, error), id string) (vault.Wrapper, error) {
	if device == nil {
		return nil, nil
	}
	w, err := device(id)
	if err != nil {
		return nil, fmt.Errorf("opening the device that seals the root key: %w", err)
	}
	return w, nil
}

// A log is the stream of events: [stream.Stream], or in a test one that fails
// on demand.
type log interface {
	Append(ctx context.Context, msgs []stream.Message) (last uint64, err error)
	Get(ctx context.Context, seq uint64) (stream.Message, error)
	Replay(ctx context.Context, from, to uint64) iter.Seq2[stream.Message, error]
	Last() uint64
}

// A Ledger is one open ledger. Its methods may be called concurrently.
type Ledger struct {
	paths    layout
	manifest manifest
	logger   *slog.Logger
	now      func() time.Time
	turn     sync.Mutex // of one change of keys at a time, its event included
	device   func(id string) (vault.Wrapper, error)
	ship     Shipper
	lock     *durable.Lock
	server   *natsd.Server
	start    *natsd.Report
	events   log
	vaults   *stream.Stream
	vault    *vault.Vault
	notary   *notary.Notary                // nil without evidence
	noted    atomic.Pointer[notary.Notary] // where durable groups go, nil while they go nowhere
	access   *access.Store
	index    Index
	stats    stats
	refusals refusals
	halted   atomic.Pointer[error]
	era      atomic.Uint64 // the tail's, for lookups before hand-over
	head     head

	gate     sync.RWMutex // held for reading while a request is in hand
	closed   bool         // guarded by gate
	incoming chan *request
	asked    chan func() // questions that only the sequencer can answer
	solo     chan func() // what is to run while nothing is being recorded
	rotated  chan error
	ending   chan struct{} // closed when the tasks are to end
	quit     chan struct{} // closed when the sequencer is to end; by then it has nothing in hand
	stopped  chan struct{}
	tasks    sync.WaitGroup // mark keeper and refusal counter

	// owned by the sequencer
	open         *group
	inflight     *group
	current      *request
	spare        memory // of the group settled last
	next         uint64 // position the next event gets
	lastRecorded time.Time
	register     *register
	tail         *tail
}

// A Submission is one event and who brings it. Whoever calls Record has
// authenticated the producer and found that it may send this event.
type Submission struct {
	Event *events.Event
	Relay string // name of the relay that sends it, or ""
}

// A Status says what became of one event.
type Status string

const (
	Recorded  Status = "recorded"  // new, durable, at Position
	Duplicate Status = "duplicate" // recorded before, durable, at Position
	Refused   Status = "refused"   // not recorded: Err says why
)

// A Result is the answer for one event.
type Result struct {
	Status   Status
	Position uint64
	Err      *events.Error
	Warnings []string
}

// Record records events in their order and returns a result for each, once all
// that it calls recorded or duplicate is durable. Events are independent: one
// refused does not hold up the others.
//
// Any error means that some of the events may be recorded and others not: send
// all of them again, and each gets its one place. Errors wrap [ErrHalted],
// [ErrNotRecorded], [ErrClosed] or ctx's. ctx bounds the wait, not the
// recording: what was handed over is recorded all the same.
func (l *Ledger) Record(ctx context.Context, subs []Submission) ([]Result, error) {
	l.gate.RLock()
	defer l.gate.RUnlock()
	if l.closed {
		return nil, ErrClosed
	}
	if reason := l.halted.Load(); reason != nil {
		return nil, *reason
	}
	results, err := l.submit(ctx, subs)
	if err == nil {
		l.stats.results(results)
	}
	return results, err
}

// submit is Record without its gate.
func (l *Ledger) submit(ctx context.Context, subs []Submission) ([]Result, error) {
	r := &request{subs: subs, keys: make([]eventKeys, len(subs)), results: make([]Result, len(subs)), done: make(chan struct{})}
	now := l.now()
	for i := range subs {
		r.keys[i] = keysOf(subs[i].Event)
		if refusal := check(subs[i].Event, now); refusal != nil {
			r.results[i] = Result{Status: Refused, Err: refusal}
		}
	}
	if err := l.lookup(r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRecorded, err) // nothing was handed over
	}
	select {
	case l.incoming <- r:
	case <-ctx.Done():
		return nil, ctx.Err() // nothing was handed over
	}
	// Whoever gives up still waits until the sequencer is done with r, so that
	// Close loses nothing; groupTime bounds that wait.
	<-r.done
	if err := errors.Join(r.err, ctx.Err()); err != nil {
		return nil, err
	}
	if err := l.compareRepeats(ctx, r); err != nil {
		return nil, fmt.Errorf("%w: comparing repeats: %w", ErrNotRecorded, err) // all else of r is recorded
	}
	return r.results, nil
}

// timeAhead is how far a producer's clock may be ahead of the ledger's.
const timeAhead = 5 * time.Minute

// check refuses what the catalogue allows and a ledger cannot keep: a time that
// lies ahead, or before 1970 (records count milliseconds since then, FORMAT.md).
func check(e *events.Event, now time.Time) *events.Error {
	switch {
	case e.At.After(now.Add(timeAhead)):
		return &events.Error{Path: "/time", Type: events.TimeAhead, Detail: "more than 5 minutes ahead of the ledger's clock"}
	case e.At.Before(time.Unix(0, 0)):
		return &events.Error{Path: "/time", Type: events.TimeBefore, Detail: "before 1970-01-01T00:00:00Z"}
	}
	return nil
}

// Access is the register of producers and tokens.
func (l *Ledger) Access() *access.Store { return l.access }

// Vault is where tags are resolved. Only the ledger itself begins batches.
func (l *Ledger) Vault() *vault.Vault { return l.vault }

// Name is the ledger's name; ID tells it from others of the same name.
func (l *Ledger) Name() string { return l.manifest.Name }
func (l *Ledger) ID() string   { return l.manifest.ID }
