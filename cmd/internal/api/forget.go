package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
)

// certificate is one as it is answered, with what only the asker may see.
type certificate struct{ *report.Certificate }

// MarshalJSON writes the certificate, identifiers in clear if it is the copy that
// has them.
func (c certificate) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := c.Encode(&b)
	return bytes.TrimSpace(b.Bytes()), err
}

// Schema says in the document where the form is described.
func (certificate) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Description: "a certificate: docs/FORMAT.md, Certificates", AdditionalProperties: true}
}

type (
	eraseInput struct {
		Body struct {
			Identifier string    `json:"identifier" minLength:"1" maxLength:"256" example:"candidate:10001"`
			Reason     string    `json:"reason" enum:"retention,consent_withdrawn,objection,unlawful,legal_obligation,child,request" doc:"the ground of Art. 17(1) GDPR, in its order; request names none"`
			Request    string    `json:"request,omitempty" required:"false" maxLength:"96" doc:"reference of the person's request"`
			Case       string    `json:"case,omitempty" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -" doc:"it is recorded with what is shown"`
			Keep       []string  `json:"keep,omitempty" required:"false" maxItems:"6" doc:"a class, each once, and the ground of Art. 17(3) GDPR on which it stays" example:"[\"disclosure:A17-3-e\"]"`
			AsActor    bool      `json:"as_actor,omitempty" required:"false" doc:"what the person did as an actor goes as well: it needs a ground, and a second person"`
			Ground     string    `json:"ground,omitempty" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -" doc:"why that may go; with as_actor only"`
			Due        time.Time `json:"due,omitempty" required:"false" doc:"when keys are destroyed at the latest, within three months (Art. 12(3) GDPR); absent is in a month"`
			Now        bool      `json:"now,omitempty" required:"false" doc:"keys are destroyed at once"`
			DryRun     bool      `json:"dry_run,omitempty" required:"false" doc:"say what would go, and change nothing"`
			Approval   string    `json:"approval,omitempty" required:"false" maxLength:"64" doc:"id of the second person's approval"`
		}
	}
	erasuresInput struct {
		Scope
		Paging
	}
	erasureInput struct {
		Position uint64 `path:"position" minimum:"1" doc:"the erasure's number: the position of the event that opened it"`
		Case     string `query:"case" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -"`
	}
	shredInput struct {
		Position uint64 `path:"position" minimum:"1"`
		Body     struct {
			Case string `json:"case,omitempty" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -"`
		}
	}
	cancelInput struct {
		Position uint64 `path:"position" minimum:"1"`
		Body     struct {
			Reason string `json:"reason" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -" doc:"why, a code" example:"withdrawn"`
			Case   string `json:"case,omitempty" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -"`
		}
	}
	retentionInput struct {
		Class  string `path:"class" enum:"access,disclosure,legal-state,governance,breach,operation"`
		Before string `query:"before" required:"true" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$" patternDescription:"a month, as 2025-07" doc:"the first month that stays"`
		Case   string `query:"case" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -"`
	}
	retainInput struct {
		Body struct {
			Class    string `json:"class" enum:"access,disclosure,legal-state,governance,breach,operation"`
			Before   string `json:"before" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$" patternDescription:"a month, as 2025-07" doc:"the first month that stays: the month before this one at the latest"`
			Case     string `json:"case,omitempty" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -"`
			Approval string `json:"approval,omitempty" required:"false" maxLength:"64" doc:"id of the second person's approval, where the ledger asks for one"`
		}
	}
)

// act registers something that an office does.
func act[I, O any](a *API, h huma.API, op huma.Operation, how func(ctx context.Context, o *forget.Office, asker ask.Asker, in *I) (O, error)) {
	question(a, h, op, func(ctx context.Context, _ *ask.Desk, asker ask.Asker, in *I) (out O, err error) {
		office := a.office.Load()
		if office == nil {
			return out, problem(notReady, "it is being opened; asking again is safe")
		}
		return how(ctx, office, asker, in)
	})
}

// forgetPeople registers what the officer decides to forget.
func (a *API) forgetPeople(h huma.API) {
	erase := operation(http.MethodPost, "/v1/erasures", "erase", "Open the erasure of a person (GDPR Art. 17)",
		questionProblems(notKnown, ambiguous, held, erasureOpen, secondPerson, unknownOutcome)...)
	erase.Description = "The person is restricted from then on. Keys are destroyed once a deletion was reported, every leg of it is done and every recipient was told, or when it is due; with now at once. The answer is the one copy of the certificate that names identifiers."
	act(a, h, guard(erase, access.Erase), func(ctx context.Context, o *forget.Office, who ask.Asker, in *eraseInput) (c certificate, err error) {
		b := &in.Body
		keep, err := keepings(b.Keep)
		if err != nil {
			return c, err
		}
		r := forget.Request{Identifier: b.Identifier, Reason: b.Reason, Request: b.Request, Case: b.Case, AsActor: b.AsActor, Ground: b.Ground,
			Keep: keep, Due: b.Due, Now: b.Now, Approval: b.Approval}
		if b.DryRun {
			c.Certificate, err = o.Plan(ctx, who, r)
		} else {
			c.Certificate, err = o.Erase(ctx, who, r)
		}
		return c, err
	})
	list := operation(http.MethodGet, "/v1/erasures", "list-erasures", "List the erasures that were opened", questionProblems()...)
	question(a, h, guard(list, access.Erase), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *erasuresInput) (ask.ErasureList, error) {
		return d.Erasures(ctx, who, asked("erasures", in.Scope, Facets{}, in.Paging))
	})
	one := operation(http.MethodGet, "/v1/erasures/{position}", "get-erasure", "How far an erasure is, without names", questionProblems(notFound)...)
	question(a, h, guard(one, access.Erase), func(ctx context.Context, d *ask.Desk, who ask.Asker, in *erasureInput) (ask.ErasureDetail, error) {
		return d.Erasure(ctx, who, in.Position, in.Case)
	})
	again := operation(http.MethodGet, "/v1/erasures/{position}/certificate", "erasure-certificate", "The certificate of an erasure, in a copy without names", questionProblems(notFound)...)
	act(a, h, guard(again, access.Erase), func(ctx context.Context, o *forget.Office, who ask.Asker, in *erasureInput) (c certificate, err error) {
		c.Certificate, err = o.Certificate(ctx, who, in.Position, in.Case)
		return c, err
	})
	a.endErasures(h)
	a.endRetention(h)
	a.agree(h)
}

// endErasures registers how an erasure that is open ends.
func (a *API) endErasures(h huma.API) {
	shred := operation(http.MethodPost, "/v1/erasures/{position}/shred", "shred", "Carry out an erasure that is open, at once", questionProblems(notFound, held, erasureEnded, unknownOutcome)...)
	act(a, h, guard(shred, access.Erase), func(ctx context.Context, o *forget.Office, who ask.Asker, in *shredInput) (c certificate, err error) {
		c.Certificate, err = o.Shred(ctx, who, in.Position, in.Body.Case)
		return c, err
	})
	cancel := operation(http.MethodPost, "/v1/erasures/{position}/cancel", "cancel-erasure", "End an erasure that is open without carrying it out", questionProblems(notFound, erasureEnded)...)
	act(a, h, guard(cancel, access.Erase), func(ctx context.Context, o *forget.Office, who ask.Asker, in *cancelInput) (place, error) {
		position, err := o.Cancel(ctx, who, in.Position, in.Body.Reason, in.Body.Case)
		return place{position}, err
	})
}

// endRetention registers how long a class of events is kept.
func (a *API) endRetention(h huma.API) {
	plan := operation(http.MethodGet, "/v1/retention/{class}", "plan-retention", "What forgetting a class of events before a month would mean", questionProblems()...)
	act(a, h, guard(plan, access.Retain), func(ctx context.Context, o *forget.Office, who ask.Asker, in *retentionInput) (ask.RetentionPlan, error) {
		p, err := period(in.Class, in.Before)
		if err != nil {
			return ask.RetentionPlan{}, err
		}
		return o.PlanRetention(ctx, who, p, in.Case)
	})
	retain := operation(http.MethodPost, "/v1/retention", "retain", "Forget a class of events before a month (GDPR Art. 5(1)(e))", questionProblems(held, nothingOlder, secondPerson, unknownOutcome)...)
	act(a, h, guard(retain, access.Retain), func(ctx context.Context, o *forget.Office, who ask.Asker, in *retainInput) (c certificate, err error) {
		p, err := period(in.Body.Class, in.Body.Before)
		if err != nil {
			return c, err
		}
		c.Certificate, err = o.Retain(ctx, who, p, in.Body.Case, in.Body.Approval)
		if errors.Is(err, forget.ErrTooRecent) {
			err = problemOf(err).at("/before")
		}
		return c, err
	})
}

func period(class, before string) (p forget.Period, err error) {
	p.Class, _ = forget.ParseClass(class) // one of the enumeration
	p.Before, err = forget.ParseMonth(before)
	return p, err
}

// keepings reads what stays, each as class:ground.
func keepings(texts []string) (keep []events.Keeping, err error) {
	for i, text := range texts {
		name, ground, _ := strings.Cut(text, ":")
		class, ok := forget.ParseClass(name)
		if !ok || !slices.Contains(events.KeepGrounds(), ground) || slices.ContainsFunc(keep, func(k events.Keeping) bool { return k.Class == class }) {
			return nil, problem(invalidRequest, "a class, each once, and the ground it stays on, "+strings.Join(events.KeepGrounds(), ", ")+": as disclosure:A17-3-e").at(fmt.Sprintf("/keep/%d", i))
		}
		keep = append(keep, events.Keeping{Class: class, Ground: ground})
	}
	return keep, nil
}
