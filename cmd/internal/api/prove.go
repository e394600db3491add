package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/notary"
)

// receiptTime is how long a receipt waits for the checkpoint that covers its event.
const receiptTime = 10 * time.Second

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
	receiptInput struct {
		Position uint64 `path:"position" minimum:"1"`
	}
)

// prove registers proofs.
func (a *API) prove(h huma.API) {
	event := operation(http.MethodGet, "/v1/proofs/event", "prove-event", "Prove that an event is recorded", notFound, notProven, unsigned)
	proof(a, h, guard(event, access.Prove), func(ctx context.Context, n *notary.Notary, in *proveEventInput) ([]byte, error) {
		return n.ProveEvent(ctx, notary.Event{Position: in.Position, Told: in.Told})
	})
	growth := operation(http.MethodPost, "/v1/proofs/growth", "prove-growth", "Prove that the ledger continues an older checkpoint of it", notFound, notProven, unsigned)
	growth.Description = "The body is that checkpoint, a signed note."
	proof(a, h, guard(growth, access.Prove), func(_ context.Context, n *notary.Notary, in *proveGrowthInput) ([]byte, error) {
		older, err := checkpoint.Open(in.RawBody)
		if err != nil {
			return nil, problem(invalidRequest, "a checkpoint as GET /v1/checkpoint gives it")
		}
		return n.ProveGrowth(older)
	})
	answer := operation(http.MethodGet, "/v1/proofs/answer", "prove-answer", "Answer how many records have a flag, that none has, or which have, and prove it", notFound, notProven, unsigned, refuted)
	answer.Description = "Give a range of days, of positions, or of instants. Days and instants are of the events' times, over everything recorded so far."
	proof(a, h, guard(answer, access.Prove), func(ctx context.Context, n *notary.Notary, in *proveAnswerInput) ([]byte, error) {
		q, err := in.question()
		if err != nil {
			return nil, err
		}
		if in.Class == "replay" {
			return n.ProveReplay(q)
		}
		size := uint64(1)
		if q.Of == evidence.Positions {
			size = q.To
		}
		basis, err := n.Basis(ctx, size)
		if err != nil {
			return nil, err
		}
		return n.ProveLight(basis, q)
	})
	a.receipt(h)
}

// proof registers an operation that answers with a proof.
func proof[I any](a *API, h huma.API, op huma.Operation, make func(ctx context.Context, n *notary.Notary, in *I) ([]byte, error)) {
	op.Responses["200"] = &huma.Response{Description: "A proof: docs/FORMAT.md, Proof; custody verify reads it",
		Content: map[string]*huma.MediaType{proofType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	huma.Register(h, op, func(ctx context.Context, in *I) (*rawOutput, error) {
		_, n, err := a.notary()
		if err != nil {
			return nil, err
		}
		b, err := make(ctx, n, in)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		return &rawOutput{proofType, b}, nil
	})
}

// receipt registers receipts: a producer's proof that its event is recorded, and as what.
func (a *API) receipt(h huma.API) {
	op := operation(http.MethodGet, "/v1/receipts/{position}", "get-receipt", "Prove to its producer that an event is recorded, and as what", notFound, notAllowed, notProven, unsigned)
	op.Description = "Waits for the next checkpoint. The proof has the stored event: compare it with what was sent."
	op.Responses["200"] = &huma.Response{Description: "A proof of an event, told", Content: map[string]*huma.MediaType{proofType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	huma.Register(h, guard(op, access.Record, access.Prove), func(ctx context.Context, in *receiptInput) (*rawOutput, error) {
		e, n, err := a.notary()
		if err != nil {
			return nil, err
		}
		rec, err := e.Event(ctx, in.Position)
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		if err := ownEvent(requestOf(ctx).principal, rec.Raw); err != nil {
			return nil, a.answerable(ctx, err)
		}
		wait, cancel := context.WithTimeout(ctx, receiptTime)
		defer cancel()
		if err := n.Await(wait, in.Position); err != nil {
			return nil, a.answerable(ctx, err)
		}
		b, err := n.ProveEvent(ctx, notary.Event{Position: in.Position, Told: true})
		if err != nil {
			return nil, a.answerable(ctx, err)
		}
		return &rawOutput{proofType, b}, nil
	})
}

// ownEvent refuses a producer the receipt of another's event, and a relay that of one it did not send.
func ownEvent(p access.Principal, raw []byte) error {
	if p.Can(access.Prove) {
		return nil
	}
	st, err := events.DecodeStored(raw)
	if err != nil {
		return fmt.Errorf("decoding a stored event: %v", err) // not wrapped: it is about what is stored
	}
	if st.Event.Source == "/"+p.Producer || p.Role == access.RoleRelay && st.Relay == p.Name {
		return nil
	}
	return problem(notAllowed, "a receipt is for who sent the event")
}

// question reads what is asked.
func (in *proveAnswerInput) question() (q evidence.Question, err error) {
	if q.Flags, err = evidence.ParseFlags(in.Flag); err != nil {
		return q, problem(invalidRequest, "flags are "+strings.Join(evidence.FlagNames(), " ")).at("flag")
	}
	q.What = map[string]evidence.What{"count": evidence.Count, "absence": evidence.Absence, "list": evidence.List}[in.What]
	days, positions, instants := in.FromDay != "" && in.ToDay != "", in.FromPosition != 0 && in.ToPosition != 0, in.From != "" && in.To != ""
	given := 0
	for _, some := range []bool{in.FromDay != "" || in.ToDay != "", in.FromPosition != 0 || in.ToPosition != 0, in.From != "" || in.To != ""} {
		if some {
			given++
		}
	}
	switch {
	case given != 1:
		return q, problem(invalidRequest, "give one range: from_day and to_day, from_position and to_position, or from and to")
	case days:
		q.Of = evidence.Days
		q.From, q.To, err = dayNumber(in.FromDay), dayNumber(in.ToDay), nil
	case positions:
		q.Of, q.From, q.To = evidence.Positions, in.FromPosition-1, in.ToPosition
	case instants && in.Class == "replay":
		q.Of = evidence.Instants
		from, ferr := time.Parse(time.RFC3339Nano, in.From)
		to, terr := time.Parse(time.RFC3339Nano, in.To)
		if ferr != nil || terr != nil || from.UnixMilli() < 0 || to.UnixMilli() < 0 {
			return q, problem(invalidRequest, "from and to are RFC 3339 instants since 1970")
		}
		q.From, q.To = uint64(from.UnixMilli()), uint64(to.UnixMilli())
	case instants:
		return q, problem(invalidRequest, "instants need class replay: light knows whole UTC days")
	default:
		return q, problem(invalidRequest, "a range has both ends")
	}
	return q, nil
}

// dayNumber is the UTC day in days since 1970; far beyond all days if it is none.
func dayNumber(text string) uint64 {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Unix() < 0 {
		return 1 << 32
	}
	return uint64(day.Unix() / (24 * 60 * 60))
}

// questionProblem is the problem of a question that cannot be asked, or whose answer is no; nil for any other error.
func questionProblem(err error) *Problem {
	switch {
	case errors.Is(err, evidence.ErrPresent):
		return problem(refuted, "there are such records: ask for a list")
	case errors.Is(err, evidence.ErrQuestion):
		return problem(invalidRequest, strings.TrimPrefix(err.Error(), evidence.ErrQuestion.Error()+": "))
	}
	return nil
}
