package notary

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

var (
	// ErrBehind is returned for evidence of what the notary has not come to yet.
	ErrBehind = errors.New("notary: not so far yet")
	// ErrNoCommit is returned where a proof needs a commit and there is none.
	ErrNoCommit = errors.New("notary: nothing is committed yet")
	// ErrClosed is returned once Close has begun.
	ErrClosed = errors.New("notary: closed")
)

// A Stream is the ledger that the evidence is of.
type Stream struct {
	// Head is the position of the last durable event.
	Head func() uint64
	// Replay yields the stored events of positions from to, in order.
	Replay func(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
	// Event is the stored event at a position.
	Event func(ctx context.Context, position uint64) (events.Record, error)
	// Commit records a commitment; it is durable when it returns nil.
	Commit func(ctx context.Context, c events.Commitment) error
	// Announced are the keys that its events announce.
	Announced func(ctx context.Context) (Announced, error)
}

// Config says where evidence is kept.
type Config struct {
	Dir    string // of the record log; made if it is not there
	Keys   string // directory of the keys
	Stream Stream
	// Pace is between commits, and between checkpoints: a busy ledger is at most twice that behind.
	Pace time.Duration
	Log  *slog.Logger
	Now  func() time.Time
}

// A Notary keeps the evidence of one open ledger. Its methods may be called concurrently.
type Notary struct {
	cfg   Config
	rules evidence.Hash
	log   *recordlog.Log
	queue *queue
	room  []Leaf // memory for the queue

	// owned by the goroutine
	signer  *signer // nil if it does not sign
	why     error   // why it does not sign
	begun   bool    // it knows what is committed, and whether it may sign
	covered uint64  // size of the last commit
	other   uint64  // leaves up to and including the last that is no commit

	keeping sync.Mutex // of the files of cosigned checkpoints

	mu       sync.Mutex
	status   Status
	newest   checkpoint.Note   // signed last
	cosigned []checkpoint.Note // the smallest first
	moved    chan struct{}     // closed and replaced when any of these changes

	asked chan func() // what is to run in the goroutine
	quit  chan struct{}
	done  chan struct{}
}

// Status says how far the evidence of a ledger has come.
type Status struct {
	Origin    string // "" if there are no keys
	Keys      []string
	Bundle    string    // the verifier key of manifests
	Size      uint64    // records
	Committed uint64    // covered by the last commit
	Signed    uint64    // covered by the last checkpoint
	SignedAt  time.Time // when it was signed, zero if by a former run
	Opened    time.Time // when this run began
	Cosigned  uint64    // covered by the last checkpoint that a witness and an auditor cosigned
	Unsigned  string    // why it does not sign; "" if it does
	Failing   string    // what went wrong last, if it has not gone right since
}

// Open opens the evidence of a ledger and begins to follow it. A ledger that may not sign is followed all the same;
// Status says why. The error is that the folder cannot be used.
func Open(cfg Config) (*Notary, error) {
	log, opened, err := recordlog.Open(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the record log: %w", err)
	}
	if opened.Fault != nil {
		cfg.Log.Warn("the record log is built anew from the events", "reason", opened.Fault)
	}
	n := &Notary{cfg: cfg, rules: evidence.Rules(), log: log, queue: newQueue(), moved: make(chan struct{}), asked: make(chan func()), quit: make(chan struct{}), done: make(chan struct{})}
	n.status.Opened = cfg.Now()
	if err := n.takeSigner(); err != nil {
		n.refuse(err)
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, cosignedDir), 0o700); err != nil {
		return nil, errors.Join(fmt.Errorf("making the folder of cosigned checkpoints: %w", err), n.letGo())
	}
	go n.run()
	return n, nil
}

func verifiers(keys []checkpoint.Signer) (texts []string) {
	for _, k := range keys {
		texts = append(texts, k.Verifier())
	}
	return texts
}

// Offer hands over the leaves of consecutive durable positions. It does not wait.
func (n *Notary) Offer(base uint64, leaves []Leaf) { n.queue.offer(base, leaves) }

// Status is how far it has come.
func (n *Notary) Status() Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.status
	s.Size = n.log.Size() // never less than what is signed
	return s
}

// Close appends what was offered, commits and signs for it, and lets go of everything. The stream must still
// record.
func (n *Notary) Close() error {
	close(n.quit)
	<-n.done
	return n.letGo()
}

func (n *Notary) letGo() error {
	err := n.log.Close()
	if n.signer != nil {
		err = errors.Join(err, n.signer.close())
	}
	return err
}

// refuse notes that nothing is signed, and why.
func (n *Notary) refuse(why error) {
	n.cfg.Log.Error("checkpoints are not signed", "reason", why)
	n.why = why
	n.mu.Lock()
	n.status.Unsigned = why.Error()
	n.mu.Unlock()
}

// set changes the status, and wakes who waits for it.
func (n *Notary) set(change func(*Status)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.status)
	close(n.moved)
	n.moved = make(chan struct{})
}

// Await returns once positions up to size are covered by a checkpoint, or wraps ctx's error, [ErrUnsigned] or
// [ErrClosed].
func (n *Notary) Await(ctx context.Context, size uint64) error {
	for {
		n.mu.Lock()
		signed, unsigned, moved := n.status.Signed, n.status.Unsigned, n.moved
		n.mu.Unlock()
		switch {
		case signed >= size:
			return nil
		case unsigned != "":
			return fmt.Errorf("%w: %s", ErrUnsigned, unsigned)
		}
		select {
		case <-moved:
		case <-n.done:
			return ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("%w: waiting for a checkpoint over %d positions: %w", ErrBehind, size, ctx.Err())
		}
	}
}
