package ask

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// TestKnownAt asks as known at every position and recorded time, and at times
// beside them.
func TestKnownAt(t *testing.T) {
	r := small(t)
	var recorded []time.Time
	for rec, err := range r.ledger.Replay(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			t.Fatal(err)
		}
		recorded = append(recorded, st.Recorded)
	}
	last := len(recorded)
	at := func(known string) AsOf {
		t.Helper()
		page, err := r.Events(t.Context(), dpo(), Question{Name: "events", KnownAt: known})
		if err != nil || page.Total != page.AsOf.Position {
			t.Fatalf("%s: %d events as of %d: %v", known, page.Total, page.AsOf.Position, err)
		}
		return page.AsOf
	}
	for i, when := range recorded {
		if got := at(fmt.Sprint(i + 1)); got != (AsOf{uint64(i) + 1, Instant{when}}) {
			t.Errorf("position %d: as of %+v", i+1, got)
		}
		for _, by := range []time.Duration{-time.Millisecond, -1, 0, 1} {
			want := 0
			for want < last && !recorded[want].After(when.Add(by)) {
				want++
			}
			got := at(when.Add(by).In(time.FixedZone("", 7200)).Format(time.RFC3339Nano))
			if got.Position != uint64(want) && (want < last || got.Position < uint64(last)) { // the questions come behind
				t.Errorf("%v beside position %d: as of %d, want %d", by, i+1, got.Position, want)
			}
		}
	}
	if got := at("0"); got != (AsOf{}) {
		t.Errorf("before anything: as of %+v", got)
	}
	for _, later := range []string{"9223372036854775807", "2099-01-01T00:00:00Z", ""} {
		if head := r.ledger.Head(); at(later) != (AsOf{head.Position, Instant{head.Recorded}}) {
			t.Errorf("%q is not now", later)
		}
	}
	for _, bad := range []string{"-1", "+1", "1.5", "9223372036854775808", "2025-01-01", "candidate:zulu71"} {
		if _, err := r.Events(t.Context(), dpo(), Question{Name: "events", KnownAt: bad}); !errors.Is(err, ErrQuestion) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestWindow holds what a question's times mean to the millisecond, which is what
// is kept of an event's.
func TestWindow(t *testing.T) {
	r := small(t) // of February there are three events at one instant
	instant, err := time.Parse(time.RFC3339, february)
	if err != nil {
		t.Fatal(err)
	}
	const ms, bit = time.Millisecond, 300 * time.Microsecond
	for name, tt := range map[string]struct {
		q    Question
		want uint64
	}{
		"from it":        {Question{From: instant, To: instant.Add(ms)}, 3},
		"from within it": {Question{From: instant.Add(bit), To: instant.Add(ms)}, 3},
		"to it":          {Question{From: instant.Add(-ms), To: instant}, 0},
		"to within it":   {Question{From: instant.Add(-ms), To: instant.Add(bit)}, 0},
		"behind it":      {Question{From: instant.Add(ms), To: instant.Add(time.Hour)}, 0},
		"at it":          {Question{From: instant, At: instant}, 3},
		"at within it":   {Question{From: instant, At: instant.Add(bit)}, 3},
		"at, then to":    {Question{From: instant, At: instant, To: instant.Add(time.Hour)}, 3},
		"to, then at":    {Question{From: instant.Add(-time.Hour), At: instant, To: instant}, 0},
		"at before it":   {Question{From: instant.Add(-time.Hour), At: instant.Add(-ms)}, 0},
	} {
		q := tt.q
		q.Name, q.KnownAt = "events", "10"
		page, err := r.Events(t.Context(), dpo(), q)
		if err != nil || page.Total != tt.want || page.Window.From.Nanosecond()%int(ms) != 0 || page.Window.To.Nanosecond()%int(ms) != 0 {
			t.Errorf("%s: %d events, want %d, in %v to %v: %v", name, page.Total, tt.want, page.Window.From, page.Window.To, err)
		}
	}
	for name, q := range map[string]Question{
		"nothing":      {From: instant, To: instant},
		"within":       {From: instant, To: instant.Add(bit)},
		"turned round": {From: instant, To: instant.Add(-time.Hour)},
		"at before":    {From: instant, At: instant.Add(-ms)},
	} {
		if _, err := r.Events(t.Context(), dpo(), q); !errors.Is(err, ErrQuestion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
