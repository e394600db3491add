package crash_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// A person is somebody whom events are recorded about under one identifier or two,
// and what was asked of the server about them.
type person struct {
	ids   []string
	notes map[string]*note // by event id
	tries []*try
}

// A note is an event about somebody. Its times are by the clock of people.
type note struct {
	first, last int // sent for the first time, and for the last
	acked       int // acknowledged; 0: not
	month       string
}

// A try is one attempt to have something forgotten. done says that it was answered
// with: nothing of it is there any more.
type try struct {
	asked, ended int
	done         bool
	before       string // of a retention: the first month that stays
}

// people is everybody in a ledger whose erasure is asked for, or who is to stay, and
// how far back their accesses were asked to be forgotten. It knows what must be
// shown of each, what must not, and what may or may not, all of it or nothing.
type people struct {
	*book
	name string // in every identifier, and in nothing else

	lock       sync.Mutex
	clock      int
	all        []*person
	retentions []*try

	done, undone int // erasures that were not answered
}

func newPeople(b *book, seed uint64, first int) *people {
	return &people{book: b, name: fmt.Sprintf("mallory%xq%d", seed, first)}
}

// somebody adds a person with n identifiers.
func (ps *people) somebody(n int) *person {
	ps.lock.Lock()
	defer ps.lock.Unlock()
	p := &person{notes: map[string]*note{}}
	for i := range n {
		p.ids = append(p.ids, fmt.Sprintf("candidate:%sn%dx%d", ps.name, len(ps.all), i))
	}
	ps.all = append(ps.all, p)
	return p
}

// everybody returns those whose erasure was asked for, or the others.
func (ps *people) everybody(asked bool) (some []*person) {
	ps.lock.Lock()
	defer ps.lock.Unlock()
	for _, p := range ps.all {
		if len(p.tries) > 0 == asked {
			some = append(some, p)
		}
	}
	return some
}

func (ps *people) tick() int { ps.clock++; return ps.clock }

// record sends events in one request, each about all of some people, and reports
// whether it was answered.
func (ps *people) record(srv *server, token string, evs []event, about ...*person) bool {
	ps.note(evs, about, func(n *note, now int) { n.last = now })
	results, err := srv.send(token, evs)
	ps.answer(evs, results, err)
	if err == nil {
		ps.note(evs, about, func(n *note, now int) { n.acked = now })
	}
	return err == nil
}

func (ps *people) note(evs []event, about []*person, do func(n *note, now int)) {
	ps.lock.Lock()
	defer ps.lock.Unlock()
	now := ps.tick()
	for _, p := range about {
		for _, e := range evs {
			if p.notes[e.id] == nil {
				p.notes[e.id] = &note{first: now, month: e.at[:len("2006-01")]}
			}
			do(p.notes[e.id], now)
		}
	}
}

// again notes that whatever the book has open is sent again, and answered.
func (ps *people) again(send func()) {
	ps.mu.Lock()
	open := slices.Collect(maps.Keys(ps.open))
	ps.mu.Unlock()
	each := func(do func(n *note, now int)) {
		ps.lock.Lock()
		defer ps.lock.Unlock()
		now := ps.tick()
		for _, p := range ps.all {
			for _, id := range open {
				if n := p.notes[id]; n != nil {
					do(n, now)
				}
			}
		}
	}
	each(func(n *note, now int) { n.last = now })
	send()
	each(func(n *note, now int) { n.acked = now })
}

// begin notes that something is asked to be forgotten, and returns what notes how
// that ended. It is of somebody, or else of a retention.
func (ps *people) begin(p *person, before string) (end func(done bool)) {
	ps.lock.Lock()
	defer ps.lock.Unlock()
	t := &try{asked: ps.tick(), before: before}
	if p != nil {
		p.tries = append(p.tries, t)
	} else {
		ps.retentions = append(ps.retentions, t)
	}
	return func(done bool) {
		ps.lock.Lock()
		defer ps.lock.Unlock()
		t.ended, t.done = ps.tick(), done
	}
}

// month is a month so many before this one.
func month(ago int) string {
	now := time.Now().UTC()
	return time.Date(now.Year(), now.Month()-time.Month(ago), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}

// crowd is how many people one event is about whom nobody asks to erase: two for each
// key that an erasure replaces, and more.
const crowd = 600

func crowded(rng *rand.Rand, name string) event {
	subjects := make([]string, crowd)
	for i := range subjects {
		subjects[i] = fmt.Sprintf(`{"id":"candidate:%sc%d","role":"candidate"}`, name, i)
	}
	e := event{kind: accessed, at: month(0) + "-01T00:00:00.000Z", dataset: "crowd"}
	return e.about(rng, subjects)
}

// access is an event that somebody's data were looked at, in the month given.
func access(rng *rand.Rand, at string, about ...*person) event {
	var subjects []string
	for _, p := range about {
		subjects = append(subjects, fmt.Sprintf(`{"id":%q,"role":"candidate"}`, p.ids[rng.IntN(len(p.ids))]))
	}
	e := event{kind: accessed, at: at + "-01T00:00:00.000Z", dataset: "career_cv", count: rng.IntN(1 << 20)}
	return e.about(rng, subjects)
}

// linking is an event that somebody's identifiers are one person's.
func linking(rng *rand.Rand, p *person) event {
	var subjects []string
	for _, id := range p.ids {
		subjects = append(subjects, fmt.Sprintf(`{"id":%q,"role":"candidate"}`, id))
	}
	e := event{kind: "eu.custody.subject.identifiers-linked.v1", at: month(0) + "-01T00:00:00.000Z"}
	return e.about(rng, subjects)
}

const accessed = "eu.custody.data.accessed.v1"

func (e event) about(rng *rand.Rand, subjects []string) event {
	more := ""
	if e.kind == accessed {
		more = fmt.Sprintf(`,"system":"ats","dataset":%q,"categories":["contact"],"purpose":"comply","basis":"A6-1-c","mode":"list","result_count":%d`, e.dataset, e.count)
	}
	e.id, e.source = newID(rng), "/ats"
	e.raw = fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":%q,"type":%q,"time":%q,"datacontenttype":"application/json","data":{"subjects":[%s],"actor":{"id":"employee:m%02d","role":"recruiter","kind":"human","unit":"recruitment"}%s}}`,
		e.id, e.source, e.kind, e.at, strings.Join(subjects, ","), rng.IntN(30), more)
	return e
}
