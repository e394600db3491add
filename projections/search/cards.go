package search

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/rows"
)

// Bucket cards holds, by number of the block (8 bytes, big-endian), the cards of 64 slots, fewer in the last block:
//
//	recorded time of the first in milliseconds (8 bytes, big-endian), then each card: its length, itself; checksum
//
// and a card, numbers as varints, signed ones in zigzag:
//
//	kind (1) | flags (1)
//	recorded time less the block's | event time less recorded time
//	id: 16 bytes if it is a UUID in lower case, else its length and itself
//	number of values | each value's number; the kind's, the family's and the retention's, first always, are left out
//	number of subjects | number of persons named
//	tags of actor and session, where there is one, of the named, of the subjects
//
// If there are more than inlineTags subjects, their tags are in bucket people: position (8 bytes, big-endian) -> tags; checksum.
const (
	blockCards = 64
	inlineTags = 32

	hasUUID    = 1 << 0
	hasActor   = 1 << 1
	hasSession = 1 << 2

	ofKind = 3 // values that follow from the kind
)

// cardWriter appends cards. It keeps the block that is not full.
type cardWriter struct {
	blocks []cardBlock // not written as they are; the last may not be full
	many   []manyPeople
	card   []byte
}

type cardBlock struct {
	number uint64
	base   int64
	cards  int
	value  []byte
}

type manyPeople struct {
	position uint64
	tags     []projections.Tag
}

// openCards reads the block that the card of position next goes into.
func openCards(tx *bolt.Tx, next uint64) (*cardWriter, error) {
	w := &cardWriter{}
	slot := next - 1
	if slot%blockCards == 0 {
		return w, nil
	}
	b := tx.Bucket([]byte(cardsBucket))
	if b == nil {
		return nil, rows.Damaged("there are no cards")
	}
	number := slot / blockCards
	key := blockKey(number)
	value, err := rows.Unseal(cardsBucket, key, b.Get(key))
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", number, err)
	}
	if len(value) < 8 {
		return nil, rows.Damaged("block %d", number)
	}
	w.blocks = []cardBlock{{number, int64(binary.BigEndian.Uint64(value)), int(slot % blockCards), slices.Clone(value)}}
	return w, nil
}

// append adds the card of the next event, whose values are numbered.
func (w *cardWriter) append(e *projections.Event, values []uint32) {
	slot, recorded := e.Position-1, millis(e.Stored.Recorded)
	if n := len(w.blocks); n == 0 || w.blocks[n-1].cards == blockCards {
		w.blocks = append(w.blocks, cardBlock{number: slot / blockCards, base: recorded,
			value: binary.BigEndian.AppendUint64(make([]byte, 0, 8<<10), uint64(recorded))})
	}
	block := &w.blocks[len(w.blocks)-1]
	w.card = appendCard(w.card[:0], e, recorded-block.base, values)
	block.value = append(binary.AppendUvarint(block.value, uint64(len(w.card))), w.card...)
	block.cards++
	if len(e.People.Subjects) > inlineTags {
		w.many = append(w.many, manyPeople{e.Position, e.People.Subjects})
	}
}

func appendCard(dst []byte, e *projections.Event, recorded int64, values []uint32) []byte {
	event, p := e.Stored.Event, &e.People
	id, isUUID := parseUUID(event.ID)
	flags := flag(isUUID, hasUUID) | flag(!p.Actor.IsZero(), hasActor) | flag(!p.Session.IsZero(), hasSession)
	dst = append(dst, byte(event.Kind), flags)
	dst = binary.AppendVarint(dst, recorded)
	dst = binary.AppendVarint(dst, millis(event.At)-millis(e.Stored.Recorded))
	if isUUID {
		dst = append(dst, id[:]...)
	} else {
		dst = append(binary.AppendUvarint(dst, uint64(len(event.ID))), event.ID...)
	}
	values = values[ofKind:]
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	for _, v := range values {
		dst = binary.AppendUvarint(dst, uint64(v))
	}
	dst = binary.AppendUvarint(dst, uint64(len(p.Subjects)))
	dst = binary.AppendUvarint(dst, uint64(len(p.Named)))
	if flags&hasActor != 0 {
		dst = append(dst, p.Actor[:]...)
	}
	if flags&hasSession != 0 {
		dst = append(dst, p.Session[:]...)
	}
	dst = appendTags(dst, p.Named)
	if len(p.Subjects) <= inlineTags {
		dst = appendTags(dst, p.Subjects)
	}
	return dst
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

func appendTags(dst []byte, tags []projections.Tag) []byte {
	for _, t := range tags {
		dst = append(dst, t[:]...)
	}
	return dst
}

// parseUUID reads an id that is exactly what formatUUID writes.
func parseUUID(id string) (u [16]byte, ok bool) {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return u, false
	}
	digits := id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]
	if _, err := hex.Decode(u[:], []byte(digits)); err != nil {
		return u, false
	}
	return u, formatUUID(u[:]) == id
}

func formatUUID(u []byte) string {
	var b [36]byte
	hex.Encode(b[:8], u[:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// flush writes the blocks and the people that are not written yet.
func (w *cardWriter) flush(tx *bolt.Tx) error {
	cards, err := rows.Create(tx, cardsBucket)
	if err != nil {
		return err
	}
	people, err := rows.Create(tx, peopleBucket)
	if err != nil {
		return err
	}
	cards.FillPercent, people.FillPercent = 1, 1
	for i := range w.blocks {
		key := blockKey(w.blocks[i].number)
		if err := cards.Put(key, rows.Seal(cardsBucket, key, slices.Clip(w.blocks[i].value))); err != nil {
			return fmt.Errorf("writing cards: %w", err)
		}
	}
	for _, m := range w.many {
		key := blockKey(m.position)
		if err := people.Put(key, rows.Seal(peopleBucket, key, appendTags(nil, m.tags))); err != nil {
			return fmt.Errorf("writing people: %w", err)
		}
	}
	w.keepOpen()
	return nil
}

// keepOpen drops what is written and will not change.
func (w *cardWriter) keepOpen() {
	n := len(w.blocks)
	if n > 0 && w.blocks[n-1].cards == blockCards {
		w.blocks = nil
	} else if n > 1 {
		w.blocks = slices.Clone(w.blocks[n-1:])
	}
	w.many = nil
}

func blockKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }
