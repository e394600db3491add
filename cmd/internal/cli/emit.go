package cli

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/events/emit"
)

const emitLong = `Sends events to the server, in order, and says what became of each.

The input is CloudEvents JSON: one event per line (NDJSON), one JSON array, or
events laid out over several lines; the beginning tells which. It can be of any
size, and may come slowly: events are sent as they arrive, in batches of at most
1,000.

Each event is recorded, or is a duplicate of one recorded before (with that
one's position), or is refused, with the path of what is wrong and what was
expected; the others go on. So emitting the same input twice is safe.

When the server cannot be reached or is busy, emit tries again for --retry-for;
nothing can be recorded twice. When it gives up it says from which line to go
on with --from-line.

  -o table   what was refused or is doubtful, and a summary
  -o ndjson  a line per event, as the answers come:
             {"line","source","id","status","position","error":{"type","path","detail"}}
  -o json    the same as one array; -o csv the same as rows

In an array, "line" is the number of the element, from 1. Blank lines hold no
event and get no result, but are counted.

With --receipts it then awaits the ledger's signed receipt of each recorded event,
compares it with what was sent, and keeps it in that folder: see custody receipts.

Exit status 1 if any event was refused, 3 if the ledger recorded something else.`

type emitOptions struct {
	retryFor        time.Duration
	fromLine        int
	dryRun          bool
	receipts, trust string // folder of receipts, and trust file
}

func (s *session) emitCommand() *cobra.Command {
	var o emitOptions
	cmd := &cobra.Command{
		Use:   "emit [FILE|-]",
		Short: "Send events, and learn what became of each",
		Long:  emitLong,
		Example: `  custody emit events.ndjson
  custody emit events.ndjson -o ndjson --out results.ndjson
  custody emit --dry-run events.json
  custody emit events.ndjson --receipts receipts --trust imalink.trust
  tail -f ats-outbox.ndjson | custody emit -`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return s.emit(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.DurationVar(&o.retryFor, "retry-for", time.Minute, "how long to try again when the server cannot be reached or is busy")
	f.IntVar(&o.fromLine, "from-line", 1, "skip the lines before this one")
	f.BoolVar(&o.dryRun, "dry-run", false, "have the server judge the events (valid or refused) without recording any")
	f.StringVar(&o.receipts, "receipts", "", "folder in which receipts of what was recorded are kept")
	cmd.MarkFlagDirname("receipts")
	trustFlag(cmd, &o.trust)
	return cmd
}

func (s *session) emit(ctx context.Context, args []string, o emitOptions) error {
	if o.fromLine < 1 {
		return misuse("--from-line counts from 1")
	}
	if o.receipts != "" && o.dryRun {
		return misuse("--dry-run records nothing that there could be --receipts of")
	}
	if o.receipts == "" && o.trust != "" {
		return misuse("--trust judges receipts: say where they go, with --receipts DIR")
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	var kept *emit.Receipts
	if o.receipts != "" {
		if kept, err = s.receipts(c, o.receipts, o.trust, emit.OpenReceipts); err != nil {
			return err
		}
	}
	in, size, err := s.opened(args)
	if err != nil {
		return err
	}
	defer in.Close()
	a, err := s.answer()
	if err != nil {
		return err
	}
	e := s.emission(a, c, size, o)
	e.receipts = kept
	err = e.run(ctx, from(o.fromLine, items(in)))
	stopped := err != nil
	err = e.conclude(err)
	if kept == nil || stopped {
		return err
	}
	return cmp.Or(e.collect(ctx), err)
}

// emission is one run of emit.
type emission struct {
	*session
	sender
	list     *listing
	bar      progress
	all      bool // say every result in a table, not only those to look at
	next     int  // the first line without a result
	statuses map[string]int
	began    time.Time
	receipts *emit.Receipts // of what is recorded; nil if none are kept
	awaited  int
}

func (s *session) emission(a *answer, c *client, size int64, o emitOptions) *emission {
	e := &emission{
		session:  s,
		bar:      s.progress("emitting", size, true),
		next:     o.fromLine,
		statuses: map[string]int{},
		began:    time.Now(),
		list:     a.listing(resultColumns(a.format)...),
	}
	e.sender = sender{client: c, dryRun: o.dryRun, retryFor: o.retryFor, waiting: func(err error, pause time.Duration) {
		e.bar.clear()
		e.note("line %d: %v; trying again in %v", e.next, err, pause.Round(time.Millisecond))
	}}
	return e
}

// run sends events to their end, or to the first error.
func (e *emission) run(ctx context.Context, in iter.Seq2[item, error]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer e.bar.finish()
	for b := range gather(ctx, in) {
		results, err := e.post(ctx, b)
		if err != nil {
			return err
		}
		if err := e.expect(b, results); err != nil {
			return err
		}
		if err := e.print(results); err != nil {
			return err
		}
		if len(b.items) > 0 {
			last := b.items[len(b.items)-1]
			e.next = last.line + 1
			e.bar.set(last.end)
		}
		if b.err != nil {
			return b.err
		}
	}
	return ctx.Err()
}

// from passes over the items before a line.
func from(line int, in iter.Seq2[item, error]) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for it, err := range in {
			if (err != nil || it.line >= line) && !yield(it, err) {
				return
			}
		}
	}
}

// print shows results; in a table those one should look at, unless all are asked
// for.
func (e *emission) print(results []result) error {
	for _, r := range results {
		e.statuses[r.Status]++
		if e.format == "table" {
			if r.Error == nil && len(r.Warnings) == 0 {
				e.say(r)
				continue
			}
			e.bar.clear()
		}
		if err := e.list.row(r, r.cells(e.format)...); err != nil {
			return err
		}
	}
	return e.list.flush()
}

// say puts a result that needs no attention into words, if all are asked for.
func (e *emission) say(r result) {
	switch {
	case e.all && r.Position > 0:
		fmt.Fprintf(e.list, "%s at position %d: %s %s\n", r.Status, r.Position, r.Source, r.ID)
	case e.all:
		fmt.Fprintf(e.list, "%s: %s %s\n", r.Status, r.Source, r.ID)
	}
}

// conclude ends the answer, sums up, and says how to go on after an error.
func (e *emission) conclude(err error) error {
	if e.format == "table" {
		fmt.Fprintln(e.list, e.summary())
	} else {
		e.note("%s", e.summary())
	}
	stopped := err != nil
	err = e.list.end(err)
	switch n := e.statuses[refused]; {
	case stopped:
		return advise(err, "the lines before %d are answered; go on with --from-line %d", e.next, e.next)
	case err == nil && n > 0:
		return fmt.Errorf("%s of %s refused", count(n), some(e.total(), "event"))
	}
	return err
}

func (e *emission) total() (n int) {
	for _, k := range e.statuses {
		n += k
	}
	return n
}

// summary is such as "10,646 events: 10,600 recorded, 46 duplicate (3.1s)".
func (e *emission) summary() string {
	var parts []string
	for _, status := range []string{"recorded", "duplicate", "valid", refused} {
		if n := e.statuses[status]; n > 0 {
			parts = append(parts, count(n)+" "+status)
		}
	}
	if len(parts) == 0 {
		return "no events"
	}
	took := time.Since(e.began).Round(time.Millisecond)
	return fmt.Sprintf("%s: %s (%v)", some(e.total(), "event"), strings.Join(parts, ", "), took)
}
