package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/demo"
	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/ledger"
)

const demoLong = `Makes up a year at a staffing company, records it into a ledger of its own,
serves that, and says what there is to find in it: a stolen session, a curious
colleague, an agreement that ended, a quarter that was not clean, one person under
two names, evidence that came late. Everybody in it is made up.

The same --seed, --size and --until give the same year, byte for byte. It ends with
the day before --until, by default today, so that clocks such as that of a rights
request are running. It is recorded as any event is, except that recording times
are the story's: what happened in March was recorded in March.

It can be stopped at any time, and begun again: it goes on where it was. The
directories remember which year they hold, so that the flags need not be repeated;
another year wants other directories.

With --tamper nothing is served: it flips one bit in a copy of the ledger, never in
the ledger itself, and shows that custody check finds it. A server may be running
meanwhile. If the bit were not found, the exit status would be 1.`

type demoOptions struct {
	folders
	demo.Spec
	listen           string
	tamper, fillOnly bool
}

func (s *session) demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a ledger of a made-up year, with stories to find in it",
		Long:  demoLong,
		Example: `  custody demo
  custody demo --tamper
  custody demo --size 1000000 --data /tmp/big/data --keys /tmp/big/keys
  custody demo --seed 7 --until 2026-01-01 --data D --keys K --listen 127.0.0.1:0`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.tamper && o.fillOnly {
				return misuse("--tamper and --fill-only exclude each other")
			}
			return s.demo(cmd.Context(), o, cmd.Flags().Changed)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.Lookup("data").DefValue, o.data = ".demo/data", ".demo/data"
	f.Lookup("keys").DefValue, o.keys = ".demo/keys", ".demo/keys"
	f.Uint64Var(&o.Seed, "seed", 1, "which of the possible years")
	f.IntVar(&o.Size, "size", demo.DefaultSize, "how many events")
	f.StringVar(&o.Until, "until", "", "the day before which the year ends (default today)")
	cmd.RegisterFlagCompletionFunc("until", one([]string{today()}))
	f.StringVar(&o.listen, "listen", "127.0.0.1:8420", "host and port to listen on")
	f.BoolVar(&o.tamper, "tamper", false, "flip one bit in a copy of the ledger, and show that it is found")
	f.BoolVar(&o.fillOnly, "fill-only", false, "record the year and make the tokens, but serve nothing")
	return cmd
}

func (s *session) demo(ctx context.Context, o demoOptions, given func(flag string) bool) error {
	a, err := s.answer()
	if err != nil {
		return err
	}
	home := demo.Home{Data: o.data, Keys: o.keys}
	y, made, err := o.year(home, given)
	switch {
	case err != nil:
	case !o.tamper:
		err = s.demonstrate(ctx, a, o, home, y, made)
	case made:
		err = s.tamper(ctx, a, home)
	default:
		if err = s.demonstrate(ctx, nil, o, home, y, made); err == nil {
			err = s.tamper(ctx, a, home)
		}
	}
	return a.close(demoFault(err))
}

// year is the one that the directories hold, which made reports, or else the one
// that the flags say. Flags that say otherwise than the directories are refused.
func (o demoOptions) year(home demo.Home, given func(flag string) bool) (y *demo.Year, made bool, err error) {
	if o.Until == "" {
		o.Until = today()
	}
	plan, err := home.Plan()
	switch {
	case errors.Is(err, demo.ErrNone):
	case err != nil:
		return nil, false, err
	case given("seed") && o.Seed != plan.Seed, given("size") && o.Size != plan.Size, given("until") && o.Until != plan.Until:
		return nil, false, fmt.Errorf("%w: seed %d, size %d, until %s", demo.ErrOther, plan.Seed, plan.Size, plan.Until)
	default:
		o.Spec, made = plan.Spec, true
	}
	if y, err = demo.New(o.Spec); err != nil {
		return nil, false, err
	}
	if !made && o.Until > today() {
		return nil, false, misuse("--until is today, or a day that is over")
	}
	return y, made, nil
}

// today is the day in Brussels.
func today() string {
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil { // the zones are built in
		zone = time.UTC
	}
	return time.Now().In(zone).Format(time.DateOnly)
}

// demoFault gives an error of package demo its exit status and next step.
func demoFault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, demo.ErrSpec):
		return &fault{status: misused, err: err, hint: "see custody demo --help"}
	case errors.Is(err, demo.ErrOther):
		return &fault{status: misused, err: err, hint: "give other directories with --data and --keys, or remove these"}
	case errors.Is(err, demo.ErrForeign):
		return &fault{status: misused, err: err, hint: "give other directories with --data and --keys"}
	case errors.Is(err, context.Canceled):
		return &fault{status: failed, err: err, hint: "nothing is lost: custody demo goes on where it was"}
	case errors.Is(err, ledger.ErrLocked):
		return &fault{status: failed, err: err, hint: "the demonstration is running already; this one can have other directories"}
	}
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	return ledgerFault(err)
}

// demoLedger opens the ledger of a home, made if it is not there, with all of its
// year recorded; if pace is not 0 it keeps evidence of it from then on. What was
// opened is closed by the function it returns.
func (s *session) demoLedger(ctx context.Context, home demo.Home, y *demo.Year, made bool, pace time.Duration, log *slog.Logger) (_ *ledger.Ledger, _ func() error, err error) {
	if !made {
		if err := home.Make(ctx, y); err != nil {
			return nil, nil, err
		}
	}
	clock := &demo.Clock{}
	cfg := ledger.Config{Data: home.Data, Keys: home.Keys, Index: views.Identities(log), Log: log, Now: clock.Now}
	l, err := ledger.Open(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	closing := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		return l.Close(ctx)
	}
	bar := s.progress("recording the year", int64(y.Size), false)
	err = y.Fill(ctx, home, l, clock, func(recorded int) { bar.set(int64(recorded)) })
	bar.finish()
	if err != nil {
		return nil, nil, errors.Join(err, closing())
	}
	if pace == 0 {
		return l, closing, nil
	}
	if err := closing(); err != nil {
		return nil, nil, err
	}
	cfg.Now, cfg.Pace = nil, pace
	if l, err = ledger.Open(ctx, cfg); err != nil {
		return nil, nil, err
	}
	return l, closing, nil
}
