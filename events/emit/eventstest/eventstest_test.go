package eventstest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/eventstest"
)

func act() emit.Shared {
	return emit.Shared{
		Processing: emit.Processing{
			Subjects: emit.Subjects(emit.RoleCandidate, "candidate:10412"), Actor: emit.Staff("employee:jdp", "recruiter"), Activity: "placement",
		},
		Recipient: emit.Recipient{Party: "acme-bank", Role: emit.ToClient},
	}
}

func TestRecorderJudgesAsTheLedgerDoes(t *testing.T) {
	t.Parallel()
	rec := eventstest.New(t, "ats")
	at := time.Now()
	if _, err := rec.Emitter.Emit(t.Context(), act(), emit.As("m-1", at)); err != nil {
		t.Fatal(err)
	}
	if r, err := rec.Emitter.Emit(t.Context(), act(), emit.As("m-1", at)); err != nil || r.Position != 1 {
		t.Errorf("a repeat: %+v, %v", r, err)
	}
	other := act()
	other.Recipient.Party = "other"
	_, err := rec.Emitter.Emit(t.Context(), other, emit.As("m-1", at))
	if fault, ok := errors.AsType[*events.Error](err); !ok || fault.Type != events.Conflict {
		t.Errorf("other content: %v", err)
	}
	rec.LoseAnswer()
	if r, err := rec.Emitter.Emit(t.Context(), act()); err != nil || r.Position != 2 {
		t.Errorf("a lost answer: %+v, %v", r, err)
	}
	rec.Refuse(events.DataShared)
	if _, err := rec.Emitter.Emit(t.Context(), act()); err == nil {
		t.Error("a refused kind was taken")
	}
	rec.Want(t, events.DataShared, events.DataShared)
	if got := rec.Of(events.DataShared); len(got) != 2 || eventstest.Text(got[0], "recipient.party") != "acme-bank" || eventstest.Text(got[0], "activity") != "placement" {
		t.Error("the events are not what was emitted")
	}
	if len(rec.About("candidate:10412")) != 2 || len(rec.About("candidate:1041")) != 0 || len(rec.By("employee:jdp")) != 2 || len(rec.Of(events.DataUsed)) != 0 {
		t.Error("events are found by another's identifier, or not by their own")
	}
	if strings.Contains(fmt.Sprintf("%+v %v", rec.Events(), rec.Events()[0]), "10412") {
		t.Error("an event prints an identifier")
	}
}

func TestRecorderFailsAsTold(t *testing.T) {
	t.Parallel()
	rec := eventstest.New(t, "ats")
	rec.Fail("busy", 503)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := rec.Emitter.Emit(ctx, act()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	rec.Fail("", 0)
	if _, err := rec.Emitter.Emit(t.Context(), act()); err != nil {
		t.Error(err)
	}
}

// TestWantFails sees that an assertion can fail.
func TestWantFails(t *testing.T) {
	t.Parallel()
	rec := eventstest.New(t, "ats")
	witness := &failing{TB: t}
	rec.Want(witness, events.DataShared)
	if !witness.failed {
		t.Error("nothing was recorded, and something wanted")
	}
}

type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Errorf(string, ...any) { f.failed = true }
