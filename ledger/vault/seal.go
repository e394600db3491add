package vault

import (
	"fmt"
	"slices"
)

// Seal seals what must stay secret of one event: for its subjects, each of whom
// can open it and none of whose erasure keeps it from the others; for whoever
// has the cell if there are none, or more than 16. c is the cell of the subjects:
// actors never hold a content key. salt is the event's own, random, never used
// twice. In a cell that is gone nothing is sealed, and the result is nil.
func (b *Batch) Seal(c Cell, salt [16]byte, subjects []Person, plaintext []byte) ([]byte, error) {
	if err := c.check(); err != nil || c.gone {
		return nil, err
	}
	if c.cell.id.Role != Subject {
		return nil, fmt.Errorf("%w: sealing in a cell of role %v", ErrLimit, c.cell.id.Role)
	}
	keys, err := b.v.sealKeys(c.cell, subjects)
	if err != nil {
		return nil, err
	}
	var random key
	if len(keys) > 1 {
		random = newKey()
	}
	return encodeBlob(keys, &c.cell.all, salt, random, plaintext)
}

// sealKeys returns S of each subject once, none if there are more than MaxWraps.
func (v *Vault) sealKeys(c *cell, subjects []Person) ([]key, error) {
	var people []*person
	for _, s := range subjects {
		if s.p == nil {
			return nil, fmt.Errorf("%w: sealing to nobody", ErrOrder)
		}
		if slices.Contains(people, s.p) {
			continue
		}
		if people = append(people, s.p); len(people) > MaxWraps {
			return nil, nil
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	keys := make([]key, len(people))
	for i, p := range people {
		_, keys[i], _ = p.in(c.id, c)
	}
	return keys, nil
}

// Open opens what Seal sealed, with the keys of the subjects among ids; those
// unknown are passed over. The error is ErrGone if none of these keys opens it:
// the cell is gone, the people are, or they are not whom it was sealed for.
func (v *Vault) Open(id CellID, salt [16]byte, ids []Identifier, sealed []byte) ([]byte, error) {
	blob, err := decodeBlob(sealed)
	if err != nil {
		return nil, err
	}
	keys, all, err := v.openKeys(id, ids)
	if err != nil {
		return nil, err
	}
	return blob.open(keys, all, salt)
}

// openKeys returns S of whoever is known, and the key of what is sealed to the
// cell as a whole, nil if that is gone.
func (v *Vault) openKeys(id CellID, ids []Identifier) (keys []key, all *key, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.cells[id]
	for _, identifier := range ids {
		p, err := v.find(identifier)
		if err != nil {
			return nil, nil, err
		}
		if p == nil {
			continue
		}
		if _, s, ok := p.in(id, c); ok {
			keys = append(keys, s)
		}
	}
	if c != nil {
		all = &c.all
	}
	return keys, all, nil
}
