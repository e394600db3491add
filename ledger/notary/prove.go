package notary

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/bundle"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

// An Event says which event a proof is of.
type Event struct {
	Position uint64
	Told     bool // the proof has the stored event, not only its record
}

// ProveEvent proves that an event is recorded, under the checkpoint over it that most witnesses cosigned. The error wraps [ErrBehind] if no checkpoint covers it yet.
func (n *Notary) ProveEvent(ctx context.Context, e Event) ([]byte, error) {
	note, err := n.over(e.Position)
	if err != nil {
		return nil, err
	}
	var raw []byte
	if e.Told {
		rec, err := n.cfg.Stream.Event(ctx, e.Position)
		if err != nil {
			return nil, err
		}
		raw = rec.Raw
	}
	return evidence.ProveEvent(n.log, note, e.Position-1, raw)
}

// fresh is how much older than the last cosignature one may be that is preferred because it is one of more: a witness
// or an auditor that is gone makes no proof older than that.
const fresh = 24 * time.Hour

// ProveInclusion proves that an event's record is in the log, in the text format of c2sp.org/tlog-proof: for programs
// that read that. The error wraps [ErrBehind] if no checkpoint covers it yet.
func (n *Notary) ProveInclusion(position uint64) ([]byte, error) {
	note, err := n.over(position)
	if err != nil {
		return nil, err
	}
	path, err := evidence.InclusionPath(n.log, position-1, note.Size)
	if err != nil {
		return nil, err
	}
	return checkpoint.TlogProof(position-1, path, note)
}

// over is a checkpoint that covers a size, for proofs that take witnesses: of those that most witnesses cosigned the
// newest, or the newest of all if none did.
func (n *Notary) over(size uint64) (checkpoint.Note, error) {
	newest, err := n.Checkpoint()
	if err != nil {
		return checkpoint.Note{}, err
	}
	if newest.Size < size || size == 0 {
		return checkpoint.Note{}, fmt.Errorf("%w: the last checkpoint covers %d positions", ErrBehind, newest.Size)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var last time.Time
	for _, c := range n.cosigned {
		if _, at := witnesses(c); at.After(last) {
			last = at
		}
	}
	best, most := newest, 0
	for _, c := range slices.Backward(n.cosigned) {
		if count, at := witnesses(c); count > most && c.Size >= size && last.Sub(at) <= fresh {
			best, most = c, count
		}
	}
	return best, nil
}

// ProveGrowth proves that the newest checkpoint continues an older one of the same ledger, as somebody has it.
func (n *Notary) ProveGrowth(older checkpoint.Note) ([]byte, error) {
	newer, err := n.over(older.Size + 1)
	if err != nil {
		return nil, err
	}
	return evidence.ProveGrowth(n.log, older, newer)
}

// ProveReplay answers a question with all records of its range, under the checkpoint over it that most witnesses
// cosigned. The error wraps [ErrBehind] if no checkpoint covers it yet.
func (n *Notary) ProveReplay(q evidence.Question) ([]byte, error) {
	size := uint64(1)
	if q.Of == evidence.Positions {
		size = q.To
	}
	note, err := n.over(size)
	if err != nil {
		return nil, err
	}
	return evidence.ProveReplay(n.log, note, q)
}

// A Basis is what LIGHT proofs stand on: a checkpoint, and the last commit that it covers.
type Basis struct {
	Note   checkpoint.Note
	Commit evidence.Committed
}

// Basis is the newest checkpoint that a witness and an auditor cosigned, and the last commit that it covers, if it
// covers so many positions. Else everything recorded by now is committed to and signed, and that is it. The error
// wraps [ErrUnsigned], [ErrNoCommit] or [ErrBehind].
func (n *Notary) Basis(ctx context.Context, size uint64) (Basis, error) {
	best, err := n.Cosigned()
	if err != nil {
		return Basis{}, err
	}
	if proving(best) {
		if basis, covers, err := n.basis(ctx, best); err == nil && covers >= size {
			return basis, nil
		}
	}
	if err := n.ask(ctx, func() error { return n.turn(ctx) }); err != nil {
		return Basis{}, fmt.Errorf("%w: %w", ErrBehind, err)
	}
	newest, err := n.Checkpoint()
	if err != nil {
		return Basis{}, err
	}
	basis, covers, err := n.basis(ctx, newest)
	if err == nil && covers < size {
		err = fmt.Errorf("%w: the last commit covers %d positions", ErrBehind, covers)
	}
	return basis, err
}

// basis is the last commit below a checkpoint, and how many positions it covers.
func (n *Notary) basis(ctx context.Context, note checkpoint.Note) (b Basis, covers uint64, err error) {
	position, _, err := n.lastCommit(note.Size)
	if err != nil {
		return Basis{}, 0, err
	}
	if position == 0 {
		return Basis{}, 0, fmt.Errorf("%w, or not under the last checkpoint", ErrNoCommit)
	}
	rec, err := n.cfg.Stream.Event(ctx, position)
	if err != nil {
		return Basis{}, 0, fmt.Errorf("reading the commit: %w", err)
	}
	c, err := evidence.ParseCommit(rec.Raw)
	if err != nil {
		return Basis{}, 0, fmt.Errorf("position %d: %w", position, err)
	}
	return Basis{Note: note, Commit: evidence.Committed{Index: position - 1, Event: rec.Raw}}, c.Size, nil
}

// ProveLight answers a question by the annotated tree. The error wraps [evidence.ErrPresent] if it is of an absence
// and there are such records.
func (n *Notary) ProveLight(b Basis, q evidence.Question) ([]byte, error) {
	return evidence.ProveLight(n.log, b.Note, q, b.Commit)
}

// Tile is a tile of the record log under the newest checkpoint (c2sp.org/tlog-tiles). The error wraps
// [recordlog.ErrRange] if there is no such tile.
func (n *Notary) Tile(t recordlog.Tile) ([]byte, error) {
	note, err := n.Checkpoint()
	if err != nil {
		return nil, err
	}
	return n.log.Tile(t, note.Size)
}

// Record is the record of a position, as it will be under a checkpoint. The error wraps [ErrBehind] if it is not
// appended yet.
func (n *Notary) Record(position uint64) (evidence.Record, error) {
	if position == 0 || position > n.log.Size() {
		return evidence.Record{}, fmt.Errorf("%w: %d records", ErrBehind, n.log.Size())
	}
	b, err := n.log.Records(evidence.Span{From: position - 1, To: position})
	if err != nil {
		return evidence.Record{}, err
	}
	return evidence.DecodeRecord(b)
}

// WriteBundle writes a bundle of files, its manifest signed by the key for that. The error wraps [ErrUnsigned],
// [bundle.ErrFormat], or is w's: then some of it may be written.
func (n *Notary) WriteBundle(ctx context.Context, w io.Writer, files bundle.Files) error {
	var origin string
	var key checkpoint.Signer
	if err := n.between(ctx, func(s *signer) error { origin, key = s.origin(), s.bundle; return nil }); err != nil {
		return err
	}
	return bundle.Write(w, origin, files, key)
}
