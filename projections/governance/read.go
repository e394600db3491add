package governance

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/rows"
)

// A Reader answers from one snapshot of the view. It is good as long as its transaction is, for one goroutine.
//
// Every answer is as known at a position, until: what was recorded later is not in it. Where a moment is asked for
// too, at, the zero time asks for what was recorded last, whenever it happened. The cost of an answer is that of
// what it gives, and of the versions of those things that are newer than asked for.
type Reader struct {
	versions, parties *rows.Table // nil in a file that has no events yet
}

// Read gives a reader of a snapshot. Its error, and that of any answer, wraps [projections.ErrDamaged].
func Read(tx *bolt.Tx) (*Reader, error) {
	versions, err := rows.Open(tx, versionsBucket)
	if err != nil {
		return nil, fmt.Errorf("reading governance: %w", err)
	}
	parties, err := rows.Open(tx, partiesBucket)
	if err != nil {
		return nil, fmt.Errorf("reading governance: %w", err)
	}
	if (versions == nil) != (parties == nil) {
		return nil, fmt.Errorf("governance: %w", rows.Damaged("half of the view is not there"))
	}
	return &Reader{versions, parties}, nil
}

// A Thing is something in the register, by the version of it that was asked for.
type Thing struct {
	What    What     `json:"what"`
	Key     []string `json:"key"` // see [What.Fields]
	Version Version  `json:"version"`
}

// History yields the versions of a thing, in order of position.
func (r *Reader) History(what What, until uint64, key ...string) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		thing, err := thingKey(what, key)
		if err != nil {
			yield(Version{}, err)
			return
		}
		for v, err := range r.history(thing, until) {
			if !yield(v, err) {
				return
			}
		}
	}
}

// At gives the version of a thing that was in force, false if there was none.
func (r *Reader) At(what What, at time.Time, until uint64, key ...string) (Version, bool, error) {
	thing, err := thingKey(what, key)
	if err != nil {
		return Version{}, false, err
	}
	return r.at(thing, at, until)
}

// List yields the things of a sort after a key, in order of their keys' JSON, each by the version that was in
// force; those that had none are left out. No key begins at the first.
func (r *Reader) List(what What, at time.Time, until uint64, after ...string) iter.Seq2[Thing, error] {
	return func(yield func(Thing, error) bool) {
		prefix := append([]byte(what), '[')
		from, c := prefix, r.versions.Cursor()
		if len(after) > 0 {
			thing, err := thingKey(what, after)
			if err != nil {
				yield(Thing{}, err)
				return
			}
			from = behind(thing)
		}
		k, _, err := c.Seek(from)
		for ; err == nil && bytes.HasPrefix(k, prefix); k, _, err = c.Seek(from) {
			thing, ok := thingOf(k)
			if !ok {
				yield(Thing{}, errKey)
				return
			}
			from = behind(thing)
			if !r.give(thing, at, until, yield) {
				return
			}
		}
		if err != nil {
			yield(Thing{}, err)
		}
	}
}

// Things yields what has named a party by then, agreements and systems and whatever else, by sort and key, each by
// the version that was in force: which may no longer name the party.
func (r *Reader) Things(party string, at time.Time, until uint64) iter.Seq2[Thing, error] {
	return func(yield func(Thing, error) bool) {
		for thing, err := range r.naming(party, until) {
			if err != nil {
				yield(Thing{}, err)
				return
			}
			if !r.give(thing, at, until, yield) {
				return
			}
		}
	}
}

// give yields a thing if it has a version in force; it reports whether to go on.
func (r *Reader) give(thing []byte, at time.Time, until uint64, yield func(Thing, error) bool) bool {
	v, ok, err := r.at(thing, at, until)
	if err != nil {
		yield(Thing{}, err)
		return false
	}
	if !ok {
		return true
	}
	t := Thing{Version: v}
	if t.What, t.Key, err = split(thing); err != nil {
		yield(Thing{}, err)
		return false
	}
	return yield(t, nil)
}

// naming yields the things of which a version known by then names a party.
func (r *Reader) naming(party string, until uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		prefix, c := partyPrefix(party), r.parties.Cursor()
		k, v, err := c.Seek(prefix)
		for ; err == nil && bytes.HasPrefix(k, prefix); k, v, err = c.Next() {
			if len(v) != 8 {
				yield(nil, errKey)
				return
			}
			if binary.BigEndian.Uint64(v) <= until && !yield(k[len(prefix):], nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// history yields the versions of a thing up to a position, the oldest first.
func (r *Reader) history(thing []byte, until uint64) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		c := r.versions.Cursor()
		k, v, err := c.Seek(thing)
		for ; err == nil && bytes.HasPrefix(k, thing); k, v, err = c.Next() {
			position, ok := positionOf(k, thing)
			if !ok {
				yield(Version{}, errKey)
				return
			}
			if position > until {
				return
			}
			version, err := decode(position, v)
			if !yield(version, err) || err != nil {
				return
			}
		}
		if err != nil {
			yield(Version{}, err)
		}
	}
}

// at gives the newest version of a thing up to a position that had happened by then.
func (r *Reader) at(thing []byte, at time.Time, until uint64) (Version, bool, error) {
	c := r.versions.Cursor()
	last := binary.BigEndian.AppendUint64(bytes.Clone(thing), until)
	k, value, err := c.SeekBack(last)
	for ; err == nil && bytes.HasPrefix(k, thing); k, value, err = c.Prev() {
		position, ok := positionOf(k, thing)
		if !ok {
			return Version{}, false, errKey
		}
		v, err := decode(position, value)
		if err != nil {
			return Version{}, false, err
		}
		if at.IsZero() || !v.Time.After(at) {
			return v, true, nil
		}
	}
	return Version{}, false, err
}

// errKey reports a row whose key is not as this package writes them.
var errKey = fmt.Errorf("governance: a key is not that of a version: %w", projections.ErrDamaged)

// behind is after every version of a thing and before those of the next: no position has nine bytes.
func behind(thing []byte) []byte {
	return append(bytes.Clone(thing), bytes.Repeat([]byte{0xff}, 9)...)
}

func positionOf(k, thing []byte) (uint64, bool) {
	if len(k) != len(thing)+8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(k[len(thing):]), true
}

// thingOf gives what a version's key says before the position. It aliases k.
func thingOf(k []byte) ([]byte, bool) {
	if len(k) < 8 {
		return nil, false
	}
	return k[:len(k)-8], true
}

// split reads what thingKey wrote.
func split(thing []byte) (What, []string, error) {
	i := bytes.IndexByte(thing, '[')
	if i < 0 {
		return "", nil, errKey
	}
	var key []string
	if err := json.Unmarshal(thing[i:], &key); err != nil {
		return "", nil, fmt.Errorf("%w: %s", errKey, thing[:i])
	}
	return What(thing[:i]), key, nil
}
