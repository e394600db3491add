package vault

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
)

// A hunter has all that exists: every message ever written, the files, the
// recorded events. It tries every 32 bytes of it, and of whatever they open, as
// a key of every kind.
type hunter struct {
	tables map[key][]byte // by commitment
	rows   map[keyID][]record
	of     []record      // of who is hunted
	tags   map[Tag]bool  // of who is hunted
	blobs  map[key][]int // by commitment to their key; of events about who is hunted alone
	said   []said
	files  map[uint64]bool // every 8 bytes of the files
	ids    []Identifier    // who is hunted

	holdings map[keyID][]heldBy // of every row that opened

	cells []*cell
	tried map[key]bool
	queue [][]byte
	texts [][]byte // that were opened
	found []string
}

type heldBy struct {
	of rid
	holding
}

// windows calls each with every n bytes of b.
func windows(b []byte, n int, each func([]byte)) {
	for ; len(b) >= n; b = b[1:] {
		each(b[:n])
	}
}

// hunt finds what there is to be found of people, beside extra bytes.
func (s *scene) hunt(people []*person, extra ...[]byte) *hunter {
	s.t.Helper()
	h := &hunter{tables: map[key][]byte{}, rows: map[keyID][]record{}, tags: map[Tag]bool{}, blobs: map[key][]int{}, files: map[uint64]bool{}, tried: map[key]bool{}, holdings: map[keyID][]heldBy{}, said: s.said}
	rids := map[rid]bool{}
	for _, p := range people {
		rids[p.rid], h.ids = true, append(h.ids, p.id)
	}
	files := extra
	for _, path := range []string{s.bench.root, s.bench.index} {
		data, err := os.ReadFile(path)
		must(s.t, err)
		files = append(files, data)
	}
	for _, m := range s.log.messages {
		files = append(files, m.Data)
		header, err := decodeHeader(m.Data)
		must(s.t, err)
		if header.kind == kindTable {
			h.tables[key(m.Data[headerSize:])] = m.Data
			continue
		}
		for rest := m.Data[headerSize+4 : len(m.Data)-32]; len(rest) > 0; {
			var rec record
			rec, rest, err = decodeRecord(rest)
			must(s.t, err)
			h.rows[rec.key] = append(h.rows[rec.key], rec)
			if rids[rec.rid] {
				h.of = append(h.of, rec)
			}
		}
	}
	for i, e := range s.said {
		own := 0
		for j, id := range e.ids {
			for _, p := range people {
				if p.id == id {
					h.tags[e.tags[j]] = true
					own++
				}
			}
		}
		if blob, err := decodeBlob(e.sealed); err == nil && own == len(e.ids) {
			h.blobs[blob.commitment] = append(h.blobs[blob.commitment], i)
		}
	}
	for _, f := range files {
		windows(f, 8, func(w []byte) { h.files[binary.BigEndian.Uint64(w)] = true })
		windows(f, 32, func(w []byte) { h.key(key(w)) })
	}
	for len(h.queue) > 0 {
		text := h.queue[0]
		h.queue, h.texts = h.queue[1:], append(h.texts, text)
		windows(text, 32, func(w []byte) { h.key(key(w)); h.derived(key(w)) })
	}
	for _, text := range h.texts {
		for _, p := range people {
			if id := append([]byte{0, byte(len(p.id))}, p.id...); bytes.Contains(text, id) || bytes.Contains(text, p.key[:]) {
				h.find("identifier or key in what opens")
			}
		}
	}
	return h
}

func (h *hunter) find(what string) { h.found = append(h.found, what) }

// key tries 32 bytes as a root, a shard's key or wrapping key, and a content key.
func (h *hunter) key(k key) {
	if h.tried[k] {
		return
	}
	h.tried[k] = true
	x := k.extract()
	if table, ok := h.tables[x.expand(labelCommit)]; ok {
		header, _ := decodeHeader(table)
		if keys, cells, err := openTable(rootKey{version: header.epoch, key: k}, table); err == nil {
			h.queue = append(h.queue, keys.append(nil, cells))
			for _, c := range cells {
				h.cells = append(h.cells, c)
			}
		}
	}
	id := x.expand(labelKeyID)
	for _, rec := range h.rows[keyID(id[:8])] {
		s, _ := newShard(rec.shard, k)
		if r, err := s.openRow(rec); err == nil {
			h.queue = append(h.queue, r.append(nil))
			for _, one := range r.held {
				h.holdings[one.key] = append(h.holdings[one.key], heldBy{r.rid, one})
			}
		}
	}
	if len(h.blobs[x.expand(labelBlobKey)]) > 0 {
		h.find("content key")
	}
	id = x.expand(labelHoldID)
	for _, one := range h.holdings[keyID(id[:8])] {
		under, _ := newHold(k)
		if text, err := under.seal.Open(nil, one.box[:12], one.box[12:], one.associated(one.of)); err == nil {
			h.queue = append(h.queue, text)
		}
	}
}

// derived tries 32 bytes as what has to be put together with something else.
func (h *hunter) derived(k key) {
	x := k.extract()
	for _, label := range []string{labelLookup, labelRows, labelIndex, labelWrap, labelTag, labelRef, ""} {
		use := k
		if label != "" {
			use = x.expand(label)
		}
		for _, id := range h.ids {
			sum := mac(&use, []byte(id))
			for at := 0; at <= 24; at += 8 {
				if h.files[binary.BigEndian.Uint64(sum[at:])] {
					h.find("identifier confirmed by a name in a file")
				}
			}
		}
	}
	a, _ := k.aead()
	for _, rec := range h.of {
		if _, err := a.Open(nil, rec.box[:12], rec.box[12:], rec.appendHead(nil)); err == nil {
			h.find("row under a wrapping key")
		}
	}
	for _, c := range h.cells {
		for _, kc := range []key{k, x.expand(labelPerson, c.id.Class, byte(c.id.Role))} {
			if h.tags[c.tagOf(&kc)] {
				h.find("tag")
			}
		}
	}
	for _, of := range h.blobs {
		for _, i := range of {
			content := mac(&k, h.said[i].salt[:])
			y := content.extract()
			if len(h.blobs[y.expand(labelBlobKey)]) > 0 {
				h.find("sealed under a kept key")
			}
		}
	}
}

// Whoever holds everything that exists after an erasure, and what an escrow and a
// device still hold, finds no identifier and no key of who was erased, opens none
// of their rows or seals, and cannot confirm a guess; whatever else is wrong is
// found: the hunter is good at it.
func TestNothingRemains(t *testing.T) {
	type situation struct {
		device bool
		before func(s *scene) (extra func() []byte) // what is left out, or kept
		finds  bool
	}
	none := func(*scene) func() []byte { return func() []byte { return nil } }
	copied := func(of func(s *scene) []byte) func(*scene) func() []byte {
		return func(s *scene) func() []byte {
			kept := bytes.Clone(of(s))
			return func() []byte { return kept }
		}
	}
	for name, tc := range map[string]situation{
		"erased": {false, none, false},
		"erased by a device": {true, func(s *scene) func() []byte {
			return func() []byte { return bytes.Clone(s.Vault.root.live.key[:]) } // which the device gives to who has it
		}, false},
		"what is in escrow now": {false, func(s *scene) func() []byte {
			return func() []byte { return s.escrow.last.Reveal() }
		}, false},
		"an escrow that was not replaced": {false, copied(func(s *scene) []byte { return s.escrow.last.Reveal() }), true},
		"a root that was not zeroed": {false, func(s *scene) func() []byte {
			s.Vault.root.write = func(path string, at int, b []byte) error {
				if len(bytes.Trim(b, "\x00")) == 0 {
					return nil
				}
				return overwrite(path, at, b)
			}
			return func() []byte { return nil }
		}, true},
		"a copy of the root file":   {false, copied(func(s *scene) []byte { b, err := os.ReadFile(s.bench.root); must(s.t, err); return b }), true},
		"a copy of the device's":    {true, copied(func(s *scene) []byte { return s.Vault.root.live.key[:] }), true},
		"a shard's key left behind": {false, copied(func(s *scene) []byte { sh, _ := s.keys.shard("candidate:2"); return sh.random[:] }), true},
		"a lookup key left behind":  {false, copied(func(s *scene) []byte { sh, _ := s.keys.shard("candidate:2"); return sh.lookup[:] }), true},
		"a derived key left behind": {false, copied(func(s *scene) []byte {
			p, err := s.find("candidate:2")
			must(s.t, err)
			return p.chain(march.Class, Subject)[:]
		}), true},
	} {
		t.Run(name, func(t *testing.T) {
			with := bench{escrow: &escrow{}, unsynced: true}
			if tc.device {
				with.device = newDevice()
			}
			s := newScene(t, with)
			must(t, s.saveIndex())
			var people []*person
			for _, id := range []Identifier{"candidate:1", "candidate:2", "candidate:3"} {
				p, err := s.find(id)
				must(t, err)
				people = append(people, &person{row: p.row})
			}
			extra := tc.before(s)
			e := s.rows("candidate:2", nil)
			if tc.finds {
				e.Pending = append([]byte("planted: "), extra()...) // in the table, so that it is combined with all else
			}
			_, err := s.Erase(t.Context(), e)
			must(t, err)
			h := s.hunt(people, extra())
			if finds := len(h.found) > 0; finds != tc.finds {
				t.Errorf("found: %q", h.found)
			}
			if len(h.texts) < scenePeople-3 || len(h.tried) < 30_000 || len(h.of) < 3 {
				t.Errorf("the hunt opens %d texts, tries %d keys, of %d rows: it is none", len(h.texts), len(h.tried), len(h.of))
			}
			s.Vault.root.write = overwrite
			s.Vault.root.rest = true
			must(t, s.Vault.root.destroy())
		})
	}
}

// Before an erasure everything is found, of everybody.
func TestEverythingIsThereBefore(t *testing.T) {
	s := newScene(t, bench{unsynced: true})
	must(t, s.saveIndex())
	for _, id := range s.ids[4:6] {
		p, err := s.find(id)
		must(t, err)
		found := map[string]bool{}
		for _, what := range s.hunt([]*person{{row: p.row}}).found {
			found[what] = true
		}
		for _, what := range []string{"identifier or key in what opens", "identifier confirmed by a name in a file", "tag"} {
			if !found[what] {
				t.Errorf("%s: not found", what)
			}
		}
	}
}

// What was kept for who is held no more is in nothing that opens.
func TestReleasedDoNotRemain(t *testing.T) {
	s := newScene(t, bench{unsynced: true})
	var rows []PersonID
	var people []*person
	for _, id := range []Identifier{"candidate:4", "candidate:5"} {
		p, err := s.find(id)
		must(t, err)
		people, rows = append(people, &person{row: p.row}), append(rows, PersonID(p.rid))
	}
	inTexts := func(e *said) (n int) {
		for _, text := range s.hunt(people).texts {
			if bytes.Contains(text, e.tags[0][:]) {
				n++
			}
		}
		return n
	}
	for n, held := range [][]PersonID{rows, rows[1:]} {
		_, _, err := s.Forget(t.Context(), Forgetting{Class: march.Class, Before: april.Month + Month(n), Held: held})
		must(t, err)
		equal(t, "texts with the tag of who is held", inTexts(&s.said[5]), 1)
		equal(t, "texts with the tag of who was held", inTexts(&s.said[4]), 1-n)
	}
}
