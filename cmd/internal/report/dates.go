package report

import (
	"encoding/json"
	"fmt"
	"time"
)

// An Instant is a point in time, UTC, in milliseconds: the unit of the ledger.
// Make one with [At].
type Instant struct{ time.Time }

// At makes an Instant; what is below a millisecond is left out.
func At(t time.Time) Instant {
	if t.IsZero() {
		return Instant{}
	}
	return Instant{t.UTC().Truncate(time.Millisecond)}
}

const instantForm = "2006-01-02T15:04:05.000Z"

// MarshalJSON implements [encoding/json.Marshaler]: RFC 3339 with three digits.
func (i Instant) MarshalJSON() ([]byte, error) {
	return At(i.Time).AppendFormat(nil, `"`+instantForm+`"`), nil
}

// UnmarshalJSON implements [encoding/json.Unmarshaler] and accepts only what
// MarshalJSON writes.
func (i *Instant) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf("reading an instant: %w", err)
	}
	t, err := time.Parse(instantForm, text)
	if err != nil || len(text) != len(instantForm) {
		return fmt.Errorf("%w: an instant is written as in RFC 3339, UTC, with milliseconds", ErrInvalid)
	}
	*i = At(t)
	return nil
}

// A Day is a day in the controller's zone, as 2026-03-02.
type Day string

// A Month is one of UTC, as 2026-03.
type Month string

func (d Day) valid() bool   { return dated(time.DateOnly, string(d)) }
func (m Month) valid() bool { return dated("2006-01", string(m)) }

func dated(form, text string) bool {
	_, err := time.Parse(form, text)
	return err == nil && len(text) == len(form)
}
