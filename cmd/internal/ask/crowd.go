package ask

import (
	"fmt"
	"maps"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
)

// A crowd resolves many tags at once, cell by cell: a person has another tag in
// every cell, and linked identifiers are one person.
type crowd struct {
	vault *vault.Vault
	cells map[projections.Cell]map[projections.Tag]vault.PersonID
}

func newCrowd(v *vault.Vault) *crowd {
	return &crowd{v, map[projections.Cell]map[projections.Tag]vault.PersonID{}}
}

// add notes a tag to be resolved; the zero tag is nobody.
func (c *crowd) add(cell projections.Cell, tags ...projections.Tag) {
	in := c.cells[cell]
	if in == nil {
		in = make(map[projections.Tag]vault.PersonID, len(tags))
		c.cells[cell] = in
	}
	for _, tag := range tags {
		if !tag.IsZero() {
			in[tag] = vault.PersonID{}
		}
	}
}

// resolve asks the vault, once a cell.
func (c *crowd) resolve() error {
	for cell, in := range c.cells {
		if len(in) == 0 {
			continue // what lists nobody has no cell
		}
		tags := make([]vault.Tag, 0, len(in))
		for tag := range in {
			tags = append(tags, vault.Tag(tag))
		}
		who, err := c.vault.Who(cellID(cell), tags)
		if err != nil {
			return fmt.Errorf("resolving tags: %w", err)
		}
		for i, tag := range tags {
			in[projections.Tag(tag)] = who[i]
		}
	}
	return nil
}

// who is the person of a tag that was added, zero if it does not resolve.
func (c *crowd) who(cell projections.Cell, tag projections.Tag) vault.PersonID {
	return c.cells[cell][tag]
}

// persons counts the people resolved, and the tags that are nobody's.
func (c *crowd) persons() (known, unresolved int) {
	people := map[vault.PersonID]struct{}{}
	for _, in := range c.cells {
		for _, p := range in {
			if p.IsZero() {
				unresolved++
			} else {
				people[p] = struct{}{}
			}
		}
	}
	return len(people), unresolved
}

// cellID is a cell as the vault names it.
func cellID(c projections.Cell) vault.CellID {
	return vault.CellID{Class: uint8(c.Class), Role: vault.Role(c.Role), Month: vault.Month(c.Month)}
}

// cellOf is the vault's cell as the views name it.
func cellOf(id vault.CellID) projections.Cell {
	return projections.Cell{Class: events.Retention(id.Class), Role: projections.Role(id.Role), Month: int32(id.Month)}
}

// join takes over what another crowd has resolved.
func (c *crowd) join(other *crowd) {
	for cell, in := range other.cells {
		c.add(cell)
		maps.Copy(c.cells[cell], in)
	}
}
