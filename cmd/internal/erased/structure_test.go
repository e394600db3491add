package erased

import (
	"bytes"
	"encoding/binary"
)

// What the vault writes, read from any bytes: docs/FORMAT.md, vault.

type rid [16]byte

// A record is a row as it stands in a rows message or in the index.
type record struct {
	shard      byte
	id         [8]byte // of the shard's key
	rid        rid
	nonce, box []byte // box may be cut off
	head       []byte
}

const (
	recordHead = 29
	rowLeast   = 12 + 64 + 16
)

// recordAt reads what may be a record, wherever it stands.
func recordAt(b []byte) (r record, ok bool) {
	if len(b) < recordHead+12+16 || b[25] != 0 || b[26] != 0 {
		return r, false
	}
	size := int(binary.BigEndian.Uint16(b[27:]))
	if size < rowLeast || (size-28)%64 != 0 || different(b[9:25])+different(b[29:41]) < 20 {
		return r, false // or rid and nonce are not random
	}
	box := b[recordHead+12:]
	return record{b[0], [8]byte(b[1:]), rid(b[9:]), b[recordHead : recordHead+12], box[:min(len(box), size-12)], b[:recordHead]}, true
}

// different counts the different bytes.
func different(b []byte) (n int) {
	for i, c := range b {
		if bytes.IndexByte(b[:i], c) < 0 {
			n++
		}
	}
	return n
}

// A sealedTable is a table as it stands in its message, and all that follows it.
type sealedTable struct {
	root       uint64
	commitment key
	nonce      []byte
	rest       []byte
	head       []byte
}

// tableAt reads what may be a table.
func tableAt(b []byte) (t sealedTable, ok bool) {
	if len(b) < 94+8226 || b[0] != 1 || b[1] != 1 || !bytes.Equal(b[2:6], make([]byte, 4)) || !bytes.Equal(b[10:13], make([]byte, 3)) {
		return t, false
	}
	return sealedTable{binary.BigEndian.Uint64(b[2:]), key(b[50:82]), b[82:94], b[94:], b[:82]}, true
}

// A cellID is a class, a role and a month.
type cellID struct {
	class, role byte
	month       int32
}

// A table is what opens everything else.
type table struct {
	route     key
	shards    [256]key
	forgotten map[byte]int32
	cells     map[cellID]key
	pending   []byte
	body      []byte
}

// open opens a table with its key. It need not be whole: what follows it in the
// file is of something else, so its end is where its body says. If that is torn off,
// nothing authenticates it.
func (s sealedTable) open(k key) (t table, torn, ok bool) {
	body := decrypt(k, s.nonce, s.rest[:min(len(s.rest), 1<<20)])
	t = table{route: key(body), forgotten: map[byte]int32{}, cells: map[cellID]key{}}
	at := 32
	for i := range t.shards {
		t.shards[i] = key(body[at:])
		at += 32
	}
	take := func(n int) (b []byte) {
		if at+n <= len(body) {
			b = body[at : at+n]
		} else {
			b = make([]byte, n) // torn off
		}
		at += n
		return b
	}
	n := int(binary.BigEndian.Uint16(take(2)))
	if n > 64 { // of the few classes there are
		return t, false, false
	}
	for range n {
		f := take(5)
		t.forgotten[f[0]] = int32(binary.BigEndian.Uint32(f[1:]))
	}
	n = int(binary.BigEndian.Uint32(take(4)))
	if n > 1<<14 {
		return t, false, false
	}
	for range n {
		c := take(38)
		t.cells[cellID{c[0], c[1], int32(binary.BigEndian.Uint32(c[2:]))}] = key(c[6:])
	}
	n = int(binary.BigEndian.Uint32(take(4)))
	if n > 1<<16 {
		return t, false, false
	}
	t.pending = take(n)
	t.body = body[:min(at, len(body))]
	if at+16 <= len(s.rest) {
		_, ok = authentic(k, s.nonce, s.rest[:at+16], s.head)
		return t, false, ok
	}
	return t, true, true
}

// A row is what a record holds.
type row struct {
	rid   rid
	key   key
	id    string
	links []link
	kept  []kept
	shard byte
	text  []byte
	of    record
}

type link struct {
	other    rid
	unlinked bool
	position uint64
}

type kept struct {
	cell cellID
	tag  tag
	key  key
}

const everyMonth = -1 << 31

// parseRow reads a row, or what is left of one.
func parseRow(b []byte) (r row, ok bool) {
	if len(b) < 16+1+32+2 || b[16] != 1 {
		return r, false
	}
	r = row{rid: rid(b), key: key(b[17:]), text: b}
	at := 49
	take := func(n int) []byte {
		if at+n > len(b) {
			at = len(b)
			return make([]byte, n)
		}
		at += n
		return b[at-n : at]
	}
	number := func() int { return int(binary.BigEndian.Uint16(take(2))) }
	r.id = string(bytes.TrimRight(take(number()), "\x00"))
	for range min(number(), 1024) {
		l := take(41)
		r.links = append(r.links, link{rid(l), l[16] == 1, binary.BigEndian.Uint64(l[17:])})
	}
	for range min(number(), 1<<14) {
		k := take(54)
		r.kept = append(r.kept, kept{cellID{k[0], k[1], int32(binary.BigEndian.Uint32(k[2:]))}, tag(k[6:]), key(k[22:])})
	}
	return r, true
}

// A slot is a root key as the root file has it.
type slot struct {
	version uint64
	key     key
}

// slotsIn finds root keys, whole or not, in any bytes.
func slotsIn(b []byte) (all []slot) {
	for rest := b; ; rest = rest[1:] {
		i := bytes.Index(rest, []byte("custroot\x01"))
		if i < 0 || len(rest[i:]) < 56 {
			return all
		}
		rest = rest[i:]
		all = append(all, slot{binary.BigEndian.Uint64(rest[16:]), key(rest[24:])})
	}
}
