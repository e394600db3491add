package api

import (
	"context"
	wire "encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/notary"
)

// Limits of receipts.
const (
	receiptTime  = 10 * time.Second // how long they wait for the checkpoint that covers their events
	receiptSpan  = 1000             // positions of one request
	receiptBytes = 16 << 20         // beyond which an answer has no further receipt
)

const receiptsType = "application/vnd.custody.receipts"

type (
	receiptInput struct {
		Position uint64 `path:"position" minimum:"1"`
	}
	receiptsInput struct {
		From uint64 `query:"from" required:"true" minimum:"1" doc:"first position"`
		To   uint64 `query:"to" required:"true" minimum:"1" doc:"and the last, included: at most 999 after it"`
	}
)

// receipts registers receipts: a producer's proof that its events are recorded, and as what.
func (a *API) receipts(h huma.API) {
	one := operation(http.MethodGet, "/v1/receipts/{position}", "get-receipt", "Prove to its producer that an event is recorded, and as what", notFound, notAllowed, notProven, unsigned)
	one.Description = "Waits for the next checkpoint. The proof has the stored event: compare it with what was sent."
	one.Responses["200"] = binary("A proof of an event, told", proofType)
	huma.Register(h, guard(one, access.Record, access.Prove), func(ctx context.Context, in *receiptInput) (*rawOutput, error) {
		b, err := a.oneReceipt(ctx, in.Position)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		return &rawOutput{proofType, b}, nil
	})
	many := operation(http.MethodGet, "/v1/receipts", "get-receipts", "Prove to their producer that events are recorded, and as what", notFound, notProven, unsigned)
	many.Description = "The receipts of a range that the token may have, in order: position (8 bytes), length (4) and proof of each. " +
		"An answer ends behind the receipt by which it exceeds 16 MiB: ask again for the rest. Waits for the next checkpoint."
	many.Responses["200"] = binary("Proofs of events, told, each behind its position and its length", receiptsType)
	huma.Register(h, guard(many, access.Record, access.Prove), func(ctx context.Context, in *receiptsInput) (*rawOutput, error) {
		if in.To < in.From || in.To-in.From >= receiptSpan {
			return nil, problem(invalidRequest, fmt.Sprintf("to is from 0 to %d after from", receiptSpan-1)).at("/to")
		}
		b, err := a.manyReceipts(ctx, in.From, in.To)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		return &rawOutput{receiptsType, b}, nil
	})
}

func (a *API) oneReceipt(ctx context.Context, position uint64) ([]byte, error) {
	e, n, err := a.notary()
	if err != nil {
		return nil, err
	}
	rec, err := e.Event(ctx, position)
	if err != nil {
		return nil, err
	}
	own, err := ownEvent(requestOf(ctx).principal, rec.Raw)
	if err != nil {
		return nil, err
	}
	if !own {
		return nil, problem(notAllowed, "a receipt is for who sent the event")
	}
	if err := covered(ctx, n, position); err != nil {
		return nil, err
	}
	return n.ProveEvent(ctx, notary.Event{Position: position, Told: true})
}

// manyReceipts are the receipts of a range that the token may have, once a checkpoint covers all of it.
func (a *API) manyReceipts(ctx context.Context, from, to uint64) (b []byte, err error) {
	e, n, err := a.notary()
	if err != nil {
		return nil, err
	}
	to = min(to, e.Head().Position)
	if from > to {
		return nil, nil
	}
	if err := covered(ctx, n, to); err != nil {
		return nil, err
	}
	p := requestOf(ctx).principal
	for rec, err := range a.ledger().ReplayTo(ctx, from, to) {
		if err != nil {
			return nil, fmt.Errorf("replaying from position %d: %w", from, err)
		}
		own, err := ownEvent(p, rec.Raw)
		if err != nil {
			return nil, err
		}
		if !own {
			continue
		}
		proof, err := n.ProveEvent(ctx, notary.Event{Position: rec.Position, Told: true})
		if err != nil {
			return nil, err
		}
		b = wire.BigEndian.AppendUint64(b, rec.Position)
		b = append(wire.BigEndian.AppendUint32(b, uint32(len(proof))), proof...)
		if len(b) > receiptBytes {
			break
		}
	}
	return b, nil
}

// covered waits for the checkpoint that covers a position. The error wraps [notary.ErrBehind] if it does not come.
func covered(ctx context.Context, n *notary.Notary, position uint64) error {
	wait, cancel := context.WithTimeout(ctx, receiptTime)
	defer cancel()
	err := n.Await(wait, position)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return notary.ErrBehind
	}
	return err
}

// ownEvent reports whether somebody may have the receipt of a stored event: a producer that of its own, a relay that
// of what it sent, who proves any.
func ownEvent(p access.Principal, raw []byte) (bool, error) {
	if p.Can(access.Prove) {
		return true, nil
	}
	st, err := events.DecodeStored(raw)
	if err != nil {
		return false, fmt.Errorf("decoding a stored event: %v", err) // not wrapped: it is about what is stored
	}
	return st.Event.Source == "/"+p.Producer || p.Role == access.RoleRelay && st.Relay == p.Name, nil
}
