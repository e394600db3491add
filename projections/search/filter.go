package search

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"
	"time"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/bitmaps"
)

// A Filter says which events are asked for. All its conditions hold together.
type Filter struct {
	Any      map[Facet][]string // of each facet named, one of these values at least; an empty list matches nothing
	From, To time.Time          // event time: from included, to excluded; the zero time leaves an end open
	Until    uint64             // as of: no position beyond it; 0 is before the first event
	Among    []uint64           // only these positions, ascending; nil is all, an empty list none
}

// A query is a filter, resolved against a snapshot.
type query struct {
	r        *Reader
	facets   []condition
	from, to int64 // milliseconds, to excluded
	timed    bool
	end      uint64   // slots asked for: those below it
	among    []uint64 // positions
	all      bool     // among is not asked for
}

// condition demands one of the values of a facet.
type condition struct {
	facet  Facet
	values []uint32
}

// query resolves a filter.
func (r *Reader) query(f Filter) (*query, error) {
	if f.Until > r.Position() {
		return nil, fmt.Errorf("position %d, the view is at %d: %w", f.Until, r.Position(), projections.ErrBehind)
	}
	q := &query{r: r, from: math.MinInt64, to: math.MaxInt64, end: f.Until, among: f.Among, all: f.Among == nil}
	if !f.From.IsZero() {
		q.from, q.timed = millis(f.From), true
	}
	if !f.To.IsZero() {
		q.to, q.timed = millis(f.To), true
	}
	for facet := Kind; facet < facetsEnd; facet++ {
		texts, ok := f.Any[facet]
		if !ok {
			continue
		}
		c, err := r.condition(facet, texts)
		if err != nil {
			return nil, err
		}
		q.facets = append(q.facets, c)
	}
	if len(q.facets) < len(f.Any) {
		return nil, ErrFacet
	}
	return q, nil
}

// condition leaves out texts that no event has.
func (r *Reader) condition(facet Facet, texts []string) (condition, error) {
	c := condition{facet: facet}
	for _, text := range texts {
		number, ok, err := r.words.Number(uint8(facet), text)
		if err != nil {
			return c, fmt.Errorf("looking up a value of facet %s: %w", facet, err)
		}
		if ok {
			c.values = append(c.values, number)
		}
	}
	return c, nil
}

// none reports that nothing can match.
func (q *query) none() bool {
	if q.from >= q.to || !q.all && len(q.among) == 0 {
		return true
	}
	for _, c := range q.facets {
		if len(c.values) == 0 {
			return true
		}
	}
	return false
}

// A span is a part of one chunk: slots of the chunk from low up to high, which is not part of it.
type span struct {
	chunk     uint32
	low, high int
}

func (s span) first() uint64            { return uint64(s.chunk) * bitmaps.ChunkSlots }
func (s span) position(i uint16) uint64 { return s.first() + uint64(i) + 1 }

// spans gives fn each part of a chunk between two slots, the second excluded, that may hold matches, until it reports false.
func (q *query) spans(low, high uint64, newest bool, fn func(span) (bool, error)) error {
	high = min(high, q.end)
	if low >= high || q.none() {
		return nil
	}
	first, last := low/bitmaps.ChunkSlots, (high-1)/bitmaps.ChunkSlots
	for i := range last - first + 1 {
		n := first + i
		if newest {
			n = last - i
		}
		start := n * bitmaps.ChunkSlots
		s := span{uint32(n), int(max(low, start) - start), int(min(high-start, bitmaps.ChunkSlots))}
		if !q.all && len(q.amongIn(s)) == 0 {
			continue
		}
		if err := q.r.hasSets(s.position(0)); err != nil {
			return err
		}
		if more, err := fn(s); err != nil || !more {
			return err
		}
	}
	return nil
}

// amongIn gives the positions asked for that a span has.
func (q *query) amongIn(s span) []uint64 {
	from := sort.Search(len(q.among), func(i int) bool { return q.among[i] > s.first()+uint64(s.low) })
	rest := q.among[from:]
	to := sort.Search(len(rest), func(i int) bool { return rest[i] > s.first()+uint64(s.high) })
	return rest[:to]
}

// match puts into set the slots of a span that match, and reports whether there are any.
func (q *query) match(set *bitmaps.Set, s span) (bool, error) {
	set.Clear()
	if q.all {
		set.AddRange(s.low, s.high)
	} else {
		for _, position := range q.amongIn(s) {
			set.Add(uint16(position - 1 - s.first()))
		}
	}
	mixed, err := q.matchBlocks(set, s)
	if err != nil || set.IsEmpty() {
		return false, err
	}
	for _, c := range q.facets {
		if any, err := q.matchFacet(set, s, c); err != nil || !any {
			return false, err
		}
	}
	if err := q.matchTimes(set, s, mixed); err != nil {
		return false, err
	}
	return !set.IsEmpty(), nil
}

func (q *query) matchFacet(set *bitmaps.Set, s span, c condition) (bool, error) {
	var having bitmaps.Set
	any := false
	for _, value := range c.values {
		some, err := q.r.sets.Union(&having, s.chunk, uint8(c.facet), value)
		if err != nil {
			return false, fmt.Errorf("reading facet %s: %w", c.facet, err)
		}
		any = any || some
	}
	return any && set.And(&having), nil
}

const (
	chunkBlocks = bitmaps.ChunkSlots / bitmaps.BlockSlots
	blockWords  = bitmaps.BlockSlots / 64 // of a set
)

// matchBlocks removes the blocks of which no event is in time, and gives those of which only some may be, a bit each.
func (q *query) matchBlocks(set *bitmaps.Set, s span) (mixed uint64, err error) {
	if !q.timed {
		return 0, nil
	}
	for i := s.low / bitmaps.BlockSlots; i*bitmaps.BlockSlots < s.high; i++ {
		least, greatest, err := q.r.times.Range(uint64(s.chunk)*chunkBlocks + uint64(i))
		if err != nil {
			return 0, fmt.Errorf("reading times: %w", err)
		}
		switch {
		case greatest < q.from || least >= q.to:
			clear(set[i*blockWords : (i+1)*blockWords])
		case least < q.from || greatest >= q.to:
			mixed |= 1 << i
		}
	}
	return mixed, nil
}

// matchTimes removes, of the mixed blocks, the slots whose time is not asked for.
func (q *query) matchTimes(set *bitmaps.Set, s span, mixed uint64) error {
	for i := 0; mixed != 0; i, mixed = i+1, mixed>>1 {
		words := set[i*blockWords : (i+1)*blockWords]
		if mixed&1 == 0 || !slices.ContainsFunc(words, func(w uint64) bool { return w != 0 }) {
			continue
		}
		b, err := q.r.times.Block(uint64(s.chunk)*chunkBlocks + uint64(i))
		if err != nil {
			return fmt.Errorf("reading times: %w", err)
		}
		for w := range words {
			words[w] = q.inTime(b, words[w], w*64)
		}
	}
	return nil
}

// inTime gives the slots of a word that are in time; the word's first is number first of the block.
func (q *query) inTime(b *bitmaps.Block, word uint64, first int) (kept uint64) {
	for w := word; w != 0; w &= w - 1 {
		bit := bits.TrailingZeros64(w)
		if at := b.At(first + bit); q.from <= at && at < q.to {
			kept |= 1 << bit
		}
	}
	return kept
}
