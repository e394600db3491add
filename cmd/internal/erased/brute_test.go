package erased

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"sync"
)

// places remembers every 8 bytes of every file, nearly: a Bloom filter of one hash.
type places struct {
	bits []uint64
	mask uint64
}

func newPlaces(size int) *places {
	bits := uint64(1 << 16)
	for bits < 16*uint64(size) {
		bits *= 2
	}
	return &places{make([]uint64, bits/64), bits - 1}
}

func (p *places) at(b []byte) uint64 {
	return binary.LittleEndian.Uint64(b) * 0x9e3779b97f4a7c15 >> 17 & p.mask
}

func (p *places) add(b []byte) {
	if len(b) >= 8 {
		n := p.at(b)
		p.bits[n/64] |= 1 << (n % 64)
	}
}

func (p *places) has(b []byte) bool {
	n := p.at(b)
	return p.bits[n/64]>>(n%64)&1 == 1
}

// holds reports whether 16 bytes stand in any file.
func (a *adversary) holds(b []byte) bool {
	if !a.places.has(b) || !a.places.has(b[8:]) {
		return false
	}
	for _, f := range a.hoard {
		if bytes.Contains(f.data, b[:16]) {
			return true
		}
	}
	return false
}

// A hit is 32 bytes that turned out to be a key.
type hit struct {
	what string
	key  key
	id   [8]byte     // of what it wraps
	of   sealedTable // that it opens
	on   *event      // that it opens
}

// A target is what is still closed.
type target struct {
	tables  []sealedTable
	records []record // one a key id
}

func (a *adversary) target() (out target) {
	for _, all := range a.tables {
		for _, s := range all {
			if _, opened := a.done[string(s.nonce)]; !opened {
				out.tables = append(out.tables, s)
			}
		}
	}
	for id, all := range a.records {
		if _, opened := a.opened[id]; !opened {
			out.records = append(out.records, all[0])
		}
	}
	return out
}

// tryFiles tries every 32 bytes of the files. Where no keys should be, those that
// may be random are tried: a key has fewer than 20 different bytes once in 10^12.
func (a *adversary) tryFiles() {
	var keys, data [][]byte
	for _, f := range a.hoard {
		switch {
		case f.key:
			keys = append(keys, f.data)
		case !f.vain:
			data = append(data, f.data)
		}
	}
	a.tryAll(keys, true)
	a.tryAll(data, false)
	a.resolve()
}

// tryAll tries every 32 bytes of texts as a key of every kind; thorough is for
// those that have to be put together with something else, too.
func (a *adversary) tryAll(texts [][]byte, thorough bool) {
	var windows []key
	seen := map[key]struct{}{}
	for _, b := range texts {
		var count [256]int
		different := 0
		for i, c := range b {
			if count[c]++; count[c] == 1 {
				different++
			}
			if i >= 32 {
				if count[b[i-32]]--; count[b[i-32]] == 0 {
					different--
				}
			}
			if i < 31 || different < 20 {
				continue
			}
			k := key(b[i-31:])
			if _, again := seen[k]; !again {
				seen[k] = struct{}{}
				windows = append(windows, k)
			}
		}
	}
	a.tried += len(windows)
	to := a.target()
	var hits []hit
	var mu sync.Mutex
	var wg sync.WaitGroup
	const parts = 2
	for part := range parts {
		wg.Go(func() {
			var b [16]byte
			for i := part; i < len(windows); i += parts {
				if some := a.try(windows[i], &b, to, thorough); some != nil {
					mu.Lock()
					hits = append(hits, some...)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for _, h := range hits {
		a.take(h)
	}
}

// try tries 32 bytes as everything they may be. It changes nothing but b.
func (a *adversary) try(k key, b *[16]byte, to target, thorough bool) (hits []hit) {
	x := extract(k)
	if a.tables[expand(x, labelRoot)] != nil {
		hits = append(hits, hit{what: "root", key: k})
	}
	id := expand(x, labelKeyID)
	if a.records[[8]byte(id[:])] != nil {
		hits = append(hits, hit{what: "shard", key: k})
	}
	if e := a.blobs[expand(x, labelBlobCommit)]; e != nil {
		hits = append(hits, hit{what: "content", key: k, on: e})
	}
	c, _ := aes.NewCipher(k[:])
	var noNonce [12]byte
	for _, s := range to.tables { // few classes were ever forgotten
		if block(c, b, s.nonce, (32+256*32)/16); b[0] == s.rest[8224] && b[1]^s.rest[8225] < 16 {
			hits = append(hits, hit{what: "table", key: k, of: s})
		}
	}
	for _, r := range to.records {
		if block(c, b, r.nonce, 0); len(r.box) >= 16 && binary.BigEndian.Uint64(b[:])^binary.BigEndian.Uint64(r.box) == binary.BigEndian.Uint64(r.rid[:]) {
			hits = append(hits, hit{what: "wrapping", key: k, id: r.id})
		}
	}
	if block(c, b, noNonce[:], 0); a.isMark(binary.BigEndian.Uint64(b[4:])) {
		hits = append(hits, hit{what: "blob", key: k})
	}
	if thorough {
		hits = append(hits, a.hunt(k, x)...)
	}
	return hits
}

func (a *adversary) isMark(b uint64) bool { _, is := a.marks[b]; return is }

// hunt tries 32 bytes as what has to be put together with something that is known
// of those who are hunted.
func (a *adversary) hunt(k, x key) (hits []hit) {
	for _, h := range a.hints.tags {
		for e := range a.cells[h.cell] {
			for _, c := range []key{k, expand(x, labelPerson, h.cell.class, h.cell.role)} {
				if tagOf(e, c) == h.tag {
					hits = append(hits, hit{what: "a person's key or chain: a tag of theirs", key: k})
				}
			}
		}
	}
	for _, h := range a.hints.chains {
		e := expand(x, labelTag)
		sum := hmac(e, h.chain[:])
		if tag(sum[:16]) == h.tag {
			hits = append(hits, hit{what: "key of a cell that is gone", key: k})
		}
	}
	for _, h := range a.hints.events {
		if hkdf(hmac(k, h.salt), labelBlobCommit) == h.commitment {
			hits = append(hits, hit{what: "seal key of a person", key: k})
		}
	}
	if a.files(k) || a.files(expand(x, labelLookup)) {
		hits = append(hits, hit{what: "a guessed identifier is confirmed by a name in a file", key: k})
	}
	return hits
}

// files reports whether something that stands in a file is the HMAC of somebody
// hunted.
func (a *adversary) files(k key) bool {
	for _, id := range a.hints.ids {
		sum := hmac(k, []byte(id))
		for at := 0; at <= 16; at += 8 {
			if a.holds(sum[at:]) {
				return true
			}
		}
	}
	return false
}

// take makes use of a hit.
func (a *adversary) take(h hit) {
	switch h.what {
	case "root":
		a.root(h.key)
	case "shard":
		a.shard(h.key)
	case "table":
		a.table(h.of, h.key)
	case "wrapping":
		a.wrapping(h.key, h.id)
	case "content":
		a.content(h.on, h.key, "?")
	case "blob":
		for _, e := range a.all {
			if len(e.sealed) > 0 {
				if _, ok := parseBlob(e.sealed); ok {
					a.unseal(e, h.key, "?")
				}
			}
		}
	default:
		a.found[h.what] = struct{}{}
	}
}

// confirm tries every key that was found, and every key made of it, to confirm a
// guess of an identifier; and looks for them in whatever was opened.
func (a *adversary) confirm() {
	for k, what := range a.keys {
		x := extract(k)
		for _, label := range []string{labelTable, labelWrap, labelLookup, labelRows, labelIndex, labelTag, labelSeal, labelRef, labelCell, labelBlob, labelKeyID} {
			if a.files(expand(x, label)) {
				a.found[fmt.Sprintf("a guessed identifier is confirmed by a name in a file, under the %s", what)] = struct{}{}
			}
		}
		if a.files(k) {
			a.found[fmt.Sprintf("a guessed identifier is confirmed under the %s itself", what)] = struct{}{}
		}
	}
	for _, text := range a.texts {
		for _, id := range a.hints.ids {
			if bytes.Contains(text, []byte(id)) {
				a.found["an identifier in what was opened"] = struct{}{}
			}
		}
	}
}
