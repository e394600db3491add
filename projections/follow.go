package projections

import (
	"context"
	"slices"
	"time"
)

const (
	// near is how many events apart two places may be for one reader to serve both: what it takes some 50 ms to
	// decode again, or to wait for.
	near = 1 << 13
	// gathering is how long events may gather before they are read, when nobody waits for them.
	gathering = 100 * time.Millisecond
)

// A follower is one reader of the stream and those it feeds. It reads in passes: from the place of the feed that is
// furthest behind until the head as it was then. It ends when it has no feeds left.
//
// Feeds that begin far apart have followers of their own. At the end of a pass a follower hands its feeds to another
// that is a little behind, so that in the end there is one.
type follower struct {
	set   *Set
	hurry chan struct{} // somebody waits

	// Guarded by set.mu. Only the follower itself changes position, so it reads it without.
	position  uint64 // up to which events were taken to be fed
	feeds     []*feed
	interrupt context.CancelFunc // ends the pass or the waiting under way
}

// A feed is the place of one filler at a follower.
type feed struct {
	filler   *filler
	in       chan batch
	gone     chan struct{} // closed when nobody takes from in any more
	fed      uint64        // the last position put into in; of the follower
	building bool          // the filler has yet to settle; of the follower
	starved  error         // why nothing comes; guarded by the projector's mu
}

// A batch is what a feed is given: events in order, and whether they end a pass.
type batch struct {
	events  []*Event
	end     bool
	hurried bool          // of an end: the pass did not wait until more had gathered, as somebody waits
	settle  chan struct{} // if not nil the head is near: settle, and close it
}

// join puts a feed, which has had all events up to fed, where it is fed: with a follower nearby, or a new one.
func (s *Set) join(d *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.followers {
		if max(w.position, d.fed)-min(w.position, d.fed) <= near {
			w.feeds = append(w.feeds, d)
			w.interrupt() // for a pass from its place on, or an empty one that lets it settle
			return
		}
	}
	w := &follower{set: s, hurry: make(chan struct{}, 1), position: d.fed, feeds: []*feed{d}, interrupt: func() {}}
	s.followers = append(s.followers, w)
	s.work.Go(func() { w.run(s.ctx) })
}

func (w *follower) run(ctx context.Context) {
	failures := 0
	for {
		turn, more := w.begin(ctx)
		if !more {
			return
		}
		err := w.pass(turn)
		if err == nil {
			if w.merge() {
				return
			}
			err = w.idle(turn)
		}
		switch {
		case err == nil:
			failures = 0
		case turn.Err() == nil: // else somebody joined
			w.starve(err)
			pause(turn, backoff(failures))
			failures++
		}
	}
}

// begin returns the context of the next turn, or false if the follower has come to its end.
func (w *follower) begin(ctx context.Context) (turn context.Context, more bool) {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	w.interrupt()
	w.feeds = slices.DeleteFunc(w.feeds, (*feed).isGone)
	if len(w.feeds) == 0 || ctx.Err() != nil {
		w.leave()
		return nil, false
	}
	w.position = w.feeds[0].fed
	for _, d := range w.feeds {
		w.position = min(w.position, d.fed)
	}
	turn, w.interrupt = context.WithCancel(ctx)
	return turn, true
}

// leave takes the follower off the list. The caller holds set.mu.
func (w *follower) leave() {
	w.interrupt()
	w.set.followers = slices.DeleteFunc(w.set.followers, func(o *follower) bool { return o == w })
}

// pass feeds everything up to the head.
func (w *follower) pass(ctx context.Context) error {
	var failure error
	fresh, hurried := true, w.set.wanted.Load() > w.position
	for events, err := range decoded(ctx, w.set.source, w.position+1) {
		if failure = err; err != nil {
			break
		}
		if fresh {
			w.starve(nil)
			fresh = false
		}
		for _, d := range w.take(events[len(events)-1].Position) {
			d.give(ctx, batch{events: events})
		}
	}
	if failure == nil && fresh {
		w.starve(nil)
	}
	w.end(ctx, batch{end: true, hurried: hurried}, failure == nil && w.set.source.Head()-w.position <= near)
	return failure
}

// take notes that the follower is at position, and returns whom to feed.
func (w *follower) take(position uint64) []*feed {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	w.position = position
	return slices.Clone(w.feeds)
}

// end tells the feeds that the pass has ended. If the head is near, those that fill a new file settle, and the
// follower waits for that, as it must not be another's follower meanwhile.
func (w *follower) end(ctx context.Context, end batch, settle bool) {
	var settling []*feed
	var settled []chan struct{}
	for _, d := range w.take(w.position) {
		if d.fed < w.position {
			continue // it has joined, and another pass comes
		}
		b := end
		if settle && d.building {
			b.settle = make(chan struct{})
			settling, settled = append(settling, d), append(settled, b.settle)
		}
		d.give(ctx, b)
	}
	for i, d := range settling {
		select {
		case <-settled[i]:
			d.building = false
		case <-d.gone:
		case <-ctx.Done():
		}
	}
}

// merge hands all feeds to another follower, if there is one that is at the same place or a little behind.
func (w *follower) merge() bool {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	least := w.position // one that has joined since the pass may be further behind
	for _, d := range w.feeds {
		least = min(least, d.fed)
	}
	for _, o := range w.set.followers {
		if o != w && o.position <= least && least-o.position <= near {
			o.feeds = append(o.feeds, w.feeds...)
			o.interrupt()
			w.leave()
			return true
		}
	}
	return false
}

// idle returns when there is something to read that is wanted, or has gathered for a while.
func (w *follower) idle(ctx context.Context) error {
	head, err := w.set.source.Wait(ctx, w.position)
	if err != nil || head-w.position > near {
		return err
	}
	timer := time.NewTimer(gathering)
	defer timer.Stop()
	for w.set.wanted.Load() <= w.position {
		select {
		case <-w.hurry:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// starve tells the feeds why they get nothing, or with nil that they do.
func (w *follower) starve(err error) {
	for _, d := range w.take(w.position) {
		d.filler.starved(d, err)
	}
}

func (d *feed) isGone() bool {
	select {
	case <-d.gone:
		return true
	default:
		return false
	}
}

// give puts those events of b into the feed that it has not had, and waits for room; but not if some are missing before
// them, as for a feed that has joined since the pass began. It gives up if the filler is gone or ctx ends.
func (d *feed) give(ctx context.Context, b batch) {
	if n := len(b.events); n > 0 {
		last := b.events[n-1].Position
		b.events = b.events[n-int(min(uint64(n), last-min(last, d.fed))):]
		if len(b.events) == 0 || b.events[0].Position != d.fed+1 {
			return
		}
	}
	select {
	case d.in <- b:
		if n := len(b.events); n > 0 {
			d.fed = b.events[n-1].Position
		}
	case <-d.gone:
	case <-ctx.Done():
	}
}

// backoff is how long to wait after so many failures in a row.
func backoff(failures int) time.Duration {
	return min(100*time.Millisecond<<min(failures, 10), 10*time.Second)
}

// pause waits for a while, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
