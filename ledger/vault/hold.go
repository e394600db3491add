package vault

import (
	"cmp"
	"crypto/cipher"
	"encoding/binary"
	"maps"
	"slices"
)

// A hold is the key that seals what rows under a legal hold keep of a class's
// cells that are gone. Every forgetting of the class makes another, or none if
// nobody is held. So what was kept dies with the hold, and a forgetting writes no
// row but those held: under their shard's old key, because without the next table
// nobody opens what they keep since.
type hold struct {
	secret
	random key
	id     keyID
	seal   cipher.AEAD
}

func newHold(random key) (hold, error) {
	x := random.extract()
	sealing, id := x.expand(labelHold), x.expand(labelHoldID)
	a, err := sealing.aead()
	return hold{random: random, id: keyID(id[:8]), seal: a}, err
}

// A holding is what a row keeps under one hold: nonce and AES-256-GCM of kept
// keys, each role, month, tag and key, ascending. The associated data is the rid,
// the class and the key's id.
type holding struct {
	class uint8
	key   keyID
	box   []byte
}

const heldSize = 1 + 4 + 16 + 32

func (k *hold) holding(class uint8, of rid, n nonce, plain []byte) holding {
	h := holding{class: class, key: k.id}
	h.box = k.seal.Seal(slices.Clone(n[:]), n[:], plain, h.associated(of))
	return h
}

func (h holding) associated(of rid) []byte { return append(append(of[:], h.class), h.key[:]...) }

// append encodes holdings, of which there is one at least:
//
//	2   count
//	    of each: class 1, key id 8, length 4, box
func appendHoldings(dst []byte, all []holding) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(all)))
	for _, h := range all {
		dst = append(append(dst, h.class), h.key[:]...)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(h.box)))
		dst = append(dst, h.box...)
	}
	return dst
}

func decodeHoldings(d *decoder) []holding {
	n := int(d.uint16())
	if n == 0 {
		d.short = true
	}
	var all []holding
	for range n {
		if d.short {
			return nil
		}
		h := holding{class: d.uint8()}
		d.copy(h.key[:])
		h.box = d.take(int(d.uint32()))
		if len(h.box) < len(nonce{})+tagSize {
			d.short = true
		}
		all = append(all, h)
	}
	return all
}

// take opens what the row keeps under holds in force. What it keeps under others
// is dead, or of a change that did not come to be.
func (k *keyring) take(r *row) error {
	for _, h := range r.held {
		key, ok := k.holds[h.class]
		if !ok || key.id != h.key {
			continue
		}
		n := len(nonce{})
		plain, err := key.seal.Open(nil, h.box[:n], h.box[n:], h.associated(r.rid))
		if err != nil || len(plain)%heldSize != 0 {
			return damaged("what a row keeps does not open")
		}
		for d := (decoder{b: plain}); len(d.b) > 0; {
			one := kept{cell: CellID{Class: h.class, Role: Role(d.uint8()), Month: Month(int32(d.uint32()))}}
			d.copy(one.tag[:])
			d.copy(one.key[:])
			if one.cell.check() != nil || one.cell.Month == everyMonth {
				return damaged("what a row keeps is malformed")
			}
			r.kept = append(r.kept, one)
		}
	}
	r.held = nil
	r.kept = sortedKept(r.kept)
	return nil
}

// put returns the row as it is stored: what it keeps of cells that are gone is
// sealed, or left out if there is no hold for it. It leaves r as it is.
func (k *keyring) put(r row) row {
	plain := map[uint8][]byte{}
	all := r.kept
	r.kept, r.held = nil, slices.Clone(r.held)
	for _, one := range all {
		if one.cell.Month == everyMonth {
			r.kept = append(r.kept, one)
			continue
		}
		b := binary.BigEndian.AppendUint32(append(plain[one.cell.Class], byte(one.cell.Role)), uint32(one.cell.Month))
		plain[one.cell.Class] = append(append(b, one.tag[:]...), one.key[:]...)
	}
	for _, class := range slices.Sorted(maps.Keys(plain)) {
		key, ok := k.holds[class]
		if !ok {
			continue
		}
		r.held = append(r.held, key.holding(class, r.rid, newNonce(), plain[class]))
	}
	slices.SortStableFunc(r.held, func(a, b holding) int { return cmp.Compare(a.class, b.class) })
	return r
}

// openRow opens a live record.
func (k *keyring) openRow(rec record) (row, error) {
	r, err := k.shards[rec.shard].openRow(rec)
	if err == nil {
		err = k.take(&r)
	}
	return r, err
}
