package projections

import (
	"bytes"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// mergeWidth neighbours of one tier become one segment of the next.
const mergeWidth = 8

// startMerging starts the one goroutine that merges while anything is due. The caller holds mu.
func (x *Index) startMerging() {
	x.merging = true
	x.work.Go(func() {
		for x.keepMerging() {
			if err := x.mergeOne(); err != nil {
				x.mu.Lock()
				x.failed = fmt.Errorf("merging the index: %w", err)
				x.mu.Unlock()
			}
		}
	})
}

// keepMerging reports whether anything is due; if not, the goroutine is as good as gone. The state is read
// under mu, so an Add that commits later starts another.
func (x *Index) keepMerging() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	due := false
	if !x.closed && x.failed == nil {
		x.failed = x.db.View(func(tx *bolt.Tx) error {
			s, err := readState(tx)
			due = s.due() >= 0
			return err
		})
	}
	x.merging = due && x.failed == nil
	return x.merging
}

// mergeOne merges the oldest run that is due, in transactions that write one chunk each.
//
//  1. chunks   into a segment that the state does not list     crash: dropped at opening
//  2. state    the new segment instead of the eight            THE COMMIT POINT
//  3. drop     the eight buckets, one a transaction            crash: dropped at opening
//
// Closing between two transactions is such a crash.
func (x *Index) mergeOne() error {
	m := merge{size: x.chunk}
	err := x.update(func(tx *bolt.Tx) error {
		s, err := readState(tx)
		if err != nil {
			return err
		}
		first := s.due()
		m.sources = slices.Clone(s.segments[first : first+mergeWidth])
		m.target = segment{number: s.next, tier: m.sources[0].tier + 1}
		s.next++
		if _, err := create(tx, m.target.number); err != nil {
			return err
		}
		return s.write(tx)
	})
	for err == nil && !m.complete && !x.isClosed() {
		err = x.update(m.step)
	}
	if err != nil || !m.complete {
		return err
	}
	if err := x.update(m.replace); err != nil {
		return err
	}
	for _, g := range m.sources {
		if x.isClosed() {
			return nil
		}
		if err := x.update(func(tx *bolt.Tx) error { return drop(tx, g.number) }); err != nil {
			return err
		}
	}
	return nil
}

func (x *Index) isClosed() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.closed
}

// drop removes the bucket of a segment that no state lists.
func drop(tx *bolt.Tx, number uint64) error {
	if err := tx.Bucket(segmentsBucket).DeleteBucket(segmentName(number)); err != nil {
		return fmt.Errorf("dropping segment %d: %w", number, err)
	}
	return nil
}

// A merge is one run of segments becoming one.
type merge struct {
	sources  []segment // oldest first
	target   segment
	begun    bool
	last     Key // the last key written, once begun
	complete bool
	size     int     // of a chunk
	chunk    []Entry // kept from step to step
}

// step writes the next chunk.
func (m *merge) step(tx *bolt.Tx) error {
	runs, err := m.runs(tx)
	if err != nil {
		return err
	}
	m.chunk = m.chunk[:0]
	for len(m.chunk) < m.size {
		e, ok, err := least(runs)
		if err != nil {
			return err
		}
		if !ok {
			m.complete = true
			break
		}
		m.chunk = append(m.chunk, e)
	}
	if len(m.chunk) == 0 {
		return nil
	}
	m.begun, m.last = true, m.chunk[len(m.chunk)-1].Key
	m.target.count += uint64(len(m.chunk))
	return putChunk(tx.Bucket(segmentsBucket).Bucket(segmentName(m.target.number)), m.chunk)
}

// A run is what is left of one source.
type run struct {
	r     *reader
	block block // nil at the end
	i     int
}

// runs opens the sources behind the last key written.
func (m *merge) runs(tx *bolt.Tx) ([]run, error) {
	runs := make([]run, len(m.sources))
	for i, g := range m.sources {
		r, err := g.open(tx)
		if err != nil {
			return nil, err
		}
		runs[i].r = r
		name, value := r.seek(blockPrefix, m.last)
		if name == nil {
			continue // all of it is written
		}
		if runs[i].block, err = decodeBlock(value); err != nil {
			return nil, err
		}
		runs[i].i = runs[i].block.search(m.last[:])
		if m.begun && Key(runs[i].block.key(runs[i].i)) == m.last {
			if err := runs[i].advance(); err != nil {
				return nil, err
			}
		}
	}
	return runs, nil
}

func (r *run) advance() (err error) {
	if r.i++; r.i == r.block.len() {
		r.i = 0
		r.block, err = r.r.next()
	}
	return err
}

// least takes the entry with the least key from the runs; of equal keys the newest, dropping the others.
func least(runs []run) (e Entry, ok bool, err error) {
	var key []byte
	for i := range runs { // oldest first, so a later equal replaces
		if r := &runs[i]; r.block != nil && (key == nil || bytes.Compare(r.block.key(r.i), key) <= 0) {
			key, e = r.block.key(r.i), r.block.entry(r.i)
		}
	}
	for i := range runs {
		if r := &runs[i]; key != nil && r.block != nil && bytes.Equal(r.block.key(r.i), key) {
			if err := r.advance(); err != nil {
				return e, false, err
			}
		}
	}
	return e, key != nil, nil
}

// replace lists the target instead of the sources. Adds may have put segments behind them meanwhile.
func (m *merge) replace(tx *bolt.Tx) error {
	s, err := readState(tx)
	if err != nil {
		return err
	}
	first := slices.Index(s.segments, m.sources[0])
	s.segments = slices.Replace(s.segments, first, first+len(m.sources), m.target)
	return s.write(tx)
}
