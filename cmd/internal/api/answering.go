package api

import (
	"context"

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
