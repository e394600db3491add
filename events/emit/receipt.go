package emit

import (
	"errors"
	"fmt"
	"strings"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

var (
	// ErrReceiptFalse reports a receipt that does not hold together, or is signed falsely.
	ErrReceiptFalse = errors.New("emit: false receipt")

	// ErrReceiptUnsigned reports a receipt that no trusted key of the ledger signed.
	ErrReceiptUnsigned = errors.New("emit: receipt not signed by the ledger that is trusted")

	// ErrReceiptPosition reports a receipt of another event than the one asked for.
	ErrReceiptPosition = errors.New("emit: receipt of another position")

	// ErrReceiptRecord reports that the log's record of the event is not that of the event: it is mis-flagged.
	ErrReceiptRecord = errors.New("emit: the record is not that of the event")

	// ErrReceiptDiffers reports that the ledger recorded something else than was sent: see [Difference].
	ErrReceiptDiffers = errors.New("emit: recorded is something else than was sent")

	// ErrReceiptUnread reports a stored event in a form that this version of the package does not know. It says
	// nothing against the ledger: it may be newer.
	ErrReceiptUnread = errors.New("emit: the stored event is in a form that is not known here")
)

// A SignedReceipt is the ledger's proof that it recorded an event, and as what, under a checkpoint that it signed
// (docs/FORMAT.md, "Proof"). It names nobody. The Proof written to a file is what custody verify reads.
type SignedReceipt struct {
	Position   uint64
	Proof      []byte
	Record     evidence.Record      // in the log; with the digest of the stored event
	Checkpoint checkpoint.Note      // that covers the position
	Signed     checkpoint.Judgement // by whom, as far as the trust knows them

	stored *events.Stored
}

// ReadReceipt verifies a receipt: that it holds together, that a key of the ledger signed it which the trust names,
// and that the record in the log is that of the stored event. A nil trust trusts no key, and then anybody can have
// made it. Whether the event is the one that was sent is for [SignedReceipt.Compare]. The error wraps one of the
// errors of receipts.
func ReadReceipt(proof []byte, trust *checkpoint.Trust) (SignedReceipt, error) {
	v, err := evidence.Verify(proof, trust)
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("%w: %w", ErrReceiptFalse, err)
	}
	if v.Type != evidence.TypeEvent || v.Event == nil {
		return SignedReceipt{}, fmt.Errorf("%w: a proof of something else", ErrReceiptFalse)
	}
	r := SignedReceipt{Position: v.Leaf.Position(), Proof: proof, Record: v.Leaf.Record, Checkpoint: v.Head.Note, Signed: v.Head.Judgement}
	if trust != nil {
		if err := r.Signed.Lacks(checkpoint.NeedLog); err != nil {
			return SignedReceipt{}, fmt.Errorf("%w: %w", ErrReceiptUnsigned, err)
		}
	}
	if r.stored, err = events.DecodeStored(v.Event); err != nil {
		return SignedReceipt{}, fmt.Errorf("%w: position %d: %w", ErrReceiptUnread, r.Position, err)
	}
	return r, r.sound()
}

// sound is nil if the record says of the event what it must.
func (r *SignedReceipt) sound() error {
	must := evidence.RecordOf(r.stored, r.Record.Digest, r.Record.Producer) // whose number follows from all others
	if must == r.Record {
		return nil
	}
	var wrong []string
	for _, part := range [...]struct {
		name string
		same bool
	}{
		{"kind", must.Kind == r.Record.Kind},
		{"flags (" + (must.Flags ^ r.Record.Flags).String() + ")", must.Flags == r.Record.Flags},
		{"region", must.Region == r.Record.Region},
		{"time", must.Time == r.Record.Time},
		{"sequence", must.Sequence == r.Record.Sequence},
	} {
		if !part.same {
			wrong = append(wrong, part.name)
		}
	}
	return fmt.Errorf("%w: position %d: %s", ErrReceiptRecord, r.Position, strings.Join(wrong, ", "))
}

// at is nil if the receipt is of this position.
func (r *SignedReceipt) at(position uint64) error {
	if r.Position != position {
		return fmt.Errorf("%w: %d, of %d", ErrReceiptPosition, position, r.Position)
	}
	return nil
}
