package audit

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

// A reader makes proofs from the tiles that a ledger serves under a checkpoint. It trusts none of them: a proof is
// verified before it is used. It is not safe for concurrent use.
type reader struct {
	ctx    context.Context // of the round: [evidence.Reader] has none
	ledger *remote
	size   uint64
	tiles  map[recordlog.Tile][]byte // of hashes, that were read
}

var _ evidence.Reader = (*reader)(nil)

func (l *remote) reader(ctx context.Context, size uint64) *reader {
	return &reader{ctx: ctx, ledger: l, size: size, tiles: map[recordlog.Tile][]byte{}}
}

// Size implements [evidence.Reader].
func (r *reader) Size() uint64 { return r.size }

// Records implements [evidence.Reader].
func (r *reader) Records(leaves evidence.Span) ([]byte, error) {
	if leaves.To > r.size {
		return nil, fmt.Errorf("%w: beyond the checkpoint", evidence.ErrQuestion)
	}
	b := make([]byte, 0, leaves.Len()*recordSize)
	for l, err := range r.ledger.records(r.ctx, leaves.From, leaves.To, false) {
		if err != nil {
			return nil, err
		}
		b = append(b, l.record...)
	}
	return b, nil
}

// Hashes implements [evidence.Reader].
func (r *reader) Hashes(leaves []evidence.Span) ([]evidence.Hash, error) {
	all := make([]evidence.Hash, len(leaves))
	for i, s := range leaves {
		if !s.Perfect() || s.To > r.size {
			return nil, fmt.Errorf("%w: no node, or beyond the checkpoint", evidence.ErrQuestion)
		}
		height := bits.Len64(s.Len()) - 1
		level, many := height/8, uint64(1)<<(height%8)
		row, err := r.tile(level, s.From>>(8*level)/width)
		if err != nil {
			return nil, err
		}
		first := s.From >> (8 * level) % width
		all[i] = perfect(row[first : first+many])
	}
	return all, nil
}

// Node implements [evidence.Reader]. A ledger serves none.
func (r *reader) Node(evidence.Span) (evidence.Node, error) {
	return evidence.Node{}, errors.New("audit: nodes of the annotated tree are not served")
}

// tile are the hashes of a tile.
func (r *reader) tile(level int, index uint64) ([]evidence.Hash, error) {
	t := tileAt(level, index, r.size)
	b, ok := r.tiles[t]
	if !ok {
		var err error
		if b, err = r.ledger.tile(r.ctx, t); err != nil {
			return nil, err
		}
		r.tiles[t] = b
	}
	row := make([]evidence.Hash, 0, width)
	for h := range slices.Chunk(b, hashSize) {
		row = append(row, evidence.Hash(h))
	}
	return row, nil
}
