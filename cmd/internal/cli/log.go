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
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/events"
)

const logLong = `Replays what was recorded, in the order it was recorded, from the server.

--from and --to go by the time of recording. Each takes a day of --tz (both days
are inside) or an RFC 3339 instant (from is inside, to is not); what they were
taken to mean is said on standard error. --from-position and --to-position take
positions (both inside).

--kind and --producer choose among what the server sends: the server reads the
whole span all the same.

People appear as tags, in every format: only the vault can resolve them. A token
of role operator is shown what each event is, but not what it says.

  -o table   position, times, source, kind, transfer class
  -o ndjson  the server's own lines: the stored event with its SHA-256, and at
             the end a line that says how far the answer goes
  -o json    the same as one array, without that line; -o csv the table's columns

An answer that breaks off is an error; a whole one ends with exit status 0.
With --follow it goes on with new events until interrupted.`

type logOptions struct {
	from, to                 string
	fromPosition, toPosition uint64
	follow                   bool
	kinds, producers         []string
	types                    map[string]bool // of events to show; none means all
	span                     period
}

func (s *session) logCommand() *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Replay what was recorded, by time or position",
		Long:  logLong,
		Example: `  custody log --from 2025-03-01 --to 2025-03-31
  custody log --from-position 10001 -o ndjson --out rest.ndjson
  custody log --kind data.shared,data.transferred --producer crm -o csv
  custody log --follow`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return s.log(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "recorded on this day or later, or at this instant or later")
	f.StringVar(&o.to, "to", "", "recorded on this day or earlier, or before this instant")
	f.Uint64Var(&o.fromPosition, "from-position", 0, "begin at this position")
	f.Uint64Var(&o.toPosition, "to-position", 0, "end with this position")
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with new events as they are recorded")
	f.StringSliceVar(&o.kinds, "kind", nil, "only these kinds, such as data.shared; a family is all its kinds")
	f.StringSliceVar(&o.producers, "producer", nil, "only events of these producers")
	return cmd
}

// logLine is what log understands of a line of the server's: a stored event, or
// the last line, which says that the answer is whole, or why it is not.
type logLine struct {
	Position     uint64    `json:"position"`
	Source       string    `json:"source"`
	ID           string    `json:"id"`
	Type         string    `json:"type"`
	Time         string    `json:"time"`
	RecordedTime string    `json:"recordedtime"`
	Class        string    `json:"class"`
	End          *struct{} `json:"end"`
	Error        *problem  `json:"error"`
}

func (s *session) log(ctx context.Context, o logOptions) error {
	zone, err := s.location()
	if err != nil {
		return err
	}
	if err := o.resolve(s); err != nil {
		return err
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	a, err := s.answer()
	if err != nil {
		return err
	}
	response, err := c.send(ctx, http.MethodGet, "/v1/events/stream", o.query(), "", nil)
	if err != nil {
		return a.close(err)
	}
	defer response.Body.Close()
	list := a.listing(column{"position", 9}, column{"recorded", 23}, column{"time", 23}, column{"source", 14}, column{"kind", 32}, column{"class", 0})
	r := &replay{o: o, list: list, zone: zone}
	err = r.copy(response.Body)
	if o.follow && errors.Is(err, context.Canceled) {
		err = nil // interrupting is how following ends
	}
	return list.end(err)
}

// resolve checks the options against each other and says what times they mean.
func (o *logOptions) resolve(s *session) (err error) {
	if o.span, err = s.period(o.from, o.to); err != nil {
		return err
	}
	if o.toPosition > 0 && o.fromPosition > o.toPosition {
		return misuse("--from-position is after --to-position")
	}
	if o.types, err = typesOf(o.kinds); err != nil {
		return err
	}
	if o.from != "" || o.to != "" {
		s.note("recorded %v (days of %s)", o.span, s.zone)
	}
	return nil
}

// typesOf gives the types of the kinds and families named.
func typesOf(names []string) (map[string]bool, error) {
	types := map[string]bool{}
	for _, name := range names {
		before := len(types)
		for _, k := range events.Kinds() {
			if name == k.Family() || name == k.Name() || name == k.Type() {
				types[k.Type()] = true
			}
		}
		if len(types) == before {
			k, err := kind(name)
			if err != nil {
				return nil, err
			}
			types[k.Type()] = true
		}
	}
	return types, nil
}

func (o *logOptions) query() url.Values {
	q := url.Values{}
	if o.fromPosition > 0 {
		q.Set("from", strconv.FormatUint(o.fromPosition, 10))
	}
	if o.toPosition > 0 {
		q.Set("to", strconv.FormatUint(o.toPosition, 10))
	}
	if !o.span.since.IsZero() {
		q.Set("since", instant(o.span.since))
	}
	if !o.span.until.IsZero() {
		q.Set("until", instant(o.span.until))
	}
	if o.follow {
		q.Set("follow", "true")
	}
	return q
}

// wants reports whether the filters of this side let a line through.
func (o *logOptions) wants(l logLine) bool {
	return (len(o.types) == 0 || o.types[l.Type]) &&
		(len(o.producers) == 0 || slices.Contains(o.producers, strings.TrimPrefix(l.Source, "/")))
}

// replay copies the server's lines to the answer.
type replay struct {
	o    logOptions
	list *listing
	zone *time.Location
	last uint64 // position of the last line read
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
			return r.broken(errors.New("a line is not the JSON expected"))
		}
		switch {
		case l.Error != nil:
			return r.broken(l.Error)
		case l.End != nil:
			if r.list.format == "ndjson" {
				r.list.raw(raw)
			}
			return nil
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
	err = fmt.Errorf("the answer broke off: %w", err)
	if r.last == 0 {
		return err
	}
	return advise(err, "the answer is whole up to position %d; go on with --from-position %d", r.last, r.last+1)
}
