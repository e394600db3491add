package coverage

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

// A Reader answers from one snapshot of the view. It is good as long as its transaction is, for one goroutine.
//
// Every answer is as known at a position, until: what was recorded later is not in it.
type Reader struct {
	tracks
	registered, refusals *rows.Table // all nil in a file that has no events yet
}

// Read gives a reader of a snapshot. Its error, and that of any answer, wraps [projections.ErrDamaged].
func Read(tx *bolt.Tx) (*Reader, error) {
	r := &Reader{}
	for _, b := range []struct {
		name string
		to   **rows.Table
	}{
		{namesBucket, &r.names}, {blocksBucket, &r.blocks}, {talliesBucket, &r.tallies},
		{registeredBucket, &r.registered}, {refusalsBucket, &r.refusals},
	} {
		var err error
		if *b.to, err = rows.Open(tx, b.name); err != nil {
			return nil, fmt.Errorf("reading coverage: %w", err)
		}
		if (*b.to == nil) != (r.names == nil) {
			return nil, fmt.Errorf("coverage: %w", rows.Damaged("part of the view is not there"))
		}
	}
	return r, nil
}

// A Seen is what was received of something, and when. Event times are to the millisecond, rounded down.
type Seen struct {
	Received      uint64    `json:"received"` // events recorded; a repeat of one is none
	FirstPosition uint64    `json:"first_position"`
	LastPosition  uint64    `json:"last_position"`
	FirstRecorded time.Time `json:"first_recorded"`
	LastRecorded  time.Time `json:"last_recorded"`
	First         time.Time `json:"first"` // the earliest and the latest event time
	Last          time.Time `json:"last"`
}

// A Producer is what was received from a producer.
type Producer struct {
	Producer string `json:"producer"` // its code: the source without the slash
	Seen
	Missing   uint64     `json:"missing_count"` // numbers, over all instances
	Instances []Instance `json:"instances"`     // in order of their codes
}

// An Instance is one copy of a producer, which numbers its events from 1 (producerseq).
type Instance struct {
	Instance string `json:"instance"` // "" for events that name none
	Seen
	Highest    uint64  `json:"highest"`       // number received; 0 if none is numbered
	Missing    []Range `json:"missing"`       // numbers below Highest that had not come by then, ascending
	MissingAll uint64  `json:"missing_count"` // numbers in Missing
	Unnumbered uint64  `json:"unnumbered"`    // events without a number, which no gap can show
	Late       uint64  `json:"late"`          // events that came after a higher number had
	Repeated   uint64  `json:"repeated"`      // events whose number another event had: it began anew, or two use its name

	Heartbeats   uint64     `json:"heartbeats"`
	Heartbeat    *Heartbeat `json:"heartbeat"`     // the last one; null if there was none
	Announced    uint64     `json:"announced"`     // the highest number that a heartbeat said it was at; above Highest, the numbers between have not come
	Stopped      bool       `json:"stopped"`       // the last event is a heartbeat that says so
	LongestPause Pause      `json:"longest_pause"` // between two events, by recorded time
}

// A Heartbeat is the state that a producer told, and when that was recorded.
type Heartbeat struct {
	State    string    `json:"state"` // started, running, stopped
	Recorded time.Time `json:"recorded"`
}

// A Pause is a time without events.
type Pause struct {
	Seconds float64   `json:"seconds"`
	Since   time.Time `json:"since"` // recorded time of the event before it; the zero time of no pause
}

// Producers yields every producer that anything was received from, in order of their codes. It costs as much as
// there is missing, and at most some hundred events for each instance.
func (r *Reader) Producers(until uint64) iter.Seq2[Producer, error] {
	return func(yield func(Producer, error) bool) {
		var p Producer
		for name, sum := range r.walk(ofProducer, until) {
			if sum.err != nil {
				yield(Producer{}, sum.err)
				return
			}
			source, instance, _ := strings.Cut(name, "\x00")
			code := strings.TrimPrefix(source, "/")
			if code != p.Producer && len(p.Instances) > 0 {
				if !yield(p, nil) {
					return
				}
				p = Producer{}
			}
			p.Producer = code
			p.join(instanceOf(instance, &sum.tally))
		}
		if len(p.Instances) > 0 {
			yield(p, nil)
		}
	}
}

func (p *Producer) join(i Instance) {
	if len(p.Instances) == 0 {
		p.Seen = i.Seen
	} else {
		p.Seen = p.Seen.and(i.Seen)
	}
	p.Missing += i.MissingAll
	p.Instances = append(p.Instances, i)
}

func (s Seen) and(o Seen) Seen {
	s.Received += o.Received
	if o.FirstPosition < s.FirstPosition {
		s.FirstPosition, s.FirstRecorded = o.FirstPosition, o.FirstRecorded
	}
	if o.LastPosition > s.LastPosition {
		s.LastPosition, s.LastRecorded = o.LastPosition, o.LastRecorded
	}
	if o.First.Before(s.First) {
		s.First = o.First
	}
	if o.Last.After(s.Last) {
		s.Last = o.Last
	}
	return s
}

func instanceOf(code string, t *tally) Instance {
	i := Instance{
		Instance: code, Seen: seen(t), Highest: t.highest, Missing: t.missing, Unnumbered: t.unnumbered, Late: t.late,
		Repeated: t.repeated, Heartbeats: t.beats, Announced: t.announced, Stopped: t.stopped,
	}
	if t.missing == nil {
		i.Missing = []Range{} // an empty list in JSON, too
	}
	for _, m := range t.missing {
		i.MissingAll += m.Count()
	}
	if t.beats > 0 {
		i.Heartbeat = &Heartbeat{State: t.beat.String(), Recorded: moment(t.beatSeen)}
	}
	if t.longest > 0 {
		i.LongestPause = Pause{Seconds: float64(t.longest) / 1000, Since: moment(t.longestSince)}
	}
	return i
}

func seen(t *tally) Seen {
	return Seen{
		Received: t.received, FirstPosition: t.firstAt, LastPosition: t.lastAt, FirstRecorded: moment(t.firstSeen),
		LastRecorded: moment(t.lastSeen), First: moment(t.earliest), Last: moment(t.latest),
	}
}

// A Silence is how long nothing was recorded of a producer's instance.
type Silence struct {
	Producer string    `json:"producer"`
	Instance string    `json:"instance"`
	Since    time.Time `json:"since"` // recorded time of its last event
	Seconds  float64   `json:"seconds"`
	Longest  float64   `json:"longest_before"` // seconds of the longest pause it made before, to compare with
	Stopped  bool      `json:"stopped"`        // it said that it would be silent
}

// Silence gives every instance, the one longest silent first. now is the moment up to which silence is counted.
func (r *Reader) Silence(until uint64, now time.Time) ([]Silence, error) {
	list := []Silence{}
	for p, err := range r.Producers(until) {
		if err != nil {
			return nil, err
		}
		for _, i := range p.Instances {
			list = append(list, Silence{
				Producer: p.Producer, Instance: i.Instance, Since: i.LastRecorded, Stopped: i.Stopped,
				Seconds: now.Sub(i.LastRecorded).Seconds(), Longest: i.LongestPause.Seconds,
			})
		}
	}
	slices.SortStableFunc(list, func(a, b Silence) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return list, nil
}

// An Unregistered is a party that was given data before it was registered, if it ever was.
type Unregistered struct {
	Party      string `json:"party"`
	Seen              // of the events that named it as recipient or as importer while it was not registered
	Registered uint64 `json:"registered_position"` // of its first registration; 0 if it was not by then
}

// Unregistered yields every such party, in order of their codes.
func (r *Reader) Unregistered(until uint64) iter.Seq2[Unregistered, error] {
	return func(yield func(Unregistered, error) bool) {
		for code, sum := range r.walk(ofUnregistered, until) {
			since, _, err := positionIn(r.registered.Get([]byte(code)))
			if err := errors.Join(sum.err, err); err != nil {
				yield(Unregistered{}, err)
				return
			}
			if since > until {
				since = 0
			}
			if !yield(Unregistered{Party: code, Seen: seen(&sum.tally), Registered: since}, nil) {
				return
			}
		}
	}
}

// sum is a tally, or why there is none.
type sum struct {
	tally
	err error
}

// walk yields the tracks of a sort by their names, without the sort, that had begun by then.
func (r *Reader) walk(sort byte, until uint64) iter.Seq2[string, sum] {
	return func(yield func(string, sum) bool) {
		c := r.names.Cursor()
		k, v, err := c.Seek([]byte{sort})
		for ; err == nil && bytes.HasPrefix(k, []byte{sort}); k, v, err = c.Next() {
			var s sum
			track, err := trackIn(v, nil)
			if err == nil {
				s.tally, err = r.tally(track, until)
			}
			s.err = err
			if (s.err != nil || s.received > 0) && (!yield(string(k[1:]), s) || s.err != nil) {
				return
			}
		}
		if err != nil {
			yield("", sum{err: err})
		}
	}
}
