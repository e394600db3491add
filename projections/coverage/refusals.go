package coverage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/rows"
)

// The bucket refusals holds sums: producer, 0, type, 0, position -> how many events of that producer were refused
// for that reason up to there, when the first was and when the last; all as varints.

// A Refused is how often events of a producer were refused for one reason. What was refused is not in the ledger.
type Refused struct {
	Producer string    `json:"producer"` // "unregistered" where the sender was nobody that is registered
	Type     string    `json:"type"`     // as events.Error has it
	Count    uint64    `json:"count"`
	First    time.Time `json:"first"`    // the ledger writes down when it refused the first and the last of a minute:
	Last     time.Time `json:"last"`     // the earliest of the first and the latest of the last
	Position uint64    `json:"position"` // of the last event that says so
}

// refusal is one count of one event of kind ledger.refused.
type refusal struct {
	producer, word string
	position       uint64
	sum            refusalSum
}

type refusalSum struct {
	count       uint64
	first, last int64 // milliseconds since 1970
}

func refusalsOf(e *projections.Event) (list []refusal) {
	d := e.Stored.Event.Data
	instant := func(name string) int64 {
		t, err := time.Parse(time.RFC3339, d.Get(name).Text())
		if err != nil {
			t = e.Stored.Event.At // a leap second, which the ledger does not write
		}
		return t.UnixMilli()
	}
	first, last := instant("from"), instant("to")
	for _, v := range d.Get("types").List() {
		o := v.Object()
		list = append(list, refusal{
			producer: d.Get("producer").Text(), word: o.Get("type").Text(), position: e.Position,
			sum: refusalSum{count: uint64(o.Get("count").Int()), first: first, last: last},
		})
	}
	return list
}

// writeRefusals adds counts to the sums.
func writeRefusals(b *rows.Table, list []refusal) error {
	for _, r := range list {
		prefix := refusalPrefix(r.producer, r.word)
		sum, _, ok, err := refusedUntil(b.Cursor(), prefix, 1<<64-1)
		if err != nil {
			return err
		}
		if ok {
			r.sum.count += sum.count
			r.sum.first, r.sum.last = min(r.sum.first, sum.first), max(r.sum.last, sum.last)
		}
		if err := b.Put(binary.BigEndian.AppendUint64(prefix, r.position), r.sum.encode()); err != nil {
			return fmt.Errorf("writing a refusal: %w", err)
		}
	}
	return nil
}

// Refusals yields what was refused, by producer and type, up to a position. It costs a step for each of them.
func (r *Reader) Refusals(until uint64) iter.Seq2[Refused, error] {
	return func(yield func(Refused, error) bool) {
		walk, c := r.refusals.Cursor(), r.refusals.Cursor()
		k, _, err := walk.First()
		for k != nil && err == nil {
			producer, word, ok := refusalIn(k)
			if !ok {
				yield(Refused{}, errBlock)
				return
			}
			prefix := refusalPrefix(producer, word)
			sum, position, some, failure := refusedUntil(c, prefix, until)
			if failure != nil {
				yield(Refused{}, failure)
				return
			}
			if some && !yield(Refused{Producer: producer, Type: word, Count: sum.count, Position: position,
				First: moment(sum.first), Last: moment(sum.last)}, nil) {
				return
			}
			k, _, err = walk.Seek(append(prefix, bytes.Repeat([]byte{0xff}, 9)...)) // behind every position
		}
		if err != nil {
			yield(Refused{}, err)
		}
	}
}

// refusedUntil finds the newest sum up to a position, and its own position.
func refusedUntil(c *rows.Cursor, prefix []byte, until uint64) (refusalSum, uint64, bool, error) {
	end := binary.BigEndian.AppendUint64(bytes.Clone(prefix), until)
	k, v, err := c.SeekBack(end)
	if err != nil || len(k) != len(end) || !bytes.HasPrefix(k, prefix) {
		return refusalSum{}, 0, false, err
	}
	sum, err := decodeRefusal(v)
	return sum, binary.BigEndian.Uint64(k[len(prefix):]), err == nil, err
}

func refusalPrefix(producer, word string) []byte {
	return append(append(append([]byte(producer), 0), word...), 0)
}

// refusalIn reads whose sum a key is of.
func refusalIn(k []byte) (producer, word string, ok bool) {
	p, rest, ok := bytes.Cut(k, []byte{0})
	if !ok {
		return "", "", false
	}
	w, position, ok := bytes.Cut(rest, []byte{0})
	return string(p), string(w), ok && len(position) == 8
}

func (s refusalSum) encode() []byte {
	return binary.AppendVarint(binary.AppendVarint(binary.AppendUvarint(nil, s.count), s.first), s.last)
}

func decodeRefusal(b []byte) (refusalSum, error) {
	r := reader{rest: b}
	s := refusalSum{count: r.uvarint(), first: r.varint(), last: r.varint()}
	if r.bad || len(r.rest) > 0 {
		return refusalSum{}, errBlock
	}
	return s, nil
}
