package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

const eventHelp = `An event is named by its position, by its source and id as in /ats/e-1, or by its
id alone. What is all digits is a position.`

const explainLong = `Says why an event has its transfer class: fact by fact, with where each comes
from, whether it was verified, and the version of the legal tables. The class
recorded with the event stands; what the tables of this server would say now is
shown beside it.

` + eventHelp

func (s *session) explainCommand() *cobra.Command {
	var o scope
	cmd := &cobra.Command{
		Use:   "explain EVENT",
		Short: "Say why an event has its transfer class",
		Long:  explainLong,
		Example: `  custody explain 10541
  custody explain /ats/e-1 -o json`,
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return s.explain(cmd.Context(), args[0], o) },
	}
	o.caseFlag(cmd)
	return cmd
}

func (s *session) eventCommand() *cobra.Command {
	var o scope
	cmd := &cobra.Command{
		Use:   "event EVENT",
		Short: "Show one event in full",
		Long: `Shows one event in full: what it is, whom it lists by mask, its SHA-256, and the
stored event itself, in which people are tags.

` + eventHelp,
		Example: `  custody event 10541 -o json
  custody event /ats/e-1`,
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return s.event(cmd.Context(), args[0], o) },
	}
	o.caseFlag(cmd)
	return cmd
}

// located asks about one event, whatever it is named by: all of it, or a part.
func (s *session) located(ctx context.Context, named string, o scope, part ...string) (*exchange, json.RawMessage, error) {
	t, err := s.terms(o, nil)
	if err != nil {
		return nil, nil, err
	}
	e, err := s.begin()
	if err != nil {
		return nil, nil, err
	}
	position, err := e.locate(ctx, named)
	if err != nil {
		return nil, nil, e.close(err)
	}
	raw, err := e.object(ctx, pathTo(append([]string{"events", position}, part...)...), t.query())
	if err != nil {
		return nil, nil, e.close(err)
	}
	return e, raw, nil
}

// locate finds the position of an event.
func (e *exchange) locate(ctx context.Context, named string) (string, error) {
	if digits(named) {
		return named, nil
	}
	source, id := "", named
	if strings.HasPrefix(named, "/") {
		name, rest, ok := strings.Cut(named[1:], "/")
		if !ok || rest == "" {
			return "", misuse("an event is named by its position, by /producer/id, or by its id")
		}
		source, id = "/"+name, rest
	}
	var found struct {
		Position uint64 `json:"position"`
	}
	if err := e.ask(ctx, "GET", "/v1/events/find", terms{}.query("source", source, "id", id), nil, &found); err != nil {
		return "", otherwise(err, "an event is named by its position, by /producer/id, or by its id")
	}
	if found.Position == 0 {
		return "", errForeign
	}
	return strconv.FormatUint(found.Position, 10), nil
}

func (s *session) event(ctx context.Context, named string, o scope) error {
	e, raw, err := s.located(ctx, named, o)
	if err != nil {
		return err
	}
	return e.close(e.outline(raw))
}

// explanation is why an event has its class.
type explanation struct {
	Position uint64            `json:"position"`
	Source   string            `json:"source"`
	ID       string            `json:"id"`
	Kind     string            `json:"kind"`
	Time     string            `json:"time"`
	Class    string            `json:"class"`
	Tables   string            `json:"tables"`
	Now      *verdict          `json:"now"`
	Facts    []json.RawMessage `json:"facts"`
	Register []json.RawMessage `json:"register"`
}

type verdict struct {
	Class  string `json:"class"`
	Tables string `json:"tables"`
}

func (s *session) explain(ctx context.Context, named string, o scope) error {
	e, raw, err := s.located(ctx, named, o, "explain")
	if err != nil {
		return err
	}
	var x explanation
	if err := understand(raw, &x); err != nil {
		return e.close(err)
	}
	switch {
	case x.Position == 0:
		err = errForeign
	case e.format == "csv":
		err = e.factRows(x)
	case e.format == "table":
		err = e.explained(x)
	default:
		err = e.describe(raw)
	}
	return e.close(err)
}

// explained is the verdict, with the facts below.
func (e *exchange) explained(x explanation) error {
	err := e.describe(nil,
		field{"position", strconv.FormatUint(x.Position, 10)},
		field{"event", strings.TrimSpace(x.Source + " " + x.ID)},
		field{"kind", x.Kind},
		field{"time", shown(x.Time, e.zone)},
		field{"class", x.Class + x.meaning()},
		field{"tables", x.Tables},
		field{"now", x.changed()},
	)
	if err != nil || len(x.Facts) == 0 {
		return err
	}
	fmt.Fprintln(e)
	facts := sheet{{"fact", "fact", 24}, {"finding", "finding", 32}, {"verified", "verified", 8}, {"source", "source", 0}}
	if err := e.rows(facts, x.Facts); err != nil || len(x.Register) == 0 {
		return err
	}
	fmt.Fprintf(e, "\n%s\n", e.paint(bold, "by the register of then"))
	return e.rows(sheet{{"position", "position", -9}, {"kind", "kind", 32}, {"party", "party", 0}}, x.Register)
}

func (x *explanation) meaning() string {
	if x.Class == "" {
		return "none: nothing was given to anyone"
	}
	if meaning := classMeaning(x.Class); meaning != "" {
		return " (" + meaning + ")"
	}
	return ""
}

// changed says what the tables of the server now make of the event.
func (x *explanation) changed() string {
	switch {
	case x.Now == nil:
		return ""
	case x.Now.Class == x.Class:
		return "the same, by tables " + x.Now.Tables
	}
	return x.Now.Class + ", by tables " + x.Now.Tables
}

// rows shows objects in a table.
func (e *exchange) rows(s sheet, objects []json.RawMessage) error {
	rows := e.listing(s.columns()...)
	rows.tint = s.tinted
	for _, raw := range objects {
		cells, err := s.cells(raw, e.zone)
		if err != nil {
			return err
		}
		if err := rows.row(nil, cells...); err != nil {
			return err
		}
	}
	return nil
}

func (e *exchange) factRows(x explanation) error {
	w := csv.NewWriter(e)
	w.Write([]string{"position", "class", "tables", "fact", "finding", "verified", "source"})
	facts := plain("fact", "finding", "verified", "source")
	for _, raw := range x.Facts {
		cells, err := facts.cells(raw, nil)
		if err != nil {
			return err
		}
		for i := range cells {
			cells[i] = guarded(cells[i])
		}
		w.Write(append([]string{strconv.FormatUint(x.Position, 10), x.Class, x.Tables}, cells...))
	}
	w.Flush()
	return w.Error()
}
