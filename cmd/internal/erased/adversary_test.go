package erased

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// A pair is that somebody is in an event.
type pair struct{ id, event string }

// An adversary holds a hoard, and opens whatever it can with whatever it has.
type adversary struct {
	hoard
	hints hints

	// what stands there
	records map[[8]byte][]record   // by the id of their key
	tables  map[key][]sealedTable  // by commitment to their root
	all     []*event               // events
	byTag   map[tag][]*event       // by who is in them
	blobs   map[key]*event         // by commitment to their content key
	marks   map[uint64]struct{}    // what a blob's first block gives for what it begins with
	places  *places                // every 8 bytes of every file
	done    map[string]struct{}    // nonces of tables that were opened
	opened  map[[8]byte]struct{}   // ids of keys whose records were opened
	texts   [][]byte               // whatever was opened
	fresh   int                    // texts below it were looked through for keys
	cells   map[cellID]map[key]int // keys of cells
	rows    map[string]row         // by their text
	routes  map[key]struct{}

	// what it learnt
	ids    map[string]struct{}
	pairs  map[pair]struct{}
	whose  map[tag]string                 // who is behind a tag
	sealed map[string]string              // what was sealed, by the event's id
	by     map[string]map[string]struct{} // through whom; "" is the cell
	keys   map[key]string                 // keys, and what they are
	found  map[string]struct{}            // other things, in words
	tried  int
}

// hints are what it is told of somebody it hunts: more than is there to be found.
type hints struct {
	ids    []string      // identifiers to be confirmed
	tags   []hintTag     // their tags, in cells that live
	chains []hintChain   // chains and tags of cells that are gone
	events []*hintSealed // sealed for one of them alone
}

type hintTag struct {
	cell cellID
	tag  tag
}

type hintChain struct {
	chain key
	tag   tag
}

type hintSealed struct {
	salt       []byte
	commitment key
}

// attack opens whatever there is to be opened. No keys are looked for in what
// another attack opened and found none in, if there was one.
func attack(t testing.TB, h hoard, hunted hints, vain *adversary) *adversary {
	t.Helper()
	a := &adversary{hoard: h, hints: hunted,
		records: map[[8]byte][]record{}, tables: map[key][]sealedTable{}, byTag: map[tag][]*event{}, blobs: map[key]*event{}, marks: map[uint64]struct{}{},
		done: map[string]struct{}{}, opened: map[[8]byte]struct{}{}, cells: map[cellID]map[key]int{}, rows: map[string]row{}, routes: map[key]struct{}{},
		ids: map[string]struct{}{}, pairs: map[pair]struct{}{}, whose: map[tag]string{}, sealed: map[string]string{}, by: map[string]map[string]struct{}{},
		keys: map[key]string{}, found: map[string]struct{}{}}
	a.survey(t)
	for _, f := range h {
		for _, s := range slotsIn(f.data) {
			a.root(s.key)
		}
	}
	a.resolve()
	a.tryFiles()
	done := map[string]bool{}
	if vain != nil {
		for _, b := range vain.texts {
			done[string(b)] = true
		}
	}
	for a.fresh < len(a.texts) {
		texts := slices.DeleteFunc(slices.Clone(a.texts[a.fresh:]), func(b []byte) bool { return done[string(b)] })
		a.fresh = len(a.texts)
		a.tryAll(texts, true)
		a.resolve()
	}
	a.confirm()
	return a
}

// survey finds tables, records and events, at every offset of every file.
func (a *adversary) survey(t testing.TB) {
	a.places = newPlaces(a.size())
	seen := map[string]bool{}
	for _, f := range a.hoard {
		for i := range f.data {
			b := f.data[i:]
			if r, ok := recordAt(b); ok {
				if at := string(r.head) + string(r.nonce); !seen[at] {
					seen[at] = true
					a.records[r.id] = append(a.records[r.id], r)
				}
			}
			if s, ok := tableAt(b); ok && !seen[string(s.head)+string(s.nonce)] {
				seen[string(s.head)+string(s.nonce)] = true
				a.tables[s.commitment] = append(a.tables[s.commitment], s)
			}
			a.places.add(b)
		}
	}
	a.all = a.events(t)
	for _, e := range a.all {
		for tag := range e.tags {
			a.byTag[tag] = append(a.byTag[tag], e)
		}
		if b, ok := parseBlob(e.sealed); ok {
			a.blobs[b.commitment] = e
			for _, begins := range []string{`{"/data/`, `{"/corre`, `{"/causa`} {
				a.marks[binary.BigEndian.Uint64(b.box[4:])^binary.BigEndian.Uint64([]byte(begins))] = struct{}{}
			}
		}
	}
}

// text notes what was opened, to look for keys in it.
func (a *adversary) text(b []byte) { a.texts = append(a.texts, b) }

// root opens every table of a root key.
func (a *adversary) root(k key) {
	for _, s := range a.tables[hkdf(k, labelRoot)] {
		a.keys[k] = "root key"
		a.table(s, hkdf(k, labelTable))
	}
}

// table opens a table, and all rows of its shards.
func (a *adversary) table(s sealedTable, k key) {
	t, torn, ok := s.open(k)
	if _, again := a.done[string(s.nonce)]; !ok || again || torn && !a.fits(t) {
		return
	}
	a.done[string(s.nonce)] = struct{}{}
	a.keys[k] = "key of a table"
	a.keys[t.route] = "route key"
	a.routes[t.route] = struct{}{}
	a.text(t.body)
	for cell, e := range t.cells {
		if a.cells[cell] == nil {
			a.cells[cell] = map[key]int{}
		}
		a.cells[cell][e]++
		a.keys[e] = "key of a cell"
	}
	for _, sk := range t.shards {
		a.shard(sk)
	}
}

// fits reports whether a table has a key of any record. Of one that is torn, 32 bytes by chance have none.
func (a *adversary) fits(t table) bool {
	return slices.ContainsFunc(t.shards[:], func(sk key) bool {
		id := expand(extract(sk), labelKeyID)
		return a.records[[8]byte(id[:])] != nil
	})
}

// shard opens every record of a shard's key.
func (a *adversary) shard(sk key) {
	x := extract(sk)
	id := expand(x, labelKeyID)
	if a.wrapping(expand(x, labelWrap), [8]byte(id[:])) {
		a.keys[sk] = "key of a shard"
	}
}

// wrapping opens the records of a key id, if that is their key: a row begins with
// the rid that its record has in clear.
func (a *adversary) wrapping(k key, id [8]byte) (is bool) {
	if _, done := a.opened[id]; done {
		return true
	}
	for _, rec := range a.records[id] {
		text := decrypt(k, rec.nonce, rec.box[:max(0, len(rec.box)-16)])
		if len(text) < 16 || rid(text) != rec.rid {
			continue
		}
		is = true
		a.opened[id] = struct{}{}
		a.keys[k] = "wrapping key of a shard"
		if r, ok := parseRow(text); ok {
			r.shard, r.of = rec.shard, rec
			a.row(r)
		}
	}
	return is
}

func (a *adversary) row(r row) {
	if _, again := a.rows[string(r.text)]; again {
		return
	}
	a.rows[string(r.text)] = r
	a.keys[r.key] = "key of a person"
	a.ids[r.id] = struct{}{}
	for _, k := range r.kept {
		a.keys[k.key] = "kept key of a person"
	}
	a.text(r.text)
}

func monthOf(t time.Time) int32 { return int32(t.UTC().Year()-1970)*12 + int32(t.UTC().Month()) - 1 }

// resolve says of every row in which events it is, and opens what that opens.
func (a *adversary) resolve() {
	for _, r := range a.rows {
		for _, k := range r.kept {
			if k.cell.month != everyMonth {
				a.met(r.id, k.tag, k.key)
			}
		}
		chains := map[[2]byte][]key{}
		for cell, es := range a.cells {
			of := [2]byte{cell.class, cell.role}
			if chains[of] == nil {
				chains[of] = []key{chain(r.key, cell.class, cell.role)}
				for _, k := range r.kept {
					if k.cell == (cellID{cell.class, cell.role, everyMonth}) {
						chains[of] = append(chains[of], k.key)
					}
				}
			}
			for e := range es {
				for _, c := range chains[of] {
					a.met(r.id, tagOf(e, c), sealKey(e, c))
				}
			}
		}
	}
	for _, e := range a.all {
		if b, ok := parseBlob(e.sealed); ok && b.mode == 3 {
			for cell, es := range a.cells {
				for k := range es {
					if cell.month == monthOf(e.at) {
						a.content(e, hmac(hkdf(k, labelCell), e.salt), "")
					}
				}
			}
		}
	}
}

// met notes who is behind a tag, and opens what is sealed for them.
func (a *adversary) met(id string, t tag, seal key) {
	for _, e := range a.byTag[t] {
		a.pairs[pair{id, e.id}], a.whose[t] = struct{}{}, id
		b, ok := parseBlob(e.sealed)
		if !ok {
			continue
		}
		switch b.mode {
		case 1:
			a.content(e, hmac(seal, e.salt), id)
		case 2:
			pad := hmac(seal, []byte("wrap"), e.salt)
			for _, w := range b.wraps {
				for i := range w {
					w[i] ^= pad[i]
				}
				a.content(e, w, id)
			}
		}
	}
}

// content opens what is sealed in an event, if that is its key.
func (a *adversary) content(e *event, k key, by string) {
	b, _ := parseBlob(e.sealed)
	if hkdf(k, labelBlobCommit) == b.commitment {
		a.keys[k] = "content key"
		a.unseal(e, hkdf(k, labelBlob), by)
	}
}

func (a *adversary) unseal(e *event, k key, by string) {
	b, _ := parseBlob(e.sealed)
	plain, ok := authentic(k, make([]byte, 12), b.box, append(bytes.Clone(b.head), e.salt...))
	if !ok {
		return
	}
	if a.by[e.id] == nil {
		a.by[e.id] = map[string]struct{}{}
		a.sealed[e.id] = string(plain[4 : 4+binary.BigEndian.Uint32(plain)])
		a.text(plain)
	}
	a.by[e.id][by] = struct{}{}
}

// A blob is what is sealed in an event.
type blob struct {
	mode       byte
	wraps      []key
	commitment key
	head, box  []byte
}

func parseBlob(b []byte) (out blob, ok bool) {
	if len(b) < 35 || b[0] != 1 {
		return out, false
	}
	n := int(b[2])
	if len(b) < 35+32*n+64+16 {
		return out, false
	}
	out = blob{mode: b[1], head: b[:35+32*n], box: b[35+32*n:]}
	for i := range n {
		out.wraps = append(out.wraps, key(b[3+32*i:]))
	}
	out.commitment = key(b[3+32*n:])
	return out, true
}
