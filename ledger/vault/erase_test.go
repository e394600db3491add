package vault

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// lines returns the lines of answers that do not name any of some identifiers.
func without(answers string, ids ...Identifier) string {
	return strings.Join(slices.DeleteFunc(strings.Split(answers, "\n"), func(line string) bool {
		return slices.ContainsFunc(ids, func(id Identifier) bool { return strings.Contains(line+" ", id.Reveal()+" ") })
	}), "\n")
}

// stranger is everything that may be asked about an identifier alone.
func (s *scene) stranger(id Identifier) string {
	s.t.Helper()
	person, known, err := s.Lookup(id)
	must(s.t, err)
	row, err := s.RowOf(id)
	must(s.t, err)
	self, ids, err := s.People(id)
	must(s.t, err)
	rows, of, err := s.RowsOf(id)
	must(s.t, err)
	linked, err := s.Linked(id)
	must(s.t, err)
	tag, tagged, err := s.TagOf(march, id)
	must(s.t, err)
	subject, err := s.TagsOf(id, Subject)
	must(s.t, err)
	actor, err := s.TagsOf(id, Actor)
	must(s.t, err)
	named, err := s.Candidates(id[strings.Index(id.Reveal(), ":")+1:])
	must(s.t, err)
	return fmt.Sprint(person.IsZero(), known, row, self, len(ids), rows, len(of), len(linked), tag, tagged, subject, actor, slices.Contains(named, id))
}

func TestErase(t *testing.T) {
	s := newScene(t, bench{})
	before := s.answers()
	never := s.stranger("candidate:77")
	root, err := s.Erase(t.Context(), s.rows("candidate:3", nil))
	must(t, err)
	equal(t, "root version", root, 2)
	equal(t, "next root version", s.Next(), 3)
	person := []Identifier{"candidate:1", "candidate:2", "candidate:3"}
	for range 2 {
		for _, id := range person {
			equal(t, "what is told about "+id.Reveal(), s.stranger(id), never)
		}
		equal(t, "pending", string(s.Pending()), "erased")
		after := s.answers()
		same(t, "what is told of others alone", strings.Replace(without(after, person...), `"erased"`, `""`, 1), without(before, person...))
		for i := range s.said {
			e := &s.said[i]
			for j, id := range e.ids {
				who, err := s.Who(e.cell, e.tags[j:j+1])
				must(t, err)
				_, openErr := s.Open(e.cell, e.salt, []Identifier{id}, e.sealed)
				gone, wrapped := slices.Contains(person, id), e.sealed != nil && len(e.ids) <= MaxWraps
				if who[0].IsZero() != gone || wrapped && (openErr != nil) != gone {
					t.Errorf("event %d: %q resolves %t, opening: %v", i, id.Reveal(), !who[0].IsZero(), openErr)
				}
			}
		}
		s.reopen()
	}
}

// Who is met again after an erasure is somebody new, with nothing in common.
func TestErasedIsMetAgain(t *testing.T) {
	s := newScene(t, bench{})
	was, err := s.RowOf("candidate:2")
	must(t, err)
	_, err = s.Erase(t.Context(), s.rows("candidate:2", nil))
	must(t, err)
	met := len(s.said)
	s.record(march, "candidate:2")
	s.record(byActor, "candidate:2")
	for range 2 {
		row, err := s.RowOf("candidate:2")
		must(t, err)
		equal(t, "the same row", row == was, false)
		linked, err := s.Linked("candidate:2")
		must(t, err)
		equal(t, "linked", len(linked), 1)
		for i := range s.said {
			for j, id := range s.said[i].ids {
				if id != "candidate:2" {
					continue
				}
				tag, ok, err := s.TagOf(s.said[i].cell, id)
				must(t, err)
				equal(t, "has the tag of before", ok && tag == s.said[i].tags[j], i >= met)
				_, err = s.Open(s.said[i].cell, s.said[i].salt, []Identifier{id}, s.said[i].sealed)
				if s.said[i].sealed != nil && len(s.said[i].ids) <= MaxWraps {
					equal(t, "opens", err == nil, i >= met)
				}
			}
		}
		s.reopen()
	}
}

// What stays of a row stays as it was, and for all else it is somebody new.
func TestErasePartly(t *testing.T) {
	s := newScene(t, bench{})
	row, err := s.RowOf("candidate:2")
	must(t, err)
	acted := s.said[len(s.said)-1]
	_, err = s.Erase(t.Context(), s.rows("candidate:2", map[Identifier][]Chain{"candidate:2": {{march.Class, Actor}, {legal.Class, Subject}, {legal.Class, Subject}}}))
	must(t, err)
	for range 2 {
		again, err := s.RowOf("candidate:2")
		must(t, err)
		equal(t, "row", again, row)
		linked, err := s.Linked("candidate:2")
		must(t, err)
		equal(t, "linked with who went", len(linked), 1)
		who, err := s.Who(byActor, acted.tags)
		must(t, err)
		equal(t, "who acted", who[0], row)
		for i := range s.said {
			e := &s.said[i]
			j := slices.Index(e.ids, "candidate:2")
			if j < 0 || e.cell.Role == Actor {
				continue
			}
			tag, _, err := s.TagOf(e.cell, "candidate:2")
			must(t, err)
			who, err := s.Who(e.cell, e.tags[j:j+1])
			must(t, err)
			_, err = s.Open(e.cell, e.salt, []Identifier{"candidate:2"}, e.sealed)
			stays := e.cell == legal
			if tag == e.tags[j] != stays || who[0].IsZero() == stays || (err == nil) != (stays || len(e.ids) > MaxWraps) {
				t.Errorf("%v: stays %t", e.cell, stays)
			}
		}
		for _, id := range []Identifier{"candidate:1", "candidate:3"} {
			equal(t, "what is told about "+id.Reveal(), s.stranger(id), s.stranger("candidate:77"))
		}
		s.reopen()
	}
	// Events to come find keys, the class that stayed its own.
	n := len(s.said)
	s.record(march, "candidate:2")
	s.record(legal, "candidate:2")
	for i := range s.said[:n] {
		for j, id := range s.said[i].ids {
			if id == "candidate:2" && s.said[i].cell == legal {
				equal(t, "tag of the class that stayed", s.said[n+1].tags[0], s.said[i].tags[j])
			}
		}
	}
	// The rest of the person may go later.
	_, err = s.Erase(t.Context(), s.rows("candidate:2", nil))
	must(t, err)
	equal(t, "what is told in the end", s.stranger("candidate:2"), s.stranger("candidate:77"))
	who, err := s.Who(byActor, acted.tags)
	must(t, err)
	equal(t, "who acted", who[0], PersonID{})
}

// Whatever is refused changes nothing.
func TestEraseRefuses(t *testing.T) {
	s := newScene(t, bench{})
	before, last := s.answers(), s.log.Last()
	all := s.rows("candidate:2", nil)
	other, err := s.RowOf("candidate:5")
	must(t, err)
	but := func(change func(rows map[PersonID][]Chain, some PersonID)) Erasing {
		e := s.rows("candidate:2", nil)
		for row := range e.Rows {
			change(e.Rows, row)
			break
		}
		return e
	}
	for name, tc := range map[string]struct {
		e    Erasing
		want error
	}{
		"no row":          {Erasing{}, ErrLimit},
		"not every row":   {but(func(rows map[PersonID][]Chain, some PersonID) { delete(rows, some) }), ErrOrder},
		"somebody else's": {but(func(rows map[PersonID][]Chain, _ PersonID) { rows[other] = nil }), ErrOrder},
		"another for one": {but(func(rows map[PersonID][]Chain, some PersonID) { delete(rows, some); rows[other] = nil }), ErrOrder},
		"unknown row":     {but(func(rows map[PersonID][]Chain, _ PersonID) { rows[PersonID{1}] = nil }), ErrGone},
		"no class":        {but(func(rows map[PersonID][]Chain, some PersonID) { rows[some] = []Chain{{0, Subject}} }), ErrLimit},
		"no role":         {but(func(rows map[PersonID][]Chain, some PersonID) { rows[some] = []Chain{{1, 3}} }), ErrLimit},
		"long pending":    {Erasing{Rows: all.Rows, Pending: make([]byte, MaxPending+1)}, ErrLimit},
	} {
		for range 20 { // the order of a map
			_, err := s.Erase(t.Context(), tc.e)
			if wantErr(t, err, tc.want); t.Failed() {
				t.Fatal(name)
			}
		}
	}
	same(t, "the vault", s.answers(), before)
	equal(t, "last message", s.log.Last(), last)
	equal(t, "root version", s.Next(), 2)
	must(t, s.Link([]Identifier{"candidate:3", "candidate:4"}))
	_, err = s.Erase(t.Context(), all)
	wantErr(t, err, ErrOrder) // somebody was linked meanwhile
	all.Pending = make([]byte, MaxPending)
	e := s.rows("candidate:4", nil)
	e.Pending = all.Pending
	_, err = s.Erase(t.Context(), e)
	must(t, err)
	s.reopen()
	equal(t, "pending", bytes.Equal(s.Pending(), all.Pending), true)
}

// Only the shards of the person's rows get new keys.
func TestEraseRekeysItsShards(t *testing.T) {
	s := newScene(t, bench{})
	own := map[uint8]bool{}
	for _, id := range []Identifier{"candidate:1", "candidate:2", "candidate:3"} {
		shard, _ := s.keys.shard(id)
		own[shard.number] = true
	}
	old := s.keys.shards
	_, err := s.Erase(t.Context(), s.rows("candidate:2", nil))
	must(t, err)
	for i := range old {
		equal(t, fmt.Sprintf("shard %d has a new key", i), old[i].random != s.keys.shards[i].random, own[uint8(i)])
	}
}

// The pending event stays through whatever is written, until the next.
func TestPendingStays(t *testing.T) {
	s := newScene(t, bench{})
	_, err := s.Erase(t.Context(), s.rows("candidate:5", nil))
	must(t, err)
	s.record(CellID{7, Subject, 3}, "candidate:9") // a new table
	must(t, s.Rekey(t.Context(), []uint8{0}))
	s.crash()
	s.open()
	equal(t, "pending", string(s.Pending()), "erased")
	_, _, err = s.Forget(t.Context(), Forgetting{Class: 7, Before: 4, Pending: []byte("forgotten")})
	must(t, err)
	equal(t, "pending", string(s.Pending()), "forgotten")
}

// An erasure waits for batches that are open, and those begun after it wait.
func TestEraseWaits(t *testing.T) {
	s := newScene(t, bench{})
	e := s.rows("candidate:2", nil)
	batch := s.Begin()
	c, err := batch.Cell(march)
	must(t, err)
	tag, _, err := batch.Tag(c, "candidate:2")
	must(t, err)
	_, p, err := batch.Tag(c, "candidate:new")
	must(t, err)
	sealed, err := batch.Seal(c, [16]byte{200}, []Person{p}, []byte(secretText))
	must(t, err)
	erased := make(chan error)
	go func() { _, err := s.Erase(t.Context(), e); erased <- err }()
	must(t, batch.Flush(t.Context(), s.head))
	batch.Commit()
	must(t, <-erased)
	who, err := s.Who(march, []Tag{tag})
	must(t, err)
	equal(t, "who had the tag", who[0], PersonID{})
	for range 2 {
		plain, err := s.Open(march, [16]byte{200}, []Identifier{"candidate:new"}, sealed)
		must(t, err)
		equal(t, "opened", string(plain), secretText)
		s.reopen()
	}
}

// Who asked for an erasure and does not wait for it has it done or not, and halts
// nothing.
func TestEraseCancelled(t *testing.T) {
	s := newScene(t, bench{escrow: &escrow{}})
	before := s.answers()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Erase(ctx, s.rows("candidate:2", nil))
	wantErr(t, err, context.Canceled)
	wantErr(t, err, stream.ErrRejected)
	same(t, "the vault", s.answers(), before)
	ctx, cancel = context.WithCancel(t.Context())
	s.log.fail = func(_, messages int) (int, error) { cancel(); return messages, nil }
	root, err := s.Erase(ctx, s.rows("candidate:2", nil))
	must(t, err)
	equal(t, "root version", root, 2)
}

// Two erasures at once are one after the other; of the same person, one.
func TestErasuresAtOnce(t *testing.T) {
	s := newScene(t, bench{})
	one, other := s.rows("candidate:2", nil), s.rows("candidate:5", nil)
	type done struct {
		root uint64
		err  error
	}
	results := make(chan done)
	for _, e := range []Erasing{one, other, one} {
		go func() { root, err := s.Erase(t.Context(), e); results <- done{root, err} }()
	}
	roots, gone := uint64(0), 0
	for range 3 {
		if r := <-results; r.err != nil {
			wantErr(t, r.err, ErrGone)
			gone++
		} else {
			roots += r.root
		}
	}
	equal(t, "refused", gone, 1)
	equal(t, "sum of root versions", roots, 2+3)
	for _, id := range []Identifier{"candidate:1", "candidate:2", "candidate:3", "candidate:5"} {
		equal(t, "what is told of "+id.Reveal(), s.stranger(id), s.stranger("candidate:77"))
	}
}

// An index from before an erasure is of no use to anybody, and not taken.
func TestIndexFromBeforeErasure(t *testing.T) {
	s := newScene(t, bench{})
	e := s.rows("candidate:2", nil)
	must(t, s.saveIndex())
	s.crash()
	old, err := os.ReadFile(s.index)
	must(t, err)
	s.open()
	_, err = s.Erase(t.Context(), e)
	must(t, err)
	after := s.answers()
	s.crash()
	must(t, os.WriteFile(s.index, old, 0o600))
	s.open()
	same(t, "the vault", s.answers(), after)
}

// A root from before two changes is known to be retired, though neither wrote a row.
func TestSecondChangeRetires(t *testing.T) {
	s := newScene(t, bench{})
	stolen, err := os.ReadFile(s.root)
	must(t, err)
	for month := range Month(2) {
		_, _, err := s.Forget(t.Context(), Forgetting{Class: 9, Before: month})
		must(t, err)
	}
	s.crash()
	good, err := os.ReadFile(s.root)
	must(t, err)
	must(t, os.WriteFile(s.root, stolen, 0o600))
	_, err = Open(t.Context(), s.options())
	wantErr(t, err, ErrRetiredRoot)
	must(t, os.WriteFile(s.root, good, 0o600))
}
