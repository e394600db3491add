package events

import (
	"context"
	"iter"
)

// Record is one recorded event as the ledger holds it.
type Record struct {
	Position uint64   // place in the ledger, from 1, without holes
	Digest   [32]byte // SHA-256 of Raw
	Raw      []byte   // the stored bytes; DecodeStored reads them
}

// Replayer gives recorded events in order. Views read a Replayer and nothing else.
type Replayer interface {
	// Replay yields every durable record from position from on (0 and 1 both mean the first), each
	// one position after the one before, and ends at the last durable record of the moment it
	// began. After a non-nil error nothing more is yielded. Raw is the caller's to keep.
	Replay(ctx context.Context, from uint64) iter.Seq2[Record, error]
}
