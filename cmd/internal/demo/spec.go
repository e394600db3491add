package demo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ErrSpec is returned for a year that cannot be made.
var ErrSpec = errors.New("demo: no such year")

// Sizes of a year, in events.
const (
	MinSize     = 1_000
	DefaultSize = 20_000
	MaxSize     = 100_000_000
)

// version is that of the lines that a Spec gives. Whoever changes what is made up
// raises it, so that an interrupted year is not completed by parts of another.
const version = 1

// A Spec says which year.
type Spec struct {
	Seed  uint64 `json:"seed"`
	Size  int    `json:"size"`  // events recorded
	Until string `json:"until"` // a day in Brussels, YYYY-MM-DD: everything happened before it began
}

// A Year is what a Spec gives. It is never modified, and may be used concurrently.
type Year struct {
	Spec
	calendar
	script     []act // in order of time
	background int   // events that are in no script
	pool       int   // candidates of the background
}

// New works a year out but for its background, which [Year.Lines] makes as it goes.
// The error wraps [ErrSpec].
func New(s Spec) (*Year, error) {
	if s.Size < MinSize || s.Size > MaxSize {
		return nil, fmt.Errorf("%w: its size is %d to %d events", ErrSpec, MinSize, MaxSize)
	}
	c, err := newCalendar(s.Until)
	if err != nil {
		return nil, err
	}
	y := &Year{Spec: s, calendar: c, pool: min(max(s.Size/12, 200), 200_000)}
	w := &writing{Year: y, rng: rand.New(rand.NewPCG(s.Seed, forScript))}
	w.all()
	y.script, y.background = w.sorted(), s.Size-len(w.acts)
	return y, nil
}

// Each part draws from a stream of its own, so that more of one changes no other.
const (
	forScript = iota + 1
	forBackground
	forIDs
)

// From is the first moment of the year, To the first after it.
func (y *Year) From() time.Time { return y.start }
func (y *Year) To() time.Time   { return y.end }
