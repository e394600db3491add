package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/imalink/custody/cmd/internal/attest"
	"github.com/imalink/custody/cmd/internal/statement"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger/access"
)

type statementInput struct {
	FromDay string `query:"from_day" required:"true" format:"date" doc:"first UTC day of the events' times" example:"2025-07-01"`
	ToDay   string `query:"to_day" required:"true" format:"date" doc:"and the last, included"`
	Lang    string `query:"lang" enum:"en,nl,fr" default:"en" doc:"language that the page shows first"`
}

// state registers statements.
func (a *API) state(h huma.API) {
	op := operation(http.MethodGet, "/v1/statements/non-transfer", "state-non-transfer", "The statement of recorded non-transfer, as a bundle with its proofs", notFound, notProven, unsigned, busy)
	op.Description = "Reads every stored event once."
	op.Responses["200"] = binary("A bundle: docs/FORMAT.md, Bundle; custody verify reads it", zipType)
	huma.Register(h, guard(op, access.Prove), func(ctx context.Context, in *statementInput) (*rawOutput, error) {
		e, _, err := a.notary()
		if err != nil {
			return nil, err
		}
		l, ok := e.(attest.Ledger)
		if !ok {
			return nil, problem(notReady, "it is being opened")
		}
		from, to, err := daysOf(in.FromDay, in.ToDay)
		if err != nil {
			return nil, err
		}
		done, err := a.heavy(ctx)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		defer done()
		var b bytes.Buffer
		asked := attest.Request{From: law.Day(from), To: law.Day(to), Lang: statement.Lang(in.Lang), Issued: time.Now()}
		if err := attest.NonTransfer(ctx, &b, l, asked); err != nil {
			return nil, a.answerable(ctx, err)
		}
		return &rawOutput{zipType, b.Bytes()}, nil
	})
}
