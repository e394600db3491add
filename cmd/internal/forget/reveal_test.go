package forget

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/events"
)

// TestReveal: alone, or where the ledger says so, with a second person; who that
// was is recorded, and an approval is good once.
func TestReveal(t *testing.T) {
	r := small(t)
	q := ask.RevealRequest{Position: 1, Who: "actors", ReasonCode: "dsar-15-1-c"}
	shown, err := r.Reveal(t.Context(), dpo(), q, "")
	if err != nil || len(shown.Items) != 1 || string(shown.Items[0].ID) != whiskey {
		t.Errorf("%d, %v", len(shown.Items), err)
	}
	r.TwoPersons = true
	_, err = r.Reveal(t.Context(), dpo(), q, "")
	w, is := errors.AsType[*Waiting](err)
	if !is || w.Act != "reveal actors of the event at position 1, because of dsar-15-1-c" {
		t.Fatalf("%+v, %v", w, err)
	}
	if _, err := r.Reveal(t.Context(), dpo(), q, w.ID); !errors.Is(err, ErrWaiting) {
		t.Errorf("before anybody approved: %v", err)
	}
	r.must(failure(r.Approvals.Approve(Token{deputy().Token, deputy().Name}, w.ID)))
	other := q
	other.Who = "all"
	if _, err := r.Reveal(t.Context(), dpo(), other, w.ID); !errors.Is(err, ErrOtherAct) {
		t.Errorf("another act: %v", err)
	}
	if n := r.count(events.LedgerIdentityRevealed); n != 1 {
		t.Errorf("%d reveals are recorded", n)
	}
	shown, err = r.Reveal(t.Context(), dpo(), q, w.ID)
	r.must(err)
	rec, err := r.Ledger.Event(t.Context(), shown.Recorded[0])
	r.must(err)
	st, err := events.DecodeStored(rec.Raw)
	r.must(err)
	if by := st.Event.Data.Get("approved_by").Text(); by != "dpo-2" {
		t.Errorf("approved by %q", by)
	}
	if _, err := r.Reveal(t.Context(), dpo(), q, w.ID); !errors.Is(err, ErrNoApproval) {
		t.Errorf("used twice: %v", err)
	}
	for _, q := range []ask.RevealRequest{{Session: "sess-whiskey", Who: "actors", ReasonCode: "c"}, {Handle: "whiskey", ReasonCode: "c"}} {
		r.fails(failure(r.Reveal(t.Context(), dpo(), q, "")), ErrWaiting)
	}
	if text, _ := json.Marshal(r.Approvals.List()); strings.Contains(string(text), "whiskey") || len(r.Approvals.List()) != 2 {
		t.Errorf("what waits names somebody: %s", text)
	}
}
