package erased

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
)

// A learner says what an adversary learnt of those who went.
type learner struct {
	s             *scene
	at            *trial
	kept          *report.Certificate
	before, after *adversary
}

// learnable holds the adversary to the certificate: each thing that it says can be
// learnt is, so it is not said for nothing; and there is nothing else, but for
// what is outside of files.
func learnable(t *testing.T, s *scene, at *trial, kept *report.Certificate, after *adversary) {
	l := &learner{s, at, kept, at.before, after}
	stated := map[string]func(*testing.T){
		"pattern": l.pattern, "tag": l.tag, "gone": l.gone, "shards": l.shards, "written": l.written, "cipher": l.cipher, "numbers": l.numbers,
		"references": l.references, "shared": l.shared, "crowd": l.crowd, "actors": l.actors, "others": l.others, "acts": l.acts,
		"copies": l.copies, "answers": l.answers,
		"machine": nil, // memory, swap, snapshots, worn cells: no files
	}
	lists := [][]string{report.Learnable(false), report.Learnable(true), kept.Remains.Learnable}
	for _, c := range s.certificates {
		lists = append(lists, c.Remains.Learnable)
	}
	named := map[string]bool{}
	for _, list := range lists {
		for _, name := range list {
			named[name] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(stated)); !slices.Equal(got, want) {
		t.Errorf("certificates say %v, tested is %v", got, want)
	}
	for _, name := range slices.Sorted(maps.Keys(stated)) {
		if learns := stated[name]; learns != nil {
			t.Run(name, learns)
		}
	}
}

// of are the events that list somebody who went, as they were sent, up to then.
func (l *learner) of(id string) (all []sent) {
	for n, e := range l.at.sent {
		if slices.Contains(e.subjects, id) && l.at.remains.dead(id, n) {
			all = append(all, e)
		}
	}
	return all
}

// ofAll are those of everybody who went, each once.
func (l *learner) ofAll() map[string]sent {
	all := map[string]sent{}
	for id := range l.at.remains.left {
		for _, e := range l.of(id) {
			all[e.id] = e
		}
	}
	return all
}

// pattern: every stored byte is where it was.
func (l *learner) pattern(t *testing.T) {
	raw := map[string][]byte{}
	for _, e := range l.after.all {
		raw[e.id] = e.raw
	}
	for _, e := range l.before.all {
		if !bytes.Equal(raw[e.id], e.raw) {
			t.Errorf("%s is not as it was", e.id)
		}
	}
}

// tag: one in all events of a class and month, another in any other.
func (l *learner) tag(t *testing.T) {
	type cell struct {
		id    string
		class events.Retention
		month int32
	}
	where, is := map[tag]cell{}, map[cell]tag{}
	for _, e := range l.ofAll() {
		for _, tag := range l.before.event(e.id).people {
			id := l.before.whose[tag]
			if !slices.Contains(e.subjects, id) {
				continue // who acted
			}
			c := cell{id, e.class, monthOf(e.at)}
			if was, known := where[tag]; known && was != c {
				t.Error("a tag stands in two cells, or for two people")
			}
			if was, known := is[c]; known && was != tag {
				t.Error("two tags of one in a cell")
			}
			where[tag], is[c] = c, tag
		}
	}
	if len(where) < 50 {
		t.Errorf("%d tags were looked at", len(where))
	}
}

// nobodys are the tags that are nobody's, of events whose cells live.
func (l *learner) nobodys() map[tag]bool {
	sent := ours(l.at.sent)
	out := map[tag]bool{}
	for _, e := range l.after.all {
		if l.at.remains.forgotten(sent[e.id]) {
			continue
		}
		for _, tag := range e.people {
			if _, known := l.after.whose[tag]; !known {
				out[tag] = true
			}
		}
	}
	return out
}

// gone: tags that are nobody's are theirs, every one of them.
func (l *learner) gone(t *testing.T) {
	nobodys := l.nobodys()
	for tag, id := range l.before.whose {
		_, left := l.at.remains.left[id]
		if _, known := l.after.whose[tag]; nobodys[tag] && !left {
			t.Error("a tag of somebody who is there is nobody's")
		} else if known && left && id != l.after.whose[tag] {
			t.Error("a tag is somebody else's")
		}
	}
	for _, e := range l.before.all {
		for _, tag := range e.people {
			delete(nobodys, tag)
		}
	}
	for _, e := range l.after.all { // since then: what the ledger recorded of erasing them
		if e.source == "/custody" {
			for _, tag := range e.people {
				delete(nobodys, tag)
			}
		}
	}
	if len(nobodys) > 0 {
		t.Errorf("%d tags are nobody's, and nobody went", len(nobodys))
	}
}

// shards: which groups of keys were replaced; and in which group an identifier
// would be that one thinks of.
func (l *learner) shards(t *testing.T) {
	if len(l.after.routes) != 1 {
		t.Fatalf("%d route keys", len(l.after.routes))
	}
	dead, theirs := map[byte]bool{}, map[byte]bool{}
	for _, w := range l.after.writings() {
		for _, rec := range w.dead {
			dead[rec.shard] = true
		}
	}
	for route := range l.after.routes {
		for id := range l.at.remains.left {
			sum := hmac(route, []byte(id))
			theirs[sum[0]] = true
		}
		for id, c := range l.s.certificates {
			of := map[byte]bool{}
			for _, one := range l.person(id) {
				sum := hmac(route, []byte(one))
				of[sum[0]] = true
			}
			if c.Shredding.Shards != uint64(len(of)) {
				t.Errorf("certified are %d groups, it were %d", c.Shredding.Shards, len(of))
			}
		}
	}
	if !maps.Equal(dead, theirs) {
		t.Errorf("%d groups of keys are dead, not %d", len(dead), len(theirs))
	}
}

// person are all identifiers of somebody who went.
func (l *learner) person(id string) []string {
	f := everybody()
	if i := slices.Index(f.people, id); i >= 0 && f.alias[i] != "" {
		return []string{id, f.alias[i]}
	}
	return []string{id}
}

// cipher: sealed values stay, in steps of length.
func (l *learner) cipher(t *testing.T) {
	closed := 0
	for id := range l.ofAll() {
		b, ok := parseBlob(l.after.event(id).sealed)
		if _, opened := l.after.sealed[id]; opened || !ok {
			continue
		}
		closed++
		if n := len(b.box) - 16; !slices.Contains([]int{64, 128, 256, 512}, n) && n%1024 != 0 {
			t.Errorf("%d bytes are sealed", n)
		}
	}
	if closed == 0 {
		t.Error("nothing is closed")
	}
}

// numbers: the id that a producer gave stands in clear.
func (l *learner) numbers(t *testing.T) {
	for id := range l.ofAll() {
		if !bytes.Contains(l.after.event(id).raw, []byte(`"id":"`+id+`"`)) {
			t.Errorf("%s has no id in clear", id)
		}
	}
}

// references: whoever knows a session recognises it, until its cell goes.
func (l *learner) references(t *testing.T) {
	recognised, not := 0, 0
	for id, e := range l.ofAll() {
		if e.session == "" {
			continue
		}
		is := false
		for _, es := range l.after.cells {
			for k := range es {
				sum := hmac(hkdf(k, labelRef), []byte(e.session))
				_, stands := l.after.event(id).tags[tag(sum[:16])]
				is = is || stands
			}
		}
		if is == l.at.remains.forgotten(e) {
			t.Errorf("%s: its session is recognised: %v", id, is)
		}
		if is {
			recognised++
		} else {
			not++
		}
	}
	if recognised == 0 || not == 0 {
		t.Errorf("%d sessions are recognised, %d not", recognised, not)
	}
}

// certified counts the events about somebody, with others, that a certificate was to count:
// not those of cells that had gone by then.
func (l *learner) certified(id string, many bool) (n uint64) {
	seen := map[string]bool{}
	for _, one := range l.person(id) {
		for _, e := range l.of(one) {
			others := slices.ContainsFunc(e.subjects, func(s string) bool { return !slices.Contains(l.person(id), s) })
			late := id == everybody().people[4] && l.at.remains.forgotten(e)
			if others && !seen[e.id] && !late && (!many || len(e.subjects) > 16) {
				seen[e.id] = true
				n++
			}
		}
	}
	return n
}

// shared: events with others open for those, and no other event does.
func (l *learner) shared(t *testing.T) {
	for id, c := range l.s.certificates {
		if want := l.certified(id, false); c.Remains.Shared != want || want == 0 && len(l.of(id)) > 12 {
			t.Errorf("certified are %d shared events, it were %d", c.Remains.Shared, want)
		}
	}
	for id, e := range l.ofAll() {
		went := func(id string) bool { _, gone := l.at.remains.left[id]; return gone }
		if _, opened := l.after.sealed[id]; opened && !slices.ContainsFunc(e.subjects, func(id string) bool { return !went(id) }) {
			t.Errorf("%s is about nobody else, and opens", id)
		}
	}
}

// crowd: those of more than 16 open for whoever has the cell.
func (l *learner) crowd(t *testing.T) {
	opened := 0
	for id, c := range l.s.certificates {
		if want := l.certified(id, true); c.Remains.Crowd != want {
			t.Errorf("certified are %d large events, it were %d", c.Remains.Crowd, want)
		}
		for _, e := range l.of(id) {
			if _, byCell := l.after.by[e.id][""]; byCell != (len(e.subjects) > 16 && !l.at.remains.forgotten(e)) {
				t.Errorf("%s of %d people opens by its cell: %v", e.id, len(e.subjects), byCell)
			} else if byCell {
				opened++
			}
		}
	}
	if opened == 0 {
		t.Error("no large event opens")
	}
}

// actors: who acted stays known.
func (l *learner) actors(t *testing.T) {
	for id, e := range l.ofAll() {
		if _, known := l.after.pairs[pair{e.actor, id}]; known == l.at.remains.forgotten(e) {
			t.Errorf("%s: who acted is known: %v", id, known)
		}
	}
}

// others: other classes and later months are as readable as before.
func (l *learner) others(t *testing.T) {
	if c := l.kept.Retention; c == nil || c.Cells != 4 {
		t.Errorf("certified is %+v", c)
	}
	now := l.at.remains
	now.class = 0
	all, _ := now.learns(l.at.sent)
	less, _ := l.at.remains.learns(l.at.sent)
	if len(less) == len(all) || len(less) < len(all)/2 { // what is learnt was held against it
		t.Errorf("of %d pairs %d are left", len(all), len(less))
	}
}

// acts: what was done stands there, with who did it and what was asked for.
func (l *learner) acts(t *testing.T) {
	kinds := map[string]int{}
	for _, e := range l.after.all {
		if e.source == "/custody" {
			_, rest, _ := strings.Cut(e.kind, ".custody.")
			kinds[rest]++
		}
		if strings.Contains(e.kind, "erasure-opened") && !bytes.Contains(e.raw, []byte(`"token":"dpo-1"`)) {
			t.Error("an opening without who asked")
		}
	}
	n := len(l.s.certificates)
	if kinds["ledger.erasure-opened.v1"] != n || kinds["ledger.key-shredded.v1"] != n+1 {
		t.Errorf("%v", kinds)
	}
}

// copies: what was copied before opens with the root of then.
func (l *learner) copies(t *testing.T) {
	for id := range l.at.remains.left {
		if _, known := l.before.ids[id]; !known {
			t.Error("a copy from before does not tell who")
		}
	}
}

// answers: the copy handed out names whom it is about; no file does.
func (l *learner) answers(t *testing.T) {
	for id, c := range l.s.certificates {
		if !c.Identifiers.Shown || int(c.Identifiers.Count) != len(l.person(id)) {
			t.Errorf("certified are %d identifiers", c.Identifiers.Count)
		}
	}
}
