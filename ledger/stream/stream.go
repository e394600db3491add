// Package stream is one append-only JetStream stream with one writer: a durable append, and a replay that is
// contiguous or says where it is not.
//
// What is always true:
//   - A nil error from [Stream.Append] means that every message of the call is synced to disk, in order, at
//     consecutive sequences. On any error the outcome is one of four, and the error says which.
//   - Nothing above the durable position known to this process is ever delivered: the server itself shows
//     the messages of an atomic batch to consumers before it has synced them.
//   - Each message carries the sequence it must follow, so a second writer is found, never interleaved.
//   - The stream's configuration is compared with ours field by field, unknown fields included, whenever it is opened.
package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// HeaderDurable is the header that Append itself puts on the first message of each group it writes: the last
// durable sequence before that group, in decimal. It lets a reader of the files alone tell a torn tail from
// damage to what was acknowledged.
const HeaderDurable = "Custody-Durable"

// Message is one message of a stream. Header holds the caller's own headers only, each with one value; its
// names may not begin with "Nats-" nor be [HeaderDurable]. Sequence and Time (the server's, UTC) are the
// stream's own: Append ignores them.
type Message struct {
	Subject  string
	Header   map[string]string
	Data     []byte
	Sequence uint64
	Time     time.Time
}

// Config names a stream and what its writer needs.
type Config struct {
	Name     string   // letters, digits, '-' and '_'
	Subjects []string // what the stream listens on; at least one

	// MaxBatch is the most messages in one atomic batch; 0 is 1,000, what a server allows unless told otherwise.
	MaxBatch int
	// Singles is up to how many messages are sent one by one (one sync each) rather than as an atomic batch (whose
	// fixed cost is the server's staging of it): where the two take the same time. 0 is 16, for staging on a disk.
	Singles int
	// Barrier, if any, makes durable what the server does not (the folder entry of a new block file).
	// It runs after the server's acknowledgement and before the position is called durable.
	Barrier func() error
	// Settle, if any, makes everything durable that the server has stored, and fails if it can no longer store.
	// Reconcile calls it before it trusts a position that nobody acknowledged.
	Settle func() error
}

var (
	// ErrExists means that the stream to be created is already there. Nothing was changed.
	ErrExists = errors.New("stream exists already")
	// ErrMissing means that there is no such stream.
	ErrMissing = errors.New("stream does not exist")
	// ErrNotFound means that a sequence is not, or not yet, in the stream.
	ErrNotFound = errors.New("no such sequence")

	// ErrRejected means that nothing of the call happened, nor will.
	ErrRejected = errors.New("nothing was stored")
	// ErrPartial means that a first part of the call is durable, up to the returned sequence, and that the rest did not happen, nor will.
	ErrPartial = errors.New("only a first part was stored")
	// ErrUnknown means that the call is durable up to the returned sequence and that nobody knows about the rest. Call Reconcile, or stop.
	ErrUnknown = errors.New("outcome unknown")
	// ErrHalted means that an earlier outcome is still unknown. Nothing of this call happened.
	ErrHalted = errors.New("halted until reconciled")
	// ErrFenced means that somebody else writes to the stream. It is final.
	ErrFenced = errors.New("fenced by another writer")
)

// ConfigError names the field in which a stream's configuration is not the one it must have. Field is the
// server's JSON name; Got and Want are JSON, empty when absent.
type ConfigError struct{ Stream, Field, Got, Want string }

func (e *ConfigError) Error() string {
	return fmt.Sprintf("stream %s: %s is %s, must be %s", e.Stream, e.Field, orNothing(e.Got), orNothing(e.Want))
}

func orNothing(s string) string {
	if s == "" {
		return "absent"
	}
	return s
}

// GapError means that sequence Missing should have come and Got came instead, or, if Got is 0, nothing.
type GapError struct {
	Stream       string
	Missing, Got uint64
}

func (e *GapError) Error() string {
	if e.Got == 0 {
		return fmt.Sprintf("stream %s: sequence %d is missing and nothing follows", e.Stream, e.Missing)
	}
	return fmt.Sprintf("stream %s: sequence %d is missing, %d came instead", e.Stream, e.Missing, e.Got)
}

// Stream is safe for concurrent use. Appends run one at a time, in no promised order.
type Stream struct {
	nc      *nats.Conn
	cfg     Config
	replies *nats.Subscription // to inbox + ".*"
	inbox   string

	last  atomic.Uint64 // last durable sequence; written under moveMu
	moveM sync.Mutex    // guards moved
	moved chan struct{} // closed and replaced whenever last moves

	mu      sync.Mutex // one append at a time; guards what follows
	writer  writer
	pending uint64 // messages whose outcome is unknown
	halt    error  // nil, ErrHalted or ErrFenced
}

// Open opens a stream that Create made, through nc, which it neither owns nor closes. It fails with [ErrMissing],
// a [*ConfigError], or a [*GapError] when messages have been deleted.
func Open(ctx context.Context, nc *nats.Conn, cfg Config) (*Stream, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	info, err := assert(ctx, nc, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", cfg.Name, err)
	}
	if err := info.State.contiguous(cfg.Name); err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", cfg.Name, err)
	}
	s := &Stream{nc: nc, cfg: cfg, inbox: nats.NewInbox(), moved: make(chan struct{})}
	s.writer.id = rand.Text()[:8]
	s.last.Store(info.State.Last)
	if s.replies, err = nc.SubscribeSync(s.inbox + ".*"); err != nil {
		return nil, fmt.Errorf("opening stream %s: subscribing to replies: %w", cfg.Name, err)
	}
	return s, nil
}

// Close releases what Open took. The connection stays open.
func (s *Stream) Close() error {
	if err := s.replies.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("closing stream %s: %w", s.cfg.Name, err)
	}
	return nil
}

// Last is the last sequence known to be durable; 0 when the stream is empty.
func (s *Stream) Last() uint64 { return s.last.Load() }

// Wait returns Last as soon as it is above after, or ctx's error.
func (s *Stream) Wait(ctx context.Context, after uint64) (uint64, error) {
	for {
		s.moveM.Lock()
		moved := s.moved
		s.moveM.Unlock()
		if last := s.Last(); last > after {
			return last, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return s.Last(), ctx.Err()
		}
	}
}

// advance makes last the durable position and wakes whoever waits.
func (s *Stream) advance(last uint64) {
	s.moveM.Lock()
	defer s.moveM.Unlock()
	s.last.Store(last)
	close(s.moved)
	s.moved = make(chan struct{})
}
