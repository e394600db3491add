package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/imalink/custody/ledger/stream"
)

// A Report says what a check found. It holds no identifier and no key.
type Report struct {
	Messages uint64 // of the vault's stream
	Root     uint64 // version of the root key
	Cells    int    // live cells
	People   int    // live rows, each in its last form
	Dead     int    // records under keys that are no more
	Links    int    // pairs of rows that are linked
	Doubtful int    // what rows say of links above the last position vouched for
	Faults   []Fault
}

// A Fault is one thing that is not as it was written. Sequence is the message's,
// 0 if it is not about one.
type Fault struct {
	Sequence uint64
	Err      error
}

// An inspection is a report in the making.
type inspection struct {
	Report
	scanner scanner
	keys    *keyring
	names   map[key]rid
	rows    map[rid]found
}

// found is what an inspection keeps of a row.
type found struct {
	name   key
	digest [32]byte // of the record
	links  []rid    // that are not in doubt

	doubtful int
}

// Inspect checks a vault from its messages alone: that each follows from the one
// before and is authentic, that the table and every live row opens, that no
// identifier has two rows, and that links go both ways. It ranges over messages
// twice and changes nothing. The error says that they could not be read, or that
// root does not open them; whatever else is wrong is a fault in the report.
func Inspect(messages iter.Seq2[stream.Message, error], root *Root) (Report, error) {
	in, err := inspect(messages, root)
	return in.Report, err
}

func inspect(messages iter.Seq2[stream.Message, error], root *Root) (*inspection, error) {
	r := &inspection{names: map[key]rid{}, rows: map[rid]found{}, scanner: scanner{root: root.Version()}}
	r.Root = root.Version()
	table, err := r.follow(messages)
	if err != nil {
		return r, fmt.Errorf("inspecting the vault: %w", err)
	}
	keys, cells, err := openTable(root.live, table)
	if err != nil {
		return r, fmt.Errorf("inspecting the vault: table at %d: %w", r.scanner.tail.table, err)
	}
	r.keys, r.Cells = keys, len(cells)
	for m, err := range messages {
		if err != nil {
			return r, fmt.Errorf("inspecting the vault: %w", err)
		}
		r.message(m)
	}
	r.People = len(r.rows)
	r.links()
	return r, nil
}

// follow reads all headers and returns the table in force. A fault in one is
// noted, and the next message taken as if it were right.
func (r *inspection) follow(messages iter.Seq2[stream.Message, error]) (table []byte, err error) {
	s := &r.scanner
	for m, err := range messages {
		if err != nil {
			return nil, err
		}
		r.Messages++
		_, err := s.next(m)
		if errors.Is(err, ErrRetiredRoot) || errors.Is(err, ErrAbandonedRoot) {
			return nil, err
		}
		if err != nil {
			r.fault(m.Sequence, err)
			s.tail.sequence, s.tail.digest = m.Sequence, sha256.Sum256(m.Data)
		}
		if s.tail.table == m.Sequence {
			table = m.Data
		}
	}
	return table, s.found()
}

func (r *inspection) fault(seq uint64, err error) { r.Faults = append(r.Faults, Fault{seq, err}) }

func (r *inspection) message(m stream.Message) {
	h, err := decodeHeader(m.Data)
	if err != nil || h.kind != kindRows {
		return // noted by follow; tables but the last are history
	}
	records, err := decodeRows(&r.keys.rows, m.Data)
	if err != nil {
		r.fault(m.Sequence, err)
		return
	}
	for _, rec := range records {
		s := &r.keys.shards[rec.shard]
		if rec.key != s.id {
			r.Dead++
			continue
		}
		if err := r.row(s, rec); err != nil {
			r.fault(m.Sequence, err)
		}
	}
}

func (r *inspection) row(s *shard, rec record) error {
	w, err := r.keys.openRow(rec)
	if err != nil {
		return err
	}
	routed, name := r.keys.shard(w.id)
	if routed.number != rec.shard {
		return damaged("row of shard %d belongs in shard %d", rec.shard, routed.number)
	}
	if other, ok := r.names[name]; ok && other != w.rid {
		return damaged("two rows have the same identifier")
	}
	r.names[name] = w.rid
	f := found{name: name, digest: sha256.Sum256(rec.append(nil))}
	settled := person{row: w}
	settled.links = slices.DeleteFunc(slices.Clone(w.links), func(l link) bool { return l.position > r.scanner.tail.events })
	f.links, f.doubtful = settled.neighbours(false), len(w.links)-len(settled.links)
	r.rows[w.rid] = f
	return nil
}

// links checks that every link has its counterpart.
func (r *inspection) links() {
	for one, f := range r.rows {
		r.Doubtful += f.doubtful
		for _, other := range f.links {
			back, ok := r.rows[other]
			if !ok || !slices.Contains(back.links, one) {
				r.fault(0, damaged("a link goes one way only"))
			}
			r.Links++
		}
	}
	r.Links /= 2
}

// Check is [Inspect] of the vault's own stream, and checks that the index is
// what the stream says. It may run beside everything else.
func (v *Vault) Check(ctx context.Context) (Report, error) {
	if err := v.saveIndex(); err != nil {
		return Report{}, fmt.Errorf("checking the vault: %w", err)
	}
	// The root and the index of one moment: a change of keys moves both.
	v.epoch.RLock()
	release := sync.OnceFunc(v.epoch.RUnlock)
	defer release()
	var r *inspection
	err := v.index.view(func(tx *bbolt.Tx) error {
		root := Root{live: v.root.live}
		release()
		st, ok := decodeState(tx.Bucket([]byte(bucketState)).Get([]byte(bucketState)))
		if !ok {
			return damaged("index: no state")
		}
		var err error
		if r, err = inspect(v.log.Replay(ctx, 1, st.tail.sequence), &root); err != nil {
			return err
		}
		r.compare(tx)
		return nil
	})
	if r == nil {
		return Report{}, fmt.Errorf("checking the vault: %w", err)
	}
	return r.Report, err
}

// compare holds the index against what the stream says.
func (r *inspection) compare(tx *bbolt.Tx) {
	counts := [3]int{}
	each := func(n int, bucket string, as func(k, v []byte) bool) {
		c := tx.Bucket([]byte(bucket)).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if counts[n]++; !as(k, v) {
				r.fault(0, damaged("index: an entry of %s is not the stream's", bucket))
			}
		}
	}
	each(0, bucketNames, func(k, v []byte) bool {
		of, ok := r.names[nameOf(k)]
		return ok && string(of[:]) == string(v)
	})
	each(1, bucketRows, func(k, v []byte) bool {
		f, ok := r.rows[ridOf(k[1:])]
		return ok && k[0] == f.name[0] && sha256.Sum256(v) == f.digest
	})
	each(2, bucketRIDs, func(k, v []byte) bool {
		f, ok := r.rows[ridOf(k)]
		return ok && string(f.name[:1]) == string(v)
	})
	if n := len(r.rows); counts != [3]int{n, n, n} {
		r.fault(0, damaged("index: %d entries, the stream has %d rows", counts, n))
	}
}

func nameOf(b []byte) (k key) { copy(k[:], b); return k }
func ridOf(b []byte) (r rid)  { copy(r[:], b); return r }
