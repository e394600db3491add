package vault

import (
	"math"
	"os"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/imalink/custody/ledger/stream"
)

// forge appends rows that are authentic, but not what a vault would write.
func (b *bench) forge(rows ...record) {
	b.t.Helper()
	h := header{kind: kindRows, epoch: 1, events: b.tail.events, previous: b.tail.digest}
	data := encodeRows(&b.keys.rows, h, rows)
	_, err := b.log.Append(b.t.Context(), []stream.Message{{Subject: testSubject + subjectRows, Data: data}})
	must(b.t, err)
}

// Whoever has the keys can write what is authentic and still wrong. Inspect says
// so, and opening refuses rows that would make one person two.
func TestForgedRows(t *testing.T) {
	other := rid{9}
	for name, tc := range map[string]struct {
		forge func(b *bench) record
		fault string
		opens bool
	}{
		"a second row for an identifier": {func(b *bench) record {
			s, _ := b.keys.shard("candidate:1")
			return s.sealRow(&row{rid: other, id: "candidate:1"}, newNonce())
		}, "two rows", false},
		"a row in another's shard": {func(b *bench) record {
			s, _ := b.keys.shard("candidate:2")
			return b.keys.shards[s.number+1].sealRow(&row{rid: other, id: "candidate:2"}, newNonce())
		}, "belongs in shard", false},
		"a link that goes one way": {func(b *bench) record {
			s, _ := b.keys.shard("candidate:2")
			links := []link{{other: b.recent.byID["candidate:1"].rid}} // position 0: not in doubt
			return s.sealRow(&row{rid: other, id: "candidate:2", links: links}, newNonce())
		}, "one way", true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.tag(march, "candidate:1")
			good := b.log.messages
			b.forge(tc.forge(b))
			b.crash()
			r, err := Inspect(b.log.Replay(t.Context(), 1, math.MaxUint64), b.openRoot())
			must(t, err)
			if len(r.Faults) != 1 || !strings.Contains(r.Faults[0].Err.Error(), tc.fault) {
				t.Errorf("faults: %v", r.Faults)
			}
			must(t, os.Remove(b.index))
			v, err := Open(t.Context(), b.options())
			if err == nil {
				must(t, v.Close())
			}
			if tc.opens {
				must(t, err)
			} else {
				wantErr(t, err, ErrDamaged)
			}
			b.log.messages = good
		})
	}
}

// A table has no cell that it says is forgotten.
func TestForgottenCellInTable(t *testing.T) {
	keys, cells, err := openTable(rootKey{version: 1, key: counting(0)}, vectors(t)["vault-table-1"])
	must(t, err)
	for before, want := range map[Month]error{march.Month: nil, march.Month + 1: ErrDamaged} {
		keys.forgotten[march.Class] = before
		_, _, err = decodeTable(1, keys.append(nil, cells))
		wantErr(t, err, want)
	}
}

// Rows that the index could not take are written to it the next time.
func TestIndexFailsOnce(t *testing.T) {
	b := newBench(t)
	must(t, b.Close())
	b.every = 1
	b.open()
	b.tag(march, "candidate:0") // the cell
	must(t, b.saveIndex())
	batch := b.Begin()
	c, err := batch.Cell(march)
	must(t, err)
	tag, _, err := batch.Tag(c, "candidate:1")
	must(t, err)
	good := b.Vault.index.db
	b.Vault.index.db = new(bbolt.DB) // not open
	must(t, batch.Flush(t.Context(), 0))
	batch.Commit()
	if b.saveIndex() == nil {
		t.Error("writing to a closed index succeeds")
	}
	b.Vault.index.db = good
	must(t, b.saveIndex())
	equal(t, "left in the overlay", len(b.recent.byID), 0)
	b.reopen()
	equal(t, "tag", b.tag(march, "candidate:1"), tag)
	equal(t, "people", b.sound().People, 2)
}

// The old root is gone when a change of keys returns, not when the vault is next
// opened.
func TestRekeyDestroysAtOnce(t *testing.T) {
	b := newBench(t)
	old := b.openRoot().live.key
	must(t, b.Rekey(t.Context(), []uint8{0}))
	file, err := os.ReadFile(b.root)
	must(t, err)
	equal(t, "old root in the file", strings.Contains(string(file), string(old[:])), false)
}
