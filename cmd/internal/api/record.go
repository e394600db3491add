package api

import (
	"errors"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// statuses of a dry run; of a real one they are the ledger's.
const valid ledger.Status = "valid"

// item is one event of a request on its way.
type item struct {
	line  int    // of NDJSON, from 1; else 0
	raw   []byte // nil in binary mode
	event *events.Event
	result
}

// result is what became of an event.
type result struct {
	status   ledger.Status
	position uint64
	err      *events.Error
	warnings []string
}

func (it *item) refuse(err *events.Error) { it.result = result{status: ledger.Refused, err: err} }

// postEvents records the events of a request.
//
// Nothing is recorded before the whole body has arrived and been cut into
// events. After a 503 some of the events may be recorded; sending all of them
// again gives each its one place.
func (a *API) postEvents(w http.ResponseWriter, r *http.Request, p access.Principal) {
	mode, dry, err := a.wanted(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	b, err := a.readBody(w, r, MaxBody)
	defer func() { a.bodies.give(b.held) }()
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.recordBody(w, r, p, b.bytes, mode, dry)
}

// wanted tells by the header of a request what is to be done with its body, or
// why that cannot be done.
func (a *API) wanted(r *http.Request) (mode events.Mode, dry bool, err error) {
	if dry, err = flag(r, "dry_run"); err != nil {
		return 0, false, err
	}
	if mode, err = modeOf(r); err != nil {
		return 0, false, err
	}
	if err = a.ledger().Halted(); err != nil && !dry {
		return 0, false, err
	}
	return mode, dry, nil
}

// recordBody records the events of a whole body and answers. Of r only the
// header and the context count.
func (a *API) recordBody(w http.ResponseWriter, r *http.Request, p access.Principal, body []byte, mode events.Mode, dry bool) {
	l := a.ledger()
	items, err := split(mode, body)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	decodeAll(mode, r.Header, body, items)
	allow(l.Access(), p, items)
	if dry {
		a.answer(w, r, mode, items)
		return
	}
	if err := a.record(r, l, p, items); err != nil {
		a.refuse(w, r, err)
		return
	}
	a.count(l, p, items)
	a.answer(w, r, mode, items)
}

// record hands over what is not refused yet, in order, and takes the results.
func (a *API) record(r *http.Request, l Ledger, p access.Principal, items []item) error {
	relay := ""
	if p.Role == access.RoleRelay {
		relay = p.Name
	}
	subs := make([]ledger.Submission, 0, len(items))
	for i := range items {
		if items[i].err == nil {
			subs = append(subs, ledger.Submission{Event: items[i].event, Relay: relay})
		}
	}
	if len(subs) == 0 {
		return nil
	}
	start := time.Now()
	results, err := l.Record(r.Context(), subs)
	if err != nil {
		return err
	}
	if len(results) != len(subs) {
		return errors.New("the ledger gave another number of results than it was given events")
	}
	a.metrics.commit.Observe(time.Since(start).Seconds())
	next := 0
	for i := range items {
		if items[i].err == nil {
			res := results[next]
			items[i].result = result{res.Status, res.Position, res.Err, res.Warnings}
			next++
		}
	}
	return nil
}

// decodeAll decodes every event that has been cut out. Several processors are
// used where there is enough for them to do.
func decodeAll(mode events.Mode, header http.Header, whole []byte, items []item) {
	const enough = 64 << 10 // bytes; decoding them takes about a millisecond
	if len(whole) < enough || len(items) < 2 {
		for i := range items {
			items[i].decode(mode, header, whole)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(items)) {
		wg.Go(func() {
			const stride = 16 // events taken at a time
			for end := next.Add(stride); int(end-stride) < len(items); end = next.Add(stride) {
				for i := int(end - stride); i < min(int(end), len(items)); i++ {
					items[i].decode(mode, header, whole)
				}
			}
		})
	}
	wg.Wait()
}

func (it *item) decode(mode events.Mode, header http.Header, whole []byte) {
	if it.err != nil {
		return // it could not even be cut out
	}
	var err error
	if mode == events.Binary {
		it.event, err = events.DecodeBinary(header, whole)
	} else {
		it.event, err = events.Decode(it.raw)
	}
	if err == nil {
		it.result = result{status: valid, warnings: it.event.Warnings}
		return
	}
	refusal, ok := errors.AsType[*events.Error](err)
	if !ok {
		refusal = &events.Error{Type: events.NotJSON, Detail: "cannot be read as an event"}
	}
	it.event = nil
	it.refuse(refusal)
}

// allow refuses what p may not send.
func allow(s *access.Store, p access.Principal, items []item) {
	for i := range items {
		if it := &items[i]; it.err == nil {
			if refusal := s.May(p, it.event.Source, it.event.Kind); refusal != nil {
				it.refuse(refusal)
			}
		}
	}
}

// count tells the metrics and the ledger what became of the events.
func (a *API) count(l Ledger, p access.Principal, items []item) {
	t := tally{}
	for i := range items {
		it := &items[i]
		o := outcome{status: string(it.status), producer: otherProducer}
		if it.err != nil {
			o.reason = it.err.Type
		}
		switch {
		case it.event != nil:
			o.producer = label(l.Access(), it.event.Source)
		case p.Role == access.RoleProducer:
			o.producer = label(l.Access(), "/"+p.Producer)
		default:
			source, _ := identity(it.raw)
			o.producer = label(l.Access(), source)
		}
		t[o]++
	}
	a.metrics.events.Observe(float64(len(items)))
	a.metrics.count(t)
	for o, n := range t {
		if o.status == string(ledger.Refused) {
			if o.producer == otherProducer {
				o.producer = ""
			}
			l.CountRefusal(o.producer, o.reason, n)
		}
	}
}
