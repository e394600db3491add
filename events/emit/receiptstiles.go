package emit

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// checkpoint gives the newest checkpoint of the ledger, signed by a key that the trust names.
func (h *HTTP) checkpoint(ctx context.Context, trust *checkpoint.Trust) (checkpoint.Note, error) {
	b, err := h.insist(ctx, "/v1/checkpoint")
	if err != nil {
		return checkpoint.Note{}, fmt.Errorf("emit: no checkpoint: %w", err)
	}
	note, err := checkpoint.Open(b)
	if err != nil {
		return checkpoint.Note{}, fmt.Errorf("%w: the newest checkpoint: %w", ErrReceiptFalse, err)
	}
	if trust == nil {
		return note, nil
	}
	if err := trust.Judge(note).Lacks(checkpoint.NeedLog); err != nil {
		return checkpoint.Note{}, fmt.Errorf("%w: the newest checkpoint: %w", ErrReceiptUnsigned, err)
	}
	return note, nil
}

// tiles read the hashes of a log's nodes from its public tiles (c2sp.org/tlog-tiles). What they give need not be
// trusted: proofs made from it are verified. They are not safe for concurrent use.
type tiles struct {
	ctx  context.Context
	from *HTTP
	size uint64 // of the log
	read map[string][]byte
}

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// Size implements [evidence.Reader].
func (t *tiles) Size() uint64 { return t.size }

// Records implements [evidence.Reader]: they are not public, and growth needs none.
func (t *tiles) Records(evidence.Span) ([]byte, error) { return nil, errNotPublic() }

// Node implements [evidence.Reader].
func (t *tiles) Node(evidence.Span) (evidence.Node, error) { return evidence.Node{}, errNotPublic() }

func errNotPublic() error { return errors.New("emit: not among the public tiles") }

// Hashes implements [evidence.Reader].
func (t *tiles) Hashes(leaves []evidence.Span) ([]evidence.Hash, error) {
	hashes := make([]evidence.Hash, len(leaves))
	for i, s := range leaves {
		level := bits.Len64(s.Len()) - 1
		index := tlog.StoredHashIndex(level, int64(s.From>>level))
		tile := tlog.TileForIndex(tileHeight, index)
		tile.W = int(min(tileWidth, t.size>>(tileHeight*tile.L)-uint64(tile.N)*tileWidth)) // as published
		b, err := t.tile(tile)
		if err != nil {
			return nil, err
		}
		h, err := tlog.HashFromTile(tile, b, index)
		if err != nil {
			return nil, fmt.Errorf("emit: the ledger's tiles: %w", err)
		}
		hashes[i] = evidence.Hash(h)
	}
	return hashes, nil
}

func (t *tiles) tile(tile tlog.Tile) ([]byte, error) {
	path := strings.Replace(tile.Path(), "tile/8/", "/v1/tile/", 1)
	if b, ok := t.read[path]; ok {
		return b, nil
	}
	b, err := t.from.insist(t.ctx, path)
	if err != nil {
		return nil, fmt.Errorf("emit: reading the ledger's tiles: %w", err)
	}
	t.read[path] = b
	return b, nil
}
