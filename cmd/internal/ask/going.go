package ask

import (
	"slices"

	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/access"
	"github.com/imalink/custody/projections/person"
	"github.com/imalink/custody/projections/postings"
)

// Going is what an erasure takes and what it leaves, for whoever carries it out.
type Going struct {
	Rows map[vault.PersonID][]vault.Chain `json:"-"` // every row of the person, and the chains that stay, for ledger.Erasing
	// Cells are those in which an event has a tag of the person whose key goes, each
	// once. In any other a key would be the person's, and nothing is under it.
	Cells []vault.CellID `json:"-"`
}

// goes adds a row, of which some chains stay, to what goes.
func (s *sitting) goes(g *Going, k *kin, i int, stay []vault.Chain) error {
	g.Rows[k.rows[i]] = stay
	for role, cells := range k.tags {
		for cell, tags := range cells {
			id := cellID(cell)
			if slices.Contains(stay, vault.Chain{Class: id.Class, Role: role}) || slices.Contains(g.Cells, id) {
				continue
			}
			some, err := s.some(role, cell, tags, i)
			if err != nil {
				return err
			}
			if some {
				g.Cells = append(g.Cells, id)
			}
		}
	}
	return nil
}

// some reports whether any event has the tag of an identifier in a cell.
func (s *sitting) some(role vault.Role, cell projections.Cell, tags map[projections.Tag]int, i int) (found bool, err error) {
	var keys [][]byte
	view := accessView
	for tag, of := range tags {
		switch {
		case of != i:
		case role == vault.Subject:
			keys, view = append(keys, person.Key(cell, tag)), personView
		default:
			keys = append(keys, access.Key(access.Actor, cell, tag), access.Key(access.Named, cell, tag))
		}
	}
	err = s.under(keys, view, false, func(u *postings.Union) error {
		_, found, err = u.Seek(1)
		return err
	})
	return found, err
}
