// Package views joins the ledger and its projections, neither of which knows the
// other: the identity index that recording needs, and the views that questions
// are answered from. All of them are files under one folder; deleting any or all
// of them changes no answer.
package views

import (
	"context"
	"iter"
	"log/slog"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/access"
	"github.com/imalink/custody/projections/coverage"
	"github.com/imalink/custody/projections/governance"
	"github.com/imalink/custody/projections/person"
	"github.com/imalink/custody/projections/recipients"
	"github.com/imalink/custody/projections/search"
	"github.com/imalink/custody/projections/transfers"
)

// Open opens every view that questions are answered from, in files under a
// folder that exists, and keeps them with the ledger until they are closed.
func Open(ctx context.Context, dir string, l *ledger.Ledger, log *slog.Logger) (*projections.Set, error) {
	return projections.Open(ctx, projections.Config{
		Dir:    dir,
		Source: source{l},
		Views: []projections.View{
			search.View(), person.View(), access.View(), recipients.View(), transfers.View(), governance.View(), coverage.View(),
		},
		Log: log,
	})
}

// source is the ledger as views read it.
type source struct{ *ledger.Ledger }

// few is up to how many events are read one by one: making a consumer of the
// stream costs more.
const few = 16

// Replay implements [events.Replayer].
func (s source) Replay(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	head := s.Head()
	if from > head || head-from >= few {
		return s.ReplayTo(ctx, from, head)
	}
	return func(yield func(events.Record, error) bool) {
		for position := max(from, 1); position <= head; position++ {
			rec, err := s.Event(ctx, position)
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

func (s source) Head() uint64 { return s.Ledger.Head().Position }

func (s source) Wait(ctx context.Context, after uint64) (uint64, error) {
	head, err := s.Ledger.Wait(ctx, after)
	return head.Position, err
}
