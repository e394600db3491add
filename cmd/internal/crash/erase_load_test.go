package crash_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An erasing is clients that have people erased, one that has months forgotten, and
// what else goes on meanwhile, until the server is gone.
type erasing struct {
	*killing
	srv      *server
	round    int
	wg       sync.WaitGroup
	answers  chan struct{} // one for each try that was answered, or that was the last
	answered atomic.Int32
}

// moment waits until it is time to kill: some while after some answers, or once the
// next root is being written, which is what makes a change of keys happen.
func (e *erasing) moment(t *testing.T, rng *rand.Rand) {
	t.Helper()
	for range rng.IntN(8) {
		select {
		case <-e.answers:
		case <-e.srv.done:
			t.Fatalf("the server ended by itself: %v\n%s", e.srv.err, e.srv.out)
		case <-time.After(patience):
			t.Fatalf("nothing was answered in %v\n%s", patience, e.srv.out)
		}
	}
	if rng.IntN(3) == 0 {
		e.srv.gone(time.Duration(rng.IntN(50)) * time.Millisecond)
		return
	}
	path := filepath.Join(e.keys(), "root")
	before, err := os.ReadFile(path)
	limit := time.Now().Add(patience)
	for now := before; err == nil && bytes.Equal(now, before) && !e.srv.gone(50*time.Microsecond) && time.Now().Before(limit); {
		now, err = os.ReadFile(path)
	}
	must(t, err)
	e.srv.gone(time.Duration(rng.IntN(4000)) * time.Microsecond)
}

func (e *erasing) start(backup, rebuild bool) {
	for c := range 2 {
		e.wg.Go(func() { e.client(random(e.seed, fmt.Sprintf("officer %d", c), e.round)) })
	}
	e.wg.Go(func() { e.retention(random(e.seed, "retention", e.round)) })
	if backup {
		e.wg.Go(func() { e.over("/v1/backups") })
	}
	if rebuild {
		e.wg.Go(func() { e.over("/v1/views/search/rebuild", "/v1/views/person/rebuild", "/v1/views/access/rebuild") })
	}
}

// over has an operator ask for something over and over.
func (e *erasing) over(paths ...string) {
	for i := 0; ; i++ {
		var ignored any
		err := e.srv.ask("POST", paths[i%len(paths)], e.tok.operator, "", nil, &ignored)
		if status := errStatus(0); err != nil && !errors.As(err, &status) || e.srv.gone(5*time.Millisecond) {
			return
		}
	}
}

// client records events about somebody and somebody else, and has the former erased.
func (e *erasing) client(rng *rand.Rand) {
	other := e.somebody(1)
	for {
		p := e.somebody(1 + rng.IntN(2))
		evs := []event{access(rng, month(0), p)}
		for range rng.IntN(5) {
			evs = append(evs, access(rng, month(0), p))
		}
		if len(p.ids) > 1 {
			evs = append(evs, linking(rng, p))
		}
		if !e.record(e.srv, e.tok.relay, evs, p) || !e.record(e.srv, e.tok.relay, []event{access(rng, month(0), p, other)}, p, other) {
			return
		}
		var wg sync.WaitGroup
		over := make(chan struct{})
		if len(p.ids) == 1 && rng.IntN(2) == 0 { // events about the person go on coming
			more := rand.New(rand.NewPCG(rng.Uint64(), 0))
			wg.Go(func() { e.meanwhile(more, p, over) })
		}
		if rng.IntN(4) == 0 { // two ask at once
			id := p.ids[len(p.ids)-1]
			wg.Go(func() { e.erase(p, id) })
		}
		alive := e.erase(p, p.ids[0])
		close(over)
		wg.Wait()
		if !alive {
			return
		}
	}
}

// meanwhile records events about somebody until over.
func (e *erasing) meanwhile(rng *rand.Rand, p *person, over chan struct{}) {
	for {
		select {
		case <-over:
			return
		default:
		}
		if !e.record(e.srv, e.tok.relay, []event{access(rng, month(0), p)}, p) {
			return
		}
	}
}

// erase asks until there is an answer, and reports whether there was one.
func (e *erasing) erase(p *person, id string) bool {
	return e.insist(func() error {
		end := e.begin(p, "")
		said, err := e.srv.erase(e.tok.officer, id)
		end(said != unsure)
		return err
	})
}

// insist tries until it is answered, and reports whether it was.
func (e *erasing) insist(try func() error) bool {
	for {
		err := try()
		if err == nil {
			e.answered.Add(1)
			e.answers <- struct{}{}
			return true
		}
		if !isStatus(err, http.StatusServiceUnavailable) {
			if status := errStatus(0); errors.As(err, &status) {
				e.killing.mu.Lock()
				e.fault("what was to be forgotten was answered with status %d", status)
				e.killing.mu.Unlock()
			}
			e.answers <- struct{}{} // nobody need wait for more
			return false
		}
	}
}

// retention records accesses of months that are over, and has a part forgotten.
func (e *erasing) retention(rng *rand.Rand) {
	p := e.somebody(1)
	const oldest = 60 // months
	first := oldest - e.round%oldest
	var evs []event
	for ago := max(1, first-2); ago <= first+1; ago++ {
		evs = append(evs, access(rng, month(ago), p), access(rng, month(ago), p))
	}
	if !e.record(e.srv, e.tok.relay, evs, p) {
		return
	}
	before := month(first)
	e.insist(func() error {
		end := e.begin(nil, before)
		err := e.srv.retain(e.tok.officer, before)
		end(err == nil)
		return err
	})
}
