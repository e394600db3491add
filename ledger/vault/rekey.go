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
//
// The route key stays, and with it the keys that authenticate messages and the
// index: another would move every row to another shard. It tells whoever has it
// the shard of an identifier, and nothing of what a destroyed lookup key filed.
type change struct {
	shards []uint8 // to get new keys
	// amend makes a row of those shards what it is to be, and says whether it lives
	// on; nil leaves all as they are.
	amend   func(*row) (stays bool)
	forget  map[uint8]Month // cells of a class before a month are dropped, and its hold
	held    []row           // rows of other shards, with what they keep of those cells under a new hold
	pending []byte          // event to append once the change is in force; nil leaves the one there is
}

// Rekey gives shards new keys under a new root and destroys the old one: the
// answer to a root that was stolen. Its errors are those of [Vault.Erase].
func (v *Vault) Rekey(ctx context.Context, shards []uint8) error {
	if _, err := v.rekey(ctx, func() (*change, error) { return &change{shards: shards}, nil }); err != nil {
		return fmt.Errorf("changing keys: %w", err)
	}
	return nil
}

// rekey makes one change, as plan says with all batches ended; it returns the
// version of the root in force since, 0 if there was nothing to change. Its
// steps, and what a crash after each means:
//
//	1  the next root is made, and sealed by the device if there is one
//	2  rows of the shards and the table of the next root are durable: dead until
//	   that root is in force; opening leaves them out. Rows held count at once, but
//	   not what they keep under a hold of that table
//	3  they are in the backup, and the next root in escrow; opening escrows the one
//	   in force again
//	4  the next root is in the free slot: THE COMMIT POINT; opening goes on at 5
//	5  the old root is destroyed
//	6  the index follows; without it, opening makes it anew
//
// Readers are answered as before until 6, which is one moment for them. ctx counts
// before 2, and for the escrow: a write that is given up half-way would halt the
// vault.
func (v *Vault) rekey(ctx context.Context, plan func() (*change, error)) (root uint64, err error) {
	v.epoch.Lock()
	defer v.epoch.Unlock()
	stale := Batch{v: v} // what aborted batches left to be written anew; none is open
	if err := stale.Flush(context.WithoutCancel(ctx), 0); err != nil {
		return 0, err
	}
	if err := v.saveIndex(); err != nil {
		return 0, fmt.Errorf("%w: %w", stream.ErrRejected, err)
	}
	n, err := v.prepare(plan)
	if n == nil {
		return 0, err
	}
	if n.slot, err = fill(n.root, v.root.wrapper); err != nil {
		return 0, fmt.Errorf("%w: %w", stream.ErrRejected, err)
	}
	if err := ctx.Err(); err != nil {
		return 0, unchanged(err)
	}
	last, err := v.log.Append(context.WithoutCancel(ctx), n.messages)
	switch {
	case errors.Is(err, stream.ErrRejected):
		return 0, err
	case err == nil && last != n.tail.sequence:
		err = fmt.Errorf("stream ends at %d, expected %d", last, n.tail.sequence)
	}
	if err != nil {
		return 0, v.halt(err)
	}
	if err := v.deposit(ctx, n.slot, n.tail.sequence); err != nil {
		return 0, v.abandon(ctx, n, err)
	}
	if err := v.enforce(n); err != nil {
		return 0, v.halt(err)
	}
	return n.root.version, nil
}

// halt has every call for a batch return ErrHalted, and why.
func (v *Vault) halt(err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.halted = fmt.Errorf("%w: %w", ErrHalted, err)
	return v.halted
}

// abandon goes on with the root in force after the next one did not reach the
// escrow. What the stream has of the change stays dead: no later root has its
// version. The escrow may have the next root all the same, so it is given the
// one in force again.
func (v *Vault) abandon(ctx context.Context, n *next, cause error) error {
	v.mu.Lock()
	v.tail.sequence, v.tail.digest, v.tail.highest = n.tail.sequence, n.tail.digest, n.tail.highest
	last := v.tail.sequence
	err := v.index.write(nil, n.early, v.tail, v.keys.epoch)
	v.mu.Unlock()
	if err != nil {
		return v.halt(errors.Join(cause, err))
	}
	again := v.deposit(context.WithoutCancel(ctx), v.root.stored, last)
	return fmt.Errorf("%w: %w", ErrAbandoned, errors.Join(cause, again))
}

// next is a change ready to be written.
type next struct {
	root     rootKey
	slot     slot // of root
	keys     keyring
	cells    map[CellID]*cell
	messages []stream.Message
	tail     tail
	shards   []uint8 // with new keys
	entries  []*entry
	early    []*entry     // of entries, those that count before the change is in force
	altered  map[rid]bool // rows that do not live on, or not as they were
}

// prepare encodes a change, which alters nothing; nil if there is none. An error
// means that nothing happened.
func (v *Vault) prepare(plan func() (*change, error)) (*next, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.halted != nil:
		return nil, v.halted
	case len(v.stale) > 0 || v.root.rest:
		return nil, fmt.Errorf("%w: rows are to be written anew, or a root to be destroyed, first", ErrOrder)
	}
	c, err := plan()
	if err != nil {
		return nil, unchanged(err)
	}
	if c == nil {
		return nil, nil
	}
	n, err := v.encode(c)
	if err != nil {
		return nil, unchanged(err)
	}
	return n, nil
}

func (v *Vault) encode(c *change) (*next, error) {
	n := &next{root: rootKey{version: v.tail.highest + 1, key: newKey()}, keys: v.keys, cells: maps.Clone(v.cells), tail: v.tail, altered: map[rid]bool{}}
	n.keys.epoch = n.root.version
	if c.pending != nil {
		n.keys.pending = c.pending
	}
	n.keys.forgotten, n.keys.holds = maps.Clone(v.keys.forgotten), maps.Clone(v.keys.holds)
	for class, month := range c.forget {
		n.keys.forgotten[class] = month
		delete(n.keys.holds, class)
		if len(c.held) == 0 {
			continue
		}
		var err error
		if n.keys.holds[class], err = newHold(newKey()); err != nil {
			return nil, err
		}
	}
	maps.DeleteFunc(n.cells, func(id CellID, _ *cell) bool { return n.keys.gone(id) })
	d := &draft{from: v.tail, events: v.tail.events}
	for _, number := range c.shards {
		if err := n.renew(v, number, c.amend, d); err != nil {
			return nil, err
		}
	}
	for i := range c.held {
		n.altered[c.held[i].rid] = true
	}
	d.rows = append(d.rows, c.held...)
	if err := n.encodeMessages(v, d); err != nil {
		return nil, err
	}
	n.early = n.entries[len(n.entries)-len(c.held):]
	n.tail.sequence += uint64(len(n.messages))
	n.tail.table, n.tail.highest = n.tail.sequence, n.root.version
	return n, nil
}

// encodeMessages encodes the rows and the table of a change. There is a message
// of rows, if need be of none: it says which root the change was made under, and
// so that an older one is retired.
func (n *next) encodeMessages(v *Vault, d *draft) (err error) {
	if n.messages, n.entries, err = v.sealUnder(&n.keys, d); err != nil {
		return err
	}
	h := header{kind: kindRows, epoch: v.keys.epoch, events: v.tail.events, previous: v.tail.digest}
	if len(n.messages) == 0 {
		none := encodeRows(&v.keys.rows, h, nil)
		n.messages = append(n.messages, stream.Message{Subject: v.subject + subjectRows, Data: none})
	}
	h.previous = sha256.Sum256(n.messages[len(n.messages)-1].Data)
	table, err := n.keys.seal(n.root, n.cells, h, newNonce())
	if err != nil {
		return err
	}
	n.messages = append(n.messages, stream.Message{Subject: v.subject + subjectTable, Data: table})
	n.tail.digest = sha256.Sum256(table)
	return nil
}

// renew gives a shard a new key and drafts the rows that live on.
func (n *next) renew(v *Vault, number uint8, amend func(*row) bool, d *draft) error {
	records, err := v.index.shard(number)
	if err != nil {
		return err
	}
	if n.keys.shards[number], err = newShard(number, newKey()); err != nil {
		return err
	}
	n.shards = append(n.shards, number)
	for _, rec := range records {
		r, err := v.keys.openRow(rec)
		if err != nil {
			return err
		}
		was := r.key
		stays := amend == nil || amend(&r)
		if !stays || r.key != was {
			n.altered[r.rid] = true
		}
		if stays {
			d.rows = append(d.rows, r)
		}
	}
	return nil
}

// enforce puts a change that is durable into force.
func (v *Vault) enforce(n *next) error {
	if err := v.root.advance(n.root, n.slot); err != nil {
		return err
	}
	if err := v.root.destroy(); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.index.write(n.shards, n.entries, n.tail, n.root.version); err != nil {
		return err
	}
	v.cache.wipe()
	v.keys, v.cells, v.tail = n.keys, n.cells, n.tail
	v.recent, v.cache, v.reverse = newOverlay(), newCache(v.cache.max), v.reverse.after(n.altered)
	return nil
}
