// Command bench measures a real custody server from outside, over HTTP, and
// prints each figure beside the raw cost taken in the same run. The load
// generator is this process; the server is another. Ids are random.
//
//	go run ./cmd/internal/bench -binary bin/custody [-events 1000000] [-large]
//
// Ratios are to what the same run took for the raw thing: durable groups of the
// store alone, one event recorded over HTTP, a replay that only decodes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// A config says what to measure.
type config struct {
	binary    string
	dir       string
	profile   string        // where to write a profile of the first rebuild; "" for none
	events    int           // events in the first ledger
	large     bool          // also grow to ten times that
	singles   time.Duration // how long 64 clients send single events
	follow    time.Duration // how long events are sent while views are watched
	ingest    int           // events a second that are recorded while questions are asked
	questions int           // about random people
}

func main() {
	cfg := config{}
	flag.StringVar(&cfg.binary, "binary", "bin/custody", "the server to measure")
	flag.StringVar(&cfg.dir, "dir", "", "where to keep the ledger (default: a temporary folder)")
	flag.StringVar(&cfg.profile, "cpuprofile", "", "write a profile of the first rebuild of the views to this file")
	flag.IntVar(&cfg.events, "events", 1_000_000, "events to record before measuring starts, replay, and reading")
	flag.BoolVar(&cfg.large, "large", false, "measure at ten times as many events, too")
	flag.DurationVar(&cfg.singles, "singles", 15*time.Second, "how long 64 clients send single events")
	flag.DurationVar(&cfg.follow, "follow", 20*time.Second, "how long events are sent while it is watched how far the views are behind")
	flag.IntVar(&cfg.ingest, "ingest", 5_000, "events a second to record while questions are asked")
	flag.IntVar(&cfg.questions, "questions", 1000, "questions about random people, each time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, cfg config) error {
	if cfg.dir == "" {
		dir, err := os.MkdirTemp("", "custody-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		cfg.dir = dir
	}
	raw, err := measureRaw(ctx)
	if err != nil {
		return err
	}
	raw.print()
	s, err := newServer(ctx, cfg)
	if err != nil {
		return err
	}
	defer s.kill()
	if err := measureBatches(ctx, s, cfg, raw); err != nil {
		return err
	}
	memory, err := measureSize(ctx, s, cfg, raw, nil)
	if err != nil {
		return err
	}
	if err := measureSingles(ctx, s, cfg); err != nil {
		return err
	}
	if err := measureNATS(ctx, s, cfg.events/5); err != nil {
		return err
	}
	if err := measureEmit(ctx, s, cfg); err != nil {
		return err
	}
	if err := measureWithout(ctx, cfg); err != nil {
		return err
	}
	if err := measureDelay(ctx, s); err != nil {
		return err
	}
	if err := measureFollowing(ctx, s, cfg, raw); err != nil {
		return err
	}
	if !cfg.large {
		return nil
	}
	if err := s.grow(ctx, 10*cfg.events); err != nil {
		return err
	}
	_, err = measureSize(ctx, s, cfg, raw, memory)
	return err
}

// grow records events of ten times the people, later ones, until there are n.
func (s *server) grow(ctx context.Context, n int) error {
	head, err := s.caughtUp(ctx)
	if err != nil {
		return err
	}
	more := n - int(head)
	s.events = newStream(n, s.next.Load(), s.events.begin.Add(span))
	s.events.count = uint64(max(more, 1))
	if more <= 0 {
		return nil
	}
	return fill(ctx, s, uint64(more))
}

// measureSize measures what may depend on how many events there are. It returns
// what memory the server took, and compares it with an earlier measurement.
func measureSize(ctx context.Context, s *server, cfg config, raw raw, before *memory) (*memory, error) {
	head, err := s.caughtUp(ctx)
	if err != nil {
		return nil, err
	}
	label := fmt.Sprintf("at %.1f million: ", float64(head)/1e6)
	if err := measureAtRest(ctx, s, label); err != nil {
		return nil, err
	}
	if err := measureRebuild(ctx, s, cfg, label); err != nil {
		return nil, err
	}
	if err := measurePages(ctx, s, cfg, label, raw); err != nil {
		return nil, err
	}
	if err := measureCounts(ctx, s, label); err != nil {
		return nil, err
	}
	m, err := measureMemory(ctx, s, label, before)
	if err != nil {
		return nil, err
	}
	if err := measureProofs(ctx, s, label); err != nil {
		return nil, err
	}
	if err := measureErase(ctx, s, label); err != nil {
		return nil, err
	}
	return m, measurePostgres(ctx, cfg, s.events, int(head), label)
}
