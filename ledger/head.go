package ledger

import (
	"context"
	"sync"
	"time"
)

// A Head says how far a ledger has come.
type Head struct {
	Position uint64 // of the last durable event, 0 if there is none
	Digest   [32]byte
	Recorded time.Time // recordedtime of that event
}

// head publishes the durable head to readers.
type head struct {
	mu    sync.Mutex
	now   Head
	moved chan struct{} // closed and replaced whenever now changes
}

func (h *head) set(v Head) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = v
	if h.moved != nil {
		close(h.moved)
	}
	h.moved = make(chan struct{})
}

func (h *head) get() (Head, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now, h.moved
}

// Head is the last durable event. It never moves back.
func (l *Ledger) Head() Head {
	now, _ := l.head.get()
	return now
}

// Wait returns the head as soon as its position exceeds after, or ctx's error.
func (l *Ledger) Wait(ctx context.Context, after uint64) (Head, error) {
	for {
		now, moved := l.head.get()
		if now.Position > after {
			return now, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return Head{}, ctx.Err()
		case <-l.stopped:
			return Head{}, ErrClosed
		}
	}
}

func (l *Ledger) advanceHead(g *group) {
	l.head.set(Head{Position: g.last(), Digest: g.leaves[len(g.leaves)-1].Record.Digest, Recorded: g.recorded})
}
