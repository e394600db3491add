package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/imalink/custody/events"
)

// replay copies the server's lines to the answer. Positions come one after the
// other, whatever the number of answers they come in.
type replay struct {
	o     logOptions
	list  *listing
	zone  *time.Location
	note  func(format string, args ...any)
	begun bool   // the server has answered
	away  bool   // it went away since
	last  uint64 // position of the last line read
}

// errBroken reports that the server began to answer and did not end.
var errBroken = errors.New("the answer broke off")

// follow asks until the answer is whole, or ctx is done, which is how following
// ends. Once the server has answered it may go away and come back.
func (r *replay) follow(ctx context.Context, c *client) error {
	for attempt := 0; ; attempt++ {
		before := r.last
		err := r.ask(ctx, c)
		if ctx.Err() != nil && (errors.Is(err, errBroken) || errors.Is(err, context.Canceled)) {
			return nil
		}
		if !errors.Is(err, errBroken) || !passing(err) {
			return err
		}
		if err := r.list.flush(); err != nil {
			return err
		}
		if r.last > before {
			attempt = 0
		}
		if !r.away {
			r.note("%v; asking again until the server is back", err)
			r.away = true
		}
		select {
		case <-time.After(backoff(attempt, err)):
		case <-ctx.Done():
			return nil
		}
	}
}

// ask copies one answer: what comes after the last line read.
func (r *replay) ask(ctx context.Context, c *client) error {
	response, err := c.send(ctx, http.MethodGet, "/v1/events/stream", r.query(), "", nil)
	switch {
	case err != nil && r.begun:
		return r.broken(err)
	case err != nil:
		return err
	case r.away:
		r.note("the server is back; going on after position %d", r.last)
	}
	defer response.Body.Close()
	r.begun, r.away = true, false
	return r.copy(response.Body)
}

func (r *replay) query() url.Values {
	q := url.Values{}
	from := r.o.fromPosition
	if r.last > 0 {
		from = r.last + 1
	}
	if from > 0 {
		q.Set("from", strconv.FormatUint(from, 10))
	}
	if r.o.toPosition > 0 {
		q.Set("to", strconv.FormatUint(r.o.toPosition, 10))
	}
	if !r.o.span.since.IsZero() {
		q.Set("since", instant(r.o.span.since))
	}
	if !r.o.span.until.IsZero() {
		q.Set("until", instant(r.o.span.until))
	}
	if r.o.follow {
		q.Set("follow", "true")
	}
	return q
}

// copy ends without error only after the line that says the answer is whole.
func (r *replay) copy(body io.Reader) error {
	in := bufio.NewReaderSize(body, 1<<16)
	for {
		raw, err := in.ReadBytes('\n')
		if err != nil {
			return r.broken(err)
		}
		raw = raw[:len(raw)-1]
		var l logLine
		if err := json.Unmarshal(raw, &l); err != nil {
			return r.broken(errForeign)
		}
		switch {
		case l.Error != nil:
			return r.broken(l.Error)
		case l.End != nil:
			if r.list.format == "ndjson" {
				r.list.raw(raw)
			}
			r.remark()
			return nil
		case l.Position == 0:
			return r.broken(errForeign)
		case r.last > 0 && l.Position != r.last+1:
			return r.whole(fmt.Errorf("after position %d the server sent %d", r.last, l.Position))
		}
		r.last = l.Position
		if r.o.wants(l) {
			if err := r.show(raw, l); err != nil {
				return err
			}
		}
		if r.o.follow && in.Buffered() == 0 { // nothing more has come yet
			if err := r.list.flush(); err != nil {
				return err
			}
		}
	}
}

// remark says of an answer without events that it is one, and what its times are:
// events that are imported are recorded long after they happened.
func (r *replay) remark() {
	if r.list.rows > 0 {
		return
	}
	r.note("nothing was recorded that matches")
	if !r.o.span.since.IsZero() || !r.o.span.until.IsZero() {
		r.note("these are times of recording; with --newest, or another flag of a question, they are times of events")
	}
}

func (r *replay) show(raw []byte, l logLine) error {
	cells := []string{strconv.FormatUint(l.Position, 10), l.RecordedTime, l.Time, l.Source, kindName(l.Type), l.Class}
	if r.list.format == "table" {
		cells[1], cells[2] = shown(l.RecordedTime, r.zone), shown(l.Time, r.zone)
	}
	return r.list.row(json.RawMessage(raw), cells...)
}

// kindName is the name of the kind of a type.
func kindName(eventType string) string {
	if k, ok := events.ParseType(eventType); ok {
		return k.Name()
	}
	return eventType
}

// broken is the error of an answer that is not whole.
func (r *replay) broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return r.whole(fmt.Errorf("%w: %w", errBroken, err))
}

// whole adds to err up to where the answer is.
func (r *replay) whole(err error) error {
	if r.last == 0 {
		return err
	}
	return advise(err, "the answer is whole up to position %d; go on with --from-position %d", r.last, r.last+1)
}
