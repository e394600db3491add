package search

import (
	"fmt"
	"iter"
	"math"

	"github.com/imalink/custody/projections/bitmaps"
)

// Page gives up to limit positions that match, and whether there are more: ascending from the first beyond after or,
// newest first, descending from the first below it; 0 begins at the end from which it goes. The next page is the one
// after the last position given. It reads only chunks that have each facet asked for, down to the last one it needs.
func (r *Reader) Page(f Filter, after uint64, limit int, newest bool) (positions []uint64, more bool, err error) {
	if limit < 1 {
		return nil, false, fmt.Errorf("a page of %d: the least is 1", limit)
	}
	q, err := r.query(f)
	if err != nil {
		return nil, false, err
	}
	low, high := after, uint64(math.MaxUint64)
	if newest && after > 0 {
		low, high = 0, after-1
	}
	var set bitmaps.Set
	err = q.spans(low, high, newest, func(s span) (bool, error) {
		any, err := q.match(&set, s)
		if err != nil || !any {
			return err == nil, err
		}
		slots := set.All()
		if newest {
			slots = set.Backward()
		}
		for slot := range slots {
			if more = len(positions) == limit; more {
				return false, nil
			}
			positions = append(positions, s.position(slot))
		}
		return true, nil
	})
	if err != nil {
		return nil, false, err
	}
	return positions, more, nil
}

// Walk yields every position that matches, ascending. After an error nothing more is yielded.
func (r *Reader) Walk(f Filter) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		q, err := r.query(f)
		if err != nil {
			yield(0, err)
			return
		}
		var set bitmaps.Set
		err = q.spans(0, math.MaxUint64, false, func(s span) (bool, error) {
			if any, err := q.match(&set, s); err != nil || !any {
				return err == nil, err
			}
			for slot := range set.All() {
				if !yield(s.position(slot), nil) {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil {
			yield(0, err)
		}
	}
}
