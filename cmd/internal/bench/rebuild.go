package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/projections"
)

// measureRebuild stops the server, opens its ledger in this process, and decodes
// every event: to count them, and then to make every view in another folder.
func measureRebuild(ctx context.Context, s *server, cfg config, label string) (err error) {
	if err := s.stop(); err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	l, err := ledger.Open(ctx, ledger.Config{Data: s.data, Keys: s.keys, Index: views.Identities(quiet), Log: quiet})
	if err != nil {
		return err
	}
	decoding, n, err := decodeAll(ctx, l)
	if err == nil {
		err = rebuild(ctx, l, cfg, label, decoding, n)
	}
	if closing := l.Close(ctx); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	_, err = s.start(ctx)
	return err
}

// decodeAll is the raw cost of any view: every event read in order, and decoded
// on all processors.
func decodeAll(ctx context.Context, l *ledger.Ledger) (perSecond float64, n int, err error) {
	begin := time.Now()
	pieces := make(chan []events.Record, runtime.GOMAXPROCS(0))
	reading := make(chan error, 1)
	go func() {
		defer close(pieces)
		reading <- readAll(ctx, l, pieces)
	}()
	var decoded atomic.Int64
	err = together(runtime.GOMAXPROCS(0), func() (err error) {
		for piece := range pieces { // all of them, or the reader would wait
			for _, rec := range piece {
				if _, bad := projections.Decode(rec); bad != nil {
					err = bad
				}
			}
			decoded.Add(int64(len(piece)))
		}
		return err
	})
	n = int(decoded.Load())
	return rate(n, time.Since(begin)), n, errors.Join(err, <-reading)
}

func readAll(ctx context.Context, l *ledger.Ledger, pieces chan<- []events.Record) error {
	const size = 256
	var piece []events.Record
	for rec, err := range l.Replay(ctx, 1) {
		if err != nil {
			return err
		}
		if piece = append(piece, rec); len(piece) == size {
			pieces <- piece
			piece = make([]events.Record, 0, size)
		}
	}
	pieces <- piece
	return nil
}

// rebuild makes every view anew, durable and readable.
func rebuild(ctx context.Context, l *ledger.Ledger, cfg config, label string, decoding float64, n int) error {
	dir := filepath.Join(cfg.dir, "rebuilt")
	defer os.RemoveAll(dir)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if cfg.profile != "" {
		f, err := os.Create(cfg.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	begin := time.Now()
	set, err := views.Open(ctx, dir, l, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer set.Close()
	if err := set.Wait(ctx, l.Head().Position); err != nil {
		return err
	}
	perSecond := rate(n, time.Since(begin))
	row(label+"replay and decode", fmt.Sprintf("%.0f/s", decoding), fmt.Sprintf("%d events", n))
	row(label+"rebuild of all views", fmt.Sprintf("%.0f/s", perSecond), fmt.Sprintf("%.2f of replay and decode", perSecond/decoding))
	bytes, err := size(dir)
	row(label+"bytes of views per event, rebuilt", fmt.Sprintf("%d B", bytes/int64(n)), "")
	return err
}
