package coverage

import "encoding/binary"

// A reader takes apart what was written as varints, each in its shortest form. After the first fault it is bad,
// and what it gives is nothing.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || n > 1 && r.rest[n-1] == 0 { // ended too early, too long, or longer than need be
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 { return unzigzag(r.uvarint()) }

// sum reads a difference above 0 and adds it.
func (r *reader) sum(to uint64) uint64 {
	d := r.uvarint()
	r.bad = r.bad || d == 0 || to+d < to
	return to + d
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}
