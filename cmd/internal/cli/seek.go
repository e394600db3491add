package cli

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

const seekHelp = `With any of --person, --actor, --session, --facet, the flags of facets (--system,
--category, --purpose, --party, --country, --class), --facets, --histogram,
--summary, --at, --known-at, --case, --limit or --newest it is a question instead:
the server finds the events, people in them are masked, and --from and --to go by
the time at which events happened. The question is itself recorded.

  --facets kind,class  how many of the events found have each value; all is all facets
  --histogram day      how many there were when, by days of --tz
  --summary            how many events, of how many persons, which data, from when to when

With - an identifier is a line of standard input; of several, in the order person,
actor, session.`

// seeking is log as a question.
type seeking struct {
	scope
	paging
	filters
	person, actor, session string
	facets, histogram      string
	summary                bool
}

// flags adds to log what makes it a question.
func (q *seeking) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.person, "person", "", "ask for events that list this person")
	f.StringVar(&q.actor, "actor", "", "ask for events in which this person acted")
	f.StringVar(&q.session, "session", "", "ask for events of this session")
	q.filters.flags(cmd)
	f.StringVar(&q.facets, "facets", "", "count the events found by these facets, or by all")
	f.StringVar(&q.histogram, "histogram", "", "count the events found by hour, day, week, month, quarter or year")
	f.BoolVar(&q.summary, "summary", false, "sum the events found up instead of listing them")
	q.asOfFlags(cmd)
	q.paging.flags(cmd)
	cmd.RegisterFlagCompletionFunc("facets", several(append(facetNames(), "all")))
	cmd.RegisterFlagCompletionFunc("histogram", one(units()))
}

// asked reports whether the command line is a question.
func (q *seeking) asked(cmd *cobra.Command) bool {
	names := []string{"person", "actor", "session", "facet", "facets", "histogram", "summary", "at", "known-at", "case", "limit", "newest"}
	for name := range q.named {
		names = append(names, name)
	}
	return slices.ContainsFunc(names, cmd.Flags().Changed)
}

// check refuses what does not go together. Of the flags of replay a question
// takes --from, --to, --kind and --producer.
func (q *seeking) check(cmd *cobra.Command) error {
	for _, name := range []string{"from-position", "to-position", "follow"} {
		if cmd.Flags().Changed(name) {
			return misuse("--%s is for a replay, not for a question", name)
		}
	}
	counted := 0
	for _, given := range []bool{q.facets != "", q.histogram != "", q.summary} {
		if given {
			counted++
		}
	}
	switch {
	case counted > 1:
		return misuse("--facets, --histogram and --summary exclude each other")
	case counted > 0 && q.paging != (paging{}):
		return misuse("--limit and --newest are for lists of events")
	case q.histogram != "" && !slices.Contains(units(), q.histogram):
		return misuse("--histogram is one of %s", strings.Join(units(), ", "))
	}
	if err := checkFacets(q.facets); err != nil {
		return err
	}
	return q.paging.check()
}

// seek answers log as a question. Kinds and producers are those of log's own flags.
func (s *session) seek(ctx context.Context, cmd *cobra.Command, q seeking, o logOptions) error {
	if err := q.check(cmd); err != nil {
		return err
	}
	q.from, q.to = o.from, o.to
	q.named["kind"], q.named["producer"] = &o.kinds, &o.producers
	t, err := s.terms(q.scope, &q.filters)
	if err != nil {
		return err
	}
	given := map[string]*string{"person": &q.person, "actor": &q.actor, "session": &q.session}
	if err := s.identifiers(given, "person", "actor", "session"); err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	if q.facets != "" || q.histogram != "" || q.summary {
		return e.close(s.count(ctx, e, q, t))
	}
	l := &list{exchange: e, paging: q.paging, bar: s.reading, table: eventSheet(), csv: eventCSV(), fetch: e.search(q, t)}
	return l.show(ctx)
}

// body is the question. Identifiers stand here and nowhere else.
func (q *seeking) body(t terms) map[string]any {
	body := t.body()
	for name, value := range map[string]string{"person": q.person, "actor": q.actor, "session": q.session, "order": q.order()} {
		if value != "" {
			body[name] = value
		}
	}
	return body
}

// search fetches the events that a question finds.
func (e *exchange) search(q seeking, t terms) func(context.Context, string, int) (*page, error) {
	return func(ctx context.Context, cursor string, limit int) (*page, error) {
		body := q.body(t)
		body["limit"] = limit
		if cursor != "" {
			body["cursor"] = cursor
		}
		p := &page{}
		return p, e.ask(ctx, "POST", "/v1/events/search", nil, body, p)
	}
}

// count counts the events that a question finds, or sums them up.
func (s *session) count(ctx context.Context, e *exchange, q seeking, t terms) error {
	body := q.body(t)
	switch {
	case q.facets != "":
		if q.facets != "all" {
			body["of"] = strings.Split(q.facets, ",")
		}
		raw, err := e.searched(ctx, body, "facets")
		if err != nil {
			return err
		}
		return s.facets(e, raw)
	case q.histogram != "":
		body["by"], body["tz"] = q.histogram, e.zone.String()
		raw, err := e.searched(ctx, body, "histogram")
		if err != nil {
			return err
		}
		return s.histogram(e, raw, q.histogram)
	}
	raw, err := e.searched(ctx, body, "summary")
	if err != nil {
		return err
	}
	return e.summary(raw)
}

// searched asks for one object about the events that a question finds.
func (e *exchange) searched(ctx context.Context, body map[string]any, show string) (json.RawMessage, error) {
	body["show"] = show
	var answered map[string]json.RawMessage
	if err := e.ask(ctx, "POST", "/v1/events/search", nil, body, &answered); err != nil {
		return nil, err
	}
	raw := answered[show]
	var p preamble
	if err := understand(raw, &p); err != nil {
		return nil, err
	}
	return raw, e.remark(p)
}

// summary says how much was done, and to how many people.
func (e *exchange) summary(raw json.RawMessage) error {
	summary, err := objectOf(raw)
	if err != nil {
		return err
	}
	if summary["events"] == nil {
		return errForeign
	}
	if text(summary["events"], nil) == "0" {
		e.note("nothing was recorded that matches")
	}
	zone := e.zone
	if e.format == "csv" {
		zone = nil
	}
	var fields []field
	for _, name := range []string{"events", "persons", "unresolved", "categories", "systems", "kinds", "first", "last"} {
		fields = append(fields, field{name, textAt(summary, name, zone)})
	}
	return e.describe(raw, fields...)
}
