package projections

import (
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/imalink/custody/events"
)

// A Role is the part a person plays in an event. Its numbers are those of the vault.
type Role uint8

const (
	Subject Role = 1 // whose data it is
	Actor   Role = 2 // who acted
)

// A Cell is what a tag is made for: one retention class, role and month of event time (UTC). The same person has
// another tag in every cell, and a cell is forgotten as a whole.
type Cell struct {
	Class events.Retention
	Role  Role
	Month int32 // since January 1970
}

// CellOf is the cell of the tags that an event of a kind and time has for a role.
func CellOf(k events.Kind, at time.Time, role Role) Cell {
	at = at.UTC()
	return Cell{Class: k.Retention(), Role: role, Month: int32((at.Year()-1970)*12 + int(at.Month()) - 1)}
}

// CellSize is the length of a cell in a key.
const CellSize = 6

// Append appends the cell as keys begin with it: class, role, month; in order of month within class and role.
func (c Cell) Append(dst []byte) []byte {
	dst = append(dst, byte(c.Class), byte(c.Role))
	return binary.BigEndian.AppendUint32(dst, uint32(c.Month)^1<<31)
}

// CellIn reads what Append wrote. b has at least CellSize bytes.
func CellIn(b []byte) Cell {
	return Cell{Class: events.Retention(b[0]), Role: Role(b[1]), Month: int32(binary.BigEndian.Uint32(b[2:]) ^ 1<<31)}
}

// A Tag stands for a person, or for a reference that joins events, within a cell. The zero Tag is none.
type Tag [16]byte

// IsZero reports that there is no tag.
func (t Tag) IsZero() bool { return t == Tag{} }

func (t Tag) String() string { return hex.EncodeToString(t[:]) }

// tagIn reads a tag as it is stored; anything else, which the codec does not let through, gives none.
func tagIn(text string) (t Tag) {
	if len(text) == 2*len(t) {
		_, _ = hex.Decode(t[:], []byte(text))
	}
	return t
}
