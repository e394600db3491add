package ask

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/access"
	"github.com/imalink/custody/projections/person"
)

// kin is one person, identifier by identifier: those that links connect, as the
// vault has them now, in ascending order. It never prints itself.
type kin struct {
	ids  []vault.Identifier
	rows []vault.PersonID // of the identifiers
	tags map[vault.Role]tagged
}

// tagged says which identifier, by its number, has a tag in a cell.
type tagged map[projections.Cell]map[projections.Tag]int

func (*kin) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// kinOf finds the person who has an identifier; no identifiers if nobody has it.
func kinOf(v *vault.Vault, id vault.Identifier) (*kin, error) {
	rows, ids, err := v.RowsOf(id)
	if err != nil {
		return nil, fmt.Errorf("finding linked identifiers: %w", err)
	}
	k := &kin{tags: map[vault.Role]tagged{}}
	if len(rows) == 0 {
		return k, nil
	}
	order := make([]int, len(ids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ids[a], ids[b]) })
	for _, i := range order {
		k.ids, k.rows = append(k.ids, ids[i]), append(k.rows, rows[i])
	}
	for _, role := range []vault.Role{vault.Subject, vault.Actor} {
		if k.tags[role], err = k.tag(v, role); err != nil {
			return nil, fmt.Errorf("finding tags: %w", err)
		}
	}
	return k, nil
}

// tag finds the tags that each identifier has in a role.
func (k *kin) tag(v *vault.Vault, role vault.Role) (tagged, error) {
	all, err := v.TagsOf(k.ids[0], role)
	if err != nil {
		return nil, err
	}
	t := tagged{}
	for _, one := range all {
		cell := cellOf(one.Cell)
		if t[cell] != nil {
			continue
		}
		t[cell] = map[projections.Tag]int{}
		for i, id := range k.ids {
			tag, has, err := v.TagOf(one.Cell, id)
			if err != nil {
				return nil, err
			}
			if has {
				t[cell][projections.Tag(tag)] = i
			}
		}
	}
	return t, nil
}

// listed are the keys under which the view of persons has them, or one of their
// identifiers if i is its number. A class narrows them to its cells; 0 is all.
func (k *kin) listed(i int, class uint8) (keys [][]byte) {
	for cell, tags := range k.tags[vault.Subject] {
		for tag, of := range tags {
			if (i < 0 || i == of) && (class == 0 || class == uint8(cell.Class)) {
				keys = append(keys, person.Key(cell, tag))
			}
		}
	}
	return keys
}

// acting are the keys under which the view of accesses has an identifier in some
// relations.
func (k *kin) acting(i int, relations ...access.Relation) (keys [][]byte) {
	for cell, tags := range k.tags[vault.Actor] {
		for tag, of := range tags {
			for _, r := range relations {
				if i == of {
					keys = append(keys, access.Key(r, cell, tag))
				}
			}
		}
	}
	return keys
}

// everyone is for the number of an identifier where all are meant.
const everyone = -1
