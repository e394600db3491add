package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/imalink/custody/events"
)

// Limits of one request; the server's own are higher.
const (
	batchEvents = 1000
	batchBytes  = 4 << 20
)

// result is what became of one event, as the server says it and as emit prints
// it. Line and Status are always there.
type result struct {
	Line     int         `json:"line,omitempty"`
	Source   string      `json:"source,omitempty"`
	ID       string      `json:"id,omitempty"`
	Status   string      `json:"status"`
	Position uint64      `json:"position,omitempty"`
	Error    *eventError `json:"error,omitempty"`
	Warnings []string    `json:"warnings,omitempty"`
}

// eventError says what is wrong with an event, without the value that is wrong.
type eventError struct {
	Type   string `json:"type"`
	Path   string `json:"path"`
	Detail string `json:"detail"`
}

const refused = "refused"

// refusedHere is the result of an item that cannot be sent.
func (it item) refusedHere() *eventError {
	switch it.flaw {
	case tooLong:
		return &eventError{Type: events.TooLarge, Detail: fmt.Sprintf("an event has at most %d bytes", eventLimit)}
	case missing:
		return &eventError{Type: events.NotJSON, Detail: "there is nothing between two commas of the array"}
	}
	return nil
}

// gather groups items into batches, each of whatever was read while the one
// before was being sent, at most batchEvents and batchBytes. So a file goes in
// full batches, and lines that come one by one go at once. At most two batches
// exist at a time, and no more of the input than they hold.
//
// The channel is closed after the last batch. When ctx is done both goroutines
// end, the reading one after the read it waits for.
func gather(ctx context.Context, in iter.Seq2[item, error]) <-chan batch {
	read := make(chan batch) // of one item, or none and an error
	go func() {
		defer close(read)
		for it, err := range in {
			one := batch{err: err}
			if err == nil {
				one = batch{items: []item{it}, bytes: len(it.raw)}
			}
			select {
			case read <- one:
			case <-ctx.Done():
				return
			}
		}
	}()
	out := make(chan batch)
	go func() {
		defer close(out)
		collect(ctx, read, out)
	}()
	return out
}

// batch is some items that follow each other, and perhaps why no more can be
// read after them.
type batch struct {
	items []item
	bytes int
	err   error
}

func collect(ctx context.Context, read <-chan batch, out chan<- batch) {
	var waiting batch
	for {
		in, sending := read, out
		if len(waiting.items) == 0 && waiting.err == nil {
			sending = nil
		}
		if waiting.err != nil || len(waiting.items) == batchEvents || waiting.bytes >= batchBytes-eventLimit {
			in = nil
		}
		if in == nil && sending == nil {
			return
		}
		select {
		case one, more := <-in:
			if !more {
				read = nil
				continue
			}
			waiting.items = append(waiting.items, one.items...)
			waiting.bytes += one.bytes
			waiting.err = one.err
		case sending <- waiting:
			waiting = batch{}
		case <-ctx.Done():
			return
		}
	}
}

// sender posts batches, one at a time so that events keep their order.
type sender struct {
	*client
	dryRun   bool
	retryFor time.Duration // how long one batch is tried again
	waiting  func(err error, pause time.Duration)
}

// post sends the events of one batch and returns a result for each, in order.
//
// It tries again whatever may pass. That is safe: an event that an earlier try
// recorded is answered with its first position. After an error, any of the
// events may be recorded; sending them again is safe too.
func (s *sender) post(ctx context.Context, b batch) ([]result, error) {
	body := make([]byte, 0, b.bytes+len(b.items))
	sent := 0
	for _, it := range b.items {
		if it.raw != nil {
			body = append(append(body, it.raw...), '\n')
			sent++
		}
	}
	if sent == 0 {
		return merge(b, nil)
	}
	deadline := time.Now().Add(s.retryFor)
	for attempt := 0; ; attempt++ {
		results, err := s.try(ctx, body)
		if err == nil {
			return merge(b, results)
		}
		pause := backoff(attempt, err)
		if !passing(err) || time.Now().Add(pause).After(deadline) {
			return nil, err
		}
		s.waiting(err, pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *sender) try(ctx context.Context, body []byte) ([]result, error) {
	query := url.Values{}
	if s.dryRun {
		query.Set("dry_run", "true")
	}
	response, err := s.send(ctx, "POST", "/v1/events", query, "application/x-ndjson", body)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Results []result `json:"results"`
	}
	if err := decode(response.Body, &answer); err != nil {
		return nil, err
	}
	return answer.Results, nil
}

// merge puts the server's results, one per event sent, among those of the items
// that were not.
func merge(b batch, results []result) ([]result, error) {
	all := make([]result, 0, len(b.items))
	for _, it := range b.items {
		r := result{Status: refused, Error: it.refusedHere()}
		if r.Error == nil {
			if len(results) == 0 {
				return nil, errMiscounted
			}
			r, results = results[0], results[1:]
		}
		r.Line = it.line
		all = append(all, r)
	}
	if len(results) > 0 {
		return nil, errMiscounted
	}
	return all, nil
}

var errMiscounted = errors.New("the server gave another number of results than there were events: what became of them is unknown")

// backoff is how long to wait after a failed attempt (0 is the first): a random
// part of a bound that doubles up to 5 s, but no less than the server asked for.
func backoff(attempt int, err error) time.Duration {
	bound := min(5*time.Second, 100*time.Millisecond<<min(attempt, 10))
	pause := bound/2 + rand.N(bound/2)
	if p, ok := errors.AsType[*problem](err); ok {
		pause = max(pause, p.retryAfter)
	}
	return pause
}

// resultColumns are the columns of results. A table, which shows only what one
// should look at, has the fewer.
func resultColumns(format string) []column {
	if format == "table" {
		return []column{{"line", 7}, {"status", 9}, {"path", 28}, {"type", 17}, {"detail", 0}}
	}
	return []column{{name: "line"}, {name: "status"}, {name: "position"}, {name: "source"}, {name: "id"}, {name: "path"}, {name: "type"}, {name: "detail"}}
}

// cells are a result in these columns.
func (r result) cells(format string) []string {
	var path, kind, detail, position string
	switch {
	case r.Error != nil:
		path, kind, detail = r.Error.Path, r.Error.Type, r.Error.Detail
	case len(r.Warnings) > 0:
		kind, detail = "warning", strings.Join(r.Warnings, ", ")+": may hold an identifier of the event"
	}
	if format == "table" {
		return []string{strconv.Itoa(r.Line), r.Status, path, kind, detail}
	}
	if r.Position > 0 {
		position = strconv.FormatUint(r.Position, 10)
	}
	return []string{strconv.Itoa(r.Line), r.Status, position, r.Source, r.ID, path, kind, detail}
}
