package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func row(what, figure, beside string) {
	fmt.Println(strings.TrimRight(fmt.Sprintf("%-68s %16s   %s", what, figure, beside), " "))
}

func rate(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }

// measureBatches records the first events, in batches, and sets them beside the
// raw durable group commit.
func measureBatches(ctx context.Context, s *server, cfg config, raw raw) error {
	warm := min(uint64(cfg.events)/2, 20*batchEvents)
	if err := fill(ctx, s, warm); err != nil { // connections, caches, cells
		return err
	}
	before, err := s.cpu()
	if err != nil {
		return err
	}
	begin := time.Now()
	n := cfg.events - int(warm)
	if err := fill(ctx, s, uint64(n)); err != nil {
		return err
	}
	took := time.Since(begin)
	after, err := s.cpu()
	if err != nil {
		return err
	}
	perSecond := rate(n, took)
	row(fmt.Sprintf("HTTP batches of %d, %d clients, recorded", batchEvents, batchClients), fmt.Sprintf("%.0f/s", perSecond),
		fmt.Sprintf("%.2f of raw durable groups, %.2f of raw asynchronous", perSecond/raw.durable, perSecond/raw.async))
	row("  server CPU per event, all stages", fmt.Sprintf("%.1f µs", float64((after-before).Microseconds())/float64(n)), "views follow meanwhile")
	begin = time.Now()
	if _, err := s.caughtUp(ctx); err != nil {
		return err
	}
	row("  until the views had caught up", time.Since(begin).Round(watchEvery).String(), "")
	return nil
}

func measureSingles(ctx context.Context, s *server, cfg config) error {
	before, err := s.cpu()
	if err != nil {
		return err
	}
	took, err := solo(ctx, s, cfg.singles)
	if err != nil {
		return err
	}
	after, err := s.cpu()
	if err != nil {
		return err
	}
	at := func(q float64) string { return took.at(q).Round(10 * time.Microsecond).String() }
	row(fmt.Sprintf("%d clients, one event each, recorded", soloClients), fmt.Sprintf("%.0f/s", rate(len(took), cfg.singles)),
		fmt.Sprintf("p50 %s  p99 %s  max %s", at(0.50), at(0.99), at(1)))
	row("  server CPU per event, all stages", fmt.Sprintf("%.1f µs", float64((after-before).Microseconds())/float64(len(took))), "")
	return nil
}

// measureAtRest restarts the server after a clean stop and after a kill, replays
// everything, and looks at disk and memory.
func measureAtRest(ctx context.Context, s *server, label string) error {
	peak, err := s.status("VmHWM")
	if err != nil {
		return err
	}
	row(label+"peak resident memory", fmt.Sprintf("%d MiB", peak>>20), "since the server was started, files mapped by views included")
	if err := s.stop(); err != nil {
		return err
	}
	clean, err := s.start(ctx)
	if err != nil {
		return err
	}
	if _, err := s.caughtUp(ctx); err != nil {
		return err
	}
	s.kill()
	killed, err := s.start(ctx)
	if err != nil {
		return err
	}
	row(label+"start after a clean stop", clean.Round(time.Millisecond).String(), "")
	row(label+"start after a kill", killed.Round(time.Millisecond).String(), "")
	begin := time.Now()
	if _, err := s.caughtUp(ctx); err != nil {
		return err
	}
	row(label+"views ready after that", time.Since(begin).Round(watchEvery).String(), "")
	begin = time.Now()
	n, err := replay(ctx, s)
	if err != nil {
		return err
	}
	row(label+"replay over HTTP", fmt.Sprintf("%.0f/s", rate(n, time.Since(begin))), fmt.Sprintf("%d events", n))
	return disk(s, label, n)
}

func disk(s *server, label string, n int) error {
	for _, part := range []string{"nats", "views", "evidence"} {
		bytes, err := size(filepath.Join(s.data, part))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		row(label+"bytes on disk per event, "+part, fmt.Sprintf("%d B", bytes/int64(n)), "")
	}
	return nil
}
