package erased

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A stray is something that is left behind, and what must be noticed of it.
type stray struct {
	among hoard  // what else there is
	files []file // left behind
	finds string // identifiers, opened, found, or searched
}

// leftOut leaves one step out at a time: each time somebody is found who is gone.
func leftOut(t *testing.T, at *trial, atFirst, left hoard, after *adversary) {
	b := at.before
	all := left.inVain()
	root := atFirst.only("/keys/root")[0].data
	old := slotsIn(root)[0]
	victim := at.remains.ids()[0] // whoever it is
	r, sk := b.shardOf(victim)
	inKeys := func(b []byte) []file { return []file{{path: "K/left", key: true, data: b}} }
	raw := func(k key) []file { return inKeys(slices.Concat([]byte("left behind: "), k[:], []byte("."))) }
	h := b.hunted(at.remains)
	gone := at.went(b, h, victim)
	strays := map[string]stray{
		"the slot of the former root, not zeroed":  {all, inKeys(slices.Concat(left.only("/keys/root")[0].data, root[:4096])), "identifiers"},
		"the former root file beside the new one":  {all, []file{{path: "K/root~", key: true, data: root}}, "identifiers"},
		"the former root alone, in a core dump":    {all, inKeys(old.key[:]), "identifiers"},
		"the former root in a page of the data":    {all, []file{{path: "D/views/vault.db", data: slices.Concat(make([]byte, 100), old.key[:])}}, "identifiers"},
		"the key of the former table":              {all, raw(hkdf(old.key, labelTable)), "identifiers"},
		"an escrow that still has the former root": {atFirst.only("/backup/"), atFirst.only("the opened escrow"), "identifiers"},
		"a shard whose key was not renewed":        {all, []file{{path: "D/stray", data: after.tableWith(t, sk)}}, "identifiers"},
		"an index with the rows, and their key":    {atFirst.only("views/vault.db").inVain(), raw(sk), "identifiers"},
		"a row in a free page, under a living key": {all, []file{{path: "D/page", data: after.recordOf(t, r)}}, "identifiers"},
		"the wrapping key of a shard":              {all, raw(hkdf(sk, labelWrap)), "identifiers"},
		"a lookup key, and names from before":      {all.with(atFirst.only("views/vault.db").inVain()...), raw(hkdf(sk, labelLookup)), "found"},
		"the key of a person":                      {all, raw(r.key), "found"},
		"a chain of a person":                      {all, raw(chain(r.key, h.tags[0].cell.class, h.tags[0].cell.role)), "found"},
		"a seal key of a person":                   {all, raw(gone.seal), "found"},
		"the content key of an event":              {all, raw(gone.content), "opened"},
		"the key that an event is sealed under":    {all, raw(hkdf(gone.content, labelBlob)), "opened"},
		"the key of a cell that went":              {all, raw(gone.cell), "found"},
	}
	for form, text := range forms(victim) {
		strays["an identifier in a log, "+form] = stray{nil, []file{{path: "logs", data: slices.Concat([]byte("level=info x="), text, []byte("\n"))}}, "searched"}
	}
	for form, text := range forms(string(sk[:])) {
		strays["a shard's key in a temporary file, "+form] = stray{nil, []file{{path: "tmp", data: text}}, "searched"}
	}
	secrets := b.secrets(at.remains.left)
	secrets[victim] = "identifier"
	for _, name := range slices.Sorted(maps.Keys(strays)) {
		c := strays[name]
		t.Run(name, func(t *testing.T) {
			if c.finds == "searched" {
				if found := hoard(c.files).search(secrets); len(found) == 0 || !strings.Contains(found[0], ": ") {
					t.Error("it is not found")
				}
				return
			}
			h := h
			h.ids = []string{victim}
			a := attack(t, c.among.with(c.files...), h, after)
			_, known := a.ids[victim]
			finds := map[string]bool{"identifiers": known, "opened": len(a.sealed) > len(after.sealed), "found": len(a.found) > 0}
			if !finds[c.finds] {
				t.Errorf("it is not noticed: %v, found %v", finds, a.found)
			}
		})
	}
}

// shardOf is the row of somebody, and the key of its shard.
func (a *adversary) shardOf(id string) (of row, sk key) {
	for _, r := range a.rows {
		if r.id == id {
			of = r
		}
	}
	for k, what := range a.keys {
		if name := hkdf(k, labelKeyID); what == "key of a shard" && [8]byte(name[:]) == of.of.id {
			sk = k
		}
	}
	return of, sk
}

// goneKeys are keys of somebody, of which each opens something by itself.
type goneKeys struct{ seal, content, cell key }

// went takes keys of somebody that were there before: of an event that was sealed
// for them alone, and of a cell that went.
func (c *trial) went(a *adversary, hints hints, id string) (g goneKeys) {
	r, _ := a.shardOf(id)
	for cell, es := range a.cells {
		for e := range es {
			if cell.class == byte(c.remains.class) && cell.month < c.remains.before && cell.role == 1 {
				for _, h := range hints.chains {
					if tagOf(e, h.chain) == h.tag {
						g.cell = e
					}
				}
			}
			seal := sealKey(e, chain(r.key, cell.class, cell.role))
			for _, h := range hints.events {
				if content := hmac(seal, h.salt); hkdf(content, labelBlobCommit) == h.commitment {
					g.seal, g.content = seal, content
				}
			}
		}
	}
	return g
}

// tableWith is a table under the root in force in which one shard has a key from
// before: what an erasure would write that forgot to renew it.
func (a *adversary) tableWith(t *testing.T, sk key) []byte {
	t.Helper()
	var last slot
	for _, f := range a.hoard {
		for _, s := range slotsIn(f.data) {
			if s.version > last.version {
				last = s
			}
		}
	}
	body := make([]byte, 32+256*32+2+4+4)
	copy(body[32+7*32:], sk[:])
	head := make([]byte, 82)
	head[0], head[1] = 1, 1
	binary.BigEndian.PutUint64(head[2:], last.version)
	commitment := hkdf(last.key, labelRoot)
	copy(head[50:], commitment[:])
	nonce := random(12)
	return slices.Concat([]byte("torn off"), head, nonce, seals(hkdf(last.key, labelTable), nonce, body, head), []byte("and so on"))
}

// recordOf is somebody's row as a record under a key that lives.
func (a *adversary) recordOf(t *testing.T, r row) []byte {
	t.Helper()
	for k, what := range a.keys {
		if what != "key of a shard" {
			continue
		}
		id := hkdf(k, labelKeyID)
		head := slices.Concat([]byte{r.shard}, id[:8], r.rid[:], binary.BigEndian.AppendUint32(nil, uint32(12+len(r.text)+16)))
		nonce := random(12)
		whole := slices.Concat(head, nonce, seals(hkdf(k, labelWrap), nonce, r.text, head))
		return slices.Concat(bytes.Repeat([]byte{0xff}, 9), whole[:len(whole)-20]) // the rest of it was overwritten
	}
	t.Fatal("no shard's key is known")
	return nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program first
	return b
}
