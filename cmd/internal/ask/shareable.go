package ask

import (
	"slices"

	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/projections/search"
)

// shareable leaves out what a person is not to learn from the own record: what was
// done in somebody's inquiry (GDPR Art. 4(9), 23) or is privileged (Art. 15(4)).
// Nothing says that anything was left out.
func (s *sitting) shareable(positions []uint64) ([]uint64, error) {
	if s.asker.Role != access.RoleSubject {
		return positions, nil
	}
	secret := search.Filter{Any: map[search.Facet][]string{search.Secrecy: {"inquiry", "privilege"}}, Until: s.asOf.Position, Among: positions}
	err := s.search(func(r *search.Reader) error {
		withheld := map[uint64]bool{}
		for position, err := range r.Walk(secret) {
			if err != nil {
				return err
			}
			withheld[position] = true
		}
		positions = slices.DeleteFunc(slices.Clone(positions), func(position uint64) bool { return withheld[position] })
		return nil
	})
	return positions, err
}
