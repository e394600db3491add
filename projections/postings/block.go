package postings

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"sort"

	"github.com/imalink/custody/projections/rows"
)

// A block holds some keys in order, and a list of positions for each.
//
//	length of what all keys begin with, and that; number of keys (2 bytes); the rest of each key; the lists
//
// A list is its first position, then what each next one is more, as varints (encoding/binary), then a zero byte. No other
// byte of a list is zero, since no position and no difference is.
type block struct {
	common []byte
	rests  []byte
	width  int // of a rest
	n      int // keys
	lists  []byte
}

// decodeBlock reads the value of a block of keys of a size.
func decodeBlock(value []byte, size int) (block, error) {
	v := value
	if len(v) == 0 || int(v[0]) > size || len(v) < 1+int(v[0])+2 {
		return block{}, rows.Damaged("a block")
	}
	b := block{common: v[1 : 1+v[0]], width: size - int(v[0])}
	v = v[1+len(b.common):]
	b.n = int(binary.BigEndian.Uint16(v))
	v = v[2:]
	if b.n == 0 || b.n*b.width > len(v) {
		return block{}, rows.Damaged("a block")
	}
	b.rests, b.lists = v[:b.n*b.width], v[b.n*b.width:]
	return b, nil
}

func (b *block) rest(i int) []byte { return b.rests[i*b.width : (i+1)*b.width] }

// find returns the index of key and its list, nil if the block does not have it.
func (b *block) find(key []byte) (i int, list []byte, err error) {
	rest, ok := bytes.CutPrefix(key, b.common)
	if !ok {
		return 0, nil, nil
	}
	i = sort.Search(b.n, func(i int) bool { return bytes.Compare(b.rest(i), rest) >= 0 })
	if i == b.n || !bytes.Equal(b.rest(i), rest) {
		return i, nil, nil
	}
	lists := b.lists
	for range i + 1 {
		if list, lists, err = cutList(lists); err != nil {
			return i, nil, err
		}
	}
	return i, list, nil
}

// from returns the value of a block with only the keys from the i-th on, whose lists are given.
func (b *block) from(i int, lists []byte) []byte {
	rests := b.rests[i*b.width:]
	v := make([]byte, 0, 1+len(b.common)+2+len(rests)+len(lists))
	v = append(append(v, byte(len(b.common))), b.common...)
	v = binary.BigEndian.AppendUint16(v, uint16(b.n-i))
	return append(append(v, rests...), lists...)
}

// cutList returns the first list without its end, and the others.
func cutList(lists []byte) (list, others []byte, err error) {
	end := bytes.IndexByte(lists, 0)
	if end <= 0 {
		return nil, nil, rows.Damaged("a block lacks a list")
	}
	return lists[:end], lists[end+1:], nil
}

// appendList appends the positions of a list.
func appendList(dst []uint64, list []byte) ([]uint64, error) {
	for position := uint64(0); len(list) > 0; {
		more, n := binary.Uvarint(list)
		if n <= 0 || position+more <= position {
			return dst, rows.Damaged("a list")
		}
		position += more
		dst = append(dst, position)
		list = list[n:]
	}
	return dst, nil
}

// A blockWriter gathers pairs, in order, until they are a block.
type blockWriter struct {
	size   int // of a key
	limit  int // of a value, sealed
	n      int // keys
	keys   []byte
	common int // bytes all keys begin with
	lists  []byte
	last   uint64 // position last added
}

func (w *blockWriter) lastKey() []byte { return w.keys[len(w.keys)-w.size:] }

// add adds a pair behind the others, or reports that the block would be too long. A pair with the key of the one
// before has no key.
func (w *blockWriter) add(key []byte, position uint64) bool {
	n, common, more := w.n, w.common, position
	if key == nil {
		more -= w.last
	} else if n++; w.n == 0 {
		common = w.size
	} else {
		common = commonPrefix(w.keys[:common], key)
	}
	if w.n > 0 && w.length(n, common)+varintLen(more) > w.limit {
		return false
	}
	if key != nil {
		if w.n > 0 {
			w.lists = append(w.lists, 0)
		}
		w.keys = append(w.keys, key...)
	}
	w.n, w.common, w.last = n, common, position
	w.lists = binary.AppendUvarint(w.lists, more)
	return true
}

// length returns the length of a sealed value with n keys and what is in the lists.
func (w *blockWriter) length(n, common int) int {
	return 1 + common + 2 + n*(w.size-common) + len(w.lists) + (n - w.n) + 1 + rows.SealSize
}

// take returns the value of the block, and begins the next.
func (w *blockWriter) take() []byte {
	v := append(make([]byte, 0, w.length(w.n, w.common)), byte(w.common))
	v = append(v, w.keys[:w.common]...)
	v = binary.BigEndian.AppendUint16(v, uint16(w.n))
	for keys := w.keys; len(keys) > 0; keys = keys[w.size:] {
		v = append(v, keys[w.common:w.size]...)
	}
	v = append(append(v, w.lists...), 0)
	w.n, w.keys, w.lists = 0, w.keys[:0], w.lists[:0]
	return v
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func varintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
