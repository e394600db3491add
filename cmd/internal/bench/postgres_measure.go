package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// What PostgreSQL is given: the fields that are asked by, and the event whole.
const (
	schema = `CREATE TABLE events (
	position bigint NOT NULL, id uuid NOT NULL, source text NOT NULL, kind text NOT NULL, at timestamptz NOT NULL,
	person text NOT NULL, actor text NOT NULL, session text NOT NULL, party text,
	system text NOT NULL, dataset text NOT NULL, purpose text NOT NULL, basis text NOT NULL, event jsonb NOT NULL);
CREATE INDEX ON events (person, position);
CREATE INDEX ON events (actor, position);
CREATE INDEX ON events (party, position);
CREATE INDEX ON events (at);
CREATE TABLE asked (position bigserial, at timestamptz NOT NULL DEFAULT now(), what text NOT NULL);
SET timezone = 'Europe/Brussels';`

	prepared = `VACUUM ANALYZE events;
PREPARE page(text) AS SELECT position, id, source, kind, at, actor, session, party, system, dataset, purpose, basis FROM events
	WHERE person = $1 AND kind IN ('data.accessed', 'data.used', 'data.altered', 'data.exported') ORDER BY position LIMIT 100;
PREPARE total(text) AS SELECT count(*) FROM events
	WHERE person = $1 AND kind IN ('data.accessed', 'data.used', 'data.altered', 'data.exported');`

	facetCounts = `SELECT kind, source, system, dataset, purpose, basis, party, count(*) FROM events
	GROUP BY GROUPING SETS ((kind), (source), (system), (dataset), (purpose), (basis), (party));`
	dayCounts = `SELECT date_trunc('day', at), count(*) FROM events GROUP BY 1 ORDER BY 1;`
)

// appendRow writes the event as COPY wants it; nothing in it needs an escape.
func (e *event) appendRow(dst []byte, position int) []byte {
	dst = append(strconv.AppendInt(dst, int64(position), 10), '\t')
	dst = append(appendText(dst, e.id), '\t')
	party := e.party
	if party == "" {
		party = `\N`
	}
	fields := []string{e.source, e.kind, e.at.UTC().Format(time.RFC3339Nano), identifier(e.person), "employee:r" + strconv.FormatUint(e.actor, 10),
		"sess-" + strconv.FormatUint(e.session, 10), party, e.system, e.dataset, e.purpose, e.basis}
	for _, field := range fields {
		dst = append(append(dst, field...), '\t')
	}
	return append(e.appendJSON(dst), '\n')
}

// measurePostgres gives PostgreSQL as many events of the same stream, with four
// indexes, and asks the same. It records no question, and knows neither tags nor
// transfer classes.
func measurePostgres(ctx context.Context, cfg config, from *stream, n int, label string) error {
	label += "PostgreSQL: "
	pg, err := newPostgres(ctx, filepath.Join(cfg.dir, "pg"))
	if errors.Is(err, errNoPostgres) {
		row(label+err.Error(), "", "")
		return nil
	}
	if pg != nil {
		defer pg.stop()
	}
	if err != nil {
		return err
	}
	if _, err := pg.do(schema); err != nil {
		return err
	}
	took, err := pg.load(ctx, from, n)
	if err != nil {
		return err
	}
	bytes, err := size(filepath.Join(pg.dir, "data", "base"))
	if err != nil {
		return err
	}
	row(label+"COPY, four indexes, 10,000 a transaction", fmt.Sprintf("%.0f/s", rate(n, took)), fmt.Sprintf("%d events, %d B each on disk", n, bytes/int64(n)))
	if _, err := pg.do(prepared); err != nil {
		return err
	}
	return pg.ask(cfg, from, label)
}

// ask asks what the server was asked.
func (pg *postgres) ask(cfg config, from *stream, label string) error {
	page := func(person uint64) string {
		return fmt.Sprintf("EXECUTE page('%[1]s'); EXECUTE total('%[1]s');", identifier(person))
	}
	for _, question := range []struct {
		what      string
		times     int
		statement func() string
	}{
		{"one row inserted durably", cfg.questions, func() string { return "INSERT INTO asked (what) VALUES ('person.accesses');" }},
		{"person's page and total", cfg.questions, func() string { return page(from.anyone()) }},
		{"largest person's page and total", cfg.questions / 5, func() string { return page(largest) }},
		{"seven facets over everything", 3, func() string { return facetCounts }},
		{"histogram by day over everything", 3, func() string { return dayCounts }},
	} {
		took, err := pg.took(question.times, question.statement)
		if err != nil {
			return err
		}
		took.row(label+question.what, "; through psql")
	}
	return nil
}
