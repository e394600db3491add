package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/ledger/access"
)

type (
	revealInput struct {
		Body struct {
			Position uint64    `json:"position,omitempty" required:"false" doc:"of an event; or"`
			Session  string    `json:"session,omitempty" required:"false" maxLength:"128" doc:"what producers call a session; or"`
			Handle   string    `json:"handle,omitempty" required:"false" maxLength:"1024" doc:"of a person, an actor or a session"`
			Who      string    `json:"who,omitempty" required:"false" enum:"actors,subjects,all" default:"actors" doc:"whose identities, of an event or a session"`
			From     time.Time `json:"from,omitempty" required:"false" doc:"of a session: event time, at this instant or later"`
			To       time.Time `json:"to,omitempty" required:"false" doc:"before this instant"`
			Reason   string    `json:"reason" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -" doc:"why, a code" example:"breach-scope"`
			Words    string    `json:"words,omitempty" required:"false" maxLength:"200" doc:"why, in words; they are sealed"`
			Case     string    `json:"case,omitempty" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -"`
			Approval string    `json:"approval,omitempty" required:"false" maxLength:"64" doc:"id of the second person's approval, where the ledger asks for one"`
		}
	}
	approvalInput struct {
		ID string `path:"id" maxLength:"64"`
	}
	approvals struct {
		Approvals []forget.Approval `json:"approvals" nullable:"false"`
	}
)

// agree registers what identities are shown for, and what two people agree on.
func (a *API) agree(h huma.API) {
	reveal := operation(http.MethodPost, "/v1/reveals", "reveal", "Show who is behind tags or masks", questionProblems(notFound, notKnown, handleExpired, secondPerson)...)
	reveal.Description = "Recorded as ledger.identity-revealed before it is shown, with the reason and, where the ledger asks for one, the second person."
	act(a, h, guard(reveal, access.Reveal), func(ctx context.Context, o *forget.Office, who ask.Asker, in *revealInput) (ask.Revealed, error) {
		b := &in.Body
		return o.Reveal(ctx, who, ask.RevealRequest{Position: b.Position, Session: b.Session, Handle: b.Handle, Who: b.Who, From: b.From, To: b.To,
			ReasonCode: b.Reason, Reason: b.Words, Case: b.Case}, b.Approval)
	})
	list := operation(http.MethodGet, "/v1/approvals", "list-approvals", "What waits for a second person")
	act(a, h, guard(list, access.Approve), func(_ context.Context, o *forget.Office, _ ask.Asker, _ *struct{}) (approvals, error) {
		return approvals{o.Approvals.List()}, nil
	})
	approve := operation(http.MethodPost, "/v1/approvals/{id}", "approve", "Be the second person", notFound, secondPerson)
	act(a, h, guard(approve, access.Approve), func(_ context.Context, o *forget.Office, who ask.Asker, in *approvalInput) (forget.Approval, error) {
		return o.Approvals.Approve(forget.Token{ID: who.Token, Name: who.Name}, in.ID)
	})
}
