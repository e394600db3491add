package cli

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const scopeHelp = `--from and --to go by the time at which events happened. Each takes a day of --tz
(both days are inside) or an RFC 3339 instant (from is inside, to is not).
--at leaves out what happened later, and takes the registers as they were in
force then; --known-at leaves out what was recorded later. As of which position
the answer is complete, and what its times were taken to mean, is said on
standard error.

Asking is itself recorded, without the identifiers and values asked about; --case
says what for.`

// scope is what every question can be bounded by, as given.
type scope struct{ from, to, at, knownAt, reference string }

// windowFlags adds --from and --to, which bound a question by event time.
func (o *scope) windowFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "happened on this day or later, or at this instant or later")
	f.StringVar(&o.to, "to", "", "happened on this day or earlier, or before this instant")
}

// asOfFlags adds what says as of when, and what for, a question is asked.
func (o *scope) asOfFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.at, "at", "", "as things were at the end of this day, or at this instant")
	o.knownFlags(cmd)
}

// knownFlags is asOfFlags for answers that hold no time of events.
func (o *scope) knownFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.knownAt, "known-at", "", "as known at this position, at the end of this day, or at this instant, by the time of recording")
	o.caseFlag(cmd)
}

func (o *scope) caseFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.reference, "case", "", "the case this is asked for, such as dsar-2025-17; it is recorded")
}

// terms are what a question is bounded by, as the server takes it.
type terms struct {
	scope  map[string]string
	facets map[string][]string
}

// terms makes out what was given. Nothing has been asked yet.
func (s *session) terms(o scope, f *filters) (terms, error) {
	t := terms{scope: map[string]string{}}
	set := func(name, value string) {
		if value != "" {
			t.scope[name] = value
		}
	}
	span, err := s.period(o.from, o.to)
	if err != nil {
		return t, err
	}
	set("from", instantOf(span.since))
	set("to", instantOf(span.until))
	zone, err := s.location()
	if err != nil {
		return t, err
	}
	at, err := lastMoment("at", o.at, zone)
	if err != nil {
		return t, err
	}
	set("at", instantOf(at))
	known := o.knownAt
	if !digits(known) {
		at, err := lastMoment("known-at", known, zone)
		if err != nil {
			return t, err
		}
		known = instantOf(at)
	}
	set("known_at", known)
	if !isCase(o.reference) {
		return t, misuse("--case takes 1 to 64 of a-z, 0-9, _, . and -, beginning with a letter or a digit")
	}
	set("case", o.reference)
	if f != nil {
		t.facets, err = f.resolve()
	}
	return t, err
}

// isCase reports whether text can be a case, or is "", which is none.
func isCase(text string) bool {
	return len(text) <= 64 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == "" && !strings.ContainsAny(text[:min(len(text), 1)], "_.-")
}

// lastMoment reads an instant, or a day as its last millisecond, which is the
// unit of the ledger's times.
func lastMoment(flag, text string, zone *time.Location) (time.Time, error) {
	t, err := moment(flag, text, zone, 1)
	if err != nil || t.IsZero() || strings.ContainsRune(text, 'T') {
		return t, err
	}
	return t.Add(-time.Millisecond), nil
}

func instantOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return instant(t)
}

func digits(text string) bool {
	_, err := strconv.ParseUint(text, 10, 64)
	return err == nil
}

// query is the terms as parameters, with others by name and value.
func (t terms) query(others ...string) url.Values {
	q := url.Values{}
	for name, value := range t.scope {
		q.Set(name, value)
	}
	for name, values := range t.facets {
		q.Set(name, strings.Join(values, ","))
	}
	for pair := range slices.Chunk(others, 2) {
		if pair[1] != "" {
			q.Set(pair[0], pair[1])
		}
	}
	return q
}

// body is the terms as fields.
func (t terms) body() map[string]any {
	b := map[string]any{}
	for name, value := range t.scope {
		b[name] = value
	}
	for name, values := range t.facets {
		b[name] = values
	}
	return b
}
