// Package backup is the archive of a ledger's streams: a folder that only grows,
// from which the ledger can be made again.
//
// What is always true:
//
//   - The state file names one moment: how far each stream had come, all at once.
//     Nothing beyond it counts. It is replaced whole, after all that it names is
//     durable; so a crash leaves the moment before or the moment after.
//   - Files only grow. Copying a folder while a backup runs gives a backup, if the
//     state file is copied first.
//   - Every message carries a digest chained to the one before, and the state the
//     last: a byte that was changed, a file that was cut, swapped or is missing is
//     found and named. The chain has no key: whoever can write to the folder can
//     make another whole archive of other messages.
//   - Messages are as the streams hold them. There is no key among them.
//
// docs/FORMAT.md, "Backup", has every layout to the byte. Reading order: state.go,
// frame.go, write.go, read.go.
package backup

import (
	"errors"
	"fmt"
)

var (
	// ErrNone is returned where there is no backup.
	ErrNone = errors.New("backup: none here")
	// ErrDamaged is returned when an archive is not what was written; see [Damage].
	ErrDamaged = errors.New("backup: damaged")
	// ErrForeign is returned for the backup of another ledger, or of another history
	// of the same one, and for a folder that holds something else. Nothing was changed.
	ErrForeign = errors.New("backup: not of this ledger")
	// ErrInUse is returned when another backup into the folder is being made.
	ErrInUse = errors.New("backup: in use")
)

// A Part is one of a ledger's streams.
type Part uint8

// The parts of a ledger. Their numbers are stored.
const (
	Events Part = 1
	Vault  Part = 2
	Access Part = 3
)

// Parts are all parts, in their order.
func Parts() [3]Part { return [3]Part{Events, Vault, Access} }

func (p Part) String() string {
	switch p {
	case Events:
		return "events"
	case Vault:
		return "vault"
	case Access:
		return "access"
	}
	return fmt.Sprintf("part %d", uint8(p))
}

// A Ledger is whose backup an archive is.
type Ledger struct {
	Name string // 1 to 32 of [a-z0-9-]
	ID   string // 16 bytes in hexadecimal
}

// Damage says where an archive is not what was written. It wraps [ErrDamaged].
type Damage struct {
	File     string
	Offset   int64  // of the frame or field that is wrong, or the end of a file that is too short
	Part     Part   // 0 for the state file
	Sequence uint64 // of the first message affected, 0 for the state file
	Err      error
}

func (d *Damage) Error() string {
	if d.Part == 0 {
		return fmt.Sprintf("%v: %s at offset %d: %v", ErrDamaged, d.File, d.Offset, d.Err)
	}
	return fmt.Sprintf("%v: %s at offset %d, %s from sequence %d on: %v", ErrDamaged, d.File, d.Offset, d.Part, d.Sequence, d.Err)
}

func (d *Damage) Unwrap() []error { return []error{ErrDamaged, d.Err} }
