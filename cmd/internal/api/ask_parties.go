package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/ledger/access"
)

type (
	partyInput struct {
		Code string `path:"code" maxLength:"64"`
		Scope
	}
	transfersInput struct {
		Scope
		Facets
		Paging
	}
	classesInput struct {
		Scope
		Facets
	}
	mapInput struct {
		Scope
		Class    []string `query:"class" maxItems:"100" doc:"rows of these classes only"`
		Category []string `query:"category" maxItems:"100"`
		Party    []string `query:"party" maxItems:"100" doc:"importer"`
		Region   []string `query:"region" maxItems:"100"`
		Purpose  []string `query:"purpose" maxItems:"100"`
		Tool     []string `query:"tool" maxItems:"100"`
	}
	registerInput struct {
		What string    `query:"what" maxLength:"64" doc:"party, agreement, tool and so on; absent lists all" example:"party"`
		At   time.Time `query:"at" doc:"as it was in force at this time; absent is now"`
		Known
	}
)

// askParties registers the questions about who received what, and where it went.
func (a *API) askParties(h huma.API) {
	list := operation(http.MethodGet, "/v1/parties", "list-parties", "Every party that received anything", questionProblems()...)
	question(a, h, guard(list, access.QueryParties), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *Scope) (ask.Parties, error) {
		return d.Parties(ctx, who, asked("parties", *in, Facets{}, Paging{}))
	})
	one := operation(http.MethodGet, "/v1/parties/{code}", "get-party", "One party: what it received, under which agreement, assessment and locations", questionProblems(notFound)...)
	question(a, h, guard(one, access.QueryParties), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *partyInput) (ask.PartyDetail, error) {
		return d.Party(ctx, who, in.Code, asked("party", in.Scope, Facets{}, Paging{}))
	})
	a.askTransfers(h)
	coverage := operation(http.MethodGet, "/v1/coverage", "coverage", "What arrived and what did not: gaps, silence, refusals, unregistered parties", questionProblems()...)
	question(a, h, guard(coverage, access.QueryCoverage), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *Known) (ask.Coverage, error) {
		return d.Coverage(ctx, who, asked("coverage", Scope{Known: *in}, Facets{}, Paging{}))
	})
	register := operation(http.MethodGet, "/v1/register", "register", "What was registered: parties, agreements, assessments, tools, activities, policies", questionProblems()...)
	question(a, h, guard(register, access.QueryRegister), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *registerInput) (ask.Register, error) {
		return d.Register(ctx, who, in.What, asked("register", Scope{At: in.At, Known: in.Known}, Facets{}, Paging{}))
	})
	mend(h)
}

func (a *API) askTransfers(h huma.API) {
	list := operation(http.MethodGet, "/v1/transfers", "list-transfers", "Every event that has a transfer class (GDPR Chapter V)", questionProblems()...)
	question(a, h, guard(list, access.QueryTransfers), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *transfersInput) (ask.Page, error) {
		return d.Transfers(ctx, who, asked("transfers", in.Scope, in.Facets, in.Paging))
	})
	summary := operation(http.MethodGet, "/v1/transfers/summary", "count-transfers", "Count transfers by class", questionProblems()...)
	question(a, h, guard(summary, access.QueryTransfers), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *classesInput) (ask.ClassCounts, error) {
		return d.TransferCounts(ctx, who, asked("transfers.summary", in.Scope, in.Facets, Paging{}))
	})
	chart := operation(http.MethodGet, "/v1/transfers/map", "map-transfers", "Category by party by country by purpose by tool, with class", questionProblems()...)
	question(a, h, guard(chart, access.QueryTransfers), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *mapInput) (ask.TransferMap, error) {
		f := Facets{Class: in.Class, Category: in.Category, Party: in.Party, Region: in.Region, Purpose: in.Purpose, Tool: in.Tool}
		return d.TransferMap(ctx, who, asked("transfers.map", in.Scope, f, Paging{}))
	})
}
