// Package evidencetest makes ledgers of records in memory, honest and lying ones, and proofs about them, for tests.
// What it makes follows from a seed alone. Its keys are those of docs/FORMAT.md and protect nothing.
package evidencetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/imalink/custody/ledger/evidence"
)

// FirstDay is the day of the first records of a ledger, 2025-01-01.
const FirstDay = 20089

const dayMillis = 24 * 60 * 60 * 1000

// A Ledger has the records of events, and is an [evidence.Reader] of them. Its methods panic where a test cannot go
// on. It is not safe for concurrent use.
type Ledger struct {
	Commits []evidence.Committed // in order

	random  *rand.Rand
	records []byte
	entries []evidence.Entry
	hashes  [][]evidence.Hash // of perfect subtrees, by their height
	nodes   [][]evidence.Node // of perfect subtrees of whole blocks, by their height
	events  map[uint64][]byte // stored, by index; of other records there is none
}

// New is a ledger without records.
func New(seed uint64) *Ledger {
	return &Ledger{random: rand.New(rand.NewPCG(seed, 0)), events: map[uint64][]byte{}}
}

// Add appends a record and returns its index.
func (l *Ledger) Add(r evidence.Record) uint64 { return l.AddBytes(r.Append(nil)) }

// AddBytes appends a record that may be none.
func (l *Ledger) AddBytes(record []byte) uint64 {
	index := l.Size()
	l.records = append(l.records, record...)
	l.hashes = grow(l.hashes, evidence.LeafHash(record), evidence.NodeHash)
	flags, millis := binary.BigEndian.Uint16(record[4:]), binary.BigEndian.Uint64(record[6:])&(1<<48-1)
	l.entries = append(l.entries, evidence.Entry{Flags: flags, Day: uint16(millis / dayMillis)})
	if n := len(l.entries); n%evidence.BlockSize == 0 {
		l.nodes = grow(l.nodes, evidence.Block(l.entries[n-evidence.BlockSize:]), evidence.Join)
	}
	return index
}

// grow appends to the lowest row, and to those above what has become whole.
func grow[T any](rows [][]T, x T, join func(left, right T) T) [][]T {
	for h := 0; ; h++ {
		if h == len(rows) {
			rows = append(rows, nil)
		}
		rows[h] = append(rows[h], x)
		n := len(rows[h])
		if n%2 == 1 {
			return rows
		}
		x = join(rows[h][n-2], rows[h][n-1])
	}
}

// AddEvent appends the record of a stored event by producer 1.
func (l *Ledger) AddEvent(stored []byte) uint64 {
	index := l.Add(RecordOf(stored))
	l.events[index] = stored
	return index
}

// Grow appends random records, n of them. One in fifty is late.
func (l *Ledger) Grow(n int) {
	for range n {
		l.Add(l.Random())
	}
}

// Random is a record that might come next: each ten records are a day.
func (l *Ledger) Random() evidence.Record {
	day := FirstDay + int64(l.Size()/10)
	r := evidence.Record{Kind: 4, Producer: uint16(1 + l.random.IntN(3)), Sequence: l.Size() + 1, Flags: evidence.Collected}
	switch l.random.IntN(10) {
	case 0:
		r.Flags = evidence.T2 << l.random.IntN(5)
		r.Region = [2]byte{'U', 'S'}
	case 1:
		r.Flags |= evidence.T0
	case 2:
		r.Flags = evidence.Used | evidence.Bulk
	case 3:
		r.Flags |= evidence.Special | evidence.NoBasis
	}
	if l.random.IntN(50) == 0 {
		r.Flags |= evidence.Late
		day -= l.random.Int64N(60)
	}
	r.Time = day*dayMillis + l.random.Int64N(dayMillis)
	binary.BigEndian.PutUint64(r.Digest[:], l.random.Uint64())
	return r
}

// Accumulator has the roots over the records so far, which are sound.
func (l *Ledger) Accumulator() *evidence.Accumulator {
	var a evidence.Accumulator
	for b := range slices.Chunk(l.records, evidence.RecordSize) {
		if err := a.Append(b); err != nil {
			panic(err)
		}
	}
	return &a
}

// Truth is what a true commit says of the records so far.
func (l *Ledger) Truth() evidence.Commit {
	c, some := l.Accumulator().Commit(sha256.Sum256([]byte("rules")))
	if !some {
		panic("evidencetest: nothing to commit to")
	}
	return c
}

// Commit appends the event that commits to the records so far.
func (l *Ledger) Commit() evidence.Committed { return l.CommitTo(l.Truth()) }

// CommitTo appends an event that commits to what may be false.
func (l *Ledger) CommitTo(c evidence.Commit) evidence.Committed {
	stored := commitEvent(c, l.Size())
	by := evidence.Committed{Index: l.AddEvent(stored), Event: stored}
	l.Commits = append(l.Commits, by)
	return by
}

// Event is the stored event of a leaf; nil if there is none.
func (l *Ledger) Event(index uint64) []byte { return l.events[index] }

// With is another ledger, that has this one's first records, size of them, and then others.
func (l *Ledger) With(size uint64, more ...[]byte) *Ledger {
	other := New(size)
	for b := range slices.Chunk(l.records[:size*evidence.RecordSize], evidence.RecordSize) {
		other.AddBytes(b)
	}
	for _, b := range more {
		other.AddBytes(b)
	}
	for i, stored := range l.events {
		if i < size {
			other.events[i] = stored
		}
	}
	return other
}

// Altered is another ledger, one record of which is another.
func (l *Ledger) Altered(index uint64, record []byte) *Ledger {
	other := l.With(index, record)
	for b := range slices.Chunk(l.records[(index+1)*evidence.RecordSize:], evidence.RecordSize) {
		other.AddBytes(b)
	}
	other.events = l.events
	return other
}

// Record is the record of a leaf, which is sound.
func (l *Ledger) Record(index uint64) evidence.Record {
	r, err := evidence.DecodeRecord(l.bytes(index))
	if err != nil {
		panic(err)
	}
	return r
}

func (l *Ledger) bytes(index uint64) []byte {
	return bytes.Clone(l.records[index*evidence.RecordSize:][:evidence.RecordSize])
}

// Size implements [evidence.Reader].
func (l *Ledger) Size() uint64 { return uint64(len(l.entries)) }

// Records implements [evidence.Reader].
func (l *Ledger) Records(s evidence.Span) ([]byte, error) {
	return l.records[s.From*evidence.RecordSize : s.To*evidence.RecordSize], nil
}

// Hashes implements [evidence.Reader].
func (l *Ledger) Hashes(spans []evidence.Span) ([]evidence.Hash, error) {
	all := make([]evidence.Hash, len(spans))
	for i, s := range spans {
		all[i] = *at(l.hashes, s)
	}
	return all, nil
}

// Node implements [evidence.Reader].
func (l *Ledger) Node(blocks evidence.Span) (evidence.Node, error) { return *at(l.nodes, blocks), nil }

// at is the node of a perfect span.
func at[T any](rows [][]T, s evidence.Span) *T {
	if !s.Perfect() {
		panic("evidencetest: a node was asked for whose span is not perfect")
	}
	height := 0
	for n := s.Len(); n > 1; n /= 2 {
		height++
	}
	return &rows[height][s.From>>height]
}
