package forget

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// ErrSchedule is wrapped by every error of a schedule that cannot be used.
var ErrSchedule = errors.New("forget: not a retention schedule")

// How long a schedule keeps a class: a hundred years at most.
const (
	minMonths = 1
	maxMonths = 1200
)

// A Schedule says how long each class of events is kept. Classes that it does
// not name are kept for good. Its form, JSON:
//
//	{"format": 1, "keep": [{"class": "access", "months": 36}, {"class": "disclosure", "months": 120}]}
type Schedule struct {
	Keep []Rule `json:"keep"`
}

// A Rule keeps the events of a class for so many whole months after the month
// that they happened in.
type Rule struct {
	Class  events.Retention `json:"class"`
	Months int              `json:"months"`
}

// Before is the first month that a rule keeps at an instant.
func (r Rule) Before(now time.Time) vault.Month { return vault.MonthOf(now) - vault.Month(r.Months) }

// ReadSchedule reads a schedule from a file. Whatever it does not know it
// refuses: a typing error must not forget anything.
func ReadSchedule(path string) (Schedule, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Schedule{}, fmt.Errorf("reading the retention schedule: %w", err)
	}
	s, err := ParseSchedule(b)
	if err != nil {
		return Schedule{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// ParseSchedule reads a schedule.
func ParseSchedule(b []byte) (Schedule, error) {
	var in struct {
		Format int `json:"format"`
		Keep   []struct {
			Class  string `json:"class"`
			Months *int   `json:"months"`
		} `json:"keep"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return Schedule{}, fmt.Errorf("%w: %w", ErrSchedule, err)
	}
	if d.More() {
		return Schedule{}, fmt.Errorf("%w: something follows it", ErrSchedule)
	}
	if in.Format != 1 {
		return Schedule{}, fmt.Errorf("%w: /format: expected 1", ErrSchedule)
	}
	var s Schedule
	seen := map[events.Retention]bool{}
	for i, rule := range in.Keep {
		class, ok := ParseClass(rule.Class)
		switch {
		case !ok:
			return Schedule{}, fmt.Errorf("%w: /keep/%d/class: expected %s", ErrSchedule, i, classNames())
		case seen[class]:
			return Schedule{}, fmt.Errorf("%w: /keep/%d/class: it is there twice", ErrSchedule, i)
		case rule.Months == nil || *rule.Months < minMonths || *rule.Months > maxMonths:
			return Schedule{}, fmt.Errorf("%w: /keep/%d/months: expected %d to %d", ErrSchedule, i, minMonths, maxMonths)
		}
		seen[class] = true
		s.Keep = append(s.Keep, Rule{class, *rule.Months})
	}
	return s, nil
}

// classes are the classes of events that can be forgotten.
func classes() []events.Retention {
	return []events.Retention{events.Access, events.Disclosure, events.LegalState, events.Governance, events.Breach, events.Operation}
}

// ParseClass is the class with a name.
func ParseClass(name string) (events.Retention, bool) {
	for _, c := range classes() {
		if c.String() == name {
			return c, true
		}
	}
	return 0, false
}

func classNames() string {
	text := ""
	for i, c := range classes() {
		if i > 0 {
			text += ", "
		}
		text += c.String()
	}
	return text
}

// ParseMonth reads a month as 2025-07.
func ParseMonth(text string) (vault.Month, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil || text != t.Format("2006-01") {
		return 0, fmt.Errorf("expected a month, as 2025-07")
	}
	return vault.MonthOf(t), nil
}
