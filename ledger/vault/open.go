package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
)

// Open opens the vault that a log holds. It brings the index up to the log, or
// makes it anew; asks Confirm about the links at the head; and finishes a change
// of keys that a crash interrupted after its commit point.
//
// The error wraps ErrRetiredRoot, ErrAbandonedRoot, ErrForeignRoot, ErrOldStream or
// ErrDamaged if log and root do not belong together or are not what was written.
// Then nothing was changed. Any other may come after the old root of an interrupted
// change was destroyed, or the root in force escrowed; opening again goes on.
func Open(ctx context.Context, o Options) (*Vault, error) {
	v := &Vault{log: o.Log, root: o.Root, subject: o.Subject, escrow: o.Escrow, every: o.indexEvery, sync: !o.indexUnsynced, recent: newOverlay()}
	if v.every == 0 {
		v.every = indexEvery
	}
	if o.CacheSize == 0 {
		o.CacheSize = 65536
	}
	v.cache = newCache(o.CacheSize)
	v.reverse = newReverse(v, o.ReverseBudget)
	if o.Root.Version() < o.Shredded {
		return nil, fmt.Errorf("%w: it has version %d, below %d of an erasure that was recorded", ErrRetiredRoot, o.Root.Version(), o.Shredded)
	}
	if err := v.openAt(ctx, o.IndexPath); err != nil {
		return nil, err
	}
	if err := v.settleOpen(o.Confirm); err != nil {
		return nil, errors.Join(err, v.index.close())
	}
	if err := v.settleRoot(ctx); err != nil {
		return nil, errors.Join(err, v.index.close())
	}
	return v, nil
}

// settleRoot destroys the root that a change left behind, and has the one in force
// escrowed: a change that was cut short may have escrowed another.
func (v *Vault) settleRoot(ctx context.Context) error {
	if v.root.rest {
		if err := v.root.destroy(); err != nil {
			return err
		}
	}
	return v.deposit(ctx, v.root.stored, v.tail.sequence)
}

// openAt opens the index if it is exactly the fold of a part of the log, and
// brings it up to the rest; else it makes it anew from all of the log.
func (v *Vault) openAt(ctx context.Context, path string) error {
	x, err := openIndex(path, v.sync)
	if err != nil && !useless(err) {
		return fmt.Errorf("opening the index: %w", err)
	}
	if err == nil {
		if v.index = x; v.stands(ctx) {
			return v.follow(ctx, x.state.tail)
		}
		if err := x.close(); err != nil {
			return fmt.Errorf("closing a useless index: %w", err)
		}
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing an unfinished index: %w", err)
	}
	if v.index, err = openIndex(fresh, false); err != nil {
		return fmt.Errorf("making the index: %w", err)
	}
	if err := v.follow(ctx, tail{}); err != nil {
		return err
	}
	v.index, err = v.index.finish(path, v.sync)
	return err
}

// stands says whether the index is whole, and is the fold of a part of the log
// under the root at hand. It leaves the keys of the index's table behind.
func (v *Vault) stands(ctx context.Context) bool {
	x := v.index
	if !x.load() || x.state.tail.sequence == 0 || x.state.epoch != v.root.Version() {
		return false
	}
	m, err := v.log.Get(ctx, x.state.tail.sequence)
	if err != nil || sha256.Sum256(m.Data) != x.state.tail.digest {
		return false
	}
	return v.takeTable(ctx, x.state.tail.table) == nil && x.sound(v.keys.index)
}

func (v *Vault) takeTable(ctx context.Context, seq uint64) error {
	m, err := v.log.Get(ctx, seq)
	if err != nil {
		return fmt.Errorf("reading the table at %d: %w", seq, err)
	}
	keys, cells, err := openTable(v.root.live, m.Data)
	if err != nil {
		return fmt.Errorf("table at %d: %w", seq, err)
	}
	v.keys, v.cells = *keys, cells
	return nil
}

// follow brings an index at from up to the end of the log: once through for the
// table in force, once for the rows. On an error the index is closed.
func (v *Vault) follow(ctx context.Context, from tail) error {
	s := scanner{tail: from, root: v.root.Version()}
	err := s.all(v.log.Replay(ctx, from.sequence+1, math.MaxUint64))
	if err == nil {
		err = v.takeTable(ctx, s.tail.table)
	}
	if err == nil {
		v.index.key, v.tail = v.keys.index, s.tail
		err = v.file(ctx, from)
	}
	if err != nil {
		return errors.Join(err, v.index.close())
	}
	return nil
}

// file writes the live rows after from to the index, many at a time. After each
// part the index says all that the headers up to there said: after a crash they
// are read from there on.
func (v *Vault) file(ctx context.Context, from tail) error {
	if from == v.tail {
		return nil
	}
	s := scanner{tail: from, root: v.root.Version()}
	var entries []*entry
	for m, err := range v.log.Replay(ctx, from.sequence+1, v.tail.sequence) {
		if err == nil {
			_, err = s.next(m)
		}
		if err != nil {
			return fmt.Errorf("reading the vault's stream: %w", err)
		}
		more, err := v.keys.entries(m.Data)
		if err != nil {
			return fmt.Errorf("vault message %d: %w", m.Sequence, err)
		}
		if entries = append(entries, more...); len(entries) >= v.every {
			if err := v.index.write(nil, entries, s.tail, v.keys.epoch); err != nil {
				return err
			}
			entries = nil
		}
	}
	return v.index.write(nil, entries, v.tail, v.keys.epoch)
}

// entries returns the live rows of a message as they are to be filed.
func (k *keyring) entries(data []byte) ([]*entry, error) {
	h, err := decodeHeader(data)
	if err != nil || h.kind != kindRows {
		return nil, err
	}
	records, err := decodeRows(&k.rows, data)
	if err != nil {
		return nil, err
	}
	entries := make([]*entry, 0, len(records))
	for _, rec := range records {
		s := &k.shards[rec.shard]
		if rec.key != s.id {
			continue // sealed under a key that was destroyed, or never came to be
		}
		r, err := k.openRow(rec)
		if err != nil {
			return nil, err
		}
		routed, name := k.shard(r.id)
		if routed.number != rec.shard {
			return nil, damaged("row of shard %d belongs in shard %d", rec.shard, routed.number)
		}
		entries = append(entries, newEntry(name, rec, &r))
	}
	return entries, nil
}
