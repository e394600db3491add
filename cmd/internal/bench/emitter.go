package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/imalink/custody/events/emit"
)

// measureEmit has services emit through the SDK, with a spool and without, and
// sets how long a call takes beside one write and sync of the same disk.
func measureEmit(ctx context.Context, s *server, cfg config) error {
	if _, err := s.custody(ctx, s.operator, "producer", "add", "service", "--families", "data,ledger"); err != nil {
		return err
	}
	token := filepath.Join(cfg.dir, "service.token")
	if _, err := s.custody(ctx, s.operator, "token", "create", "--role", "producer", "--producer", "service", "--name", "service", "--out", token); err != nil {
		return err
	}
	raw, err := measureSync(cfg.dir)
	if err != nil {
		return err
	}
	row("one write and fsync", "p50 "+millis(raw.at(0.5)), "p99 "+millis(raw.at(0.99)))
	for _, way := range []struct {
		name, spool string
		callers     int
	}{
		{"SDK, no spool, 1 caller", "", 1},
		{"SDK, no spool, 64 callers", "", soloClients},
		{"SDK, spool, 1 caller", "spool-1", 1},
		{"SDK, spool, 64 callers", "spool-64", soloClients},
	} {
		to := &emit.HTTP{URL: s.url, TokenFile: token}
		c := emit.Config{Producer: "service", To: to}
		if way.spool != "" {
			c.Spool = filepath.Join(cfg.dir, way.spool)
		}
		took, perSecond, err := emitting(ctx, c, way.callers, cfg.singles/4)
		if err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		row(way.name, fmt.Sprintf("%.0f/s", perSecond), fmt.Sprintf("p50 %s  p99 %s, %.1f and %.1f of a write and fsync",
			millis(took.at(0.5)), millis(took.at(0.99)), ratio(took.at(0.5), raw.at(0.5)), ratio(took.at(0.99), raw.at(0.5))))
	}
	return nil
}

// measureSync writes and syncs as a spool must.
func measureSync(dir string) (times, error) {
	f, err := os.Create(filepath.Join(dir, "raw"))
	if err != nil {
		return nil, err
	}
	line := make([]byte, 600)
	took, err := timed(500, func() error {
		_, err := f.Write(line)
		return errors.Join(err, f.Sync())
	})
	return took, errors.Join(err, f.Close())
}

// emitting has callers emit for a while, and then until everything has arrived.
func emitting(ctx context.Context, c emit.Config, callers int, d time.Duration) (took times, perSecond float64, err error) {
	e, err := emit.Open(c)
	if err != nil {
		return nil, 0, err
	}
	var mu sync.Mutex
	begin := time.Now()
	err = together(callers, func() error {
		var mine times
		for n := 0; time.Since(begin) < d; n++ {
			at := time.Now()
			if _, err := e.Emit(ctx, seen(n)); err != nil {
				return err
			}
			mine = append(mine, time.Since(at))
		}
		mu.Lock()
		defer mu.Unlock()
		took = append(took, mine...)
		return nil
	})
	perSecond = rate(len(took), time.Since(begin))
	slices.Sort(took)
	return took, perSecond, errors.Join(err, e.Drain(ctx), e.Close())
}

// seen is what a service says when somebody was looked up.
func seen(n int) emit.Act {
	return emit.Accessed{Mode: emit.ModeView, Processing: emit.Processing{
		Subjects: emit.Subjects(emit.RoleCandidate, identifier(uint64(n%1000))), Actor: emit.Staff("employee:r7", "recruiter"),
		System: "ats", Dataset: "career_cv", Categories: []string{"career_cv"}, Purpose: "service_provision", Basis: "A6-1-b"}}
}
