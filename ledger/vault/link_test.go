package vault

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestLinkAndUnlink(t *testing.T) {
	b := newBench(t)
	for i := range 4 {
		b.tag(march, Identifier(fmt.Sprint("id:", i)))
	}
	say := func(say func(*Batch, []Identifier, uint64, [16]byte) error, ids ...Identifier) {
		t.Helper()
		batch := b.Begin()
		must(t, say(batch, ids, b.head+1, [16]byte{byte(b.head + 1)}))
		must(t, batch.Flush(t.Context(), b.head))
		b.head++
		b.events[b.head] = [16]byte{byte(b.head)}
		batch.Commit()
	}
	check := func(want ...Identifier) {
		t.Helper()
		for range 2 {
			got, err := b.Linked("id:0")
			must(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("linked: %d identifiers, want %d", len(got), len(want))
			}
			b.reopen()
		}
	}
	check("id:0")
	say((*Batch).Link, "id:0", "id:1", "id:0", "id:unknown")
	check("id:0", "id:1")
	say((*Batch).Link, "id:1", "id:2", "id:3")
	check("id:0", "id:1", "id:2", "id:3")
	say((*Batch).Unlink, "id:0", "id:1", "id:2")
	check("id:0")
	say((*Batch).Link, "id:0", "id:3")
	check("id:0", "id:1", "id:2", "id:3") // 1 and 2 are still linked with 3
	r := b.sound()
	equal(t, "links", r.Links, 2)
	equal(t, "doubtful, one in each of two rows", r.Doubtful, 2)
}

func TestLinkLimits(t *testing.T) {
	b := newBench(t)
	batch := b.Begin()
	wantErr(t, batch.Link(make([]Identifier, MaxLinked+1), 1, [16]byte{}), ErrLimit)
	c, err := batch.Cell(march)
	must(t, err)
	var ids []Identifier
	for i := range MaxLinks + 2 {
		ids = append(ids, Identifier(fmt.Sprint("id:", i)))
		_, _, err := batch.Tag(c, ids[i])
		must(t, err)
	}
	for i := range MaxLinks {
		must(t, batch.Link([]Identifier{ids[0], ids[i+1]}, 1, [16]byte{}))
	}
	wantErr(t, batch.Link([]Identifier{ids[0], ids[MaxLinks+1]}, 1, [16]byte{}), ErrLimit)
	got, err := batch.Linked(ids[MaxLinks+1])
	must(t, err)
	equal(t, "linked by what was refused", len(got), 1)
	wantErr(t, batch.Flush(t.Context(), 1), ErrOrder) // position 1 cannot be durable yet
	must(t, batch.Flush(t.Context(), 0))
	b.events[1] = [16]byte{}
	batch.Commit()
}

// Readers do not see a link before its event is durable; batches do.
func TestPendingLinks(t *testing.T) {
	b := newBench(t)
	b.tag(march, "id:0")
	b.tag(march, "id:1")
	batch := b.Begin()
	must(t, batch.Link([]Identifier{"id:0", "id:1"}, b.head+1, [16]byte{1}))
	must(t, batch.Flush(t.Context(), b.head))
	read, err := b.Linked("id:0")
	must(t, err)
	pending, err := batch.Linked("id:0")
	must(t, err)
	equal(t, "to readers", len(read), 1)
	equal(t, "to the batch", len(pending), 2)
	batch.Abort()
	read, err = b.Linked("id:0")
	must(t, err)
	equal(t, "after the abort", len(read), 1)
}

// Rows to be written anew may take several messages. If only the first of them
// is stored, it must not vouch for links that the others were to take back.
func TestAbortedLinksOfManyRows(t *testing.T) {
	const people = 6000
	b := newBench(t)
	b.head = 1
	id := func(i int) Identifier { return Identifier(fmt.Sprint("id:", i)) }
	batch := b.Begin()
	c, err := batch.Cell(march)
	must(t, err)
	for i := range people {
		_, _, err := batch.Tag(c, id(i))
		must(t, err)
	}
	for i := 0; i < people; i += 2 {
		must(t, batch.Link([]Identifier{id(i), id(i + 1)}, 2, [16]byte{1}))
	}
	must(t, batch.Flush(t.Context(), 1))
	batch.Abort()
	b.head, b.events[2] = 2, [16]byte{2} // another event takes the position
	b.log.fail = func(_, messages int) (int, error) {
		if messages < 2 {
			t.Fatal("one message holds all rows")
		}
		return 1, errLost
	}
	batch = b.Begin()
	wantErr(t, batch.Flush(t.Context(), b.head), ErrHalted)
	batch.Abort()
	b.log.fail = nil
	b.crash()
	b.open()
	for i := range people {
		ids, err := b.Linked(id(i))
		must(t, err)
		if len(ids) != 1 {
			t.Fatalf("identifier %d is linked by an event that was never recorded", i)
		}
	}
}

// What a batch says counts even if one before it said the same and was aborted.
func TestSaidTwice(t *testing.T) {
	b := newBench(t)
	b.tag(march, "id:0")
	b.tag(march, "id:1")
	ids := []Identifier{"id:0", "id:1"}
	one, two := b.Begin(), b.Begin()
	must(t, one.Link(ids, b.head+1, [16]byte{1}))
	must(t, two.Link(ids, b.head+2, [16]byte{2}))
	must(t, one.Flush(t.Context(), b.head))
	one.Abort()
	must(t, two.Flush(t.Context(), b.head))
	b.head += 2
	b.events[b.head] = [16]byte{2}
	two.Commit()
	for range 2 {
		got, err := b.Linked("id:0")
		must(t, err)
		equal(t, "linked", len(got), 2)
		b.reopen()
	}
}

// A pair is two identifiers by their number, the lower first.
type pair [2]int

// linkModel is a vault beside the simplest thing that says the same: which pairs
// the events that were really recorded say are linked.
type linkModel struct {
	*bench
	t      *rapid.T
	linked map[pair]bool
	salts  byte
	older  []byte // an earlier index file
}

const modelPeople = 6 // 0 to 5

func modelID(i int) Identifier { return Identifier(fmt.Sprint("id:", i)) }

// statement is what one event is to say.
type statement struct {
	ids      []int
	off      bool
	position uint64
	salt     [16]byte
}

func (m *linkModel) draw(position uint64) statement {
	m.salts++
	return statement{
		ids:      rapid.Permutation([]int{0, 1, 2, 3, 4, 5}).Draw(m.t, "ids")[:rapid.IntRange(2, 3).Draw(m.t, "count")],
		off:      rapid.IntRange(0, 2).Draw(m.t, "off") == 0,
		position: position,
		salt:     [16]byte{m.salts, byte(position)},
	}
}

func (m *linkModel) say(b *Batch, s statement) {
	var ids []Identifier
	for _, i := range s.ids {
		ids = append(ids, modelID(i))
	}
	say := b.Link
	if s.off {
		say = b.Unlink
	}
	if err := say(ids, s.position, s.salt); err != nil {
		m.t.Fatal(err)
	}
}

// record makes a statement's event real.
func (m *linkModel) record(s statement) {
	m.head = s.position
	m.events[s.position] = s.salt
	for i, a := range s.ids {
		for _, b := range s.ids[i+1:] {
			m.linked[pair{min(a, b), max(a, b)}] = !s.off
		}
	}
}

func (m *linkModel) flush(b *Batch) {
	if err := b.Flush(m.bench.t.Context(), m.head); err != nil {
		m.t.Fatal(err)
	}
}

// groups runs one group of events, and maybe a second that is filled while the
// first is written; each ends in one of the ways there are.
func (m *linkModel) groups(t *rapid.T) {
	s1, s2 := m.draw(m.head+1), m.draw(m.head+2)
	overlap := rapid.Bool().Draw(t, "overlap")
	end := rapid.SampledFrom([]string{"commit", "abort", "abort first", "abort unwritten", "cut before events", "cut after events"}).Draw(t, "end")
	second := rapid.SampledFrom([]string{"commit", "abort", "abort unwritten"}).Draw(t, "second")
	one := m.Begin()
	m.say(one, s1)
	var two *Batch
	if overlap {
		two = m.Begin()
		m.say(two, s2)
	}
	abort := func() {
		if two != nil {
			two.Abort()
		}
		one.Abort()
	}
	switch end {
	case "abort unwritten":
		abort()
		return
	case "abort":
		m.flush(one)
		abort()
		return
	case "cut before events":
		m.flush(one)
		m.reset()
		return
	case "cut after events":
		m.flush(one)
		m.record(s1)
		m.reset()
		return
	}
	m.flush(one)
	if end == "commit" {
		m.record(s1)
		one.Commit()
	} else {
		one.Abort()
	}
	if two == nil {
		return
	}
	if second != "abort unwritten" {
		m.flush(two)
	}
	if second == "commit" {
		m.record(s2)
		two.Commit()
	} else {
		two.Abort()
	}
}

// noise is an event that links nobody, which moves the durable position on, and
// takes a position that an aborted link may have had.
func (m *linkModel) noise(t *rapid.T) {
	m.salts++
	b := m.Begin()
	c, err := b.Cell(march)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Tag(c, Identifier(fmt.Sprint("noise:", m.salts))); err != nil {
		t.Fatal(err)
	}
	m.flush(b)
	m.head++
	m.events[m.head] = [16]byte{m.salts, 255}
	b.Commit()
}

func (m *linkModel) reset() {
	m.crash()
	m.open()
}

func (m *linkModel) stop(t *rapid.T) { m.reopen() }

func (m *linkModel) loseIndex(t *rapid.T) {
	m.crash()
	must(m.bench.t, os.Remove(m.index))
	m.open()
}

func (m *linkModel) keepIndex(t *rapid.T) {
	m.reopen()
	var err error
	m.crash()
	m.older, err = os.ReadFile(m.index)
	must(m.bench.t, err)
	m.open()
}

func (m *linkModel) olderIndex(t *rapid.T) {
	if m.older == nil {
		t.Skip("none kept")
	}
	m.crash()
	must(m.bench.t, os.WriteFile(m.index, m.older, 0o600))
	m.open()
}

// agree compares every person with the model's.
func (m *linkModel) agree(t *rapid.T) {
	for i := range modelPeople {
		want := []Identifier{modelID(i)}
		for n := 0; n < len(want); n++ {
			for p, linked := range m.linked {
				for k := range 2 {
					if linked && modelID(p[k]) == want[n] && !slices.Contains(want, modelID(p[1-k])) {
						want = append(want, modelID(p[1-k]))
					}
				}
			}
		}
		slices.Sort(want)
		got, err := m.Linked(modelID(i))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("identifier %d is linked with %d, want %d: %q, want %q", i, len(got), len(want), reveal(got), reveal(want))
		}
		m.byTag(march, modelID(i))
	}
}

func reveal(ids []Identifier) (out []string) {
	for _, id := range ids {
		out = append(out, id.Reveal())
	}
	return out
}

// Whatever happens, exactly the links hold whose events were recorded.
func TestLinksHoldIfRecorded(t *testing.T) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		dir := filepath.Join(t.TempDir(), fmt.Sprint(run))
		must(t, os.Mkdir(dir, 0o700))
		b := &bench{t: t, log: &memLog{}, root: filepath.Join(dir, "root"), index: filepath.Join(dir, "vault.db"), events: map[uint64][16]byte{}, every: 3, unsynced: true}
		must(t, CreateRoot(b.root, nil))
		must(t, Create(t.Context(), b.log, testSubject, b.openRoot()))
		b.open()
		m := &linkModel{bench: b, t: rt, linked: map[pair]bool{}}
		for i := range modelPeople {
			b.tag(march, modelID(i))
			b.events[b.head] = [16]byte{255, byte(i)}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":           m.agree,
			"groups":     m.groups,
			"noise":      m.noise,
			"stop":       m.stop,
			"cut":        func(*rapid.T) { m.reset() },
			"loseIndex":  m.loseIndex,
			"keepIndex":  m.keepIndex,
			"olderIndex": m.olderIndex,
		})
		b.finish()
	})
}
