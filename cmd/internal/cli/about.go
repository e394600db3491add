package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// someone is whom a question is about. The identifier goes into the body of a
// request and nowhere else.
type someone struct {
	kind       string // as in the path: persons or actors
	identifier string
}

// me is the person whom a token of role subject is for.
const me = "me"

// linked says that more than one identifier is known for the one asked about.
func (e *exchange) linked(identifiers int) {
	if identifiers > 1 {
		e.note("%s of the same person, all of them included", some(identifiers, "identifier"))
	}
}

// restricted says, where an answer does, that somebody's data may be stored and
// not much else (GDPR Art. 18).
func (e *exchange) restricted(raw json.RawMessage) error {
	if len(raw) == 0 {
		return nil
	}
	var r struct {
		Since   string `json:"since"`
		Erasure uint64 `json:"erasure"` // that is open; 0 is none
	}
	if err := understand(raw, &r); err != nil {
		return err
	}
	if r.Erasure > 0 {
		e.note("processing is restricted since %s: erasure %d is open", r.Since, r.Erasure)
	} else {
		e.note("processing is restricted since %s", r.Since)
	}
	return nil
}

// about fetches a list about someone. The look-up gives the first page with the
// handle, and the handle the rest: the question is recorded once.
func (e *exchange) about(who someone, show string, t terms, order string) func(context.Context, string, int) (*page, error) {
	handle := ""
	if who.kind == "persons" && who.identifier == me {
		handle = me
	}
	return func(ctx context.Context, cursor string, limit int) (*page, error) {
		switch {
		case handle != "" && show == "recipients": // the parties come at once
			return e.whole(pathTo(who.kind, handle, show), t.query())(ctx, cursor, limit)
		case handle != "":
			return e.paged(pathTo(who.kind, handle, show), t, order)(ctx, cursor, limit)
		}
		body := t.body()
		body["identifier"], body["show"], body["limit"] = who.identifier, show, limit
		if order != "" {
			body["order"] = order
		}
		p := &page{}
		if err := e.ask(ctx, "POST", pathTo(who.kind, "lookup"), nil, body, p); err != nil {
			return nil, err
		}
		if p.Handle == "" {
			return nil, errForeign
		}
		handle = p.Handle
		e.linked(p.Identifiers)
		return p.list(), nil
	}
}

// identifiers puts a line of standard input, in order, for each that is "-". The
// names are how a terminal is asked for them.
func (s *session) identifiers(given map[string]*string, names ...string) error {
	in := bufio.NewReader(s.Stdin)
	for _, name := range names {
		value := given[name]
		if value == nil || *value != "-" {
			continue
		}
		if terminal(s.Stdin) {
			fmt.Fprintf(s.Stderr, "%s: ", name)
		}
		line, err := in.ReadString('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading the %s from standard input: %w", name, err)
		}
		*value = strings.TrimSpace(line)
		if *value == "" {
			return misuse("standard input holds no %s", name)
		}
	}
	return nil
}

const identifierHelp = `An identifier is written with its type, as in candidate:10001. With - it is read
from standard input, and so stays out of the shell's history. Without its type it
may be several: those are listed, and the exit status is 2. An identifier that is
not known gives no answer and exit status 1.`

const personLong = `Shows what was done with the data of one person, whoever the identifiers that
are linked to the one given belong to: they are one person for all time.

  --show timeline     every event that lists the person (the default)
  --show accesses     who looked at the data, used, altered or exported it
  --show disclosures  to whom it was given, and where
  --show recipients   every party that received it, with what and how often
  --show reads        who asked this ledger about the person

People who acted are masked: the same mask is the same person within one answer,
and says nothing in another. The holder of a token of role subject asks with me.

` + identifierHelp + "\n\n" + scopeHelp

// aboutOptions is what the commands about someone take.
type aboutOptions struct {
	scope
	paging
	filters
	show string
}

func (s *session) personCommand() *cobra.Command {
	shows := []string{"timeline", "accesses", "disclosures", "recipients", "reads"}
	return s.aboutCommand(&cobra.Command{
		Use:   "person ID|-|me",
		Short: "Show who accessed and who received a person's data",
		Long:  personLong,
		Example: `  custody person candidate:10001
  custody person candidate:10001 --show disclosures --from 2025-03-01 --to 2025-03-31
  custody person - --show accesses --case dsar-2025-17 -o ndjson --out answer.ndjson < id.txt
  custody person me --show recipients`,
	}, someone{kind: "persons"}, shows)
}

const actorLong = `Shows what one person did with the data of others, for one an employee or a
recruiter.

  --show timeline  every event in which this person acted (the default)
  --show accesses  whose data this person looked at, used, altered or exported

` + identifierHelp + "\n\n" + scopeHelp

func (s *session) actorCommand() *cobra.Command {
	return s.aboutCommand(&cobra.Command{
		Use:   "actor ID|-",
		Short: "Show what a person did with the data of others",
		Long:  actorLong,
		Example: `  custody actor employee:r01 --show accesses
  custody actor - --show accesses --from 2025-03-01 --kind data.exported -o csv`,
	}, someone{kind: "actors"}, []string{"timeline", "accesses"})
}

func (s *session) aboutCommand(cmd *cobra.Command, who someone, shows []string) *cobra.Command {
	var o aboutOptions
	cmd.Args = arguments(1, 1)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains(shows, o.show) {
			return misuse("--show is one of %s", strings.Join(shows, ", "))
		}
		who.identifier = args[0]
		if err := s.identifiers(map[string]*string{"identifier": &who.identifier}, "identifier"); err != nil {
			return err
		}
		return s.showAbout(cmd.Context(), who, o)
	}
	cmd.Flags().StringVar(&o.show, "show", shows[0], "what to show: "+strings.Join(shows, ", "))
	cmd.RegisterFlagCompletionFunc("show", one(shows))
	o.windowFlags(cmd)
	o.asOfFlags(cmd)
	o.filters.flags(cmd)
	o.paging.flags(cmd)
	return cmd
}

func (s *session) showAbout(ctx context.Context, who someone, o aboutOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	t, err := s.terms(o.scope, &o.filters)
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	l := &list{exchange: e, paging: o.paging, bar: s.reading, fetch: e.about(who, o.show, t, o.order())}
	switch o.show {
	case "accesses":
		l.table, l.csv = accessSheet(), eventCSV()
	case "disclosures":
		l.table, l.csv = disclosureSheet(), eventCSV()
	case "reads":
		l.table = readSheet()
	case "recipients":
		l.table = recipientSheet()
	default:
		l.table, l.csv = eventSheet(), eventCSV()
	}
	return l.show(ctx)
}
