package emit_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/eventstest"
)

// TestHeartbeats starts, falls silent, and stops: the ledger learns of each, with the number reached.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	for _, spool := range []string{"", filepath.Join(t.TempDir(), "spool")} {
		l := newLedger(t)
		c := l.config()
		emit.Hasty(&c, time.Minute)
		c.Heartbeat, c.Spool = 20*time.Millisecond, spool
		e := open(t, c)
		l.until(t, func() bool { return len(l.Of(events.LedgerHeartbeat)) >= 3 })
		mustEmit(t, e, access())
		stop(t, e)
		beats := l.Of(events.LedgerHeartbeat)
		inOrder(t, l.Events(), len(beats)+1)
		for i, b := range beats {
			want := "running"
			if i == 0 {
				want = "started"
			} else if i == len(beats)-1 {
				want = "stopped"
			}
			if got := eventstest.Text(b, "state"); got != want || b.Data.Get("last").Int() != int64(b.Seq) {
				t.Errorf("heartbeat %d is %q at %d, number %d", i, got, b.Data.Get("last").Int(), b.Seq)
			}
		}
	}
}

// TestHeartbeatOfTheDay has a producer that is never silent say once that a new day of UTC has begun.
func TestHeartbeatOfTheDay(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := l.config()
	emit.Hasty(&c, time.Minute)
	c.Heartbeat = time.Hour
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	var tomorrow atomic.Bool
	emit.Clock(&c, func() time.Time {
		if tomorrow.Load() {
			return midnight.Add(time.Second)
		}
		return midnight.Add(-20 * time.Millisecond)
	})
	e := open(t, c)
	heard := func(n int) func() bool {
		return func() bool { mustEmit(t, e, access()); return len(l.Of(events.LedgerHeartbeat)) >= n }
	}
	l.until(t, heard(1))
	tomorrow.Store(true)
	l.until(t, heard(2))
	for range 5 {
		mustEmit(t, e, access())
	}
	stop(t, e)
	beats := l.Of(events.LedgerHeartbeat)
	if len(beats) != 3 || eventstest.Text(beats[1], "state") != "running" || beats[0].Time[:10] != "2026-03-02" || beats[1].Time[:10] != "2026-03-03" {
		t.Errorf("%d heartbeats: %v", len(beats), beats)
	}
}

func TestRefusedHeartbeatsEnd(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.Refuse(events.LedgerHeartbeat)
	c := l.config()
	c.Heartbeat = time.Millisecond
	e := open(t, c)
	l.until(t, func() bool { return e.Stats().Refused > 0 })
	for range 20 {
		mustEmit(t, e, access())
	}
	stop(t, e)
	if s := e.Stats(); s.Refused != 1 {
		t.Errorf("%d heartbeats were refused", s.Refused)
	}
}
