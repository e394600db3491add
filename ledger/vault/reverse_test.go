package vault

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// fakeTag is nobody's.
func fakeTag() (t Tag) {
	_, _ = rand.Read(t[:])
	return t
}

// byTag holds who somebody is by a tag against who it is by the identifier.
func (b *bench) byTag(cell CellID, id Identifier) {
	b.t.Helper()
	tag, _, err := b.TagOf(cell, id)
	must(b.t, err)
	who, err := b.Who(cell, []Tag{tag})
	must(b.t, err)
	self, _, err := b.People(id)
	must(b.t, err)
	equal(b.t, "who has the tag of "+id.Reveal(), who[0], self)
}

// whoModel is a vault with every tag it ever gave, and what may become of them.
type whoModel struct {
	*bench
	given map[Tagged]Identifier
	sure  map[Tagged]bool // of an event that was recorded
	dead  map[Tagged]bool // forgotten
	ids   []Identifier
	cells []CellID
}

func (m *whoModel) id(t *rapid.T) Identifier {
	return Identifier(fmt.Sprint(rapid.SampledFrom([]string{"candidate:", "employee:", ""}).Draw(t, "type"), rapid.IntRange(0, 30).Draw(t, "id")))
}

func (m *whoModel) cell(t *rapid.T) CellID {
	return CellID{Class: uint8(rapid.IntRange(1, 2).Draw(t, "class")), Role: rapid.SampledFrom([]Role{Subject, Actor}).Draw(t, "role"),
		Month: Month(rapid.IntRange(600, 603).Draw(t, "month"))}
}

// record tags a few people, in one batch that is committed, aborted after it was
// written, or never written.
func (m *whoModel) record(t *rapid.T) {
	batch := m.Begin()
	given := map[Tagged]Identifier{}
	for range rapid.IntRange(1, 5).Draw(t, "people") {
		id, where := m.id(t), m.cell(t)
		c, err := batch.Cell(where)
		must(m.t, err)
		tag, _, err := batch.Tag(c, id)
		must(m.t, err)
		if c.Gone() {
			continue
		}
		given[Tagged{where, tag}] = id
		m.ids = append(m.ids, id)
		m.cells = append(m.cells, where)
	}
	end := rapid.SampledFrom([]string{"commit", "abort", "unwritten"}).Draw(t, "end")
	if end != "unwritten" {
		must(m.t, batch.Flush(m.t.Context(), m.head))
	}
	if end == "commit" {
		m.head++
		m.events[m.head] = [16]byte{255}
		batch.Commit()
	} else {
		batch.Abort()
	}
	for tagged, id := range given { // those never given are nobody's
		m.given[tagged] = id
		m.sure[tagged] = m.sure[tagged] || end == "commit"
	}
}

func (m *whoModel) link(t *rapid.T) {
	batch := m.Begin()
	ids, salt := []Identifier{m.id(t), m.id(t), m.id(t)}, [16]byte{1}
	say := batch.Link
	if rapid.Bool().Draw(t, "unlink") {
		say = batch.Unlink
	}
	must(m.t, say(ids, m.head+1, salt))
	must(m.t, batch.Flush(m.t.Context(), m.head))
	if rapid.Bool().Draw(t, "aborted") {
		batch.Abort()
		return
	}
	m.head++
	m.events[m.head] = salt
	batch.Commit()
}

// erase erases a person, but for some chains of some rows.
func (m *whoModel) erase(t *rapid.T) {
	who := m.id(t)
	rows, ids, err := m.RowsOf(who)
	must(m.t, err)
	if len(rows) == 0 {
		return
	}
	e := Erasing{Rows: map[PersonID][]Chain{}}
	stays := map[Identifier][]Chain{}
	for i, row := range rows {
		if rapid.Bool().Draw(t, "partly") {
			stays[ids[i]] = []Chain{{1, Actor}, {uint8(rapid.IntRange(1, 2).Draw(t, "kept class")), Subject}}
		}
		e.Rows[row] = stays[ids[i]]
	}
	_, err = m.Erase(m.t.Context(), e)
	must(m.t, err)
	for tagged, id := range m.given {
		if slices.Contains(ids, id) && !slices.Contains(stays[id], Chain{tagged.Cell.Class, tagged.Cell.Role}) {
			m.dead[tagged] = true
		}
	}
}

// forget forgets a class up to a month, but for who is held, if anybody.
func (m *whoModel) forget(t *rapid.T) {
	f := Forgetting{Class: uint8(rapid.IntRange(1, 2).Draw(t, "class")), Before: Month(rapid.IntRange(600, 603).Draw(t, "before"))}
	var held []Identifier
	for range rapid.IntRange(0, 3).Draw(t, "held") {
		id := m.id(t)
		row, err := m.RowOf(id)
		must(m.t, err)
		if !row.IsZero() {
			held, f.Held = append(held, id), append(f.Held, row)
		}
	}
	before, ever := m.Vault.keys.forgotten[f.Class]
	if rapid.IntRange(0, 4).Draw(t, "cut") == 0 { // nothing comes of it
		m.log.fail = func(_, messages int) (int, error) { return rapid.IntRange(0, messages).Draw(t, "stored"), errLost }
		_, _, err := m.Forget(m.t.Context(), f)
		if m.log.fail = nil; !ever || f.Before > before {
			wantErr(m.t, err, ErrHalted)
		}
		m.crash()
		m.open()
		return
	}
	_, _, err := m.Forget(m.t.Context(), f)
	if ever && f.Before < before {
		wantErr(m.t, err, ErrOrder)
		return
	}
	must(m.t, err)
	if ever && f.Before == before {
		return
	}
	for tagged, id := range m.given {
		if tagged.Cell.Class == f.Class && tagged.Cell.Month < f.Before && !slices.Contains(held, id) {
			m.dead[tagged] = true
		}
	}
}

// agree holds every tag ever given against the keys as they are now.
func (m *whoModel) agree(t *rapid.T) {
	asked := map[CellID][]Tag{}
	for tagged := range m.given {
		asked[tagged.Cell] = append(asked[tagged.Cell], tagged.Tag)
	}
	for cell, tags := range asked {
		got, err := m.Who(cell, append(tags, fakeTag()))
		must(m.t, err)
		equal(m.t, "fake is nobody's", got[len(tags)].IsZero(), true)
		for i, tag := range tags {
			id := m.given[Tagged{cell, tag}]
			var want PersonID
			if now, ok, err := m.TagOf(cell, id); err != nil {
				t.Fatal(err)
			} else if ok && now == tag {
				want = m.person(t, id)
			}
			if got[i] != want {
				t.Fatalf("%v: %q is %v, want %v", cell, id.Reveal(), got[i], want)
			}
			if dead := m.dead[Tagged{cell, tag}]; dead && !want.IsZero() || !dead && m.sure[Tagged{cell, tag}] && want.IsZero() {
				t.Fatalf("%v: forgotten %t, but %q is %v", cell, dead, id.Reveal(), want)
			}
		}
	}
}

// person is whose identifier it is, by looking at every row there is.
func (m *whoModel) person(t *rapid.T, id Identifier) (least PersonID) {
	linked, err := m.Linked(id)
	must(m.t, err)
	for _, other := range linked {
		row, err := m.RowOf(other)
		must(m.t, err)
		if least.IsZero() || slices.Compare(row[:], least[:]) < 0 {
			least = row
		}
		own, err := m.IdentifierOf(row)
		must(m.t, err)
		equal(m.t, "row's identifier", own, other)
	}
	self, ids, err := m.People(id)
	must(m.t, err)
	if self != least || !slices.Equal(ids, linked) {
		t.Fatalf("People: %v and %d identifiers, want %v and %d", self, len(ids), least, len(linked))
	}
	return least
}

// pages holds the tags of a person's page against each tag by itself.
func (m *whoModel) pages(t *rapid.T) {
	id, role := m.id(t), rapid.SampledFrom([]Role{Subject, Actor}).Draw(t, "role")
	linked, err := m.Linked(id)
	must(m.t, err)
	want := map[Tagged]bool{}
	for _, cell := range m.cells {
		for _, one := range linked {
			if tag, ok, err := m.TagOf(cell, one); err != nil {
				t.Fatal(err)
			} else if ok && cell.Role == role {
				want[Tagged{cell, tag}] = true
			}
		}
	}
	got, err := m.TagsOf(id, role)
	must(m.t, err)
	seen := map[Tagged]bool{}
	for i, tagged := range got {
		seen[tagged] = true
		if i > 0 && got[i-1].compare(tagged) >= 0 {
			t.Fatal("tags are not ascending")
		}
		if tagged.Cell.Role != role {
			t.Fatalf("a tag of role %v", tagged.Cell.Role)
		}
	}
	for tagged := range want {
		if !seen[tagged] {
			t.Fatalf("a tag of %v is missing", tagged.Cell)
		}
	}
}

// candidates holds what a bare name may stand for against every identifier.
func (m *whoModel) candidates(t *rapid.T) {
	name := fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "name"))
	var want []Identifier
	for _, of := range []string{"candidate:", "employee:", ""} {
		if _, ok, err := m.Lookup(Identifier(of + name)); err != nil {
			t.Fatal(err)
		} else if ok {
			want = append(want, Identifier(of+name))
		}
	}
	slices.Sort(want)
	got, err := m.Candidates(Identifier(name))
	must(m.t, err)
	if !slices.Equal(got, want) {
		t.Fatalf("candidates of %q: %q, want %q", name, reveal(got), reveal(want))
	}
}

// Whatever is created, linked, unlinked, aborted, forgotten or lost, every tag
// leads to who has it now, and to nobody else.
func TestWhoFollows(t *testing.T) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		dir := filepath.Join(t.TempDir(), fmt.Sprint(run))
		must(t, os.Mkdir(dir, 0o700))
		b := &bench{t: t, log: &memLog{}, root: filepath.Join(dir, "root"), index: filepath.Join(dir, "vault.db"), events: map[uint64][16]byte{}, every: 4, unsynced: true}
		must(t, CreateRoot(b.root, nil))
		must(t, Create(t.Context(), b.log, testSubject, b.openRoot()))
		b.open()
		m := &whoModel{bench: b, given: map[Tagged]Identifier{}, sure: map[Tagged]bool{}, dead: map[Tagged]bool{}}
		m.budget(rapid.SampledFrom([]int{0, 1, 2000}).Draw(rt, "budget"))
		actions := map[string]func(*rapid.T){
			"record":     m.record,
			"record2":    m.record,
			"link":       m.link,
			"pages":      m.pages,
			"candidates": m.candidates,
			"reopen":     func(*rapid.T) { m.reopen() },
			"cut":        func(*rapid.T) { m.crash(); m.open() },
			"forget":     m.forget,
			"erase":      m.erase,
		}
		if rapid.Bool().Draw(rt, "ask always") { // else much is noted before it is looked at
			actions[""] = m.agree
		} else {
			actions["agree"] = m.agree
		}
		rt.Repeat(actions)
		m.agree(rt)
		b.finish()
	})
}

func (m *whoModel) budget(n int) {
	if n != 0 {
		m.Vault.reverse.budget = n
	}
}
