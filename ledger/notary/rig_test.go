package notary

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const origin = "custody/test"

// patience bounds what a test waits for; it is never waited for in a test that passes.
const patience = time.Minute

var errStream = errors.New("the stream fails")

// A memoryStream is a ledger in memory, which fails on demand.
type memoryStream struct {
	t  testing.TB
	mu sync.Mutex

	raw       [][]byte
	commits   int
	fail      bool // a commit is not recorded
	lose      bool // a commit is recorded, and that is not told
	slip      bool // something is recorded just before the next commit, and none after it
	failRead  bool
	announced Announced
	offer     func(base uint64, leaves []Leaf) // nil: the notary must read what it is not told
}

// add records an event.
func (s *memoryStream) add(e *events.Event) uint64 {
	s.mu.Lock()
	st := &events.Stored{Event: e, Recorded: e.At.Add(time.Second), Salt: [16]byte{byte(len(s.raw))}}
	raw := st.Append(nil)
	s.raw = append(s.raw, raw)
	base, offer := uint64(len(s.raw)), s.offer
	s.mu.Unlock()
	if offer != nil {
		leaf := LeafOf(st)
		leaf.Record.Digest = sha256.Sum256(raw)
		offer(base, []Leaf{leaf})
	}
	return base
}

// heartbeats records so many events of a producer.
func (s *memoryStream) heartbeats(n int) (last uint64) {
	for range n {
		e, err := events.Decode(fmt.Appendf(nil, `{"specversion":"1.0","id":"e-%d","source":"/p%d","type":"eu.custody.ledger.heartbeat.v1",`+
			`"time":"2026-03-02T09:14:05.120Z","data":{"state":"running"}}`, s.head(), s.head()%3))
		if err != nil {
			s.t.Fatal(err)
		}
		last = s.add(e)
	}
	return last
}

func (s *memoryStream) head() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.raw))
}

func (s *memoryStream) set(change func(*memoryStream)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *memoryStream) event(_ context.Context, position uint64) (events.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failRead || position == 0 || position > uint64(len(s.raw)) {
		return events.Record{}, errStream
	}
	raw := s.raw[position-1]
	return events.Record{Position: position, Raw: raw, Digest: sha256.Sum256(raw)}, nil
}

func (s *memoryStream) replay(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for p := from; p <= to; p++ {
			if rec, err := s.event(ctx, p); !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

func (s *memoryStream) commit(_ context.Context, c events.Commitment) error {
	s.mu.Lock()
	fail, lose, slip, id := s.fail, s.lose, s.slip, s.commits
	s.commits++
	s.slip, s.fail = false, s.fail || slip
	s.mu.Unlock()
	if slip {
		s.heartbeats(1)
	}
	if fail {
		return errStream
	}
	e, err := c.Event(fmt.Sprintf("c-%d", id), "/custody", time.Date(2026, 3, 2, 9, 15, 0, 0, time.UTC))
	if err != nil {
		return err
	}
	s.add(e)
	if lose {
		return errStream
	}
	return nil
}

func (s *memoryStream) known(context.Context) (Announced, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.announced.Clone(), nil
}

// A rig is a notary over a stream in memory.
type rig struct {
	*Notary
	t      testing.TB
	stream *memoryStream
	cfg    Config
}

func newRig(t testing.TB) *rig {
	t.Helper()
	dir := t.TempDir()
	if err := CreateKeys(dir, origin); err != nil {
		t.Fatal(err)
	}
	s := &memoryStream{t: t}
	r := &rig{t: t, stream: s, cfg: Config{
		Dir: filepath.Join(dir, "evidence"), Keys: dir, Pace: time.Millisecond, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Stream: Stream{Head: s.head, Replay: s.replay, Event: s.event, Commit: s.commit, Announced: s.known},
	}}
	r.open()
	t.Cleanup(func() { r.close() })
	return r
}

func (r *rig) open() {
	r.t.Helper()
	n, err := Open(r.cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Notary = n
	r.stream.set(func(s *memoryStream) { s.offer = n.Offer })
}

func (r *rig) close() {
	if r.Notary == nil {
		return
	}
	if err := r.Notary.Close(); err != nil {
		r.t.Errorf("close: %v", err)
	}
	r.Notary = nil
}

// until waits until a status is as it should be.
func (r *rig) until(what string, is func(Status) bool) {
	r.t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		s, moved := r.status, r.moved
		r.mu.Unlock()
		if is(s) {
			return
		}
		select {
		case <-moved:
		case <-deadline:
			r.t.Fatalf("never %s: %+v", what, s)
		}
	}
}

// signed waits for a checkpoint over size, and holds it against the records of the stream.
func (r *rig) signed(size uint64) checkpoint.Note {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Await(ctx, size); err != nil {
		r.t.Fatalf("%v: %+v", err, r.Status())
	}
	note, err := r.Checkpoint()
	if err != nil {
		r.t.Fatal(err)
	}
	if want := r.root(note.Size); note.Root != want {
		r.t.Fatalf("the root over %d is another than that of the stream", note.Size)
	}
	return note
}

// root recomputes the root over the first events, and holds every commit among them against its own.
func (r *rig) root(size uint64) evidence.Hash {
	r.t.Helper()
	trail := evidence.NewTrail(1 << 20)
	numbers := map[string]uint16{}
	for rec, err := range r.stream.replay(context.Background(), 1, size) {
		if err != nil {
			r.t.Fatal(err)
		}
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			r.t.Fatal(err)
		}
		if st.Event.Kind == events.LedgerCommitted {
			c, err := evidence.ParseCommit(rec.Raw)
			if err != nil {
				r.t.Fatal(err)
			}
			if why, err := trail.Contradicts(c); why != "" || err != nil {
				r.t.Fatalf("commit at %d: %s, %v", rec.Position, why, err)
			}
		}
		if numbers[st.Event.Source] == 0 {
			numbers[st.Event.Source] = uint16(len(numbers) + 1)
		}
		record := evidence.RecordOf(st, rec.Digest, numbers[st.Event.Source])
		if err := trail.Append(record.Append(nil)); err != nil {
			r.t.Fatal(err)
		}
	}
	return trail.Now().Root()
}
