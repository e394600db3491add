package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/eventstest"
	"github.com/imalink/custody/events/emit/outbox"
)

func act() emit.Collected {
	return emit.Collected{Processing: emit.Processing{
		Subjects: emit.Subjects(emit.RoleCandidate, "candidate:10412"), Actor: emit.Staff("employee:jdp", "recruiter"), Activity: "placement",
	}, Origin: emit.OriginWebForm}
}

// put changes something and says so, in one transaction.
func put(t *testing.T, db *sql.DB, box *outbox.Outbox, commit bool, options ...emit.Option) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "INSERT INTO own VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if _, err := box.Put(t.Context(), tx, act(), options...); err != nil {
		t.Fatal(err)
	}
	end := tx.Rollback
	if commit {
		end = tx.Commit
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

func relay(box *outbox.Outbox, to emit.Transport) *outbox.Relay {
	return &outbox.Relay{Outbox: box, To: to, Every: time.Millisecond, Log: slog.New(slog.DiscardHandler)}
}

// inOrder demands n events, numbered from 1 on, of one instance.
func inOrder(t *testing.T, got []*events.Event, n int) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("%d events, want %d", len(got), n)
	}
	for i, e := range got {
		if e.Seq != uint64(i+1) || e.Instance != got[0].Instance || e.Instance == "" {
			t.Fatalf("event %d has number %d of %q", i+1, e.Seq, e.Instance)
		}
	}
}

func TestEmittedIfAndOnlyIfCommitted(t *testing.T) {
	t.Parallel()
	for _, mark := range []outbox.Placeholder{nil, outbox.Question, outbox.Dollar} {
		d, db := newDatabase(t)
		rec := eventstest.New(t, "ats")
		box := &outbox.Outbox{DB: db, Producer: "ats", Placeholder: mark}
		for i := range 6 {
			put(t, db, box, i%2 == 0)
		}
		if n, err := relay(box, rec).Step(t.Context()); n != 3 || err != nil {
			t.Fatalf("%d relayed, %v", n, err)
		}
		inOrder(t, rec.Events(), 3)
		if left := d.left(); len(left.rows) != 0 || left.own != 3 {
			t.Errorf("%d rows are left beside %d of the service's", len(left.rows), left.own)
		}
	}
}

// TestEveryCallFailsBothWays has each call to the database fail, before and after its effect, and each answer of
// the ledger be lost: every event arrives once, in order.
func TestEveryCallFailsBothWays(t *testing.T) {
	t.Parallel()
	d, db := newDatabase(t)
	box := &outbox.Outbox{DB: db, Producer: "ats"}
	rec := eventstest.New(t, "ats")
	r := relay(box, rec)
	total := 0
	for n := 1; ; n++ {
		calls := 0
		for _, after := range []bool{false, true} {
			for range 3 {
				put(t, db, box, true)
				total++
			}
			d.fail(n, after)
			_, err := r.Step(t.Context())
			if err != nil && !errors.Is(err, errDatabase) {
				t.Fatal(err)
			}
			calls = d.count()
			d.fail(0, false)
			rec.LoseAnswer()
			if _, err := r.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			inOrder(t, rec.Events(), total)
			if left := d.left(); len(left.rows) != 0 {
				t.Fatalf("%d rows are left", len(left.rows))
			}
		}
		if calls < n {
			break // every call has failed
		}
	}
}

func TestRefusedStaysWithTheReasonAndHoldsUpNothing(t *testing.T) {
	t.Parallel()
	d, db := newDatabase(t)
	box := &outbox.Outbox{DB: db, Producer: "ats"}
	rec := eventstest.New(t, "ats")
	put(t, db, box, true)
	rec.Refuse(events.DataCollected)
	var told []emit.Rejection
	r := relay(box, rec)
	r.Refused = func(x emit.Rejection) { told = append(told, x) }
	if _, err := r.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	rec.Refuse()
	put(t, db, box, true)
	if _, err := r.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := d.left().rows
	for _, row := range left {
		if reason, _ := row.refused.(string); !strings.Contains(reason, "family") || strings.Contains(reason, "10412") {
			t.Errorf("the reason is %q", reason)
		}
	}
	if len(left) != 1 || len(told) != 1 || told[0].Number != 1 || told[0].Kind != events.DataCollected || len(rec.Events()) != 1 || rec.Events()[0].Seq != 2 {
		t.Errorf("%d left, told %+v", len(left), told)
	}
}

func TestWhatIsNoEventHoldsUpNothing(t *testing.T) {
	t.Parallel()
	d, db := newDatabase(t)
	box := &outbox.Outbox{DB: db, Producer: "ats"}
	rec := eventstest.New(t, "ats")
	d.rows["0"] = stored{event: `{"id":"written by hand"}`}
	put(t, db, box, true)
	if n, err := relay(box, rec).Step(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d relayed, %v", n, err)
	}
	inOrder(t, rec.Events(), 1)
	if left := d.left().rows; left["0"].refused == nil || len(left) != 1 {
		t.Errorf("%d rows are left", len(left))
	}
}

func TestTwoRelaysDoNoHarm(t *testing.T) {
	t.Parallel()
	_, db := newDatabase(t)
	box := &outbox.Outbox{DB: db, Producer: "ats"}
	rec := eventstest.New(t, "ats")
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := relay(box, rec).Run(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	for range 100 {
		put(t, db, box, true)
	}
	for len(rec.Events()) < 100 && ctx.Err() == nil {
		put(t, db, box, false)
	}
	stop()
	wg.Wait()
	seen := map[uint64]bool{}
	for _, e := range rec.Events() {
		seen[e.Seq] = true
	}
	if len(rec.Events()) != 100 || len(seen) != 100 || !seen[1] || !seen[100] {
		t.Errorf("%d events with %d numbers", len(rec.Events()), len(seen))
	}
}

// TestSlowerRelayNumbersNothing has another relay count on between reading the count and writing it.
func TestSlowerRelayNumbersNothing(t *testing.T) {
	t.Parallel()
	d, db := newDatabase(t)
	box := &outbox.Outbox{DB: db, Producer: "ats"}
	rec := eventstest.New(t, "ats")
	put(t, db, box, true)
	d.race = 3
	if n, err := relay(box, rec).Step(t.Context()); n != 0 || err == nil {
		t.Fatalf("%d relayed, %v", n, err)
	}
	d.race = 0
	for key, row := range d.left().rows {
		if row.number != nil {
			t.Errorf("row %s is numbered", key)
		}
	}
	if _, err := relay(box, rec).Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	inOrder(t, rec.Events(), 1)
}

func TestRepeatableFactsKeepTheirIdentity(t *testing.T) {
	t.Parallel()
	_, db := newDatabase(t)
	box := &outbox.Outbox{DB: db, Producer: "ats"}
	rec := eventstest.New(t, "ats")
	at := time.Now()
	for range 2 {
		put(t, db, box, true, emit.As("message-1", at))
		if _, err := relay(box, rec).Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := rec.Events(); len(got) != 1 || got[0].Seq != 0 || got[0].Instance != "" {
		t.Errorf("%d events", len(got))
	}
}

func TestWhatIsWrongIsSaidBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	_, db := newDatabase(t)
	box := &outbox.Outbox{DB: db, Producer: "ats"}
	if _, err := box.Put(t.Context(), nil, emit.Collected{}); err == nil {
		t.Error("an empty act was taken")
	}
	for _, name := range []string{"x; DROP TABLE own", "a b", "'"} {
		box := &outbox.Outbox{DB: db, Producer: "ats", Table: name}
		if _, err := box.Schema(); err == nil {
			t.Errorf("table %q was taken", name)
		}
		if _, err := box.Put(t.Context(), nil, act()); err == nil {
			t.Errorf("table %q was taken", name)
		}
	}
	if s, err := box.Schema(); err != nil || len(s) != 2 {
		t.Errorf("%d statements, %v", len(s), err)
	}
}

// TestRelayAwaitsReceipts has a ledger that gives none: each event is disputed. What cannot be noted stays in the table.
func TestRelayAwaitsReceipts(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/receipts" { // of many, there is none among them
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"type":"urn:custody:problem:not-found","status":404}`)
		}
	}))
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "receipts")
	receipts, err := emit.OpenReceipts(dir, &emit.HTTP{URL: server.URL, Token: "custody_test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, db := newDatabase(t)
	box, rec := &outbox.Outbox{DB: db, Producer: "ats"}, eventstest.New(t, "ats")
	for range 3 {
		put(t, db, box, true)
	}
	r := relay(box, rec)
	r.Receipts = receipts
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Step(t.Context()); err == nil || len(d.left().rows) != 3 {
		t.Errorf("%d rows are left, %v", len(d.left().rows), err)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	disputed := make(chan uint64, 10)
	r.Disputed = func(position uint64, err error) {
		if errors.Is(err, emit.ErrReceiptMissing) {
			disputed <- position
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	for range 3 {
		select {
		case <-disputed:
		case <-time.After(time.Minute):
			t.Fatal("nothing is disputed")
		}
	}
	for begun := time.Now(); len(d.left().rows) > 0; runtime.Gosched() { // a dispute may be told before they are gone
		if time.Since(begun) > time.Minute {
			t.Fatalf("%d rows are left", len(d.left().rows))
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
