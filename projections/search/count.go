package search

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/imalink/custody/projections/bitmaps"
)

// Count is how many events match. It reads one container for each chunk and value asked for, and the times of blocks
// of 4,096 events that are partly in time.
func (r *Reader) Count(f Filter) (count uint64, err error) {
	q, err := r.query(f)
	if err != nil {
		return 0, err
	}
	var set bitmaps.Set
	err = q.spans(0, math.MaxUint64, false, func(s span) (bool, error) {
		if q.takesAll() {
			count += uint64(s.high - s.low)
			return true, nil
		}
		if any, err := q.match(&set, s); err != nil || !any {
			return err == nil, err
		}
		count += uint64(set.Count())
		return true, nil
	})
	return count, err
}

// takesAll reports that the filter has no conditions but how far it goes.
func (q *query) takesAll() bool { return q.all && !q.timed && len(q.facets) == 0 }

// A ValueCount is how many of the events have a value.
type ValueCount struct {
	Text  string
	Count uint64
}

// Values counts, for each of these facets, how many of the events that match have each value: the most frequent first,
// of equal ones in order of text. Values that none of them has are left out. An event with several values of a facet
// counts once for each. Without conditions it reads one small record a chunk, otherwise the containers of the facets.
func (r *Reader) Values(f Filter, facets ...Facet) (map[Facet][]ValueCount, error) {
	q, err := r.query(f)
	if err != nil {
		return nil, err
	}
	var wanted [facetsEnd]bool
	for _, facet := range facets {
		if facet == 0 || facet >= facetsEnd {
			return nil, ErrFacet
		}
		wanted[facet] = true
	}
	t := tally{q: q, wanted: &wanted, counts: map[uint32]uint64{}}
	if err := q.spans(0, math.MaxUint64, false, t.span); err != nil {
		return nil, err
	}
	return t.values(facets)
}

// A tally counts the values of facets.
type tally struct {
	q      *query
	wanted *[facetsEnd]bool
	counts map[uint32]uint64
	set    bitmaps.Set
}

func (t *tally) span(s span) (bool, error) {
	whole := t.q.takesAll() && s.low == 0 && s.first()+uint64(s.high) == min(s.first()+bitmaps.ChunkSlots, t.q.r.Position())
	if !whole {
		if any, err := t.q.match(&t.set, s); err != nil || !any {
			return err == nil, err
		}
	}
	counts, err := t.q.r.sets.Counts(s.chunk)
	if err != nil {
		return false, fmt.Errorf("reading counts: %w", err)
	}
	for _, c := range counts {
		if c.Group >= uint8(facetsEnd) || !t.wanted[c.Group] {
			continue
		}
		n := c.Slots
		if !whole {
			if n, err = t.q.r.sets.Common(&t.set, s.chunk, c.Group, c.Value); err != nil {
				return false, fmt.Errorf("reading facet %s: %w", Facet(c.Group), err)
			}
		}
		if n > 0 {
			t.counts[c.Value] += uint64(n)
		}
	}
	return true, nil
}

func (t *tally) values(facets []Facet) (map[Facet][]ValueCount, error) {
	values := make(map[Facet][]ValueCount, len(facets))
	for _, facet := range facets {
		values[facet] = nil
	}
	for number, n := range t.counts {
		facet, text, err := t.q.r.words.Word(number)
		if err != nil {
			return nil, err
		}
		values[Facet(facet)] = append(values[Facet(facet)], ValueCount{text, n})
	}
	for _, list := range values {
		slices.SortFunc(list, func(a, b ValueCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text))
		})
	}
	return values, nil
}

// Span gives the earliest and the latest event time of the events that match; ok is false if there are none. It reads
// the times of the blocks of 4,096 events that have any and reach beyond what was found before.
func (r *Reader) Span(f Filter) (first, last time.Time, ok bool, err error) {
	least, greatest := int64(math.MaxInt64), int64(math.MinInt64)
	err = r.eachBlock(f, func(b *block) error {
		if b.all || least <= b.least && b.greatest <= greatest {
			least, greatest = min(least, b.least), max(greatest, b.greatest)
			return nil
		}
		return b.times(func(at int64) { least, greatest = min(least, at), max(greatest, at) })
	})
	if err != nil || least > greatest {
		return time.Time{}, time.Time{}, false, err
	}
	return time.UnixMilli(least).UTC(), time.UnixMilli(greatest).UTC(), true, nil
}

// A block is the events of one block of times that match, at least one.
type block struct {
	column          *bitmaps.ColumnReader
	number          uint64
	least, greatest int64    // time of all of the block
	some            []uint64 // those that match, a bit each
	count           uint64   // how many
	all             bool     // all do
}

// times gives fn the time of each.
func (b *block) times(fn func(at int64)) error {
	times, err := b.column.Block(b.number)
	if err != nil {
		return fmt.Errorf("reading times: %w", err)
	}
	if b.all {
		for i := range times.Len() {
			fn(times.At(i))
		}
		return nil
	}
	for i, word := range b.some {
		for ; word != 0; word &= word - 1 {
			fn(times.At(i*64 + bits.TrailingZeros64(word)))
		}
	}
	return nil
}

// eachBlock gives fn the blocks that have events that match.
func (r *Reader) eachBlock(f Filter, fn func(*block) error) error {
	q, err := r.query(f)
	if err != nil {
		return err
	}
	var set bitmaps.Set
	return q.spans(0, math.MaxUint64, false, func(s span) (bool, error) {
		if any, err := q.match(&set, s); err != nil || !any {
			return err == nil, err
		}
		for i := range chunkBlocks {
			b := block{column: r.times, number: uint64(s.chunk)*chunkBlocks + uint64(i), some: set[i*blockWords : (i+1)*blockWords]}
			for _, word := range b.some {
				b.count += uint64(bits.OnesCount64(word))
			}
			if b.count == 0 {
				continue
			}
			b.all = b.count == min(bitmaps.BlockSlots, r.Position()-b.number*bitmaps.BlockSlots)
			if b.least, b.greatest, err = r.times.Range(b.number); err != nil {
				return false, fmt.Errorf("reading times: %w", err)
			}
			if err := fn(&b); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}
