package crash_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// An event is one event as it is sent, and what must be found of it afterwards.
type event struct {
	raw                           []byte
	id, source, kind, at, dataset string
	count                         int
}

// A maker makes events: of new people and of known ones, of this month and of
// earlier ones, now and then the link of two identifiers, now and then a large
// one.
type maker struct {
	rng    *rand.Rand
	name   string // tells this maker's people from another's
	people int
	large  int // subjects of a large event; 0 makes none
}

func (m *maker) next() event {
	now := time.Now().UTC().Add(-time.Duration(m.rng.IntN(70)) * 24 * time.Hour)
	e := event{
		id:      newID(m.rng),
		source:  "/" + strings.Fields(sources)[m.rng.IntN(4)],
		kind:    "eu.custody.data.accessed.v1",
		at:      now.Format("2006-01-02T15:04:05.000Z"),
		dataset: []string{"career_cv", "client_contacts", "requests"}[m.rng.IntN(3)],
		count:   m.rng.IntN(1 << 20),
	}
	subjects, extra := 1+m.rng.IntN(3), fmt.Sprintf(`,"mode":"list","result_count":%d`, e.count)
	switch {
	case m.large > 0 && m.rng.IntN(2) == 0:
		subjects = m.large/2 + m.rng.IntN(m.large/2)
	case m.rng.IntN(30) == 0:
		e.kind, e.dataset, e.count, extra = "eu.custody.subject.identifiers-linked.v1", "", 0, ""
		subjects = 2
	case m.rng.IntN(3) == 0:
		e.kind, e.count, extra = "eu.custody.data.used.v1", 0, `,"automation":"none"`
	}
	data := fmt.Sprintf(`"subjects":[%s],"actor":{"id":"employee:%s%02d","role":"recruiter","kind":"human","unit":"recruitment"}`,
		m.subjects(subjects), m.name, m.rng.IntN(30))
	if e.dataset != "" {
		data += fmt.Sprintf(`,"system":"ats","dataset":%q,"categories":["contact"],"purpose":"comply","basis":"A6-1-c"%s`, e.dataset, extra)
	}
	e.raw = fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":%q,"type":%q,"time":%q,"datacontenttype":"application/json","data":{%s}}`,
		e.id, e.source, e.kind, e.at, data)
	return e
}

func newID(rng *rand.Rand) string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", rng.Uint32(), rng.IntN(1<<16), rng.IntN(1<<12), rng.IntN(1<<12), rng.Int64N(1<<48))
}

// subjects lists n different people, the last of them new.
func (m *maker) subjects(n int) string {
	m.people += max(1, n-m.people)
	first := m.rng.IntN(m.people - n + 1)
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"id":"candidate:%s%d","role":"candidate"}`, m.name, first+i)
	}
	if n < 4 {
		list[n-1] = fmt.Sprintf(`{"id":"candidate:%s%d","role":"candidate"}`, m.name, m.people)
	}
	return strings.Join(list, ",")
}

// A load is several clients sending at once, each its own events and, now and
// then, one that was answered before.
type load struct {
	srv     *server
	token   string
	book    *book
	seed    uint64
	round   int
	clients int
	large   int
	most    int // events of the largest request
	stop    chan struct{}
	wg      sync.WaitGroup
}

func (l *load) start() {
	l.stop = make(chan struct{})
	for c := range l.clients {
		l.wg.Go(func() { l.client(c) })
	}
}

// end lets the clients finish what they have sent.
func (l *load) end() {
	close(l.stop)
	l.wg.Wait()
}

func (l *load) client(c int) {
	rng := random(l.seed, fmt.Sprintf("client %d", c), l.round)
	m := &maker{rng: rng, name: fmt.Sprintf("c%dr%dn", c, l.round), large: l.large}
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		n := 1
		if rng.IntN(3) > 0 {
			n += rng.IntN(l.most)
		}
		evs := make([]event, n)
		for i := range evs {
			if old, ok := l.book.any(rng); ok && rng.IntN(10) == 0 {
				evs[i] = old
			} else if i > 0 && rng.IntN(20) == 0 {
				evs[i] = evs[rng.IntN(i)]
			} else {
				evs[i] = m.next()
			}
		}
		results, err := l.srv.send(l.token, evs)
		l.book.answer(evs, results, err)
		if status := errStatus(0); err != nil && (!errors.As(err, &status) || status != http.StatusServiceUnavailable) {
			return
		}
	}
}
