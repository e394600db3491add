package ask

import (
	"context"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/coverage"
)

// Coverage is what arrived, and what shows that something did not.
type Coverage struct {
	AsOf         AsOf                    `json:"as_of"`
	Producers    []Covered               `json:"producers" nullable:"false" doc:"one row an instance of a producer"`
	Unnamed      []string                `json:"unregistered_parties" nullable:"false" doc:"given data before they were registered, and not registered since"`
	Unregistered []coverage.Unregistered `json:"unregistered" nullable:"false" doc:"all that were given data before they were registered"`
	Refusals     []coverage.Refused      `json:"refusals" nullable:"false"`
}

// Covered is what arrived from one instance of a producer.
type Covered struct {
	Producer     string              `json:"producer"`
	Instance     string              `json:"instance" doc:"producerinstance; empty where events name none"`
	Received     uint64              `json:"received" doc:"events recorded"`
	Last         uint64              `json:"last" doc:"the highest producerseq; 0 if none is numbered"`
	First        Instant             `json:"first_time" format:"date-time" doc:"earliest event time"`
	LastTime     Instant             `json:"last_time" format:"date-time" doc:"latest event time"`
	LastRecorded Instant             `json:"last_recorded" format:"date-time"`
	Missing      []uint64            `json:"missing" nullable:"false" doc:"producerseq below the last that never came: the first 1000 of them"`
	MissingCount uint64              `json:"missing_count" doc:"all of them"`
	MissingSpans []coverage.Range    `json:"missing_ranges" nullable:"false" doc:"all of them, as ranges"`
	Unnumbered   uint64              `json:"unnumbered" doc:"events without a producerseq, which no gap can show"`
	Late         uint64              `json:"late" doc:"events that came after a higher number had"`
	Repeated     uint64              `json:"repeated" doc:"events whose number another event had"`
	Announced    uint64              `json:"announced" doc:"the highest number that a heartbeat said it was at"`
	Heartbeat    *coverage.Heartbeat `json:"heartbeat"`
	Stopped      bool                `json:"stopped" doc:"it said last that it would be silent"`
	Silent       float64             `json:"silent_seconds" doc:"since the last event, up to the answer's own time"`
	LongestPause coverage.Pause      `json:"longest_pause"`
}

// missingShown is how many missing numbers are listed one by one.
const missingShown = 1000

// Coverage says what arrived and what did not, as known at a position; it has no
// window of event time. It costs as much as is missing and was refused.
func (d *Desk) Coverage(ctx context.Context, a Asker, q Question) (Coverage, error) {
	if err := q.unbounded(); err != nil {
		return Coverage{}, err
	}
	if !q.At.IsZero() {
		return Coverage{}, fmt.Errorf("%w: at bounds nothing here", ErrQuestion)
	}
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Coverage{}, err
	}
	if err := s.wait(ctx, coverageView); err != nil {
		return Coverage{}, err
	}
	out := Coverage{AsOf: s.asOf, Producers: []Covered{}, Unnamed: []string{}, Unregistered: []coverage.Unregistered{}, Refusals: []coverage.Refused{}}
	err = s.views.Read(coverageView, func(tx *bolt.Tx) error {
		r, err := coverage.Read(tx)
		if err != nil {
			return err
		}
		return out.fill(r, s.asOf.Position, s.now())
	})
	if err != nil {
		return Coverage{}, fmt.Errorf("reading coverage: %w", err)
	}
	return given(ctx, s, out, 0, false)
}

func (out *Coverage) fill(r *coverage.Reader, until uint64, now time.Time) error {
	for p, err := range r.Producers(until) {
		if err != nil {
			return err
		}
		for _, i := range p.Instances {
			out.Producers = append(out.Producers, coveredOf(p.Producer, i, now))
		}
	}
	for u, err := range r.Unregistered(until) {
		if err != nil {
			return err
		}
		out.Unregistered = append(out.Unregistered, u)
		if u.Registered == 0 {
			out.Unnamed = append(out.Unnamed, u.Party)
		}
	}
	for refused, err := range r.Refusals(until) {
		if err != nil {
			return err
		}
		out.Refusals = append(out.Refusals, refused)
	}
	return nil
}

func coveredOf(producer string, i coverage.Instance, now time.Time) Covered {
	c := Covered{
		Producer: producer, Instance: i.Instance, Received: i.Received, Last: i.Highest, First: Instant{i.First}, LastTime: Instant{i.Last},
		LastRecorded: Instant{i.LastRecorded}, Missing: []uint64{}, MissingCount: i.MissingAll, MissingSpans: i.Missing,
		Unnumbered: i.Unnumbered, Late: i.Late, Repeated: i.Repeated, Announced: i.Announced, Heartbeat: i.Heartbeat,
		Stopped: i.Stopped, Silent: now.Sub(i.LastRecorded).Seconds(), LongestPause: i.LongestPause,
	}
	for _, m := range i.Missing {
		for n := m.From; n <= m.To && len(c.Missing) < missingShown; n++ {
			c.Missing = append(c.Missing, n)
		}
	}
	return c
}
