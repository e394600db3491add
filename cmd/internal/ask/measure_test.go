package ask

import (
	"errors"
	"slices"
	"testing"

	"github.com/imalink/custody/events"
)

// TestMeasure: how much an erasure is about does not move because somebody asks,
// and asking is recorded as a question about the person that shows nobody.
func TestMeasure(t *testing.T) {
	r := small(t)
	o := PlanOptions{Reason: "objection", Case: "c-1", AsActor: true}
	r.plan(zulu, o)
	p := r.plan(zulu, o) // the one before is about the person, too
	want := p.Measure()
	if want.Identifiers != 2 || want.Events == 0 || want.Events >= p.Events.Events {
		t.Errorf("%+v, of %d events", want, p.Events.Events)
	}
	for range 2 {
		head, questions, shown := r.ledger.Head().Position, r.questions(), len(r.shown)
		m, err := r.ErasureMeasure(t.Context(), dpo(), alias, o)
		if err != nil || m != want {
			t.Errorf("%+v, want %+v: %v", m, want, err)
		}
		q := r.last()
		if r.questions() != questions+1 || len(r.shown) != shown || r.ledger.Head().Position != head+1 || q.Query != "erasure.plan" || q.Case != "c-1" || !slices.Equal(q.Subjects, []string{alias}) {
			t.Errorf("recorded as %s about %d", q.Query, len(q.Subjects))
		}
	}
	if m, err := r.ErasureMeasure(t.Context(), dpo(), whiskey, o); err != nil || m.Identifiers != 1 || m.Acts == 0 {
		t.Errorf("who acted: %+v, %v", m, err)
	}
	r.refuse = func(events.Query) (uint64, error) { return 0, errors.New("the disk is gone") }
	if m, err := r.ErasureMeasure(t.Context(), dpo(), zulu, o); !errors.Is(err, ErrNotRecorded) || m != (Measure{}) {
		t.Errorf("not recorded: %+v, %v", m, err)
	}
	r.refuse = nil
	head := r.ledger.Head()
	if _, err := r.ErasureMeasure(t.Context(), investigator(), zulu, o); !errors.Is(err, ErrBox) || r.ledger.Head() != head {
		t.Errorf("a token with a window: %v", err)
	}
	if _, err := r.ErasureMeasure(t.Context(), dpo(), "candidate:mike81", o); !errors.Is(err, ErrNotKnown) || len(r.last().Subjects) != 0 {
		t.Errorf("nobody: %v", err)
	}
}
