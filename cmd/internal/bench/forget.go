package main

import (
	"context"
	"errors"
	"fmt"
)

// erasures is how many people are erased each time.
const erasures = 50

// measureErase erases random people, one after the other, as an officer does: what
// goes is decided, the person restricted, the keys destroyed, all of it recorded.
// What that costs without the question is in the benchmarks of ledger/vault.
func measureErase(ctx context.Context, s *server, label string) error {
	a, err := s.asker(ctx)
	if err != nil {
		return err
	}
	defer a.close()
	took, err := timed(erasures, func() error {
		_, err := a.do("POST", "/v1/erasures", "application/json", fmt.Appendf(nil, `{"identifier":%q,"reason":"request","now":true}`, identifier(a.of.anyone())))
		if errors.Is(err, errNotFound) {
			return nil // erased before, or never met
		}
		return err
	})
	if err != nil {
		return err
	}
	took.row(label+"one person erased", "; decided, recorded, keys destroyed")
	return nil
}
