package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/ledger/access"
)

type (
	eventsInput struct {
		Scope
		Facets
		Paging
		Handles
	}
	Handles struct {
		Person  string `query:"person" maxLength:"1024" doc:"handle of a person whose data it was"`
		Actor   string `query:"actor" maxLength:"1024" doc:"handle of an actor"`
		Session string `query:"session" maxLength:"1024" doc:"handle of a session"`
	}
	searchInput struct {
		Body struct {
			Scope
			Facets
			Paging
			Person  string `json:"person,omitempty" required:"false" maxLength:"128" doc:"identifier of a person whose data it was"`
			Actor   string `json:"actor,omitempty" required:"false" maxLength:"128" doc:"identifier of an actor"`
			Session string `json:"session,omitempty" required:"false" maxLength:"128"`
			Show    string `json:"show,omitempty" required:"false" enum:"events,summary,facets,histogram" default:"events"`

			Of   []string `json:"of,omitempty" required:"false" maxItems:"64" doc:"facets to count; absent is all"`
			By   string   `json:"by,omitempty" required:"false" enum:"hour,day,week,month,quarter,year" default:"day"`
			Zone string   `json:"tz,omitempty" required:"false" maxLength:"64" default:"UTC" doc:"time zone of the days (IANA)" example:"Europe/Brussels"`
		}
	}
	facetsInput struct {
		Scope
		Facets
		Handles
		Of []string `query:"of" maxItems:"64" doc:"facets to count; absent is all"`
	}
	histogramInput struct {
		Scope
		Facets
		Handles
		By   string `query:"by" enum:"hour,day,week,month,quarter,year" default:"day"`
		Zone string `query:"tz" maxLength:"64" default:"UTC" doc:"time zone of the days (IANA)" example:"Europe/Brussels"`
	}

	positionInput struct {
		Position uint64 `path:"position" minimum:"1"`
		Case     string `query:"case" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -"`
	}
	findInput struct {
		Source string `query:"source" maxLength:"64" doc:"absent: every producer is tried" example:"/ats"`
		ID     string `query:"id" required:"true" maxLength:"64"`
	}
	place struct {
		Position uint64 `json:"position"`
	}
)

// askEvents registers the questions over all events.
func (a *API) askEvents(h huma.API) {
	list := operation(http.MethodGet, "/v1/events", "list-events", "List events by any combination of facets", questionProblems(handleExpired)...)
	question(a, h, guard(list, access.QuerySearch), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *eventsInput) (ask.Page, error) {
		q := asked("events", in.Scope, in.Facets, in.Paging)
		q.About = in.Handles.about()
		return d.Events(ctx, who, q)
	})
	search := operation(http.MethodPost, "/v1/events/search", "search-events", "List events, with identifiers of people in the body", questionProblems(notKnown)...)
	question(a, h, guard(search, access.QuerySearch), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *searchInput) (ask.Searched, error) {
		b := &in.Body
		q := asked("events", b.Scope, b.Facets, b.Paging)
		q.About = ask.Identified(b.Person, b.Actor, b.Session)
		return d.Search(ctx, who, b.Show, q, ask.Counting{Of: b.Of, By: b.By, Zone: b.Zone})
	})
	facets := operation(http.MethodGet, "/v1/events/facets", "count-facets", "Count events by the values of facets", questionProblems(handleExpired)...)
	question(a, h, guard(facets, access.QuerySearch), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *facetsInput) (ask.Facets, error) {
		q := asked("events.facets", in.Scope, in.Facets, Paging{})
		q.About = in.Handles.about()
		return d.Facets(ctx, who, q, ask.Counting{Of: in.Of})
	})
	histogram := operation(http.MethodGet, "/v1/events/histogram", "events-histogram", "Count events over time", questionProblems(handleExpired)...)
	question(a, h, guard(histogram, access.QuerySearch), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *histogramInput) (ask.Histogram, error) {
		q := asked("events.histogram", in.Scope, in.Facets, Paging{})
		q.About = in.Handles.about()
		return d.Histogram(ctx, who, q, ask.Counting{By: in.By, Zone: in.Zone})
	})
	a.askOneEvent(h)
}

func (a *API) askOneEvent(h huma.API) {
	find := operation(http.MethodGet, "/v1/events/find", "find-event", "Find an event's position by its identity", notFound)
	question(a, h, guard(find, access.QueryEvent), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *findInput) (place, error) {
		position, err := d.Find(ctx, who, in.Source, in.ID)
		return place{position}, err
	})
	one := operation(http.MethodGet, "/v1/events/{position}", "get-event", "One event in full, as it is stored", questionProblems(notFound)...)
	one.Description = "With its record, and the proof of it, once a checkpoint covers it."
	question(a, h, guard(one, access.QueryEvent), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *positionInput) (evidenced, error) {
		full, err := d.Event(ctx, who, in.Position, in.Case)
		if err != nil {
			return evidenced{}, err
		}
		return a.evidenced(ctx, full)
	})
	explain := operation(http.MethodGet, "/v1/events/{position}/explain", "explain-event", "Why an event has its class, fact by fact", questionProblems(notFound)...)
	question(a, h, guard(explain, access.Explain), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *positionInput) (ask.Explanation, error) {
		return d.Explain(ctx, who, in.Position, in.Case)
	})
}

func (h *Handles) about() (about []ask.About) {
	for _, handle := range []ask.About{{What: ask.Person, Handle: h.Person}, {What: ask.Acting, Handle: h.Actor}, {What: ask.Session, Handle: h.Session}} {
		if handle.Handle != "" {
			about = append(about, handle)
		}
	}
	return about
}
