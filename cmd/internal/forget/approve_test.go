package forget

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	first  = Token{"1", "desk"}
	second = Token{"2", "deputy"}
	third  = Token{"3", "desk"} // another token of the same name
)

// waits asks for an act and returns the approval that it waits for.
func waits(t *testing.T, a *Approvals, by Token, act string) Approval {
	t.Helper()
	err := a.Ask(by, "an act", []byte(act), Terms{Reason: "left", Events: 3})
	w, ok := errors.AsType[*Waiting](err)
	if !ok || !errors.Is(err, ErrWaiting) {
		t.Fatalf("%v", err)
	}
	return w.Approval
}

// TestApproval goes through an act that two people agree on, and what each of
// them, and others, cannot do.
func TestApproval(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	a := newApprovals(func() time.Time { return now })
	w := waits(t, a, first, "x")
	if again := waits(t, a, first, "x"); again.ID != w.ID {
		t.Error("asked twice, it waits twice")
	}
	if other := waits(t, a, second, "x"); other.ID == w.ID || other.Terms.Events != 3 {
		t.Error("two people share an approval")
	}
	more, _ := errors.AsType[*Waiting](a.Ask(first, "an act", []byte("x"), Terms{Reason: "left", Events: 4}))
	if more == nil || more.ID == w.ID {
		t.Error("other terms are another approval")
	}
	for name, by := range map[string]Token{"the same token": first, "a token of the same name": third} {
		if _, err := a.Approve(by, w.ID); !errors.Is(err, ErrSamePerson) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.Of(first, w.ID, "an act", []byte("x")); !errors.Is(err, ErrWaiting) {
		t.Errorf("before anybody approved: %v", err)
	}
	if got, err := a.Approve(second, w.ID); err != nil || got.Approved != "deputy" {
		t.Errorf("approving: %+v, %v", got, err)
	}
	if _, err := a.Of(first, w.ID, "an act", []byte("y")); !errors.Is(err, ErrOtherAct) {
		t.Errorf("another act: %v", err)
	}
	if _, err := a.Of(second, w.ID, "an act", []byte("x")); !errors.Is(err, ErrOtherAct) {
		t.Errorf("somebody else: %v", err)
	}
	agreed, err := a.Of(first, w.ID, "an act", []byte("x"))
	if err != nil || agreed.By != "deputy" || agreed.holds(Terms{Reason: "left", Events: 3}) != nil || !errors.Is(agreed.holds(Terms{Reason: "left"}), ErrOtherTerms) {
		t.Errorf("%q, %v", agreed.By, err)
	}
	if _, err := a.Of(first, w.ID, "another act", []byte("x")); !errors.Is(err, ErrOtherAct) {
		t.Errorf("another act: %v", err)
	}
	if _, err := a.Of(first, w.ID, "an act", []byte("x")); !errors.Is(err, ErrNoApproval) {
		t.Errorf("at the same time: %v", err)
	}
	agreed.End(false)
	if agreed, err = a.Of(first, w.ID, "an act", []byte("x")); err != nil {
		t.Errorf("again, after it failed: %v", err)
	}
	if len(a.List()) != 3 {
		t.Errorf("%d wait", len(a.List()))
	}
	agreed.End(true)
	Agreement{}.End(true)
	if _, err := a.Of(first, w.ID, "an act", []byte("x")); !errors.Is(err, ErrNoApproval) {
		t.Errorf("used: %v", err)
	}
	if _, err := a.Approve(second, "nothing"); !errors.Is(err, ErrNoApproval) {
		t.Errorf("unknown: %v", err)
	}
}

// TestApprovalExpires: whoever comes too late asks again.
func TestApprovalExpires(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	a := newApprovals(func() time.Time { return now })
	w := waits(t, a, first, "x")
	now = now.Add(approvalTime)
	if _, err := a.Approve(second, w.ID); !errors.Is(err, ErrNoApproval) || len(a.List()) != 0 {
		t.Errorf("too late: %v", err)
	}
	for i := range maxApprovals {
		waits(t, a, first, fmt.Sprint(i))
	}
	if err := a.Ask(first, "an act", []byte("one more"), Terms{}); !errors.Is(err, ErrTooMany) {
		t.Errorf("too many: %v", err)
	}
}

func TestParseSchedule(t *testing.T) {
	s, err := ParseSchedule([]byte(`{"format":1,"keep":[{"class":"access","months":36},{"class":"legal-state","months":1}]}`))
	if err != nil || len(s.Keep) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	if before := s.Keep[0].Before(time.Date(2026, 3, 31, 23, 0, 0, 0, time.UTC)); before.String() != "2023-03" {
		t.Errorf("before %s", before)
	}
	for text, path := range map[string]string{
		`{"format":2,"keep":[]}`: "/format", `{"keep":[]}`: "/format",
		`{"format":1,"keep":[{"class":"acess","months":3}]}`:                                "/keep/0/class",
		`{"format":1,"keep":[{"class":"access","months":0}]}`:                               "/keep/0/months",
		`{"format":1,"keep":[{"class":"access"}]}`:                                          "/keep/0/months",
		`{"format":1,"keep":[{"class":"access","months":1201}]}`:                            "/keep/0/months",
		`{"format":1,"keep":[{"class":"access","months":1},{"class":"access","months":2}]}`: "/keep/1/class",
		`{"format":1,"keep":[{"class":"access","month":1}]}`:                                "month",
		`{"format":1,"keep":[]}{}`:                                                          "follows",
		``:                                                                                  "EOF",
	} {
		if _, err := ParseSchedule([]byte(text)); !errors.Is(err, ErrSchedule) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ReadSchedule(t.TempDir() + "/none"); err == nil {
		t.Error("read a file that is not there")
	}
}

func TestParseMonth(t *testing.T) {
	if m, err := ParseMonth("2025-07"); err != nil || m.String() != "2025-07" {
		t.Errorf("%v, %v", m, err)
	}
	for _, text := range []string{"", "2025-7", "2025-13", "2025-07-01", "25-07", "2025-07 "} {
		if _, err := ParseMonth(text); err == nil {
			t.Errorf("%q is a month", text)
		}
	}
}
