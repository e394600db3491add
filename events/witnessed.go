package events

import (
	"fmt"
	"time"
)

// Commitment is what the ledger commits to: roots over the first Size positions (docs/FORMAT.md, "Commit").
type Commitment struct {
	Size      uint64
	Root      [32]byte  // of the record log
	Annotated [32]byte  // of the annotated tree
	Totals    [144]byte // its annotation
	Rules     [32]byte  // hash of what its flags mean
}

// Event makes the ledger's own event of kind ledger.committed.
func (c Commitment) Event(id, source string, at time.Time) (*Event, error) {
	return ownEvent(LedgerCommitted, id, source, at,
		member{"size", IntOf(int64(c.Size))},
		member{"root", hexOf(c.Root[:])},
		member{"annotated", hexOf(c.Annotated[:])},
		member{"totals", hexOf(c.Totals[:])},
		member{"rules", hexOf(c.Rules[:])})
}

func hexOf(b []byte) Value { return TextOf(fmt.Sprintf("%x", b)) }

// KeyAnnouncement is that a key which signs evidence is added, or retired: from then on it counts no more.
type KeyAnnouncement struct {
	Who
	What     string // log, bundle, witness or replay
	Retired  bool
	Key      string // the verifier key, as C2SP signed-note writes it
	Operator string // code of the party that keeps it; "" for the controller
	Upto     uint64 // of a retired key of the log: the last size whose checkpoints it signed; 0 if not said
	Ancestor string // of a new origin: the one it takes the place of; "" if none
}

// Event makes the ledger's own event of kind ledger.key-announced.
func (k KeyAnnouncement) Event(id, source string, at time.Time) (*Event, error) {
	state := "added"
	if k.Retired {
		state = "retired"
	}
	members := append(k.Who.members(),
		member{"what", TextOf(k.What)}, member{"state", TextOf(state)}, member{"key", TextOf(k.Key)},
		member{"operator", textOrNone(k.Operator)})
	if k.Upto != 0 {
		members = append(members, member{"upto", IntOf(int64(k.Upto))})
	}
	return ownEvent(LedgerKeyAnnounced, id, source, at, append(members, member{"ancestor", textOrNone(k.Ancestor)})...)
}
