package vault

import (
	"encoding/hex"
	"fmt"
	"time"
)

// A Tag stands for a person, or for a joinable reference, within one cell.
// Without the vault's keys it is noise.
type Tag [16]byte

func (t Tag) String() string               { return hex.EncodeToString(t[:]) }
func (t Tag) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, t[:]), nil }

// ParseTag reads what String gives; ok is false for anything else.
func ParseTag(text string) (t Tag, ok bool) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(t) || text != hex.EncodeToString(b) {
		return Tag{}, false
	}
	return Tag(b), true
}

// AppendJSON appends the tag as a JSON string of 32 hex digits.
func (t Tag) AppendJSON(dst []byte) []byte {
	return append(hex.AppendEncode(append(dst, '"'), t[:]), '"')
}

// A Role is the part a person plays in an event. Its numbers are stored.
type Role uint8

const (
	Subject Role = 1 // whose data it is
	Actor   Role = 2 // who acted
)

func (r Role) String() string {
	switch r {
	case Subject:
		return "subject"
	case Actor:
		return "actor"
	}
	return fmt.Sprintf("role %d", uint8(r))
}

// A Month counts whole months since January 1970, UTC.
type Month int32

// MonthOf returns the month of an event's time.
func MonthOf(t time.Time) Month {
	t = t.UTC()
	return Month((t.Year()-1970)*12 + int(t.Month()) - 1)
}

func (m Month) String() string {
	return time.Date(1970, 1+time.Month(m), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}

// A CellID names a cell: what is forgotten together.
type CellID struct {
	Class uint8 // retention class, from 1; fixed per kind of event
	Role  Role
	Month Month // of the event's time
}

func (id CellID) check() error {
	if id.Class == 0 || (id.Role != Subject && id.Role != Actor) {
		return fmt.Errorf("%w: cell of class %d, %v", ErrLimit, id.Class, id.Role)
	}
	return nil
}

func (id CellID) compare(other CellID) int {
	for _, d := range [...]int{int(id.Class) - int(other.Class), int(id.Role) - int(other.Role)} {
		if d != 0 {
			return d
		}
	}
	return int(id.Month) - int(other.Month)
}

// A cell holds one cell's random key and what is derived from it. All but
// durable is fixed.
type cell struct {
	secret
	id      CellID
	random  key
	tag     key
	seal    key
	ref     key
	all     key  // content keys that no person holds
	durable bool // a durable table has it
}

func newCell(id CellID, random key) *cell {
	x := random.extract()
	return &cell{id: id, random: random, tag: x.expand(labelTag), seal: x.expand(labelSeal), ref: x.expand(labelRef), all: x.expand(labelCell)}
}

// reference is the tag of a session, correlation or other joinable reference.
func (c *cell) reference(value Identifier) Tag {
	sum := mac(&c.ref, []byte(value))
	return Tag(sum[:16])
}

// person is the tag of the person with the derived key kc, and the key that
// opens what was sealed about them in this cell.
func (c *cell) person(kc *key) (Tag, key) {
	sum := mac(&c.tag, kc[:])
	return Tag(sum[:16]), mac(&c.seal, kc[:])
}

// A Cell is a batch's handle of a cell.
type Cell struct {
	secret
	cell *cell
	gone bool
}

// Gone says that the cell was forgotten: its tags are random, nothing is sealed,
// and the event is to be flagged.
func (c Cell) Gone() bool { return c.gone }

func (c Cell) check() error {
	if c.cell == nil && !c.gone {
		return fmt.Errorf("%w: cell was not made by Batch.Cell", ErrOrder)
	}
	return nil
}
