package cli

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/imalink/custody/ledger/access"
)

// madeKey is an NKEY with its seed, as it is shown once.
type madeKey struct {
	ID       string `json:"id"` // for revoking it
	Producer string `json:"producer"`
	Public   string `json:"nkey"`
	Seed     string `json:"seed"`
}

// addWithKey adds one producer and makes an NKEY for it. The seed is written
// last, when the server has taken the key: if it is lost, the key is of no use
// to anyone, and can be revoked.
func (s *session) addWithKey(ctx context.Context, names, families, except []string) error {
	if len(names) != 1 {
		return misuse("--nkey makes the key of one producer: name one")
	}
	if info, err := os.Stat(s.outFile); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		return misuse("--out is a file with something in it: it could be the seed of a key in use")
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	if e.answer.file != nil {
		if err := e.answer.file.Chmod(0o600); err != nil { // it may have been there already
			return e.answer.close(fmt.Errorf("closing --out to others: %w", err))
		}
	}
	made, err := e.makeKey(ctx, producer{Name: names[0], Families: families, Except: except})
	if err != nil {
		return e.answer.close(err)
	}
	if f := e.answer.format; f == "json" || f == "ndjson" {
		return e.answer.close(e.answer.describe(made))
	}
	e.answer.WriteString(made.Seed + "\n")
	return e.answer.close(nil)
}

func (e *exchange) makeKey(ctx context.Context, p producer) (*madeKey, error) {
	if err := e.call(ctx, http.MethodPost, "/v1/producers", nil, p, nil); err != nil {
		return nil, fmt.Errorf("adding the producer: %w", err)
	}
	seed, public, err := access.NewKey()
	if err != nil {
		return nil, err
	}
	asked := newToken{Role: "producer", Name: "nkey", Producer: p.Name, NKey: public}
	made := madeKey{Producer: p.Name, Public: public, Seed: seed.Reveal()}
	if err := e.call(ctx, http.MethodPost, "/v1/tokens", nil, asked, &made); err != nil {
		return nil, fmt.Errorf("the producer is added; giving it the key: %w", err)
	}
	return &made, nil
}
