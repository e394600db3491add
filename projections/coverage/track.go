package coverage

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/imalink/custody/projections/rows"
)

// The file holds five buckets, each a [rows.Table]: a track, a block or a registration that has gone is noticed. Positions
// and numbers of tracks are big-endian.
//
//	names       name of a track -> its number, of 4 bytes; 0 -> the last number
//	blocks      number of a track, position of the first entry -> block, see entry.go; all but the last are full
//	tallies     number of a track, position of the first entry of a block -> tally of all entries before it
//	registered  party -> position of its first registration
//	refusals    see refusals.go
//
// A track's name is 's', a producer's source, 0 and its instance; or 'u' and an unregistered party.
const version = 2

const (
	ofProducer     = 's'
	ofUnregistered = 'u'
)

const (
	namesBucket      = "names"
	blocksBucket     = "blocks"
	talliesBucket    = "tallies"
	registeredBucket = "registered"
	refusalsBucket   = "refusals"
)

// tracks are the buckets of the tracks in one transaction.
type tracks struct {
	names, blocks, tallies *rows.Table
	size                   int // entries in a block, for who writes
}

// key is where something of a track at a position is kept.
func key(track uint32, position uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(make([]byte, 0, 12), track), position)
}

// extend appends entries to the track of a name. The tracks may be written to.
func (t tracks) extend(name string, entries []entry) error {
	track, err := t.numberOf(name)
	if err != nil {
		return err
	}
	first, tail, err := t.tail(track)
	if err != nil {
		return err
	}
	for _, n := range entries {
		if len(tail.entries) == t.size {
			if err := t.put(track, first, tail); err != nil {
				return err
			}
			tail = block{before: tail.before + uint64(t.size), entries: tail.entries[:0]}
			if err := t.tallyBefore(track, n.position, tail.before); err != nil {
				return err
			}
		}
		if len(tail.entries) == 0 {
			first = n.position
		}
		tail.entries = append(tail.entries, n)
	}
	return t.put(track, first, tail)
}

// numberOf finds the number of a track, or gives it one.
func (t tracks) numberOf(name string) (uint32, error) {
	if v, err := t.names.Get([]byte(name)); v != nil || err != nil {
		return trackIn(v, err)
	}
	last := []byte{0} // of no track's name
	next := uint32(1)
	if v, err := t.names.Get(last); v != nil || err != nil {
		if next, err = trackIn(v, err); err != nil {
			return 0, err
		}
		next++
	}
	number := binary.BigEndian.AppendUint32(nil, next)
	for _, key := range [][]byte{last, []byte(name)} {
		if err := t.names.Put(key, number); err != nil {
			return 0, fmt.Errorf("numbering a track: %w", err)
		}
	}
	return next, nil
}

// trackIn reads the number of a track, if there was no error.
func trackIn(v []byte, err error) (uint32, error) {
	if err != nil {
		return 0, err
	}
	if len(v) != 4 {
		return 0, errBlock
	}
	return binary.BigEndian.Uint32(v), nil
}

// tail gives the last block of a track and the position of its first entry; an empty one of a new track.
func (t tracks) tail(track uint32) (uint64, block, error) {
	k, v, err := newest(t.blocks.Cursor(), track, 1<<64-1)
	if k == nil || err != nil {
		return 0, block{}, err
	}
	tail, err := decodeBlock(v)
	return binary.BigEndian.Uint64(k[4:]), tail, err
}

func (t tracks) put(track uint32, first uint64, b block) error {
	if err := t.blocks.Put(key(track, first), b.encode()); err != nil {
		return fmt.Errorf("writing a block: %w", err)
	}
	return nil
}

// tallyBefore writes the tally of all entries before a position, which are this many, if it is due: between two
// tallies lies a block, or twice as many entries as the first has ranges where that is more. So a track costs a
// bounded amount an entry however much is missing in it.
func (t tracks) tallyBefore(track uint32, position, entries uint64) error {
	var r reader
	_, v, err := newest(t.tallies.Cursor(), track, position)
	if err != nil {
		return err
	}
	if v != nil {
		r.rest = v
		received, ranges := r.uvarint(), r.uvarint()
		if entries-received < max(uint64(t.size), 2*ranges) {
			return nil
		}
	}
	sum, err := t.tally(track, position-1)
	if err != nil {
		return err
	}
	if err := t.tallies.Put(key(track, position), sum.encode()); err != nil {
		return fmt.Errorf("writing a tally: %w", err)
	}
	return nil
}

// tally adds up a track up to a position: from the last tally before it on. It costs as much as that tally has
// ranges, and as there are entries since: a block, or twice the ranges and a block.
func (t tracks) tally(track uint32, until uint64) (sum tally, err error) {
	from := key(track, 0)
	k, v, err := newest(t.tallies.Cursor(), track, until)
	if err != nil {
		return tally{}, err
	}
	if k != nil {
		if sum, err = decodeTally(v); err != nil {
			return tally{}, err
		}
		from = k
	}
	c := t.blocks.Cursor()
	k, v, err = c.Seek(from)
	if err == nil && sum.received > 0 && !bytes.Equal(k, from) {
		return tally{}, errBlock // the tally stands before a block
	}
	for ; err == nil && bytes.HasPrefix(k, from[:4]) && binary.BigEndian.Uint64(k[4:]) <= until; k, v, err = c.Next() {
		b, err := decodeBlock(v)
		if err != nil || b.before != sum.received {
			return tally{}, errBlock
		}
		for _, n := range b.entries {
			if n.position > until {
				break
			}
			sum.add(n)
		}
	}
	if err != nil {
		return tally{}, err
	}
	sum.settle()
	return sum, nil
}

// newest finds what a track has at a position or last before it; nil if nothing.
func newest(c *rows.Cursor, track uint32, until uint64) (k, v []byte, err error) {
	end := key(track, until)
	k, v, err = c.SeekBack(end)
	if len(k) != len(end) || !bytes.HasPrefix(k, end[:4]) {
		return nil, nil, err
	}
	return k, v, err
}
