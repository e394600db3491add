package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/imalink/custody/events"
)

// recover brings tail, register and head up to the end of the stream: from the
// index where it agrees with the stream, from the first event where it does
// not. Its cost is that of the tail, at most a segment and what a crash left
// out of the index.
func (l *Ledger) recover(ctx context.Context) error {
	l.tail = newTail()
	from, err := l.openIndex(ctx)
	if err != nil {
		return err
	}
	last := l.events.Last()
	keys := map[key]uint64{}
	for m, err := range l.events.Replay(ctx, from, last) {
		if err != nil {
			return fmt.Errorf("reading the stream: %w", err)
		}
		st, err := events.DecodeStored(m.Data)
		if err != nil {
			return fmt.Errorf("%w: position %d: %w", ErrDamaged, m.Sequence, err)
		}
		l.register.apply(st.Event, m.Sequence)
		for _, k := range introduced(st.Event) {
			keys[k] = m.Sequence
		}
		if len(keys) >= rotateAt && last-m.Sequence > rotateAt {
			if err := l.catchUp(keys, m.Sequence, m.Data); err != nil {
				return err
			}
			clear(keys)
		}
		l.lastRecorded = st.Recorded
		if m.Sequence == last {
			l.head.set(Head{Position: last, Digest: sha256.Sum256(m.Data), Recorded: st.Recorded})
		}
	}
	l.register.keep(l.register.depth())
	l.tail.add(keys)
	return l.headFrom(ctx, last)
}

// openIndex returns the position after the last that the index holds, once its
// digest has been found to be that of the stream's event; else it empties the
// index, which is disposable, and begins at 1.
func (l *Ledger) openIndex(ctx context.Context) (from uint64, err error) {
	position, digest := l.index.Position()
	l.register = newRegister()
	if position == 0 {
		return 1, nil
	}
	if position <= l.events.Last() {
		m, err := l.events.Get(ctx, position)
		if err != nil {
			return 0, fmt.Errorf("reading position %d: %w", position, err)
		}
		if sha256.Sum256(m.Data) == digest {
			b, err := l.index.Register()
			if err != nil {
				return 0, fmt.Errorf("identity index: %w", err)
			}
			if l.register, err = restoreRegister(b); err == nil {
				return position + 1, nil
			}
		}
	}
	l.logger.Warn("the identity index belongs to another state of the ledger; it is built anew", "position", position)
	l.register = newRegister()
	if err := l.index.Reset(); err != nil {
		return 0, fmt.Errorf("emptying the identity index: %w", err)
	}
	return 1, nil
}

func (l *Ledger) catchUp(keys map[key]uint64, position uint64, raw []byte) error {
	snapshot, err := l.register.snapshot()
	if err != nil {
		return err
	}
	return l.addToIndex(keys, &rotation{register: snapshot, digest: sha256.Sum256(raw), position: position})
}

// headFrom sets the head when the tail was empty, so that recover read nothing.
func (l *Ledger) headFrom(ctx context.Context, last uint64) error {
	if l.Head().Position == last {
		if last == 0 {
			l.head.set(Head{})
		}
		return nil
	}
	m, err := l.events.Get(ctx, last)
	if err != nil {
		return fmt.Errorf("reading position %d: %w", last, err)
	}
	st, err := events.DecodeStored(m.Data)
	if err != nil {
		return fmt.Errorf("%w: position %d: %w", ErrDamaged, last, err)
	}
	l.lastRecorded = st.Recorded
	l.head.set(Head{Position: last, Digest: sha256.Sum256(m.Data), Recorded: st.Recorded})
	return nil
}
