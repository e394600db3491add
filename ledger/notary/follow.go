package notary

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
)

// commitTime bounds the recording of a commitment.
const commitTime = 20 * time.Second

// atOnce is how many records are appended at once when they come from the stream.
const atOnce = 4096

// run follows the stream until the notary is closed.
func (n *Notary) run() {
	defer close(n.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // closing does not wait until everything has been read
		select {
		case <-n.quit:
			cancel()
		case <-ctx.Done():
		}
	}()
	ticker := time.NewTicker(n.cfg.Pace)
	defer ticker.Stop()
	n.note(n.begin(ctx))
	for {
		select {
		case <-n.queue.filled:
			n.note(n.absorb(ctx))
		case do := <-n.asked:
			do()
		case <-ticker.C:
			n.note(n.turn(ctx))
		case <-n.quit:
			n.last()
			return
		}
	}
}

// last commits to what was recorded and signs for it, unless the records were still being read.
func (n *Notary) last() {
	if !n.begun {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	n.note(n.turn(ctx))
}

// note keeps what went wrong, and says so once.
func (n *Notary) note(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	before := n.Status().Failing
	if err != nil && text != before {
		n.cfg.Log.Error("evidence is behind; it is tried again", "error", err)
	}
	n.set(func(s *Status) { s.Failing, s.Size = text, n.log.Size() })
}

// begin brings the record log up to the head, and finds out what is committed and whether it may sign.
func (n *Notary) begin(ctx context.Context) error {
	err := n.sameHistory(ctx)
	if err == nil {
		err = n.read(ctx, n.cfg.Stream.Head())
	}
	if err == nil {
		err = n.findCommit(ctx)
	}
	if err == nil {
		err = n.readCosigned(ctx)
	}
	if err == nil && n.signer != nil {
		err = n.mayIt()
	}
	if err == nil {
		n.begun = true
	}
	return err
}

// sameHistory empties a record log that is of another history than the stream: longer, or with another last event.
func (n *Notary) sameHistory(ctx context.Context) error {
	size := n.log.Size()
	if size == 0 {
		return nil
	}
	if size <= n.cfg.Stream.Head() {
		rec, err := n.cfg.Stream.Event(ctx, size)
		if err != nil {
			return fmt.Errorf("comparing the last record: %w", err)
		}
		record, err := n.Record(size)
		if err == nil && record.Digest == rec.Digest {
			return nil
		}
	}
	n.cfg.Log.Warn("the record log is built anew from the events", "reason", "it is of another history")
	if err := n.log.Truncate(0); err != nil {
		return fmt.Errorf("emptying the record log: %w", err)
	}
	return nil
}

// mayIt holds the log against what was signed before, and gives up signing if they differ.
func (n *Notary) mayIt() error {
	err := n.signer.agrees(n.log.Size(), n.log.Root)
	switch {
	case err == nil:
		n.publish(n.signer.last, time.Time{})
		return nil
	case !errors.Is(err, ErrUnsigned):
		return err
	}
	n.refuse(err)
	err = n.signer.close()
	n.signer = nil
	return err
}

// findCommit finds the last commit and what came after it, from the end of the record log.
func (n *Notary) findCommit(ctx context.Context) error {
	i, other, err := n.lastCommit(n.log.Size())
	if err != nil || i == 0 {
		n.other = other
		return err
	}
	c, err := n.commitAt(ctx, i)
	if err != nil {
		return err
	}
	n.covered, n.other = c.Size, other
	n.set(func(s *Status) { s.Committed = c.Size })
	return nil
}

// absorb appends the records of everything durable that is not there yet.
func (n *Notary) absorb(ctx context.Context) error {
	base, leaves := n.queue.take(n.room)
	n.room = leaves
	if len(leaves) == 0 {
		return n.read(ctx, n.cfg.Stream.Head())
	}
	if err := n.read(ctx, base-1); err != nil {
		return err
	}
	if have := n.log.Size() + 1; have > base {
		leaves = leaves[min(have-base, uint64(len(leaves))):]
	}
	return n.append(leaves)
}

// read appends the records of positions up to last from the stream.
func (n *Notary) read(ctx context.Context, last uint64) error {
	first := n.log.Size() + 1
	if first > last {
		return nil
	}
	var leaves []Leaf
	for rec, err := range n.cfg.Stream.Replay(ctx, first, last) {
		if err != nil {
			return fmt.Errorf("reading events for their records: %w", err)
		}
		leaf, err := leafOf(rec.Raw)
		if err != nil {
			return fmt.Errorf("position %d: %w", rec.Position, err)
		}
		if leaves = append(leaves, leaf); len(leaves) == atOnce {
			if err := n.append(leaves); err != nil {
				return err
			}
			n.set(func(s *Status) { s.Size = n.log.Size() })
			leaves = leaves[:0]
		}
	}
	return n.append(leaves)
}

// append gives leaves their producers' numbers and appends their records: all or none of them are there afterwards.
func (n *Notary) append(leaves []Leaf) error {
	if len(leaves) == 0 {
		return nil
	}
	position := n.log.Size()
	records := make([]byte, 0, len(leaves)*evidence.RecordSize)
	other := n.other
	for i := range leaves {
		position++
		r := leaves[i].Record
		r.Producer = n.log.Number(position, leaves[i].Source, leaves[i].Instance)
		records = r.Append(records)
		if r.Kind != evidence.KindCommitted {
			other = position
		}
	}
	if err := n.log.Append(records); err != nil {
		return fmt.Errorf("appending records: %w", err)
	}
	n.other = other
	return nil
}

// turn commits to what was recorded since the last commit, and signs for it; if it cannot be committed to, for what
// is durable all the same.
func (n *Notary) turn(ctx context.Context) error {
	if !n.begun {
		if err := n.begin(ctx); err != nil {
			return err
		}
	}
	if err := n.absorb(ctx); err != nil {
		return err
	}
	var err error
	if n.other > n.covered {
		if err = n.commit(ctx); err == nil {
			err = n.absorb(ctx)
		}
	}
	return errors.Join(err, n.sign())
}

// commit records the roots over everything there is. If it fails the commitment may be recorded all the same: the
// next one says the same and more.
func (n *Notary) commit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, commitTime)
	defer cancel()
	c := events.Commitment{Size: n.log.Size(), Rules: n.rules}
	root, err := n.log.Root(c.Size)
	if err != nil {
		return err
	}
	node, err := n.log.Annotated(c.Size)
	if err != nil {
		return err
	}
	c.Root, c.Annotated = root, node.Hash
	node.Annotation.Append(c.Totals[:0])
	if err := n.cfg.Stream.Commit(ctx, c); err != nil {
		return fmt.Errorf("recording a commitment: %w", err)
	}
	n.covered = c.Size
	n.set(func(s *Status) { s.Committed = c.Size })
	return nil
}

// sign signs for everything there is, unless that is signed.
func (n *Notary) sign() error {
	size := n.log.Size()
	if n.signer == nil || size <= n.signer.last.Size {
		return nil
	}
	root, err := n.log.Root(size)
	if err != nil {
		return err
	}
	note, err := n.signer.sign(size, root)
	if err != nil {
		return err
	}
	n.publish(note, n.cfg.Now())
	return nil
}
