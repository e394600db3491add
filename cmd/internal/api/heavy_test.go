package api

import (
	"context"
	"errors"
	"testing"
)

// TestHeavyAnswersTakeTurns has as many as there is room for, and one more, which goes on when one has ended.
func TestHeavyAnswersTakeTurns(t *testing.T) {
	a, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	var ends []func()
	for range heavyAtOnce {
		end, err := a.heavy(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.heavy(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("one too many, whose client is gone: %v", err)
	}
	next := make(chan error)
	go func() {
		end, err := a.heavy(t.Context())
		if err == nil {
			end()
		}
		next <- err
	}()
	ends[0]()
	if err := <-next; err != nil {
		t.Errorf("the next: %v", err)
	}
}
