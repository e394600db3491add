package emit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

var (
	// ErrReceiptFork reports that the ledger signed two roots for one size.
	ErrReceiptFork = errors.New("emit: the ledger signed two histories")

	// ErrReceiptRewritten reports that the ledger's log does not continue the one that a kept receipt is under: it
	// was rewritten, or cut short.
	ErrReceiptRewritten = errors.New("emit: the ledger's log does not continue what it signed before")
)

// A Checked is what was checked of kept receipts.
type Checked struct {
	Receipts    int             // of which the ledger was asked again
	Checkpoints int             // that they are under, of different sizes
	Newest      checkpoint.Note // which continues all of them
	Fraud       string          // a proof that the ledger lied, for custody verify; "" if none can be made
}

// Check holds all kept receipts against what the ledger says now. Each is verified again; the ledger is asked for
// it again, and must give the same record of the same event; and its newest checkpoint must continue each
// checkpoint that a receipt is under, by growth proofs that Check makes from the ledger's public tiles.
//
// told is told of each position that is not as it should be, by one of the errors of receipts: [ErrReceiptMissing]
// if the ledger does not give the event any more, [ErrReceiptChanged] if it gives another. The error wraps
// [ErrReceiptFork] or [ErrReceiptRewritten], with a proof in [Checked.Fraud] if one can be made; else it is that of
// asking, and nothing is known of the rest. Check changes no receipt.
func (s *Receipts) Check(ctx context.Context, told func(position uint64, err error)) (Checked, error) {
	seen := &history{notes: map[uint64]checkpoint.Note{}}
	c, err := s.check(ctx, seen, told)
	if seen.proof != nil {
		path := filepath.Join(s.dir, disputedDir, "ledger.proof")
		if werr := placeDurably(path, seen.proof); werr != nil {
			return c, errors.Join(err, werr)
		}
		c.Fraud = path
	}
	return c, err
}

func (s *Receipts) check(ctx context.Context, seen *history, told func(uint64, error)) (c Checked, err error) {
	positions, err := s.Positions()
	if err != nil {
		return c, err
	}
	for part := range slices.Chunk(positions, receiptSpan) {
		n, err := s.again(ctx, part, seen, told)
		c.Receipts += n
		if err != nil {
			return c, err
		}
	}
	c.Checkpoints = len(seen.notes)
	if c.Newest, err = s.from.checkpoint(ctx, s.trust); err == nil {
		err = seen.add(c.Newest)
	}
	if err == nil {
		err = s.grown(ctx, c.Newest, seen)
	}
	return c, err
}

// again verifies kept receipts and asks for them again.
func (s *Receipts) again(ctx context.Context, positions []uint64, seen *history, told func(uint64, error)) (n int, err error) {
	kept := map[uint64]evidence.Record{}
	var ask []uint64
	for _, p := range positions {
		r, err := s.Load(p)
		if err != nil {
			told(p, err)
			continue
		}
		if err := seen.add(r.Checkpoint); err != nil {
			return n, err
		}
		kept[p], ask = r.Record, append(ask, p)
	}
	err = s.fetch(ctx, ask, func(got []given) error {
		for _, g := range got {
			n++
			if g.err == nil && g.Record != kept[g.position] {
				g.err = fmt.Errorf("%w: position %d", ErrReceiptChanged, g.position)
			}
			if g.err != nil {
				told(g.position, g.err)
				continue
			}
			if err := seen.add(g.Checkpoint); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// A history is the checkpoints that a ledger signed, as somebody saw them.
type history struct {
	notes map[uint64]checkpoint.Note // by size
	proof []byte                     // that it lied; nil if none was made
}

// add takes a checkpoint, unless there is another of its size.
func (h *history) add(n checkpoint.Note) error {
	before, some := h.notes[n.Size]
	switch {
	case !some:
		h.notes[n.Size] = n
	case !bytes.Equal(before.Body(), n.Body()):
		if before.Origin == n.Origin {
			h.proof, _ = evidence.ProveFork(before, n) // which it is, with or without
		}
		return fmt.Errorf("%w of %d positions", ErrReceiptFork, n.Size)
	}
	return nil
}

// grown is nil if the newest checkpoint continues all others.
func (s *Receipts) grown(ctx context.Context, newest checkpoint.Note, seen *history) error {
	log := &tiles{ctx: ctx, from: s.from, size: newest.Size, read: map[string][]byte{}}
	for _, size := range slices.Sorted(maps.Keys(seen.notes)) {
		older := seen.notes[size]
		switch {
		case older.Origin != newest.Origin:
			return fmt.Errorf("%w: it is of another name now", ErrReceiptRewritten)
		case size > newest.Size:
			return fmt.Errorf("%w: it signed for %d positions, and has %d", ErrReceiptRewritten, size, newest.Size)
		case size == newest.Size: // the same, or history.add would have seen it
			continue
		}
		_, err := evidence.ProveGrowth(log, older, newest)
		if !errors.Is(err, evidence.ErrFalse) {
			if err != nil {
				return err
			}
			continue
		}
		if seen.proof, err = evidence.ProveRewritten(log, older, newest); err != nil {
			return fmt.Errorf("%w: nor are its tiles those of what it signs now", ErrReceiptRewritten)
		}
		return fmt.Errorf("%w: what it had at %d positions is not what it has now", ErrReceiptRewritten, size)
	}
	return nil
}
