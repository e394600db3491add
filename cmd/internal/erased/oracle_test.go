package erased

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imalink/custody/events"
)

// What an adversary is to know, said from what was sent alone.

// went says what is gone: of whom, by how many events had been sent when they
// went; and of which class, before which month.
type went struct {
	left    map[string]int
	class   events.Retention
	before  int32
	unheard int // events sent from here on are not there yet
}

// ids are the identifiers of who is gone.
func (w went) ids() []string { return slices.Sorted(maps.Keys(w.left)) }

// dead reports whether a data subject of an event is gone.
func (w went) dead(id string, n int) bool {
	left, gone := w.left[id]
	return gone && n < left
}

// forgotten reports whether the cells of an event are gone.
func (w went) forgotten(e sent) bool { return e.class == w.class && monthOf(e.at) < w.before }

// learns is who is in which event, and which events open.
func (w went) learns(all []sent) (pairs map[pair]struct{}, opened map[string]struct{}) {
	pairs, opened = map[pair]struct{}{}, map[string]struct{}{}
	for n, e := range all[:w.unheard] {
		if w.forgotten(e) {
			continue
		}
		pairs[pair{e.actor, e.id}] = struct{}{}
		lives := len(e.subjects) > 16
		for _, id := range e.subjects {
			if !w.dead(id, n) {
				pairs[pair{id, e.id}] = struct{}{}
				lives = true
			}
		}
		if e.sealed() && lives {
			opened[e.id] = struct{}{}
		}
	}
	return pairs, opened
}

// ours are the ids of what was sent.
func ours(all []sent) map[string]sent {
	ids := map[string]sent{}
	for _, e := range all {
		ids[e.id] = e
	}
	return ids
}

// compare holds what an adversary learnt against what it is to know of what was
// sent, exactly.
func (a *adversary) compare(all []sent, w went) (wrong []string) {
	pairs, opened := w.learns(all)
	sent := ours(all)
	learnt := map[pair]struct{}{}
	for p := range a.pairs {
		if _, is := sent[p.event]; is {
			learnt[p] = struct{}{}
		}
	}
	wrong = append(differ("pair", pairs, learnt), differ("opened", opened, a.openedOf(sent))...)
	for id, text := range a.sealed {
		if e, is := sent[id]; is && !strings.Contains(text, e.reason) {
			wrong = append(wrong, id+": opened to something else")
		}
	}
	return wrong
}

func (a *adversary) openedOf(sent map[string]sent) map[string]struct{} {
	out := map[string]struct{}{}
	for id := range a.sealed {
		if _, is := sent[id]; is {
			out[id] = struct{}{}
		}
	}
	return out
}

// differ says what is in one set only, briefly.
func differ[K comparable](what string, want, got map[K]struct{}) (wrong []string) {
	for k := range want {
		if _, ok := got[k]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s missing: %v", what, k))
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s too much: %v", what, k))
		}
	}
	return few(wrong)
}

// few is the beginning of a list, and how long it is.
func few(list []string) []string {
	slices.Sort(list)
	if len(list) > 10 {
		return append(list[:10], fmt.Sprintf("and %d more", len(list)-10))
	}
	return list
}

// own is what an adversary knows of some of the ledger's own events, less what
// those who left were in.
func (a *adversary) own(of map[string]struct{}, left map[string]int) map[pair]struct{} {
	out := map[pair]struct{}{}
	for p := range a.pairs {
		_, is := of[p.event]
		if _, gone := left[p.id]; is && !gone {
			out[p] = struct{}{}
		}
	}
	return out
}

// ownEvents are the ids of the events that the ledger recorded of itself.
func (a *adversary) ownEvents() map[string]struct{} {
	out := map[string]struct{}{}
	for _, e := range a.all {
		if e.source == "/custody" {
			out[e.id] = struct{}{}
		}
	}
	return out
}

// ownEvent reports whether an event is the ledger's own.
func (a *adversary) ownEvent(id string) bool { _, is := a.ownEvents()[id]; return is }

// secrets are the keys of people, and all that is made of them: what must not be
// anywhere any more, and what it is.
func (a *adversary) secrets(of map[string]int) map[string]string {
	out := map[string]string{}
	add := func(k key, what string) {
		out[string(k[:])] = what
		x := extract(k)
		out[string(x[:])] = what + ", extracted"
	}
	shards := map[byte]bool{}
	for _, r := range a.rows {
		if _, is := of[r.id]; !is {
			continue
		}
		shards[r.shard] = true
		add(r.key, "key of a person")
		for cell, es := range a.cells {
			c := chain(r.key, cell.class, cell.role)
			if cell.role == 1 {
				add(c, "chain of a person")
			}
			for e := range es {
				if t := tagOf(e, c); a.whose[t] == r.id && cell.role == 1 {
					add(sealKey(e, c), "seal key of a person")
				}
			}
		}
	}
	for k, what := range a.keys {
		switch what {
		case "root key", "key of a table":
			add(k, what)
		case "key of a shard":
			for _, recs := range a.records {
				if id := hkdf(k, labelKeyID); recs[0].id == [8]byte(id[:]) && shards[recs[0].shard] {
					add(k, what)
					add(hkdf(k, labelWrap), "wrapping "+what)
					add(hkdf(k, labelLookup), "lookup "+what)
				}
			}
		}
	}
	contents := map[key]key{} // by their commitment
	for k, what := range a.keys {
		if what == "content key" {
			contents[hkdf(k, labelBlobCommit)] = k
		}
	}
	for id, by := range a.by { // of what was sealed for those people alone
		living := func(who string) bool { _, gone := of[who]; return !gone }
		if b, _ := parseBlob(a.event(id).sealed); !slices.ContainsFunc(slices.Collect(maps.Keys(by)), living) {
			add(contents[b.commitment], "content key")
		}
	}
	return out
}

func (a *adversary) event(id string) *event {
	i := slices.IndexFunc(a.all, func(e *event) bool { return e.id == id })
	return a.all[i]
}
