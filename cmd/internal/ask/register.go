package ask

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/governance"
)

// A Register is what was registered, each thing by the version that was in force.
type Register struct {
	AsOf  AsOf               `json:"as_of"`
	Items []governance.Thing `json:"items" nullable:"false"`
}

// Register lists what was registered of one sort, or of all, and was in force at
// the question's time. It costs as much as there is of it.
func (d *Desk) Register(ctx context.Context, a Asker, what string, q Question) (Register, error) {
	if err := q.unbounded(); err != nil {
		return Register{}, err
	}
	whats := governance.Whats()
	if what != "" {
		w, ok := governance.ParseWhat(what)
		if !ok {
			return Register{}, fmt.Errorf("%w: what is one of %v", ErrQuestion, whats)
		}
		whats = []governance.What{w}
	}
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Register{}, err
	}
	if err := s.wait(ctx, governanceView); err != nil {
		return Register{}, err
	}
	out := Register{AsOf: s.asOf, Items: []governance.Thing{}}
	err = s.views.Read(governanceView, func(tx *bolt.Tx) error {
		r, err := governance.Read(tx)
		if err != nil {
			return err
		}
		for _, w := range whats {
			for thing, err := range r.List(w, s.inForce(), s.asOf.Position) {
				if err != nil {
					return err
				}
				out.Items = append(out.Items, thing)
			}
		}
		return nil
	})
	if err != nil {
		return Register{}, fmt.Errorf("reading the register: %w", err)
	}
	return given(ctx, s, out, 0, false)
}
