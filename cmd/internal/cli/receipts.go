package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// shownFaults is how many receipts that are not as they should be are told one by one.
const shownFaults = 20

func (s *session) receiptsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "receipts",
		Short: "Hold what a producer keeps against the ledger",
		Long: `A receipt is the ledger's signed proof that it recorded an event, and as what.
Producers keep them, away from whoever runs the ledger: custody emit --receipts
does, and services in Go by emit.Config.Receipts. Each is a file that custody
verify reads.`,
		Example: `  custody emit events.ndjson --receipts receipts --trust imalink.trust
  custody receipts check receipts --trust imalink.trust`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(s.receiptsCheckCommand())
	return cmd
}

func (s *session) receiptsCheckCommand() *cobra.Command {
	var trust string
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Check that the ledger still has what it gave receipts of",
		Long: `Verifies each kept receipt, has the ledger give it again, and follows the
ledger's growth from every checkpoint that a receipt is under to the newest.

Exit status 3 if an event is altered or missing, or the ledger signed two
histories: the kept receipts are the evidence. If the whole of it can be proven,
the proof is in the folder disputed, for custody verify.`,
		Example: `  custody receipts check receipts --trust imalink.trust`,
		Args:    arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.checkReceipts(cmd.Context(), args[0], trust)
		},
	}
	trustFlag(cmd, &trust)
	return cmd
}

// receipts opens a folder of receipts, as open does. Without a trust file nobody's signature is asked for.
func (s *session) receipts(c *client, dir, trustPath string, open func(string, *emit.HTTP, *checkpoint.Trust) (*emit.Receipts, error)) (*emit.Receipts, error) {
	var trust *checkpoint.Trust
	if trustPath == "" {
		s.note("without --trust FILE receipts of any key are taken: their signatures are not judged")
	} else {
		var err error
		if trust, err = readTrust(trustPath); err != nil {
			return nil, err
		}
	}
	return open(dir, &emit.HTTP{URL: c.base.String(), Token: c.token, Client: c.http}, trust)
}

// wrongReceipt is a position, and what is wrong with its receipt.
type wrongReceipt struct {
	Position uint64 `json:"position"`
	Error    string `json:"error"`
}

func (s *session) checkReceipts(ctx context.Context, dir, trust string) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	kept, err := s.receipts(e.client, dir, trust, emit.FindReceipts)
	if err != nil {
		return e.close(err)
	}
	shown := struct {
		Receipts    int            `json:"receipts"`
		Checkpoints int            `json:"checkpoints"`
		Newest      uint64         `json:"newest"`
		Wrong       []wrongReceipt `json:"wrong"`
		Ledger      string         `json:"ledger,omitempty"`
		Proof       string         `json:"proof,omitempty"`
	}{Wrong: []wrongReceipt{}}
	checked, err := kept.Check(ctx, func(position uint64, err error) {
		shown.Wrong = append(shown.Wrong, wrongReceipt{position, strings.TrimPrefix(err.Error(), "emit: ")})
	})
	shown.Receipts, shown.Checkpoints, shown.Newest, shown.Proof = checked.Receipts, checked.Checkpoints, checked.Newest.Size, checked.Fraud
	lies := errors.Is(err, emit.ErrReceiptFork) || errors.Is(err, emit.ErrReceiptRewritten)
	if err == nil && checked.Receipts == 0 {
		err = &fault{status: failed, err: errors.New("the folder has no receipt: nothing was held against the ledger")}
	}
	if err != nil && !lies && len(shown.Wrong) == 0 {
		return e.close(err)
	}
	fields := []field{{"receipts", count(shown.Receipts)}, {"checkpoints", count(shown.Checkpoints)}, {"held against", "the first " + count(shown.Newest) + " positions"}}
	if err != nil {
		shown.Ledger = strings.TrimPrefix(err.Error(), "emit: ")
		fields = append(fields, field{"LEDGER", shown.Ledger}, field{"proof", shown.Proof})
	}
	for i, w := range shown.Wrong {
		if i == shownFaults {
			fields = append(fields, field{"and", count(len(shown.Wrong)-i) + " more: -o json has all"})
			break
		}
		fields = append(fields, field{"position " + strconv.FormatUint(w.Position, 10), w.Error})
	}
	if err := e.close(e.describe(shown, fields...)); err != nil {
		return err
	}
	if shown.Ledger != "" || len(shown.Wrong) > 0 {
		return &fault{status: unsound, err: errors.New("the ledger does not agree with its receipts"), hint: "keep the folder as it is: it is the evidence"}
	}
	return nil
}

// expect notes that receipts of what was recorded are to be collected.
func (e *emission) expect(b batch, results []result) error {
	if e.receipts == nil {
		return nil
	}
	var sent []emit.Sent
	for i, r := range results {
		if r.Position == 0 {
			continue
		}
		ev, err := events.Decode(b.items[i].raw)
		if err != nil {
			return fmt.Errorf("line %d is recorded, but this program cannot read it: %w", r.Line, err)
		}
		sent = append(sent, emit.Sent{Position: r.Position, Event: ev})
	}
	e.awaited += len(sent)
	return e.receipts.Expect(sent...)
}

var errNoReceipt = errors.New("no receipt has come")

// collect awaits the receipts of what was recorded, now or by a run before, and compares them with what was sent. It
// gives up when none comes for as long as sending is tried again.
func (e *emission) collect(ctx context.Context) error {
	patience := max(e.retryFor, time.Second)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(patience, func() { cancel(errNoReceipt) })
	defer idle.Stop()
	bar := e.progress("awaiting receipts", int64(e.awaited), false)
	var good, wrong int
	err := e.receipts.Collect(ctx, func(position uint64, err error) {
		idle.Reset(patience)
		if err == nil {
			good++
		} else if wrong++; wrong <= shownFaults {
			bar.clear()
			e.note("position %d: %v", position, err)
		}
		bar.set(int64(good + wrong))
	})
	bar.finish()
	if err != nil && errors.Is(context.Cause(ctx), errNoReceipt) {
		err = fmt.Errorf("%w for %v", errNoReceipt, patience)
	}
	e.note("%s of what was sent kept", some(good, "receipt"))
	switch {
	case wrong > 0:
		return &fault{status: unsound, err: errors.Join(fmt.Errorf("of %s the ledger gives no receipt of what was sent", some(wrong, "event")), err),
			hint: "what it signed for something else is in the folder disputed: keep it"}
	case err != nil:
		return advise(fmt.Errorf("collecting receipts: %w", err), "the events are recorded; the next emit with this folder collects the rest")
	}
	return nil
}
