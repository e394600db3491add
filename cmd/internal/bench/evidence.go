package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const (
	withoutRounds = 3                // with and without evidence, in turn
	withoutEvents = 100_000          // of each
	delayTime     = 10 * time.Second // how long checkpoints are watched
	delayRate     = 20_000           // events a second meanwhile
)

// measureWithout records into two new ledgers in turn, one that keeps evidence and one that does not.
func measureWithout(ctx context.Context, cfg config) error {
	var perSecond [2]float64
	var servers [2]*server
	for i, every := range []string{"1s", "0"} {
		own := cfg
		own.dir = filepath.Join(cfg.dir, "commit-every-"+every)
		own.events = (withoutRounds + 1) * withoutEvents
		s, err := newServer(ctx, own, "--commit-every", every)
		if err != nil {
			return err
		}
		defer s.kill()
		servers[i] = s
	}
	var took [2]time.Duration
	for round := range withoutRounds + 1 {
		for i, s := range servers {
			begin := time.Now()
			if err := fill(ctx, s, withoutEvents); err != nil {
				return err
			}
			if round > 0 { // the first warms up
				took[i] += time.Since(begin)
			}
			if _, err := s.caughtUp(ctx); err != nil {
				return err
			}
		}
	}
	for i := range took {
		perSecond[i] = rate(withoutRounds*withoutEvents, took[i])
	}
	row("HTTP batches, evidence kept", fmt.Sprintf("%.0f/s", perSecond[0]), fmt.Sprintf("%.2f of %.0f/s without", perSecond[0]/perSecond[1], perSecond[1]))
	return nil
}

// measureProofs has answers proven, and verifies them here.
func measureProofs(ctx context.Context, s *server, label string) error {
	a, err := s.asker(ctx)
	if err != nil {
		return err
	}
	defer a.close()
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	first := s.events.begin
	for _, p := range []struct{ what, path string }{
		{"an event", "/v1/proofs/event?position=1000"},
		{"an absence, LIGHT", "/v1/proofs/answer?what=absence&flag=deleted&from_day=" + day(first.AddDate(-3, 0, 0)) + "&to_day=" + day(first.AddDate(-2, 0, 0))},
		{"a count of a week, LIGHT", "/v1/proofs/answer?what=count&flag=shared&from_day=" + day(first) + "&to_day=" + day(first.AddDate(0, 0, 6))},
		{"a count over everything, LIGHT", "/v1/proofs/answer?what=count&flag=T0,T1,T2,T3,T4,T5,U&from_day=1970-01-01&to_day=" + day(time.Now())},
	} {
		if err := measureProof(a, label+p.what, p.path); err != nil {
			return err
		}
	}
	return nil
}

func measureProof(a *asker, what, path string) error {
	var proof []byte
	took, err := timed(20, func() error {
		b, err := a.do("GET", path, "", nil)
		proof = slices.Clone(b)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	verified, err := timed(20, func() error { _, err := evidence.Verify(proof, nil); return err })
	if err != nil {
		return err
	}
	row(what+", proven", "p50 "+millis(took.at(0.5)), fmt.Sprintf("%d bytes, verified in %s", len(proof), verified.at(0.5).Round(time.Microsecond)))
	return nil
}

// measureDelay sends single events beside a load, and sees how long it takes until a checkpoint covers each.
func measureDelay(ctx context.Context, s *server) error {
	c, err := s.client(ctx, s.operator)
	if err != nil {
		return err
	}
	defer c.close()
	var delays times
	l := &load{server: s, rate: delayRate}
	err = l.beside(ctx, func() error {
		for end := time.Now().Add(delayTime); time.Now().Before(end); {
			views, err := c.views()
			if err != nil {
				return err
			}
			head := views[0].Head
			begin := time.Now()
			for {
				b, err := c.do("GET", "/v1/checkpoint", "", nil)
				if err != nil {
					return err
				}
				note, err := checkpoint.Open(b)
				if err != nil {
					return err
				}
				if note.Size >= head {
					break
				}
				if err := pause(ctx, 5*time.Millisecond); err != nil {
					return err
				}
			}
			delays = append(delays, time.Since(begin))
			if err := pause(ctx, 37*time.Millisecond); err != nil { // not in step with the ledger
				return err
			}
		}
		return nil
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	slices.Sort(delays)
	row("an event until a checkpoint covers it", "p99 "+millis(delays.at(0.99)), fmt.Sprintf("p50 %s  max %s, %d/s recorded meanwhile", millis(delays.at(0.5)), millis(delays.at(1)), delayRate))
	return nil
}
