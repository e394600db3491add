package api

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/cmd/internal/ask"
)

// output is an answer to a question, as huma wants it.
type output[O any] struct{ Body O }

// question registers a question: how the desk answers what asker wants to know.
func question[I, O any](a *API, h huma.API, op huma.Operation, how func(ctx context.Context, d *ask.Desk, asker ask.Asker, in *I) (O, error)) {
	huma.Register(h, op, func(ctx context.Context, in *I) (*output[O], error) {
		ready, err := a.ready()
		if err != nil {
			return nil, err
		}
		p := requestOf(ctx).principal
		body, err := how(ctx, ready.desk, ask.Asker{Token: p.Token, Name: p.Name, Role: p.Role, Box: p.Box}, in)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		return &output[O]{body}, nil
	})
}

// questionProblems are the problems every question may have, and some more.
func questionProblems(more ...word) []word {
	return append(more, viewBehind, outsideBox, readNotRecorded, halted, busy)
}

// mend corrects what the document says of some answers: a look-up and a search
// have the fields of a list only where they show one, and what there is none of
// may be null.
func mend(h huma.API) {
	schemas := h.OpenAPI().Components.Schemas.Map()
	for _, name := range []string{"Found", "Searched"} {
		s := schemas[name]
		s.Required = slices.DeleteFunc(s.Required, func(field string) bool { return slices.Contains(schemas["Page"].Required, field) })
	}
	for name, field := range map[string]string{"Covered": "heartbeat", "Party": "registration", "TransferTool": "tia"} {
		there := schemas[name].Properties[field]
		schemas[name].Properties[field] = &huma.Schema{OneOf: []*huma.Schema{there, {Type: "null"}}}
	}
}
