package ask

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/imalink/custody/projections/search"
)

// Counting says what is counted: which facets, or by which stretches of time.
type Counting struct {
	Of   []string // facets; none is all
	By   string   // hour day week month quarter year; "" is day
	Zone string   // whose days, as IANA names it; "" is UTC
}

// Facets counts events by the values of facets.
type Facets struct {
	AsOf   AsOf                    `json:"as_of"`
	Window Window                  `json:"window"`
	Total  uint64                  `json:"total"`
	Facets map[string][]ValueCount `json:"facets"`
}

// A ValueCount is how many events have a value.
type ValueCount struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
}

// Histogram counts events over time.
type Histogram struct {
	AsOf   AsOf   `json:"as_of"`
	Window Window `json:"window"`
	Total  uint64 `json:"total"`
	By     string `json:"by"`
	Zone   string `json:"zone"`
	Items  []Bar  `json:"items" nullable:"false" doc:"stretches without events are left out"`
}

// A Bar is one stretch of time.
type Bar struct {
	From  Instant `json:"from" format:"date-time" doc:"its first instant, in the zone asked for"`
	Count uint64  `json:"count"`
}

// Searched is the answer to a search: whichever was asked to be shown.
type Searched struct {
	*Page
	Summary   *Summary   `json:"summary,omitempty"`
	Counts    *Facets    `json:"facets,omitempty"`
	Histogram *Histogram `json:"histogram,omitempty"`
}

// Search answers a question over all events whose people are identified in it.
// Somebody unknown or ambiguous is recorded as by [Desk.Lookup].
func (d *Desk) Search(ctx context.Context, a Asker, show string, q Question, c Counting) (out Searched, err error) {
	counted, err := c.parse()
	if err != nil {
		return Searched{}, err
	}
	if show == "" {
		show = "events"
	}
	if !slices.Contains([]string{"events", "summary", "facets", "histogram"}, show) {
		return Searched{}, fmt.Errorf("%w: show is events, summary, facets or histogram", ErrQuestion)
	}
	q.About = slices.Clone(q.About)
	for i, about := range q.About {
		if q.About[i].ID.id, _, err = d.find(ctx, a, about.What, about.ID.id, q); err != nil {
			return Searched{}, err
		}
	}
	if show != "events" {
		q.Name = "events." + show
	}
	switch show {
	case "events":
		out.Page, err = there(d.events(ctx, a, q))
	case "summary":
		out.Summary, err = there(d.summary(ctx, a, q))
	case "facets":
		out.Counts, err = there(d.facets(ctx, a, q, counted.facets))
	case "histogram":
		out.Histogram, err = there(d.histogram(ctx, a, q, counted))
	}
	return out, err
}

// A counted is what a Counting means.
type counted struct {
	facets []search.Facet
	unit   search.Unit
	zone   *time.Location
}

func (c Counting) parse() (out counted, err error) {
	out.facets = search.Facets()
	if len(c.Of) > 0 {
		out.facets = nil
	}
	for _, name := range c.Of {
		f, ok := search.ParseFacet(name)
		if !ok {
			return out, fmt.Errorf("%w: of names a facet that there is not", ErrQuestion)
		}
		out.facets = append(out.facets, f)
	}
	var ok bool
	if out.unit, ok = search.ParseUnit(cmp.Or(c.By, "day")); !ok {
		return out, fmt.Errorf("%w: by is hour, day, week, month, quarter or year", ErrQuestion)
	}
	if out.zone, err = time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" { // which is the server's
		return out, fmt.Errorf("%w: tz is no time zone of the IANA", ErrQuestion)
	}
	return out, nil
}

// Identified are the people and the session of a question whose identifiers came
// in a body.
func Identified(person, actor, session string) (about []About) {
	for _, named := range []About{{What: Person, ID: opaque(person)}, {What: Acting, ID: opaque(actor)}, {What: Session, ID: opaque(session)}} {
		if named.ID.id != "" {
			about = append(about, named)
		}
	}
	return about
}

// Facets counts the events of a question by the values of facets.
func (d *Desk) Facets(ctx context.Context, a Asker, q Question, c Counting) (Facets, error) {
	if err := d.open(a, &q); err != nil {
		return Facets{}, err
	}
	counted, err := c.parse()
	if err != nil {
		return Facets{}, err
	}
	return d.facets(ctx, a, q, counted.facets)
}

func (d *Desk) facets(ctx context.Context, a Asker, q Question, of []search.Facet) (Facets, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Facets{}, err
	}
	filter, err := s.filter(ctx)
	if err != nil {
		return Facets{}, err
	}
	out := Facets{AsOf: s.asOf, Window: s.window(), Facets: map[string][]ValueCount{}}
	err = s.search(func(r *search.Reader) (err error) {
		if out.Total, err = r.Count(filter); err != nil {
			return err
		}
		values, err := r.Values(filter, of...)
		for f, counts := range values {
			for _, v := range counts {
				out.Facets[f.String()] = append(out.Facets[f.String()], ValueCount{v.Text, v.Count})
			}
		}
		return err
	})
	if err != nil {
		return Facets{}, err
	}
	return given(ctx, s, out, 0, false)
}

// Histogram counts the events of a question over time.
func (d *Desk) Histogram(ctx context.Context, a Asker, q Question, c Counting) (Histogram, error) {
	if err := d.open(a, &q); err != nil {
		return Histogram{}, err
	}
	counted, err := c.parse()
	if err != nil {
		return Histogram{}, err
	}
	return d.histogram(ctx, a, q, counted)
}

func (d *Desk) histogram(ctx context.Context, a Asker, q Question, c counted) (Histogram, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Histogram{}, err
	}
	filter, err := s.filter(ctx)
	if err != nil {
		return Histogram{}, err
	}
	out := Histogram{AsOf: s.asOf, Window: s.window(), By: c.unit.String(), Zone: c.zone.String(), Items: []Bar{}}
	err = s.search(func(r *search.Reader) error {
		bars, err := r.Histogram(filter, c.zone, c.unit)
		for _, b := range bars {
			out.Items = append(out.Items, Bar{Instant{b.Start}, b.Count})
			out.Total += b.Count
		}
		return err
	})
	if err != nil {
		return Histogram{}, err
	}
	return given(ctx, s, out, 0, false)
}

// open opens the handles of a question. Another handle of the same person makes no
// other question.
func (d *Desk) open(a Asker, q *Question) error {
	about := make([]About, len(q.About))
	for i, sealed := range q.About {
		id, err := d.whose(a, sealed.What, sealed.Handle)
		if err != nil {
			return err
		}
		about[i] = About{What: sealed.What, ID: opaqueID{id}}
	}
	q.About = about
	return nil
}
