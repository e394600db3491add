package ledger

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// TestPendingFormat holds the vector in FORMAT.md, both ways.
func TestPendingFormat(t *testing.T) {
	want := bytes.TrimSpace(block(t, "pending-1"))
	p, err := decodePending(want)
	if err != nil {
		t.Fatal(err)
	}
	if p.Token != "desk" || p.Approved != "deputy" || p.Erasure != 10543 || p.Former != 3 || p.Root != 4 || !p.At.Equal(time.Date(2026, 3, 2, 9, 14, 5, 120e6, time.UTC)) {
		t.Errorf("%+v", p)
	}
	if got := p.encode(); !bytes.Equal(got, want) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	for _, text := range []string{"", "{}", `{"format":2}`, string(want) + " ", string(want[:len(want)-1]) + `,"more":1}`} {
		if _, err := decodePending([]byte(text)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzPending: whatever is read is written the same, and can be recorded.
func FuzzPending(f *testing.F) {
	f.Add(bytes.TrimSpace(block(f, "pending-1")))
	cells, err := newPending(events.Shredding{Who: events.Who{Role: "operator", Token: "clerk"}, Class: events.Access, Before: "2025-07", Former: 1, Root: 2}, time.Unix(0, 0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(cells.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodePending(b)
		if err != nil {
			return
		}
		if _, err := p.event(); err != nil || !bytes.Equal(p.encode(), b) {
			t.Errorf("%s: %v", b, err)
		}
	})
}
