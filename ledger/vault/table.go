package vault

import (
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// shards is how many shards there are: one per first byte of a MAC.
const shards = 256

// A shard is the keys of the rows whose identifiers fall into it.
type shard struct {
	secret
	number uint8
	random key   // SK
	id     keyID // of random
	wrap   cipher.AEAD
	lookup key
}

// A keyID tells the rows under a shard's key from those under its former keys,
// and under keys that never came into force.
type keyID [8]byte

func newShard(number uint8, random key) (shard, error) {
	x := random.extract()
	wrap := x.expand(labelWrap)
	a, err := wrap.aead()
	id := x.expand(labelKeyID)
	return shard{number: number, random: random, id: keyID(id[:8]), wrap: a, lookup: x.expand(labelLookup)}, err
}

// A keyring is what a table holds, but for its cells.
type keyring struct {
	secret
	epoch     uint64 // version of the root the table is sealed under
	route     key    // says which shard an identifier falls into
	shards    [shards]shard
	forgotten map[uint8]Month // cells of a class before this month are gone
	holds     map[uint8]hold  // by class, of what rows keep of cells that are gone
	pending   []byte          // event to append once this table's root is in force; nil if none

	rows  key // authenticates rows messages
	index key // authenticates the index
}

// renew makes every key anew.
func (k *keyring) renew(epoch uint64) error {
	*k = keyring{epoch: epoch, route: newKey(), forgotten: map[uint8]Month{}, holds: map[uint8]hold{}}
	for i := range k.shards {
		var err error
		if k.shards[i], err = newShard(uint8(i), newKey()); err != nil {
			return err
		}
	}
	k.derive()
	return nil
}

func (k *keyring) derive() {
	x := k.route.extract()
	k.rows, k.index = x.expand(labelRows), x.expand(labelIndex)
}

// shard returns the shard of an identifier, and what the index knows it by: a
// MAC whose first byte gives way to the shard's number, so that a shard's rows
// stand together.
func (k *keyring) shard(id Identifier) (*shard, key) {
	route := mac(&k.route, []byte(id))
	s := &k.shards[route[0]]
	name := mac(&s.lookup, []byte(id))
	name[0] = s.number
	return s, name
}

// gone says whether a cell was forgotten.
func (k *keyring) gone(id CellID) bool {
	before, ok := k.forgotten[id.Class]
	return ok && id.Month < before
}

// Layout of a table message: a header, the root's commitment, a nonce, and
// AES-256-GCM of the body under a key derived from the root. All before the
// nonce is associated data.
const (
	tableHead     = headerSize + 32
	tableOverhead = tableHead + len(nonce{}) + tagSize
)

// seal encodes a table message; cells of classes and months that are gone must
// not be among cells.
func (k *keyring) seal(root rootKey, cells map[CellID]*cell, h header, n nonce) ([]byte, error) {
	h.kind, h.epoch = kindTable, root.version
	commitment := root.key.derive(labelCommit)
	b := h.append(nil)
	b = append(b, commitment[:]...)
	sealing := root.key.derive(labelTable)
	a, err := sealing.aead()
	if err != nil {
		return nil, fmt.Errorf("sealing a table: %w", err)
	}
	return a.Seal(append(b, n[:]...), n[:], k.append(nil, cells), b), nil
}

// append encodes the body:
//
//	32       route key
//	256 x 32 SK of each shard
//	2 + 5n   forgotten: class, month; ascending
//	4 + 38n  cells: class, role, month, key; ascending
//	4 + n    pending event
//	2 + 33n  holds: class, key; ascending; not there if there is none
func (k *keyring) append(dst []byte, cells map[CellID]*cell) []byte {
	dst = append(dst, k.route[:]...)
	for i := range k.shards {
		dst = append(dst, k.shards[i].random[:]...)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(k.forgotten)))
	for _, class := range slices.Sorted(maps.Keys(k.forgotten)) {
		dst = binary.BigEndian.AppendUint32(append(dst, class), uint32(k.forgotten[class]))
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(cells)))
	for _, id := range slices.SortedFunc(maps.Keys(cells), CellID.compare) {
		dst = id.append(dst)
		dst = append(dst, cells[id].random[:]...)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(k.pending)))
	dst = append(dst, k.pending...)
	if len(k.holds) == 0 {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(k.holds)))
	for _, class := range slices.Sorted(maps.Keys(k.holds)) {
		random := k.holds[class].random
		dst = append(append(dst, class), random[:]...)
	}
	return dst
}

// openTable opens a table message. The error is ErrRetiredRoot, ErrForeignRoot
// or ErrOldStream if root is not the one it was sealed under, else ErrDamaged.
func openTable(root rootKey, data []byte) (*keyring, map[CellID]*cell, error) {
	h, err := decodeHeader(data)
	if err != nil {
		return nil, nil, err
	}
	if h.kind != kindTable || len(data) < tableOverhead {
		return nil, nil, damaged("not a table")
	}
	commitment := root.key.derive(labelCommit)
	switch {
	case h.epoch > root.version:
		return nil, nil, fmt.Errorf("%w: it has version %d, the table %d", ErrRetiredRoot, root.version, h.epoch)
	case h.epoch < root.version:
		return nil, nil, fmt.Errorf("%w: it has version %d, the table %d", ErrOldStream, root.version, h.epoch)
	case !hmac.Equal(commitment[:], data[headerSize:tableHead]):
		return nil, nil, fmt.Errorf("%w: version %d has another commitment", ErrForeignRoot, h.epoch)
	}
	sealing := root.key.derive(labelTable)
	a, err := sealing.aead()
	if err != nil {
		return nil, nil, err
	}
	box := data[tableHead:]
	body, err := a.Open(nil, box[:len(nonce{})], box[len(nonce{}):], data[:tableHead])
	if err != nil {
		return nil, nil, damaged("table does not open")
	}
	return decodeTable(h.epoch, body)
}

// decodeTable accepts exactly what keyring.append emits.
func decodeTable(epoch uint64, body []byte) (*keyring, map[CellID]*cell, error) {
	k := &keyring{epoch: epoch, forgotten: map[uint8]Month{}}
	d := decoder{b: body}
	d.copy(k.route[:])
	for i := range k.shards {
		var random key
		d.copy(random[:])
		var err error
		if k.shards[i], err = newShard(uint8(i), random); err != nil {
			return nil, nil, err
		}
	}
	last := 0
	for range d.uint16() {
		class, month := d.uint8(), Month(int32(d.uint32()))
		if d.short || int(class) <= last {
			return nil, nil, damaged("table: forgotten months out of order")
		}
		k.forgotten[class], last = month, int(class)
	}
	cells, err := decodeCells(&d, k)
	if err != nil {
		return nil, nil, err
	}
	if n := int(d.uint32()); n > 0 {
		k.pending = slices.Clone(d.take(n))
	}
	if err := decodeHolds(&d, k); err != nil {
		return nil, nil, err
	}
	if d.short || len(d.b) != 0 {
		return nil, nil, damaged("table has another length than it says")
	}
	k.derive()
	return k, cells, nil
}

func decodeHolds(d *decoder, k *keyring) error {
	k.holds = map[uint8]hold{}
	if d.short || len(d.b) == 0 {
		return nil
	}
	n, last := int(d.uint16()), 0
	for range n {
		class, random := d.uint8(), key{}
		d.copy(random[:])
		if d.short || int(class) <= last {
			return damaged("table: holds out of order")
		}
		var err error
		if k.holds[class], err = newHold(random); err != nil {
			return err
		}
		last = int(class)
	}
	if n == 0 {
		return damaged("table: no holds")
	}
	return nil
}

func decodeCells(d *decoder, k *keyring) (map[CellID]*cell, error) {
	n := int(d.uint32())
	if d.fits(n, cellIDSize+32); d.short {
		return nil, damaged("table is cut short")
	}
	cells := make(map[CellID]*cell, n)
	var last CellID
	for range n {
		id, random := d.cellID(), key{}
		d.copy(random[:])
		if id.check() != nil || len(cells) > 0 && id.compare(last) <= 0 || k.gone(id) {
			return nil, damaged("table: cells out of order")
		}
		c := newCell(id, random)
		c.durable = true
		cells[id], last = c, id
	}
	return cells, nil
}
