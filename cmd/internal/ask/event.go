package ask

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/search"
)

// A Full is one event in full: as it is stored, with its people masked beside it.
type Full struct {
	AsOf    AsOf            `json:"as_of"`
	Item    Item            `json:"item"`
	Digest  string          `json:"digest" doc:"SHA-256 of the stored bytes, in hexadecimal"`
	Persons []Masked        `json:"persons" nullable:"false"`
	Event   json.RawMessage `json:"event" doc:"the stored bytes: people are tags, what is delicate is sealed"`
}

// A Masked person is a data subject of an event.
type Masked struct {
	Mask string `json:"mask"`
	Role string `json:"role,omitempty"`
}

// Event shows one event in full. The error wraps ledger.ErrNoEvent if there is
// none at the position.
func (d *Desk) Event(ctx context.Context, a Asker, position uint64, forCase string) (Full, error) {
	s, err := d.begin(ctx, a, Question{Name: "event", Case: forCase})
	if err != nil {
		return Full{}, err
	}
	rec, e, err := s.one(ctx, position)
	if err != nil {
		return Full{}, err
	}
	out := Full{AsOf: s.asOf, Digest: hex.EncodeToString(rec.Digest[:]), Event: rec.Raw, Persons: []Masked{}}
	page := make([]shown, 1)
	if err := s.search(func(r *search.Reader) (err error) { page[0], err = show(r, position); return err }); err != nil {
		return Full{}, err
	}
	items, err := s.items(page)
	if err != nil {
		return Full{}, err
	}
	out.Item = items[0]
	crowd := newCrowd(s.vault)
	crowd.add(e.People.SubjectCell, e.People.Subjects...)
	if err := crowd.resolve(); err != nil {
		return Full{}, err
	}
	for i, subject := range e.Stored.Event.Data.Get("subjects").List() {
		who := crowd.who(e.People.SubjectCell, e.People.Subjects[i])
		out.Persons = append(out.Persons, Masked{s.masks.of("person", who), subject.Object().Get("role").Text()})
	}
	known, _ := crowd.persons()
	return given(ctx, s, out, known, false)
}

// one reads the event at a position, and waits for its view.
func (s *sitting) one(ctx context.Context, position uint64) (events.Record, *projections.Event, error) {
	rec, e, err := s.read(ctx, position)
	if err != nil {
		return rec, nil, err
	}
	return rec, e, s.wait(ctx, searchView)
}

// read reads the event at a position that the answer reaches and the asker's
// window holds.
func (s *sitting) read(ctx context.Context, position uint64) (events.Record, *projections.Event, error) {
	if position > s.asOf.Position {
		return events.Record{}, nil, fmt.Errorf("%w: the ledger ends at position %d", ledger.ErrNoEvent, s.asOf.Position)
	}
	rec, err := s.ledger.Event(ctx, position)
	if err != nil {
		return rec, nil, err
	}
	e, err := projections.Decode(rec)
	if err != nil {
		return rec, nil, fmt.Errorf("%w: %v", ledger.ErrDamaged, err)
	}
	if !s.asker.holds(e.Stored.Event.At) {
		return rec, nil, ErrBox
	}
	return rec, e, nil
}

// Find is the position of the event with an id: of the producer named, or of
// whichever has one. The error wraps ledger.ErrNoEvent if there is none. It is not
// recorded: who has the id learns that it was recorded and where, and nothing of
// what it says; to ask that is.
func (d *Desk) Find(ctx context.Context, a Asker, source, id string) (uint64, error) {
	s, err := d.begin(ctx, a, Question{})
	if err != nil {
		return 0, err
	}
	sources := []string{source}
	if source == "" {
		sources = []string{ledger.OwnSource}
		for _, p := range d.ledger.Access().Producers() {
			sources = append(sources, "/"+p.Name)
		}
	}
	for _, source := range sources {
		position, err := d.ledger.Find(ctx, source, id)
		if err != nil {
			return 0, fmt.Errorf("finding an event: %w", err)
		}
		if position == 0 {
			continue
		}
		if _, _, err := s.read(ctx, position); err != nil {
			return 0, err
		}
		return position, nil
	}
	return 0, fmt.Errorf("%w: nothing was recorded under this id", ledger.ErrNoEvent)
}

// An Explanation says why an event has its class, fact by fact.
type Explanation struct {
	AsOf     AsOf     `json:"as_of"`
	Position uint64   `json:"position"`
	Source   string   `json:"source"`
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`
	Time     Instant  `json:"time" format:"date-time"`
	Class    string   `json:"class,omitempty" doc:"as decided when it was recorded; absent if it has none"`
	Tables   string   `json:"tables,omitempty" doc:"version of the legal tables that decided it"`
	Region   string   `json:"region,omitempty"`
	Now      Decision `json:"now" doc:"what the tables of this program decide from what the register said then"`
	Facts    []Fact   `json:"facts" nullable:"false"`
	Register []Said   `json:"register" nullable:"false" doc:"the registrations that it rests on"`
}

// A Decision is a class under a version of the tables.
type Decision struct {
	Class  string `json:"class,omitempty"`
	Tables string `json:"tables"`
	Same   bool   `json:"same" doc:"as recorded"`
}

// A Fact is one thing that a class rests on.
type Fact struct {
	Fact     string `json:"fact"`
	Finding  string `json:"finding"`
	Source   string `json:"source" doc:"the legal source; the register or the event itself where empty"`
	Verified bool   `json:"verified" doc:"the row of the table was checked against its source"`
}

// Said is a registration that a class rests on.
type Said struct {
	Position uint64 `json:"position"`
	Kind     string `json:"kind"`
	Party    string `json:"party"`
}

// Explain says why an event has its class. It reads the registrations of the
// parties that the event names, and nothing else.
func (d *Desk) Explain(ctx context.Context, a Asker, position uint64, forCase string) (Explanation, error) {
	s, err := d.begin(ctx, a, Question{Name: "explain", Case: forCase})
	if err != nil {
		return Explanation{}, err
	}
	_, e, err := s.one(ctx, position)
	if err != nil {
		return Explanation{}, err
	}
	st := e.Stored
	out := Explanation{AsOf: s.asOf, Position: position, Source: st.Event.Source, ID: st.Event.ID, Kind: st.Event.Kind.Name(), Time: Instant{st.Event.At},
		Class: st.Facts.Class, Tables: st.Facts.Tables, Region: st.Facts.Region, Facts: []Fact{}, Register: []Said{}}
	said, err := s.said(ctx, st.Event, position)
	if err != nil {
		return Explanation{}, err
	}
	for position, g := range said {
		out.Register = append(out.Register, Said{position, g.Event.Kind.Name(), g.Event.Data.Get("party").Text()})
	}
	verdict := ledger.Explain(st, said)
	out.Now = Decision{Tables: law.Version()}
	if verdict.Class != law.None {
		out.Now.Class = verdict.Class.String()
	}
	out.Now.Same = out.Now.Class == out.Class
	for _, step := range verdict.Why {
		out.Facts = append(out.Facts, Fact(step))
	}
	return given(ctx, s, out, 0, false)
}

// said gives what had been registered about the parties of an event before it was
// recorded, in order.
func (s *sitting) said(ctx context.Context, e *events.Event, before uint64) (iter.Seq2[uint64, *events.Stored], error) {
	parties := ledger.Parties(e)
	if len(parties) == 0 {
		return func(func(uint64, *events.Stored) bool) {}, nil
	}
	filter := search.Filter{Until: before - 1, Any: map[search.Facet][]string{search.Family: {"governance"}, search.Party: parties}}
	var positions []uint64
	err := s.search(func(r *search.Reader) error {
		for position, err := range r.Walk(filter) {
			if err != nil {
				return err
			}
			positions = append(positions, position)
		}
		return nil
	})
	stored := make([]*events.Stored, len(positions))
	for i := 0; err == nil && i < len(positions); i++ {
		stored[i], err = s.stored(ctx, positions[i])
	}
	if err != nil {
		return nil, fmt.Errorf("reading the register: %w", err)
	}
	return func(yield func(uint64, *events.Stored) bool) {
		for i, st := range stored {
			if !yield(positions[i], st) {
				return
			}
		}
	}, nil
}
