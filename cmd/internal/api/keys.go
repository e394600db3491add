package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/notary"
)

type (
	keyInput struct {
		Body struct {
			Do string `json:"do" enum:"add,retire,new-origin" doc:"add: another key signs beside the one; retire: the older of two signs no more; new-origin: a ledger that may not sign takes a new name and keys"`
		}
	}
	keyOutput struct {
		Body struct {
			Key  string `json:"key" doc:"the verifier key that was added, or retired"`
			Upto uint64 `json:"upto,omitempty" doc:"of a retired key: the last size that it signed for, for trust files"`
		}
	}
	cosignerInput struct {
		Body struct {
			Key      string `json:"key" maxLength:"140" doc:"verifier key: of an auditor that recomputes if its name ends in /replay, else of a witness"`
			Operator string `json:"operator,omitempty" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -" doc:"code of the party that keeps it; absent is the controller"`
			Retired  bool   `json:"retired,omitempty" required:"false" doc:"it cosigns no more"`
		}
	}
	cosignerOutput struct {
		Body struct {
			Position uint64 `json:"position" doc:"of the event that says so"`
		}
	}
	cosignatureInput struct {
		RawBody []byte `contentType:"text/plain"`
	}
)

// keyAdvice says why keys cannot be changed so.
func keyAdvice(do string) string {
	switch do {
	case "add":
		return "two keys sign already: retire the older first"
	case "retire":
		return "only one key signs: add another first"
	}
	return "this ledger signs, or its keys may be well and cannot be read now: GET /v1/evidence says which; a new origin is for one that may not sign"
}

// manageKeys registers changes of the keys that sign.
func (a *API) manageKeys(h huma.API) {
	change := operation(http.MethodPost, "/v1/evidence/keys", "change-key", "Add or retire a key of the log, or take a new origin", notFound, conflict, unsigned, notRecorded, halted)
	huma.Register(h, guard(change, access.ManageKeys), func(ctx context.Context, in *keyInput) (*keyOutput, error) {
		e, n, err := a.notary()
		if err != nil {
			return nil, err
		}
		announce := func(ctx context.Context, k events.KeyAnnouncement) error {
			_, err := e.RecordKey(ctx, k)
			return err
		}
		out, who := &keyOutput{}, whoAsks(ctx)
		switch in.Body.Do {
		case "add":
			out.Body.Key, err = n.AddKey(ctx, who, announce)
		case "retire":
			out.Body.Key, out.Body.Upto, err = n.RetireKey(ctx, who, announce)
		default:
			out.Body.Key, err = n.NewOrigin(ctx, "custody/"+e.Name()+"/"+e.ID(), who, announce)
		}
		if errors.Is(err, notary.ErrKeys) {
			err = problem(conflict, keyAdvice(in.Body.Do))
		}
		return out, a.answerable(ctx, err)
	})
	announce := operation(http.MethodPost, "/v1/evidence/cosigners", "announce-cosigner", "Announce whose cosignatures are taken, or are no more", notFound, notRecorded, halted)
	huma.Register(h, guard(announce, access.ManageKeys), func(ctx context.Context, in *cosignerInput) (*cosignerOutput, error) {
		e, n, err := a.notary()
		if err != nil {
			return nil, err
		}
		role, ok := checkpoint.CosignerRole(in.Body.Key)
		if !ok {
			return nil, problem(invalidRequest, "a verifier key of type 4: of an auditor that recomputes if its name ends in /replay, else of a witness").at("/key")
		}
		if err := suited(ctx, e, n, role, in); err != nil {
			return nil, a.answerable(ctx, err)
		}
		k := events.KeyAnnouncement{Who: whoAsks(ctx), What: role, Retired: in.Body.Retired, Key: in.Body.Key, Operator: in.Body.Operator}
		out := &cosignerOutput{}
		out.Body.Position, err = e.RecordKey(ctx, k)
		return out, a.answerable(ctx, err)
	})
	cosign := operation(http.MethodPost, "/v1/cosignatures", "cosign", "Leave cosignatures of a checkpoint", notFound, unsigned)
	cosign.Description = "The body is the checkpoint, a signed note, with the ledger's signature and the cosignatures. Sending it again is safe."
	huma.Register(h, guard(cosign, access.Cosign), func(ctx context.Context, in *cosignatureInput) (*struct{}, error) {
		_, n, err := a.notary()
		if err != nil {
			return nil, err
		}
		err = n.Cosign(ctx, in.RawBody)
		if errors.Is(err, checkpoint.ErrFormat) {
			err = problem(invalidRequest, "the body is a checkpoint, a signed note")
		}
		return nil, a.answerable(ctx, err)
	})
}

// suited is nil if a key can be added beside those that were announced, or is one of them and can be retired.
func suited(ctx context.Context, e Evidence, n *notary.Notary, role string, in *cosignerInput) error {
	if in.Body.Retired {
		announced, err := e.Announced(ctx)
		is := func(c notary.Cosigner) bool { return c.Key == in.Body.Key }
		if err == nil && !slices.ContainsFunc(announced.Cosigners, is) {
			err = problem(notFound, "no such key is announced; GET /v1/evidence has those that are").at("/key")
		}
		return err
	}
	err := n.Suits(ctx, role, in.Body.Key)
	if errors.Is(err, notary.ErrKeys) {
		err = problem(invalidRequest, "a key under this name, or this public key under another, signs or was announced: no trust file can have both").at("/key")
	}
	return err
}

// whoAsks is the token behind a request.
func whoAsks(ctx context.Context) events.Who {
	p := requestOf(ctx).principal
	return events.Who{Role: string(p.Role), Token: p.Name}
}
