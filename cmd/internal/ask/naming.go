package ask

import (
	"errors"
	"fmt"
	"io"

	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
)

// A naming goes all the way back from tags to identifiers, as few answers may. It
// is for the tags of a crowd that is resolved. It never prints itself.
type naming struct {
	*crowd
	linked map[vault.PersonID][]vault.Identifier
}

func (*naming) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

func newNaming(c *crowd) *naming { return &naming{c, map[vault.PersonID][]vault.Identifier{}} }

// identifier is the one that has a tag, of those that are linked as its person's;
// false if there is none any more.
func (n *naming) identifier(cell projections.Cell, tag projections.Tag) (vault.Identifier, bool, error) {
	who := n.who(cell, tag)
	if who.IsZero() {
		return "", false, nil
	}
	ids, ok := n.linked[who]
	if !ok {
		var err error
		if ids, err = identifiersOf(n.vault, who); err != nil {
			return "", false, err
		}
		n.linked[who] = ids
	}
	for _, id := range ids {
		own, has, err := n.vault.TagOf(cellID(cell), id)
		if err != nil {
			return "", false, fmt.Errorf("finding whose a tag is: %w", err)
		}
		if has && projections.Tag(own) == tag {
			return id, true, nil
		}
	}
	return "", false, nil
}

// identifiersOf are those of a person; none if the person is no more.
func identifiersOf(v *vault.Vault, who vault.PersonID) ([]vault.Identifier, error) {
	id, err := v.IdentifierOf(who)
	if errors.Is(err, vault.ErrGone) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("finding an identifier: %w", err)
	}
	_, ids, err := v.RowsOf(id)
	if err != nil {
		return nil, fmt.Errorf("finding linked identifiers: %w", err)
	}
	return ids, nil
}
