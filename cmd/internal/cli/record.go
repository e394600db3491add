package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/imalink/custody/events"
)

const recordLong = `Records facts by hand, above all those of governance: parties, agreements,
assessments. An event is made of the kind and the fields given, checked here, and
sent; the answer shows its position.

A field is written key=value, with dots for what is inside another:

  actor.id=employee:d01       one value; true, false and numbers as such
  storage=BE,DE               a list: commas, or the key again
  subjects.id=candidate:7     the first of a list of objects;
  subjects.1.id=candidate:8   its second, and so on
  actor.id=-                  the value is the next line of standard input, so that
                              no identifier stands on the command line

The event's own attributes can be given as ce-time, ce-id, ce-correlationid and
so on. By default the time is now, and the id is new: for the same fact to be
recorded once although the command is run twice, give it an id, or write the
events to a file with --print and emit that.

--csv FILE makes an event of each row: the first row holds keys as above, and
empty cells are left out. Fields given as arguments apply to every row. Nothing
is sent unless every row is right.`

type recordOptions struct {
	source, csv   string
	dryRun, print bool
	retryFor      time.Duration
}

func (s *session) recordCommand() *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record KIND key=value...",
		Short: "Record facts by hand, or in bulk from CSV",
		Long:  recordLong,
		Example: `  custody record governance.party-registered --source /register \
      actor.id=employee:d01 actor.role=dpo party=acme-bank name="Acme Bank" \
      roles=client country=BE storage=BE access=BE
  custody record party-registered --source /register --csv parties.csv actor.id=- actor.role=dpo
  custody record party-registered --source /register --csv parties.csv --print > parties.ndjson`,
		Args:              arguments(1, -1),
		ValidArgsFunction: completeKind,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(cmd, "source"); err != nil {
				return err
			}
			return s.record(cmd.Context(), args[0], args[1:], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.source, "source", "", "the producer that states the fact, such as /register")
	f.StringVar(&o.csv, "csv", "", "make an event of each row of this file; - is standard input")
	f.BoolVar(&o.dryRun, "dry-run", false, "have the server judge the events without recording any")
	f.BoolVar(&o.print, "print", false, "write the events as NDJSON instead of sending them")
	f.DurationVar(&o.retryFor, "retry-for", time.Minute, "how long to try again when the server cannot be reached or is busy")
	return cmd
}

func completeKind(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return kindNames(), cobra.ShellCompDirectiveNoFileComp
}

func (s *session) record(ctx context.Context, kindText string, fields []string, o recordOptions) error {
	k, err := kind(kindText)
	if err != nil {
		return err
	}
	contract, err := readContract()
	if err != nil {
		return err
	}
	m := &maker{contract: contract, kind: k, source: o.source, now: time.Now()}
	made, err := s.make(m, fields, o.csv)
	if err != nil {
		return err
	}
	a, err := s.answer()
	if err != nil {
		return err
	}
	if o.print {
		for _, it := range made {
			a.Write(append(it.raw, '\n'))
		}
		return a.close(nil)
	}
	c, err := s.client()
	if err != nil {
		return a.close(err)
	}
	e := s.emission(a, c, 0, emitOptions{retryFor: o.retryFor, fromLine: 1, dryRun: o.dryRun})
	e.all = o.csv == ""
	return e.conclude(e.run(ctx, sequence(made)))
}

func sequence(list []item) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for _, it := range list {
			if !yield(it, nil) {
				return
			}
		}
	}
}

// make makes every event before any is sent, so that a slip in the last row of a
// table leaves nothing half done.
func (s *session) make(m *maker, arguments []string, file string) ([]item, error) {
	fields, err := assignments(arguments)
	if err != nil {
		return nil, err
	}
	if err := s.ask(fields, file); err != nil {
		return nil, err
	}
	if file == "" {
		raw, err := m.event(fields)
		return []item{{line: 1, raw: raw}}, err
	}
	in := s.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("opening --csv: %w", err)
		}
		defer f.Close()
		in = f
	}
	return m.rows(csv.NewReader(in), fields)
}

// ask replaces the value - by a line of standard input.
func (s *session) ask(fields []assignment, file string) error {
	in := bufio.NewReader(s.Stdin)
	for i := range fields {
		if fields[i].value != "-" {
			continue
		}
		if file == "-" {
			return misuse("standard input cannot be both the table and the value of %s", fields[i].key)
		}
		if terminal(s.Stdin) {
			fmt.Fprintf(s.Stderr, "%s: ", fields[i].key)
		}
		line, err := in.ReadString('\n')
		if line == "" {
			return fmt.Errorf("reading the value of %s: %w", fields[i].key, err)
		}
		fields[i].value = strings.TrimRight(line, "\r\n")
	}
	return nil
}

// maker makes events of one kind.
type maker struct {
	contract *contract
	kind     events.Kind
	source   string
	now      time.Time
}

// rows makes an event of each row of a table.
func (m *maker) rows(table *csv.Reader, common []assignment) ([]item, error) {
	keys, err := table.Read()
	if err != nil {
		return nil, errors.New("reading --csv: there is no first row with keys")
	}
	keys[0] = strings.TrimPrefix(keys[0], "\ufeff") // as spreadsheets write it
	var made []item
	for {
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			return made, nil
		}
		line, _ := table.FieldPos(0)
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, fmt.Errorf("reading --csv: line %d: %w", wrong.Line, wrong.Err)
		}
		if err != nil {
			return nil, fmt.Errorf("reading --csv: %w", err)
		}
		fields := slices.Clone(common)
		for i, value := range row {
			if value != "" {
				fields = append(fields, assignment{keys[i], value})
			}
		}
		raw, err := m.event(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d of --csv: %w", line, err)
		}
		made = append(made, item{line: line, raw: raw})
	}
}

// event makes one event and checks it as the server would.
func (m *maker) event(fields []assignment) ([]byte, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("making an id: %w", err)
	}
	attributes := map[string]any{
		"specversion": "1.0", "id": id.String(), "source": m.source, "type": m.kind.Type(),
		"time": m.now.UTC().Format("2006-01-02T15:04:05.000Z"), "datacontenttype": "application/json",
	}
	data := map[string]any{}
	attributes["data"] = data
	for _, f := range fields {
		if name, ok := strings.CutPrefix(f.key, "ce-"); ok {
			attributes[name] = f.value
			continue
		}
		if err := m.contract.set(m.contract.data(m.kind.Type()), data, f); err != nil {
			return nil, err
		}
	}
	raw, err := encode(attributes)
	if err != nil {
		return nil, err
	}
	if _, err := events.Decode(raw); err != nil {
		return nil, m.explain(raw, err)
	}
	return raw, nil
}

// explain turns what is wrong with an event into what is wrong with its fields.
func (m *maker) explain(raw []byte, err error) error {
	wrong, ok := errors.AsType[*events.Error](err)
	if !ok {
		return err
	}
	key, inData := strings.CutPrefix(wrong.Path, "/data/")
	if !inData {
		key = "ce-" + strings.TrimPrefix(wrong.Path, "/")
	}
	explained := misuse("%s: %s (%s)", strings.ReplaceAll(key, "/", "."), wrong.Detail, wrong.Type)
	if near := events.Suggest(raw, wrong); near != "" {
		return advise(explained, "did you mean %s?", near)
	}
	return explained
}
