package ask

import "time"

// An Instant is a time as answers write it: RFC 3339 with three digits of
// milliseconds, the unit of the ledger, so that instants of one zone sort as text
// and are written as producers send them.
type Instant struct{ time.Time }

// MarshalJSON implements [encoding/json.Marshaler].
func (t Instant) MarshalJSON() ([]byte, error) {
	return t.AppendFormat(nil, `"2006-01-02T15:04:05.000Z07:00"`), nil
}

// instant is a time that may be absent.
func instant(t time.Time) *Instant { return &Instant{t} }
