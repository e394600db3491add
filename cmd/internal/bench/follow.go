package main

import (
	"cmp"
	"context"
	"fmt"
	"sort"
	"sync/atomic"
	"time"
)

const (
	behindAtMost = 2 * time.Second // that views may be
	holdAt       = time.Second     // at which the load waits for them
	watchEvery   = 50 * time.Millisecond
	aimIngest    = 30_000 // events a second
)

// A watch follows how far the views are behind: how long ago the head was where
// the furthest of them is now.
type watch struct {
	heads   []headAt // one for each time the head was seen to have moved
	behind  atomic.Int64
	most    time.Duration
	slowest string // the view that was furthest behind
}

type headAt struct {
	head uint64
	when time.Time
}

// follow watches until ctx ends.
func (w *watch) follow(ctx context.Context, s *server) error {
	c, err := s.client(ctx, s.operator)
	if err != nil {
		return err
	}
	defer c.close()
	for pause(ctx, watchEvery) == nil {
		views, err := c.views()
		if err != nil {
			return err
		}
		w.note(views, time.Now())
	}
	return nil
}

func (w *watch) note(views []view, now time.Time) {
	var behind time.Duration
	for _, v := range views {
		if n := len(w.heads); n == 0 || w.heads[n-1].head < v.Head {
			w.heads = append(w.heads, headAt{v.Head, now})
		}
		lag := w.lag(v, now)
		if behind = max(behind, lag); lag > w.most {
			w.most, w.slowest = lag, v.Name
		}
	}
	w.behind.Store(int64(behind))
}

// lag is how long the head has been beyond a view, as far as was seen.
func (w *watch) lag(v view, now time.Time) time.Duration {
	i := sort.Search(len(w.heads), func(i int) bool { return w.heads[i].head > v.Position })
	if i == len(w.heads) {
		return 0
	}
	return now.Sub(w.heads[i].when)
}

// A load is what is sent while something else is measured.
type load struct {
	server *server
	rate   int    // events a second; 0 is as fast as can be
	hold   *watch // waited for as long as it says that views are too far behind; nil for nothing
	sent   atomic.Int64
	due    atomic.Int64 // of the next batch, nanoseconds since the start
}

// send sends from several clients until ctx ends.
func (l *load) send(ctx context.Context) error {
	start := time.Now()
	size := batchEvents
	if l.rate > 0 {
		size = max(1, min(size, l.rate/40))
	}
	return together(batchClients, func() error {
		c, err := l.server.sender(ctx, true)
		if err != nil {
			return err
		}
		defer c.close()
		var body []byte
		for l.turn(ctx, start, size) {
			end := l.server.next.Add(uint64(size))
			body = l.server.events.lines(body[:0], end-uint64(size), end, time.Now())
			if err := c.post(body, size); err != nil {
				return err
			}
			l.sent.Add(int64(size))
		}
		return nil
	})
}

// turn waits until a batch is due, and reports false once ctx has ended.
func (l *load) turn(ctx context.Context, start time.Time, size int) bool {
	for l.hold != nil && time.Duration(l.hold.behind.Load()) > holdAt {
		if pause(ctx, 10*time.Millisecond) != nil {
			return false
		}
	}
	if l.rate > 0 {
		step := int64(time.Second) * int64(size) / int64(l.rate)
		if err := pause(ctx, time.Until(start.Add(time.Duration(l.due.Add(step))))); err != nil {
			return false
		}
	}
	return ctx.Err() == nil
}

// beside runs f while the load is sent.
func (l *load) beside(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sending := make(chan error, 1)
	go func() { sending <- l.send(ctx) }()
	err := f()
	cancel()
	return cmp.Or(err, <-sending)
}

// measureFollowing finds the rate at which views keep up: first the load waits
// whenever they fall behind, then it goes at nearly the rate this gave, or the
// aim if that is less.
func measureFollowing(ctx context.Context, s *server, cfg config, raw raw) error {
	free, _, err := following(ctx, s, cfg.follow, 0)
	if err != nil {
		return err
	}
	row("ingest held back so that views keep up", fmt.Sprintf("%.0f/s", free), fmt.Sprintf("%.2f of raw durable groups; held while they are over %v behind", free/raw.durable, holdAt))
	for _, steady := range []int{int(free * 0.9), int(free * 0.75)} {
		rate, w, err := following(ctx, s, cfg.follow, steady)
		if err != nil {
			return err
		}
		row("steady ingest for "+cfg.follow.String(), fmt.Sprintf("%.0f/s", rate), fmt.Sprintf("views at most %v behind (%s)", w.most.Round(watchEvery), cmp.Or(w.slowest, "none")))
		if w.most <= behindAtMost {
			break
		}
	}
	return nil
}

// following sends for a while at a rate, or with 0 as fast as views keep up.
func following(ctx context.Context, s *server, d time.Duration, rate int) (perSecond float64, w *watch, err error) {
	if _, err := s.caughtUp(ctx); err != nil {
		return 0, nil, err
	}
	w = &watch{}
	l := &load{server: s, rate: rate}
	if rate == 0 {
		l.hold = w
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	watching := make(chan error, 1)
	go func() { watching <- w.follow(ctx, s) }()
	err = cmp.Or(l.send(ctx), <-watching)
	return float64(l.sent.Load()) / d.Seconds(), w, err
}
