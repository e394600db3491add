package api

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/notary"
)

type (
	proveEventInput struct {
		Position uint64 `query:"position" required:"true" minimum:"1"`
		Told     bool   `query:"told" doc:"the proof has the stored event, not only its record"`
	}
	proveGrowthInput struct {
		RawBody []byte `contentType:"text/plain"`
	}
	proveAnswerInput struct {
		What         string `query:"what" required:"true" enum:"count,absence,list"`
		Flag         string `query:"flag" required:"true" maxLength:"64" doc:"one flag, or several transfer classes, separated by commas" example:"T5"`
		FromDay      string `query:"from_day" format:"date" doc:"first UTC day of the events' times" example:"2025-07-01"`
		ToDay        string `query:"to_day" format:"date" doc:"and the last, included"`
		FromPosition uint64 `query:"from_position" minimum:"1" doc:"first position"`
		ToPosition   uint64 `query:"to_position" minimum:"1" doc:"and the last, included"`
		From         string `query:"from" format:"date-time" doc:"instant, included; only of class replay"`
		To           string `query:"to" format:"date-time" doc:"and its end, not included"`
		Class        string `query:"class" enum:"light,replay" default:"light" doc:"light: kilobytes, and an auditor must have cosigned; replay: all records of the range, and nobody is trusted"`
	}
)

// prove registers proofs.
func (a *API) prove(h huma.API) {
	event := operation(http.MethodGet, "/v1/proofs/event", "prove-event", "Prove that an event is recorded", notFound, notProven, unsigned)
	proof(a, h, guard(event, access.Prove), func(ctx context.Context, e Evidence, n *notary.Notary, in *proveEventInput) ([]byte, error) {
		if in.Position > e.Head().Position {
			return nil, ledger.ErrNoEvent
		}
		return n.ProveEvent(ctx, notary.Event{Position: in.Position, Told: in.Told})
	})
	a.proveInclusion(h)
	growth := operation(http.MethodPost, "/v1/proofs/growth", "prove-growth", "Prove that the ledger continues an older checkpoint of it", notFound, notProven, unsigned, refuted)
	growth.Description = "The body is that checkpoint, a signed note."
	proof(a, h, guard(growth, access.Prove), func(_ context.Context, _ Evidence, n *notary.Notary, in *proveGrowthInput) ([]byte, error) {
		return proveGrowth(n, in.RawBody)
	})
	answer := operation(http.MethodGet, "/v1/proofs/answer", "prove-answer", "Answer how many records have a flag, that none has, or which have, and prove it", notFound, notProven, unsigned, refuted, busy)
	answer.Description = "Give a range of days, of positions, or of instants. Days and instants are of the events' times, over everything recorded so far."
	proof(a, h, guard(answer, access.Prove), func(ctx context.Context, e Evidence, n *notary.Notary, in *proveAnswerInput) ([]byte, error) {
		q, err := in.question()
		if err != nil {
			return nil, err
		}
		size := uint64(1)
		if q.Of == evidence.Positions {
			size = q.To
		}
		if size > max(e.Head().Position, 1) {
			return nil, problem(invalidRequest, "nothing is recorded there yet").at("/to_position")
		}
		done, err := a.heavy(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		if in.Class == "replay" {
			return n.ProveReplay(q)
		}
		basis, err := n.Basis(ctx, size)
		if err != nil {
			return nil, err
		}
		return n.ProveLight(basis, q)
	})
	a.receipts(h)
}

// proveInclusion registers the proof of a record for programs that know nothing of this ledger's.
func (a *API) proveInclusion(h huma.API) {
	op := operation(http.MethodGet, "/v1/proofs/inclusion", "prove-inclusion", "Prove that an event's record is in the log, as c2sp.org/tlog-proof", notFound, notProven, unsigned)
	op.Description = "The record is what GET /v1/events/{position} and the tiles of records have."
	op.Responses["200"] = text("A proof: c2sp.org/tlog-proof", noteType)
	huma.Register(h, guard(op, access.Prove), func(ctx context.Context, in *struct {
		Position uint64 `query:"position" required:"true" minimum:"1"`
	}) (*rawOutput, error) {
		e, n, err := a.notary()
		if err == nil && in.Position > e.Head().Position {
			err = ledger.ErrNoEvent
		}
		var b []byte
		if err == nil {
			b, err = n.ProveInclusion(in.Position)
		}
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		return &rawOutput{noteType, b}, nil
	})
}

// evidenced is one event in full, with its evidence.
type evidenced struct {
	ask.Full
	Record string `json:"record,omitempty" doc:"its record in the record log, in hexadecimal; absent if there is none yet"`
	Proof  []byte `json:"proof,omitempty" doc:"that it is recorded, in base64: custody verify reads it; absent if no checkpoint covers it yet, or none is signed"`
}

// evidenced adds its evidence to an event, as far as there is any.
func (a *API) evidenced(ctx context.Context, full ask.Full) (out evidenced, err error) {
	out.Full = full
	e := a.evidence.Load()
	if e == nil || (*e).Evidence() == nil {
		return out, nil
	}
	n := (*e).Evidence()
	record, err := n.Record(full.Item.Position)
	if err == nil {
		out.Record = hex.EncodeToString(record.Append(nil))
		out.Proof, err = n.ProveEvent(ctx, notary.Event{Position: full.Item.Position, Told: true})
	}
	if errors.Is(err, notary.ErrBehind) || errors.Is(err, notary.ErrUnsigned) {
		err = nil
	}
	return out, err
}

// proveGrowth proves that the newest checkpoint continues an older one, or says why not.
func proveGrowth(n *notary.Notary, text []byte) ([]byte, error) {
	older, err := checkpoint.Open(text)
	if err != nil {
		return nil, problem(invalidRequest, "the body is a checkpoint as GET /v1/checkpoint gives it")
	}
	newest, err := n.Checkpoint()
	if err != nil {
		return nil, err
	}
	switch {
	case older.Origin != newest.Origin:
		return nil, problem(invalidRequest, "it is a checkpoint of another ledger, or from before this one took a new origin")
	case older.Size == 0:
		return nil, problem(invalidRequest, "it is over nothing, which every ledger continues")
	case older.Size == newest.Size && older.Root == newest.Root:
		return nil, problem(invalidRequest, "it is the newest checkpoint: nothing was recorded since, and so there is nothing to prove")
	case older.Size >= newest.Size:
		return nil, problem(refuted, "this ledger signed no such checkpoint: keep it, if its signature is good it is evidence")
	}
	proof, err := n.ProveGrowth(older)
	if errors.Is(err, evidence.ErrFalse) {
		return nil, problem(refuted, "this ledger does not continue it: keep it, if its signature is good it is evidence")
	}
	return proof, err
}

// proof registers an operation that answers with a proof.
func proof[I any](a *API, h huma.API, op huma.Operation, prove func(ctx context.Context, e Evidence, n *notary.Notary, in *I) ([]byte, error)) {
	op.Responses["200"] = binary("A proof: docs/FORMAT.md, Proof; custody verify reads it", proofType)
	huma.Register(h, op, func(ctx context.Context, in *I) (*rawOutput, error) {
		e, n, err := a.notary()
		if err != nil {
			return nil, err
		}
		b, err := prove(ctx, e, n, in)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		return &rawOutput{proofType, b}, nil
	})
}

func binary(description, mediaType string) *huma.Response {
	schema := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{mediaType: {Schema: schema}}}
}
