package postings

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
	"sort"
)

// A Union goes through the positions of some keys in one direction, and gives each once, however many of the keys have
// it. It reads as it goes: no segment before one may have what comes next, and of a key with millions of positions a
// block at a time.
type Union struct {
	r       *Reader
	newest  bool
	streams streams
	err     error
}

// Union goes through the positions of keys: ascending, or, if newest, descending. Keys of another length than the bucket's
// have none.
func (r *Reader) Union(keys [][]byte, newest bool) *Union {
	u := &Union{r: r, newest: newest}
	if len(r.segments) == 0 {
		return u
	}
	for _, key := range keys {
		if len(key) == r.size {
			u.streams = append(u.streams, &stream{r: r, newest: newest, pair: appendPair(nil, key, 0)})
		}
	}
	return u
}

// Seek returns the first position at or after the given one, or, if newest, the last at or before it; false if there is
// none. A call must not go back on the one before. After an error, it returns that again.
func (u *Union) Seek(position uint64) (found uint64, ok bool, err error) {
	if u.newest {
		position = min(position, u.r.until)
	}
	for u.err == nil && len(u.streams) > 0 {
		first := u.streams[0]
		if first.at(position) {
			return first.head(), first.head() <= u.r.until, nil
		}
		more, err := first.step(position)
		switch {
		case err != nil:
			u.err = fmt.Errorf("reading postings: %w", err)
		case more:
			heap.Fix(&u.streams, 0)
		default:
			heap.Pop(&u.streams)
		}
	}
	return 0, false, u.err
}

// From yields what Seek finds, from the given position on. The last may come with an error. Seek must not be called
// meanwhile.
func (u *Union) From(position uint64) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		for {
			found, ok, err := u.Seek(position)
			if err != nil {
				yield(0, err)
				return
			}
			if !ok {
				return
			}
			for _, found = range u.stretch() {
				if !yield(found, nil) {
					return
				}
			}
			if found == math.MaxUint64 {
				return
			}
			if position = found + 1; u.newest {
				position = found - 1 // none is 0, so this ends
			}
		}
	}
}

// stretch returns the positions that come next, the one found included, for as long as no other stream may have one among
// them: in their order, and at least one.
func (u *Union) stretch() iter.Seq2[int, uint64] {
	list := u.streams[0].list
	if u.newest {
		beyond := uint64(0)
		for _, other := range u.streams[1:min(3, len(u.streams))] { // the heads of all others are behind these
			beyond = max(beyond, other.head())
		}
		n := sort.Search(len(list), func(i int) bool { return list[i] > beyond })
		return slices.Backward(list[min(n, len(list)-1):])
	}
	beyond := uint64(math.MaxUint64)
	for _, other := range u.streams[1:min(3, len(u.streams))] {
		beyond = min(beyond, other.head())
	}
	n := sort.Search(len(list), func(i int) bool { return list[i] >= beyond || list[i] > u.r.until })
	return slices.All(list[:max(n, 1)])
}

// A stream goes through the positions of one key.
type stream struct {
	r      *Reader
	newest bool
	pair   []byte // the key, and room for a position

	visited int      // segments that are behind
	inside  bool     // the next one has more of the key
	list    []uint64 // ascending: what is left of a block's
	buffer  []uint64
}

// next returns the segment to be read next.
func (s *stream) next() *shelf {
	if s.newest {
		return s.r.segments[len(s.r.segments)-1-s.visited]
	}
	return s.r.segments[s.visited]
}

// head returns the next position, or, while nothing of the next segment is read, one that it cannot be before.
func (s *stream) head() uint64 {
	switch n := len(s.list); {
	case n > 0 && s.newest:
		return s.list[n-1]
	case n > 0:
		return s.list[0]
	case s.newest:
		return s.next().reach
	}
	return s.next().first
}

// at reports whether the next position is known and is at position or beyond, in the direction of the stream.
func (s *stream) at(position uint64) bool {
	if s.newest {
		return len(s.list) > 0 && s.head() <= position
	}
	return len(s.list) > 0 && s.head() >= position
}

// step goes on towards position: to the next block at most. It reports whether there may be more.
func (s *stream) step(position uint64) (more bool, err error) {
	if s.skip(position); len(s.list) == 0 && s.visited < len(s.r.segments) {
		if err := s.read(position); err != nil {
			return false, err
		}
		s.skip(position)
	}
	return len(s.list) > 0 || s.visited < len(s.r.segments), nil
}

// skip drops the positions before position, in the direction of the stream.
func (s *stream) skip(position uint64) {
	if s.newest {
		s.list = s.list[:sort.Search(len(s.list), func(i int) bool { return s.list[i] > position })]
	} else {
		s.list = s.list[sort.Search(len(s.list), func(i int) bool { return s.list[i] >= position }):]
	}
}

// read reads a block of the next segment, or passes it by.
func (s *stream) read(position uint64) error {
	segment, key := s.next(), s.pair[:len(s.pair)-8]
	if !s.inside {
		beyond := s.newest && segment.first > position || !s.newest && segment.last < position
		perhaps, err := !beyond, error(nil)
		if perhaps {
			perhaps, err = segment.perhaps(key)
		}
		if !perhaps {
			s.visited++
			return err
		}
	}
	binary.BigEndian.PutUint64(s.pair[len(key):], position)
	found, err := segment.at(s.buffer, s.pair, s.newest)
	if err != nil {
		return err
	}
	s.list, s.buffer = found.positions, found.positions[:0]
	if s.inside = found.more; !s.inside {
		s.visited++
	}
	return nil
}

// streams is a heap in the order of their heads.
type streams []*stream

func (h streams) Len() int { return len(h) }

func (h streams) Less(i, j int) bool {
	if a, b := h[i].head(), h[j].head(); h[i].newest {
		return a > b
	} else {
		return a < b
	}
}

func (h streams) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *streams) Push(s any) { *h = append(*h, s.(*stream)) }

func (h *streams) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
