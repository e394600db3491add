package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/ledger/access"
)

type (
	lookupInput struct {
		Body struct {
			Identifier string `json:"identifier" minLength:"1" maxLength:"128" doc:"as producers call the person, such as candidate:10001; without its type it must be one person's only" example:"candidate:10001"`
			Show       string `json:"show,omitempty" required:"false" doc:"answer with the first page of this list at once: asking once is recorded once"`
			Scope
			Facets
			Paging
		}
	}
	sessionInput struct {
		Body struct {
			Session string `json:"session" minLength:"1" maxLength:"128" example:"sess-4711"`
			Show    string `json:"show,omitempty" required:"false" enum:"events,summary"`
			Scope
			Facets
			Paging
		}
	}
	handleInput struct {
		Handle string `path:"handle" maxLength:"1024" doc:"what the look-up gave; me for role subject"`
		Scope
		Facets
	}
	handleListInput struct {
		Handle string `path:"handle" maxLength:"1024" doc:"what the look-up gave; me for role subject"`
		Scope
		Facets
		Paging
	}
)

// askPeople registers the questions about a data subject, an actor, a session.
func (a *API) askPeople(h huma.API) {
	a.askPersons(h)
	a.askActors(h)
	a.askSessions(h)
}

func (a *API) askPersons(h huma.API) {
	lookup := operation(http.MethodPost, "/v1/persons/lookup", "lookup-person", "Find a person by identifier", questionProblems(notKnown, ambiguous)...)
	lookup.Description = "The identifier goes in the body and nowhere else. The handle is good for an hour, for this token. Nobody of that identifier is a 404 that leaves no trace of it."
	question(a, h, guard(lookup, access.QueryPersons), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *lookupInput) (ask.Found, error) {
		b := &in.Body
		return d.Lookup(ctx, who, ask.Person, b.Identifier, b.Show, asked("person.lookup", b.Scope, b.Facets, b.Paging))
	})
	for _, list := range []struct{ show, summary string }{
		{"accesses", "Who looked at, used, altered or exported a person's data"},
		{"disclosures", "To whom a person's data were disclosed, event by event"},
		{"timeline", "Every event of a producer that lists a person"},
	} {
		op := operation(http.MethodGet, "/v1/persons/{handle}/"+list.show, "person-"+list.show, list.summary, questionProblems(handleExpired)...)
		question(a, h, guard(op, access.QueryPersons, access.OwnRecord), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *handleListInput) (ask.Page, error) {
			q := asked("person."+list.show, in.Scope, in.Facets, in.Paging)
			return d.Person(ctx, who, in.Handle, list.show, q)
		})
	}
	reads := operation(http.MethodGet, "/v1/persons/{handle}/reads", "person-reads", "Who asked this ledger about a person", questionProblems(handleExpired)...)
	question(a, h, guard(reads, access.QueryPersons, access.OwnRecord), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *handleListInput) (ask.Reads, error) {
		return d.Reads(ctx, who, in.Handle, asked("person.reads", in.Scope, in.Facets, in.Paging))
	})
	state := operation(http.MethodGet, "/v1/persons/{handle}/state", "person-state", "Whether processing of a person's data is restricted (GDPR Art. 18)", questionProblems(handleExpired)...)
	question(a, h, guard(state, access.QueryPersons, access.OwnRecord), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *handleInput) (ask.State, error) {
		return d.State(ctx, who, in.Handle, asked("person.state", in.Scope, in.Facets, Paging{}))
	})
	recipients := operation(http.MethodGet, "/v1/persons/{handle}/recipients", "person-recipients", "Which parties received a person's data (GDPR Art. 15(1)(c))", questionProblems(handleExpired)...)
	question(a, h, guard(recipients, access.QueryPersons, access.OwnRecord), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *handleInput) (ask.Shares, error) {
		return d.Recipients(ctx, who, in.Handle, asked("person.recipients", in.Scope, in.Facets, Paging{}))
	})
}

func (a *API) askActors(h huma.API) {
	lookup := operation(http.MethodPost, "/v1/actors/lookup", "lookup-actor", "Find whoever acted, by identifier", questionProblems(notKnown, ambiguous)...)
	question(a, h, guard(lookup, access.QueryActors), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *lookupInput) (ask.Found, error) {
		b := &in.Body
		return d.Lookup(ctx, who, ask.Acting, b.Identifier, b.Show, asked("actor.lookup", b.Scope, b.Facets, b.Paging))
	})
	for _, list := range []struct{ show, summary string }{
		{"accesses", "What an actor looked at, used, altered or exported"},
		{"timeline", "Every event in which somebody acted"},
	} {
		op := operation(http.MethodGet, "/v1/actors/{handle}/"+list.show, "actor-"+list.show, list.summary, questionProblems(handleExpired)...)
		question(a, h, guard(op, access.QueryActors), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *handleListInput) (ask.Page, error) {
			q := asked("actor."+list.show, in.Scope, in.Facets, in.Paging)
			return d.Actor(ctx, who, in.Handle, list.show, q)
		})
	}
}

func (a *API) askSessions(h huma.API) {
	lookup := operation(http.MethodPost, "/v1/sessions/lookup", "lookup-session", "Find what a session did", questionProblems()...)
	question(a, h, guard(lookup, access.QueryActors), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *sessionInput) (ask.Found, error) {
		b := &in.Body
		return d.Lookup(ctx, who, ask.Session, b.Session, b.Show, asked("session.lookup", b.Scope, b.Facets, b.Paging))
	})
	list := operation(http.MethodGet, "/v1/sessions/{handle}/events", "session-events", "What a session did, event by event", questionProblems(handleExpired)...)
	question(a, h, guard(list, access.QueryActors), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *handleListInput) (ask.Page, error) {
		return d.Session(ctx, who, in.Handle, asked("session.events", in.Scope, in.Facets, in.Paging))
	})
	summary := operation(http.MethodGet, "/v1/sessions/{handle}/summary", "session-summary", "The extent of a session: whose data, which categories, when (GDPR Art. 33(3)(a))", questionProblems(handleExpired)...)
	question(a, h, guard(summary, access.QueryActors), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *handleInput) (ask.Summary, error) {
		return d.SessionSummary(ctx, who, in.Handle, asked("session.summary", in.Scope, in.Facets, Paging{}))
	})
}
