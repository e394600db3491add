package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"

	"github.com/imalink/custody/ledger/stream"
)

// A change replaces keys, and the root above them. Whatever it leaves out is
// forgotten once the old root is destroyed.
type change struct {
	shards  []uint8         // to get new keys
	keep    func(*row) bool // which rows of those shards live on, as keep leaves them; nil keeps all
	forget  map[uint8]Month // cells of a class before a month are dropped
	pending []byte          // event to append once the change is in force
}

// Rekey gives shards new keys under a new root and destroys the old one: the
// answer to a root that was stolen. It waits for open batches, and holds new
// ones up. After an error the vault is halted, unless the error wraps
// stream.ErrRejected or ErrOrder: then nothing happened.
func (v *Vault) Rekey(ctx context.Context, shards []uint8) error {
	if err := v.rekey(ctx, change{shards: shards}); err != nil {
		return fmt.Errorf("changing keys: %w", err)
	}
	return nil
}

// rekey makes one change. Its steps, and what a crash after each means:
//
//	1  rows of the shards and the table of the next root are durable: dead until
//	   that root is in force; opening leaves them out
//	2  the next root is in the free slot: THE COMMIT POINT; opening goes on at 3
//	3  the old root is destroyed
//	4  the index follows; without it, opening makes it anew
func (v *Vault) rekey(ctx context.Context, c change) error {
	if err := v.rewriteStale(ctx); err != nil {
		return err
	}
	v.epoch.Lock()
	defer v.epoch.Unlock()
	if err := v.saveIndex(); err != nil {
		return fmt.Errorf("%w: %w", stream.ErrRejected, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.halted != nil:
		return v.halted
	case len(v.stale) > 0 || v.root.rest:
		return fmt.Errorf("%w: rows are to be written anew, or a root to be destroyed, first", ErrOrder)
	}
	n, err := v.prepare(c)
	if err != nil {
		return fmt.Errorf("%w: %w", stream.ErrRejected, err)
	}
	last, err := v.log.Append(ctx, n.messages)
	if errors.Is(err, stream.ErrRejected) {
		return err
	}
	if err == nil && last != n.tail.sequence {
		err = fmt.Errorf("stream ends at %d, expected %d", last, n.tail.sequence)
	}
	if err == nil {
		err = v.root.advance(n.root)
	}
	if err == nil {
		err = v.root.destroy()
	}
	if err == nil {
		err = v.adopt(n)
	}
	if err != nil {
		v.halted = fmt.Errorf("%w: %w", ErrHalted, err)
		return v.halted
	}
	return nil
}

// rewriteStale flushes what aborted batches left to be written anew.
func (v *Vault) rewriteStale(ctx context.Context) error {
	b := v.Begin()
	defer b.Commit()
	return b.Flush(ctx, 0)
}

// next is a change ready to be written.
type next struct {
	root     rootKey
	keys     keyring
	cells    map[CellID]*cell
	messages []stream.Message
	tail     tail
	out      []key // names that the index loses
	entries  []*entry
}

// prepare encodes a change, which alters nothing.
func (v *Vault) prepare(c change) (*next, error) {
	n := &next{root: rootKey{version: v.tail.highest + 1, key: newKey()}, keys: v.keys, cells: maps.Clone(v.cells), tail: v.tail}
	n.keys.epoch, n.keys.pending = n.root.version, c.pending
	n.keys.forgotten = maps.Clone(v.keys.forgotten)
	for class, month := range c.forget {
		n.keys.forgotten[class] = max(month, n.keys.forgotten[class])
	}
	maps.DeleteFunc(n.cells, func(id CellID, _ *cell) bool { return n.keys.gone(id) })
	d := &draft{from: v.tail, events: v.tail.events}
	for _, number := range c.shards {
		if err := n.renew(v, number, c.keep, d); err != nil {
			return nil, err
		}
	}
	var err error
	if n.messages, n.entries, err = v.sealUnder(&n.keys, d); err != nil {
		return nil, err
	}
	h := header{events: v.tail.events, previous: v.tail.digest}
	if k := len(n.messages); k > 0 {
		h.previous = sha256.Sum256(n.messages[k-1].Data)
	}
	table, err := n.keys.seal(n.root, n.cells, h, newNonce())
	if err != nil {
		return nil, err
	}
	n.messages = append(n.messages, stream.Message{Subject: v.subject + subjectTable, Data: table})
	n.tail.sequence += uint64(len(n.messages))
	n.tail.digest, n.tail.table, n.tail.highest = sha256.Sum256(table), n.tail.sequence, n.root.version
	return n, nil
}

// renew gives a shard a new key and drafts the rows that it keeps.
func (n *next) renew(v *Vault, number uint8, keep func(*row) bool, d *draft) error {
	old := &v.keys.shards[number]
	names, records, err := v.index.shard(number)
	if err != nil {
		return err
	}
	if n.keys.shards[number], err = newShard(number, newKey()); err != nil {
		return err
	}
	n.out = append(n.out, names...)
	for _, rec := range records {
		r, err := old.openRow(rec)
		if err != nil {
			return err
		}
		if keep == nil || keep(&r) {
			d.rows = append(d.rows, r)
		}
	}
	return nil
}

// adopt takes the keys of a change that is in force.
func (v *Vault) adopt(n *next) error {
	v.keys, v.cells, v.tail = n.keys, n.cells, n.tail
	v.recent, v.cache, v.reverse = newOverlay(), newCache(v.cache.max), newReverse(v, v.reverse.budget)
	return v.index.write(n.out, n.entries, n.tail, n.root.version)
}
