package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// TestAlone changes all keys again and again while many record: nothing is in
// hand then, nobody is left waiting, and everything recorded stands.
func TestAlone(t *testing.T) {
	l := open(t, newConfig(t))
	var sending sync.WaitGroup
	for sender := range 8 {
		sending.Go(func() {
			for i := range 40 {
				subs := make([]Submission, 1+i%7)
				for j := range subs {
					id := fmt.Sprintf("%d-%d-%d", sender, i, j)
					subs[j] = Submission{Event: view(t, id, fmt.Sprintf("candidate:%d", 20001+sender))}
				}
				results, err := l.Record(context.Background(), subs)
				if err != nil {
					t.Errorf("record: %v", err)
					return
				}
				for _, r := range results {
					if r.Status != Recorded {
						t.Errorf("%s", r.Status)
					}
				}
			}
		})
	}
	for range 20 {
		err := l.alone(t.Context(), func() {
			if l.inflight != nil || l.current != nil || l.open.used() || l.open.batch != nil {
				t.Error("something is in hand")
			}
			if err := l.vault.Rekey(t.Context(), []uint8{1, 2, 3}); err != nil {
				t.Errorf("changing keys: %v", err)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
	sending.Wait()
	if head := l.Head().Position; head != 8*(5*(1+2+3+4+5+6+7)+1+2+3+4+5) {
		t.Errorf("head is %d", head)
	}
}

// TestAloneDropsABatchOfNobody: an event that failed half-way left a batch of
// the vault's open, which a change of keys would wait for.
func TestAloneDropsABatchOfNobody(t *testing.T) {
	l := open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:10001"))
	if err := l.alone(t.Context(), func() { l.open.batch = l.vault.Begin() }); err != nil {
		t.Fatal(err)
	}
	err := l.alone(t.Context(), func() {
		if err := l.vault.Rekey(t.Context(), []uint8{1}); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	record(t, l, view(t, "b", "candidate:10001"))
}

// TestAloneEnds: who gives up, or comes too late, did nothing.
func TestAloneEnds(t *testing.T) {
	l := open(t, newConfig(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	entered := make(chan struct{})
	release := make(chan struct{})
	go func() { _ = l.alone(context.Background(), func() { close(entered); <-release }) }()
	<-entered
	if err := l.alone(ctx, func() { t.Error("ran") }); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	close(release)
	closeLedger(t, l)
	if err := l.alone(t.Context(), func() { t.Error("ran") }); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := l.Erase(t.Context(), Erasing{Who: events.Who{Role: "dpo", Token: "d"}, Opening: 1, Rows: map[vault.PersonID][]vault.Chain{{1}: nil}}); !errors.Is(err, ErrClosed) {
		t.Errorf("erasing: %v", err)
	}
}
