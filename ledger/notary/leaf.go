package notary

import (
	"crypto/sha256"
	"sync"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
)

// A Leaf is the record of one event, but for the number of its producer, which the notary gives.
type Leaf struct {
	Record           evidence.Record
	Source, Instance string
}

// LeafOf is the leaf of a stored event, but for its digest.
func LeafOf(st *events.Stored) Leaf {
	return Leaf{Record: evidence.RecordOf(st, evidence.Hash{}, 0), Source: st.Event.Source, Instance: st.Event.Instance}
}

// leafOf is the leaf of a stored event as the stream has it. The error wraps an *events.Error.
func leafOf(raw []byte) (Leaf, error) {
	st, err := events.DecodeStored(raw)
	if err != nil {
		return Leaf{}, err
	}
	leaf := LeafOf(st)
	leaf.Record.Digest = sha256.Sum256(raw)
	return leaf, nil
}

// maxQueued is how many leaves wait for the notary. Beyond it they are dropped: it reads them from the stream
// again.
const maxQueued = 1 << 16

// A queue hands leaves over from whoever records to the notary, which may be slower for a while.
type queue struct {
	mu     sync.Mutex
	base   uint64 // position of the first leaf
	leaves []Leaf
	filled chan struct{} // has room for one: there is something
}

func newQueue() *queue { return &queue{filled: make(chan struct{}, 1)} }

// offer hands over the leaves of consecutive positions from base on. It never waits, and keeps none of them.
func (q *queue) offer(base uint64, leaves []Leaf) {
	q.mu.Lock()
	next := q.base + uint64(len(q.leaves))
	switch {
	case len(q.leaves) > 0 && (next != base || len(q.leaves)+len(leaves) > maxQueued):
		q.leaves = q.leaves[:0] // the stream has them
		q.base = base
	case len(q.leaves) == 0:
		q.base = base
	}
	q.leaves = append(q.leaves, leaves...)
	q.mu.Unlock()
	select {
	case q.filled <- struct{}{}:
	default:
	}
}

// take gives what is there, and memory for what comes next in exchange.
func (q *queue) take(room []Leaf) (base uint64, leaves []Leaf) {
	q.mu.Lock()
	defer q.mu.Unlock()
	base, leaves = q.base, q.leaves
	q.leaves = room[:0]
	return base, leaves
}
