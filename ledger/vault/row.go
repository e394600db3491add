package vault

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
)

// A rid names a row. It is random, so it says nothing of whose row it is.
type rid [16]byte

// A row is what the vault knows of one identifier.
type row struct {
	secret
	rid   rid
	id    Identifier
	key   key // K, random
	links []link
	kept  []kept    // ascending by cell
	held  []holding // as stored; see keyring.take
}

// A link is one statement that this row and another are, or are no longer, the
// same person. The last statement about a pair counts. It holds only if the
// event at position has this salt, see link.go.
type link struct {
	other    rid
	off      bool
	position uint64
	salt     [16]byte

	batch *Batch // that is to commit the event; nil once settled. Not stored
}

// A kept key outlives the row's key it came from (every month of a class and
// role) or its cell (one month): an exception to an erasure or to retention. Those
// of one month are stored as holdings.
type kept struct {
	secret
	cell CellID // Month everyMonth: key is KC; else tag and key are what KC and E gave
	tag  Tag
	key  key
}

const everyMonth Month = math.MinInt32

const (
	linkSize = 16 + 1 + 8 + 16
	keptSize = cellIDSize + 16 + 32
	rowPad   = 64 // a row is padded to a multiple, to hide how long its identifier is
)

// append encodes the row:
//
//	16      rid
//	1 + 32  1, or 2 if there are holdings; K
//	2 + n   identifier
//	2 + 41n links: rid, 1 if unlinked, position, salt
//	2 + 54n kept keys: class, role, month, tag, key
//	        holdings, see appendHoldings, if there are any
//	        zeros to a multiple of 64
func (r *row) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, r.rid[:]...)
	dst = append(dst, 1+flag(len(r.held) > 0))
	dst = append(dst, r.key[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(r.id)))
	dst = append(dst, r.id...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(r.links)))
	for _, l := range r.links {
		dst = append(append(dst, l.other[:]...), flag(l.off))
		dst = binary.BigEndian.AppendUint64(dst, l.position)
		dst = append(dst, l.salt[:]...)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(r.kept)))
	for _, k := range r.kept {
		dst = k.cell.append(dst)
		dst = append(append(dst, k.tag[:]...), k.key[:]...)
	}
	if len(r.held) > 0 {
		dst = appendHoldings(dst, r.held)
	}
	n := len(dst) - start
	return append(dst, make([]byte, (n+rowPad-1)/rowPad*rowPad-n)...)
}

// decodeRow accepts exactly what row.append emits.
func decodeRow(b []byte) (r row, err error) {
	d := decoder{b: b}
	d.copy(r.rid[:])
	version := d.uint8()
	d.copy(r.key[:])
	r.id = Identifier(d.take(int(d.uint16())))
	if n := int(d.uint16()); d.fits(n, linkSize) {
		r.links = make([]link, n)
		for i := range r.links {
			l := &r.links[i]
			d.copy(l.other[:])
			l.off, l.position = d.bool(), d.uint64()
			d.copy(l.salt[:])
		}
	}
	if n := int(d.uint16()); d.fits(n, keptSize) {
		r.kept = make([]kept, n)
		for i := range r.kept {
			k := &r.kept[i]
			k.cell = d.cellID()
			d.copy(k.tag[:])
			d.copy(k.key[:])
		}
	}
	switch version {
	case 1:
	case 2:
		r.held = decodeHoldings(&d)
	default:
		return row{}, damaged("row has version %d", version)
	}
	return r, r.checkDecoded(&d, len(b))
}

// checkDecoded refuses what the encoder would not have written.
func (r *row) checkDecoded(d *decoder, size int) error {
	ascending := slices.IsSortedFunc(r.kept, func(a, b kept) int { return a.cell.compare(b.cell) })
	for i, k := range r.kept {
		if k.cell.check() != nil || (i > 0 && k.cell == r.kept[i-1].cell) {
			ascending = false
		}
	}
	switch {
	case d.short, !ascending, len(d.b) >= rowPad, size%rowPad != 0, len(bytes.TrimLeft(d.b, "\x00")) != 0:
		return damaged("row is malformed")
	case r.id.check() != nil, len(r.links) > MaxLinks:
		return damaged("row is beyond its limits")
	}
	return nil
}

// A record is a row sealed under its shard's wrapping key. In the clear are the
// shard, which of its keys, and the rid. These are the associated data.
type record struct {
	shard uint8
	key   keyID
	rid   rid
	box   []byte // nonce and AES-256-GCM ciphertext
}

const (
	recordHead     = 1 + 8 + 16
	recordOverhead = recordHead + 4 + len(nonce{}) + tagSize
	tagSize        = 16 // AES-GCM's
)

func (r record) size() int { return recordHead + 4 + len(r.box) }

func (r record) appendHead(dst []byte) []byte {
	dst = append(append(dst, r.shard), r.key[:]...)
	return append(dst, r.rid[:]...)
}

func (r record) append(dst []byte) []byte {
	dst = r.appendHead(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.box)))
	return append(dst, r.box...)
}

// decodeRecord returns the first record of b, which it shares memory with, and
// what follows it.
func decodeRecord(b []byte) (r record, rest []byte, err error) {
	d := decoder{b: b}
	r.shard = d.uint8()
	d.copy(r.key[:])
	d.copy(r.rid[:])
	r.box = d.take(int(d.uint32()))
	if d.short || len(r.box) < len(nonce{})+tagSize {
		return record{}, nil, damaged("record is cut short")
	}
	return r, d.b, nil
}

// sealRow seals r for shard s.
func (s *shard) sealRow(r *row, n nonce) record {
	rec := record{shard: s.number, key: s.id, rid: r.rid}
	plain := r.append(make([]byte, 0, 4*rowPad))
	box := append(make([]byte, 0, len(n)+len(plain)+tagSize), n[:]...)
	rec.box = s.wrap.Seal(box, n[:], plain, rec.appendHead(nil))
	return rec
}

// openRow opens a live record of shard s.
func (s *shard) openRow(rec record) (row, error) {
	n := len(nonce{})
	plain, err := s.wrap.Open(nil, rec.box[:n], rec.box[n:], rec.appendHead(nil))
	if err != nil {
		return row{}, damaged("row of shard %d does not open", s.number)
	}
	r, err := decodeRow(plain)
	if err == nil && r.rid != rec.rid {
		err = damaged("row of shard %d has another rid within", s.number)
	}
	return r, err
}
