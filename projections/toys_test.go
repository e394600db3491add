package projections

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"sync"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
)

// storedAt is an event as it is stored, about one of ten people.
func storedAt(n uint64) []byte {
	return fmt.Appendf(nil, `{"custodyformat":"1","specversion":"1.0","id":"e%d","source":"/ats","type":"eu.custody.data.used.v1",`+
		`"time":"2026-03-02T09:14:05Z","datacontenttype":"application/json","producerinstance":"node-1","producerseq":"%d",`+
		`"recordedtime":"2026-03-02T09:14:06.007Z","salt":"AQID_v8AAAAAAAAAAAAAAA",`+
		`"data":{"actor":{"id":"0123456789abcdef0123456789abcdef","role":"recruiter"},"subjects":[{"id":"%032x","role":"candidate"}],`+
		`"activity":"placement","ledger":{}}}`, n, n, n%10+1)
}

// A memory is a source that can be told to grow, to fail, and to be another.
type memory struct {
	mu      sync.Mutex
	records []events.Record
	moved   chan struct{}
	failure error         // what Replay and Wait give
	replays int           // begun
	read    uint64        // records yielded
	gate    chan struct{} // if not nil, a replay takes one from it for each record
}

func newMemory(n int) *memory {
	m := &memory{moved: make(chan struct{})}
	m.grow(n)
	return m
}

func (m *memory) grow(n int) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		position := uint64(len(m.records)) + 1
		raw := storedAt(position)
		m.records = append(m.records, events.Record{Position: position, Digest: sha256.Sum256(raw), Raw: raw})
	}
	close(m.moved)
	m.moved = make(chan struct{})
	return uint64(len(m.records))
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failure = err
	close(m.moved)
	m.moved = make(chan struct{})
}

// had are the replays begun and the records read so far.
func (m *memory) had() (replays int, read uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.replays, m.read
}

func (m *memory) Head() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.records))
}

func (m *memory) Wait(ctx context.Context, after uint64) (uint64, error) {
	for {
		m.mu.Lock()
		head, moved, failure := uint64(len(m.records)), m.moved, m.failure
		m.mu.Unlock()
		if failure != nil {
			return 0, failure
		}
		if head > after {
			return head, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (m *memory) Replay(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	m.mu.Lock()
	records, gate := m.records, m.gate
	m.replays++
	m.mu.Unlock()
	return func(yield func(events.Record, error) bool) {
		for i := max(from, 1) - 1; i < uint64(len(records)); i++ {
			if gate != nil {
				select {
				case <-gate:
				case <-ctx.Done():
				}
			}
			m.mu.Lock()
			failure := m.failure
			m.read++
			m.mu.Unlock()
			if failure == nil {
				failure = ctx.Err()
			}
			if failure != nil {
				yield(events.Record{}, failure)
				return
			}
			if !yield(records[i], nil) {
				return
			}
		}
	}
}

// A tally counts the events of each subject, and sums their positions. Its file has one bucket of its name.
type tally struct {
	bucket []byte
	noted  map[Tag][2]uint64
	faults *faults
}

// faults are what the next flushes of a tally do.
type faults struct {
	mu      sync.Mutex
	flush   error
	panics  any
	flushes int
	opened  int
}

func (f *faults) set(flush error, panics any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flush, f.panics = flush, panics
}

// had are the flushes and openings so far.
func (f *faults) had() (flushes, opened int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.flushes, f.opened
}

func (t *tally) Fold(e *Event) {
	for _, s := range e.People.Subjects {
		was := t.noted[s]
		t.noted[s] = [2]uint64{was[0] + 1, was[1] + e.Position}
	}
}

func (t *tally) Flush(tx *bolt.Tx) error {
	home, err := tx.CreateBucketIfNotExists(t.bucket)
	if err != nil {
		return err
	}
	for tag, n := range t.noted {
		was, err := tallyIn(home.Get(tag[:]))
		if err != nil {
			return err
		}
		if err := home.Put(tag[:], binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, was[0]+n[0]), was[1]+n[1])); err != nil {
			return err
		}
	}
	clear(t.noted)
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.flushes++
	if t.faults.panics != nil {
		panic(t.faults.panics)
	}
	return t.faults.flush // after writing: nothing of it may stay
}

func tallyIn(b []byte) (n [2]uint64, err error) {
	switch len(b) {
	case 0:
		return n, nil
	case 16:
		return [2]uint64{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, nil
	}
	return n, fmt.Errorf("%w: a tally of %d bytes", ErrDamaged, len(b))
}

func tallyView(name string, version uint32, f *faults) View {
	if f == nil {
		f = &faults{}
	}
	return View{Name: name, Version: version, Open: func(*bolt.Tx) (Model, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.opened++
		return &tally{bucket: []byte(name), noted: map[Tag][2]uint64{}, faults: f}, nil
	}}
}

// tallied is what the view's file holds, and up to which position.
func tallied(s *Set, name string) (got map[Tag][2]uint64, position uint64, err error) {
	err = s.Read(name, func(tx *bolt.Tx) error {
		got = map[Tag][2]uint64{}
		if position, err = Position(tx); err != nil {
			return err
		}
		home := tx.Bucket([]byte(name))
		if home == nil {
			return nil
		}
		return home.ForEach(func(k, v []byte) error {
			n, err := tallyIn(v)
			got[Tag(k)] = n
			return err
		})
	})
	return got, position, err
}
