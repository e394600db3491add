package audit

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

// A comparison holds the tiles of hashes that a ledger serves against recomputed ones, some at the same time.
type comparison struct {
	ctx   context.Context // of the round: comparing is called from where there is none
	serve func(ctx context.Context, t recordlog.Tile) ([]byte, error)
	slots chan struct{}
	all   sync.WaitGroup

	mu     sync.Mutex
	others []difference
	err    error
}

// A difference is a tile that is served with another hash than it has.
type difference struct {
	tile recordlog.Tile
	at   uint64 // of the first such hash, in its level
}

func newComparison(ctx context.Context, l *remote) *comparison {
	return &comparison{ctx: ctx, serve: l.tile, slots: make(chan struct{}, atOnce)}
}

// tile compares a tile, later. It waits only while many are being compared.
func (c *comparison) tile(t recordlog.Tile, want []evidence.Hash) {
	c.slots <- struct{}{}
	c.all.Go(func() {
		defer func() { <-c.slots }()
		got, err := c.serve(c.ctx, t)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			if c.err == nil || errors.Is(err, errServed) {
				c.err = err
			}
			return
		}
		for i, h := range want {
			if !bytes.Equal(got[i*hashSize:][:hashSize], h[:]) {
				c.others = append(c.others, difference{t, t.Index*width + uint64(i)})
				return
			}
		}
	})
}

// wait gives the tiles that differ, the lowest level first, when all are compared. The error is that some could not be:
// that they are false, if that is known of one.
func (c *comparison) wait() ([]difference, error) {
	c.all.Wait()
	slices.SortFunc(c.others, func(a, b difference) int {
		if a.tile.Level != b.tile.Level {
			return a.tile.Level - b.tile.Level
		}
		return int(int64(a.at) - int64(b.at))
	})
	return c.others, c.err
}
