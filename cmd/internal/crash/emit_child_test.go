package crash_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/imalink/custody/events/emit"
)

// emitterVar makes this program an emitter instead of a test: a folder for the spool, a URL, a token, the
// first number to emit, and how many subjects an event has, separated by spaces.
const emitterVar = "CUSTODY_CRASH_EMITTER"

// init runs the emitter in a process of its own, so that it can be killed.
func init() {
	if settings := os.Getenv(emitterVar); settings != "" {
		if err := emitForEver(settings); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// emitForEver emits from several goroutines until it is killed, or until its standard input ends, after which it
// waits until the ledger has everything. It prints a line for each event once Emit has accepted it: the number
// that the event has in the ledger, its id, and the count that tells what is in it.
func emitForEver(settings string) error {
	var dir, url, token string
	var count, subjects int
	if _, err := fmt.Sscan(settings, &dir, &url, &token, &count, &subjects); err != nil {
		return err
	}
	e, err := emit.Open(emit.Config{
		Producer: "ats", Spool: dir, SpoolBytes: 16 << 20, Heartbeat: -1, To: &emit.HTTP{URL: url, Token: token},
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	go func() {
		os.Stdin.Read(make([]byte, 1))
		close(stop)
	}()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				count++
				n := count
				mu.Unlock()
				receipt, err := e.Emit(context.Background(), accessNumbered(n, subjects))
				for errors.Is(err, emit.ErrSpoolFull) { // nothing was kept: the ledger is slow, or down
					select {
					case <-stop:
						return
					case <-time.After(10 * time.Millisecond):
					}
					receipt, err = e.Emit(context.Background(), accessNumbered(n, subjects))
				}
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Printf("%d %s %d\n", receipt.Number, receipt.ID, n) // one write: whole, or not at all
			}
		})
	}
	wg.Wait()
	if err := e.Drain(context.Background()); err != nil {
		return err
	}
	return e.Close()
}

// accessNumbered is an act about so many people that says which one it is.
func accessNumbered(n, subjects int) emit.Act {
	ids := make([]string, subjects)
	for i := range ids {
		ids[i] = "candidate:" + strconv.Itoa(n%1000+i)
	}
	return emit.Accessed{
		Processing: emit.Processing{
			Subjects: emit.Subjects(emit.RoleCandidate, ids...),
			Actor:    emit.Staff("employee:jdp", "recruiter"),
			System:   "ats", Dataset: "career_cv", Categories: []string{"contact"}, Purpose: "comply", Basis: emit.BasisLegalObligation,
		},
		Mode: emit.ModeList, ResultCount: emit.Count(n),
	}
}
