package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/events"
)

const logLong = `Replays what was recorded, in the order it was recorded, from the server.

--from and --to go by the time of recording. Each takes a day of --tz (both days
are inside) or an RFC 3339 instant (from is inside, to is not); what they were
taken to mean is said on standard error. --from-position and --to-position take
positions (both inside).

--kind and --producer choose what is shown, not what is read: every event of the
span is read and sent, and without --from, --to or positions the span is the whole
ledger. Narrow the span to read less.

People appear as tags, in every format: only the vault can resolve them. A token
of role operator is shown what each event is, but not what it says.

  -o table   position, times, source, kind, transfer class
  -o ndjson  the server's own lines: the stored event with its SHA-256, and at
             the end a line that says how far the answer goes
  -o json    the same as one array, without that line; -o csv the table's columns

An answer that breaks off is an error; a whole one ends with exit status 0.

With --follow it goes on with new events until interrupted, which ends it with
exit status 0. When the server goes away it says so on standard error, asks again
until the server is back, and goes on after the last event it read: none is shown
twice, none is left out.`

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
	var q seeking
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Replay what was recorded, or ask for events",
		Long:  logLong + "\n\n" + seekHelp,
		Example: `  custody log --from 2025-03-01 --to 2025-03-31
  custody log --from-position 10001 -o ndjson --out rest.ndjson
  custody log --kind data.shared,data.transferred --producer crm -o csv
  custody log --follow
  custody log --session sess-4711 --summary
  custody log --party acme-bank --from 2025-03-01 --histogram week`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.asked(cmd) {
				return s.seek(cmd.Context(), cmd, q, o)
			}
			return s.log(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "recorded on this day or later, or at this instant or later")
	f.StringVar(&o.to, "to", "", "recorded on this day or earlier, or before this instant")
	f.Uint64Var(&o.fromPosition, "from-position", 0, "begin at this position")
	f.Uint64Var(&o.toPosition, "to-position", 0, "end with this position")
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with new events as they are recorded")
	f.StringSliceVar(&o.kinds, "kind", nil, "show only these kinds, such as data.shared; a family is all its kinds")
	f.StringSliceVar(&o.producers, "producer", nil, "show only events of these producers")
	cmd.RegisterFlagCompletionFunc("kind", several(append(familyNames(), allKindNames()...)))
	q.flags(cmd)
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
	list := a.listing(column{"position", 9}, column{"recorded", 23}, column{"time", 23}, column{"source", 14}, column{"kind", 32}, column{"class", 0})
	r := &replay{o: o, list: list, zone: zone, note: s.note}
	if o.follow {
		return list.end(r.follow(ctx, c))
	}
	return list.end(r.ask(ctx, c))
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
		found := false
		for _, k := range events.Kinds() {
			if name == k.Family() || name == k.Name() || name == k.Type() {
				types[k.Type()], found = true, true
			}
		}
		if !found {
			k, err := kind(name)
			if err != nil {
				return nil, err
			}
			types[k.Type()] = true
		}
	}
	return types, nil
}

// wants reports whether the filters of this side let a line through.
func (o *logOptions) wants(l logLine) bool {
	return (len(o.types) == 0 || o.types[l.Type]) &&
		(len(o.producers) == 0 || slices.Contains(o.producers, strings.TrimPrefix(l.Source, "/")))
}
