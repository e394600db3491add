package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
	"github.com/imalink/custody/ledger/evidence/recordlog"
	"github.com/imalink/custody/ledger/notary"
)

// A world is what a real ledger recorded and what it signs with: what others are told of it may be something else.
type world struct {
	stored [][]byte
	key    checkpoint.Signer
	trust  *checkpoint.Trust // the log's key alone
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s := newSite(t)
	lines := story()
	s.record(lines[:20]...)
	s.record(lines[20:]...)
	s.more(300)
	keys, _, err := notary.ReadKeys(s.cfg.Keys)
	s.check(err)
	w := &world{key: keys[0], trust: s.trust()}
	for rec, err := range s.ledger.ReplayTo(t.Context(), 1, s.ledger.Head().Position) {
		s.check(err)
		w.stored = append(w.stored, bytes.Clone(rec.Raw))
	}
	return w
}

// trusting trusts the log, and a witness.
func (w *world) trusting(witness checkpoint.Cosigner) *checkpoint.Trust {
	return must(checkpoint.ParseTrust(fmt.Appendf(nil, "log %s\nwitness %s\n", w.key.Verifier(), witness.Verifier())))
}

// find is the index of the event with an id.
func (w *world) find(id string) int {
	return slices.IndexFunc(w.stored, func(raw []byte) bool { return bytes.Contains(raw, fmt.Appendf(nil, `"id":%q`, id)) })
}

// commits are the indices of the commits.
func (w *world) commits() (all []int) {
	for i, raw := range w.stored {
		if must(events.DecodeStored(raw)).Event.Kind == events.LedgerCommitted {
			all = append(all, i)
		}
	}
	return all
}

// A lie is what a ledger does otherwise than an honest one. All else it does so that it fits.
type lie struct {
	record  func(stored [][]byte) [][]byte // records other events
	derive  func(i int, r *evidence.Record)
	commit  func(i int, c *evidence.Commit)
	sign    func(c *checkpoint.Checkpoint)
	event   func(i int, raw []byte) []byte // serves another event
	entry   func(i int, record []byte) []byte
	tile    func(path string, body []byte) []byte
	skipped int // is left out when events are served; 0 is none
}

// A liar is a ledger, with what it says.
type liar struct {
	*world
	lie
	stored [][]byte
	tree   *evidencetest.Ledger
}

// tell makes the ledger of a lie: records, trees and commits that fit.
func (w *world) tell(l lie) *liar {
	stored := w.stored
	if l.record != nil {
		stored = l.record(slices.Clone(stored))
	}
	k := &liar{world: w, lie: l, tree: evidencetest.New(1)}
	trail := evidence.NewTrail(1 << 20)
	var producers recordlog.Producers
	for i, raw := range stored {
		st := must(events.DecodeStored(raw))
		if st.Event.Kind == events.LedgerCommitted {
			raw = k.recommit(i, raw, trail)
			st = must(events.DecodeStored(raw))
		}
		r := evidence.RecordOf(st, sha256.Sum256(raw), producers.Number(uint64(i)+1, st.Event.Source, st.Event.Instance))
		if l.derive != nil {
			l.derive(i, &r)
		}
		record := r.Append(nil)
		_ = trail.Append(record) // a lie may be one that nothing can follow
		k.tree.AddBytes(record)
		k.stored = append(k.stored, raw)
	}
	return k
}

// recommit is the event of a commit that is true of what was recorded, or lies.
func (k *liar) recommit(i int, raw []byte, trail *evidence.Trail) []byte {
	says := must(evidence.ParseCommit(raw))
	if a, err := trail.At(min(says.Size, uint64(i))); err == nil {
		says, _ = a.Commit(says.Rules)
	}
	if k.commit != nil {
		k.commit(i, &says)
	}
	return recommitted(raw, says)
}

// recommitted is the event of a commit, which says something else.
func recommitted(raw []byte, says evidence.Commit) []byte {
	return says.Append(bytes.Clone(raw[:bytes.LastIndex(raw, []byte(`"data":{"size":`))]))
}

// note is the checkpoint of a size.
func (k *liar) note(size int) checkpoint.Note {
	c := checkpoint.Checkpoint{Origin: testOrigin, Size: uint64(size), Root: sha256.Sum256(nil)}
	if size > 0 {
		c.Root = k.tree.Root(c.Size)
	}
	if k.sign != nil {
		k.sign(&c)
	}
	return must(checkpoint.Sign(c, k.key))
}

// A stage is a server that shows a ledger at some size; both can be changed.
type stage struct {
	mu       sync.Mutex
	ledger   *liar
	size     int
	cosigned *checkpoint.Note  // that a witness cosigned last, it says; else the newest
	left     []checkpoint.Note // what auditors left
	accepted []string          // keys that are announced
}

func (s *stage) show(k *liar, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger, s.size = k, size
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := s.answer(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Write(body)
}

func (s *stage) answer(r *http.Request) ([]byte, error) {
	k, note := s.ledger, s.ledger.note(s.size)
	path, q := strings.TrimPrefix(r.URL.Path, "/v1/"), r.URL.Query()
	switch {
	case path == "checkpoint" && s.cosigned != nil && q.Get("witnessed") == "true":
		return s.cosigned.Bytes(), nil
	case path == "checkpoint":
		return note.Bytes(), nil
	case path == "evidence":
		var keys []map[string]string
		for _, key := range s.accepted {
			keys = append(keys, map[string]string{"key": key})
		}
		return json.Marshal(map[string]any{"cosigners": keys})
	case path == "cosignatures":
		n, err := checkpoint.Open(must(io.ReadAll(r.Body)))
		s.left = append(s.left, n)
		return nil, err
	case path == "events/stream":
		return k.stream(must(strconv.Atoi(q.Get("from"))), must(strconv.Atoi(q.Get("to")))), nil
	case path == "proofs/event":
		i := must(strconv.Atoi(q.Get("position"))) - 1
		return evidence.ProveEvent(k.tree, note, uint64(i), k.served(i))
	case path == "proofs/growth":
		older, err := checkpoint.Open(must(io.ReadAll(r.Body)))
		if err != nil {
			return nil, err
		}
		return evidence.ProveGrowth(k.tree, older, note)
	}
	t, err := recordlog.ParseTile(path)
	if err != nil {
		return nil, err
	}
	return k.tileOf(t, path)
}

func (k *liar) served(i int) []byte {
	if k.event != nil {
		return k.event(i, k.stored[i])
	}
	return k.stored[i]
}

func (k *liar) stream(from, to int) (lines []byte) {
	for p := from; p <= min(to, len(k.stored)); p++ {
		if p-1 != k.skipped || p == 1 {
			lines = fmt.Appendf(lines, `{"position":%d,"event":%s}`+"\n", p, k.served(p-1))
		}
	}
	return fmt.Appendf(lines, `{"end":{"position":%d}}`+"\n", min(to, len(k.stored)))
}

func (k *liar) tileOf(t recordlog.Tile, path string) (body []byte, err error) {
	for i := range uint64(t.Width) {
		at := t.Index*width + i
		if t.Level == recordlog.Entries {
			record := must(k.tree.Records(evidence.Span{From: at, To: at + 1}))
			if k.entry != nil {
				record = k.entry(int(at), bytes.Clone(record))
			}
			body = append(binary.BigEndian.AppendUint16(body, recordSize), record...)
			continue
		}
		height := 8 * t.Level
		h := must(k.tree.Hashes([]evidence.Span{{From: at << height, To: (at + 1) << height}}))[0]
		body = append(body, h[:]...)
	}
	if k.tile != nil {
		body = k.tile(path, body)
	}
	return body, nil
}
