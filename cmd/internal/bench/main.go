// Command bench measures a real custody server from outside, over HTTP, and
// prints each figure beside the raw cost taken in the same run. The load
// generator is this process; the server is another. Ids are random.
//
//	go run ./cmd/internal/bench -binary bin/custody [-events 1000000] [-large]
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
	binary  string
	dir     string
	events  int           // events in the first ledger
	large   bool          // also grow to ten times that
	singles time.Duration // how long 64 clients send single events
	people  int
}

func main() {
	cfg := config{}
	flag.StringVar(&cfg.binary, "binary", "bin/custody", "the server to measure")
	flag.StringVar(&cfg.dir, "dir", "", "where to keep the ledger (default: a temporary folder)")
	flag.IntVar(&cfg.events, "events", 1_000_000, "events to record before measuring starts and replay")
	flag.BoolVar(&cfg.large, "large", false, "measure starts and replay at ten times as many events, too")
	flag.DurationVar(&cfg.singles, "singles", 15*time.Second, "how long 64 clients send single events")
	flag.IntVar(&cfg.people, "people", 50_000, "how many people the events are about")
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
	if err := measureSingles(ctx, s, cfg); err != nil {
		return err
	}
	if err := measureAtRest(ctx, s, cfg.events); err != nil {
		return err
	}
	if !cfg.large {
		return nil
	}
	if err := fill(ctx, s, 9*cfg.events, cfg.people); err != nil {
		return err
	}
	return measureAtRest(ctx, s, 10*cfg.events)
}
