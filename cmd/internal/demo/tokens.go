package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// A Token is one that visitors of a demonstration may use. It lies in a file
// beside the data, readable by its owner only, so that it stays the same when the
// demonstration is begun again.
type Token struct {
	Role  access.Role
	Sees  string // in a few words
	File  string
	Value string
}

// Tokens are those of a home, made where they are not there or no longer valid.
// Whatever the error, calling it again is safe.
func (y *Year) Tokens(ctx context.Context, h Home, l *ledger.Ledger) ([]Token, error) {
	night := y.night()
	var list []Token
	for _, t := range [...]struct {
		role access.Role
		sees string
		box  access.Box
	}{
		{access.RoleDPO, "may ask anything", access.Box{}},
		{access.RoleInvestigator, "case " + theftCase + ", and nothing but the day of " + night.Format("2 January"),
			access.Box{Case: theftCase, From: night, To: night.AddDate(0, 0, 1)}},
		{access.RoleAuditor, "whatever names nobody", access.Box{}},
		{access.RoleOperator, "runs the ledger, sees no person", access.Box{}},
	} {
		token := Token{Role: t.role, Sees: t.sees, File: filepath.Join(h.Data, string(t.role)+".token")}
		var err error
		token.Value, err = valid(token.File, l)
		if err == nil && token.Value == "" {
			token.Value, err = y.token(ctx, l, token.File, access.NewToken{Role: t.role, Name: "demo-" + string(t.role), Box: t.box})
		}
		if err != nil {
			return nil, fmt.Errorf("the token of the %s: %w", t.role, err)
		}
		list = append(list, token)
	}
	return list, nil
}

// valid is the token in a file, "" if there is none that may be used.
func valid(file string, l *ledger.Ledger) (string, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(raw))
	if _, err := l.Access().Authenticate(text); err != nil {
		return "", nil
	}
	return text, nil
}

func (y *Year) token(ctx context.Context, l *ledger.Ledger, file string, n access.NewToken) (string, error) {
	secret, _, err := l.Access().CreateToken(ctx, l.Access().Tokens()[0].ID, n)
	if err != nil {
		return "", err
	}
	return secret.Reveal(), replace(file, []byte(secret.Reveal()+"\n"))
}
