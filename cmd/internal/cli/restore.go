package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/ledger"
)

const restoreLong = `Makes a ledger again from a backup, into a data directory that is not there yet.
It works on files; the views are built by the next start.

The root key comes from an escrow, opened with the secret keys of age in
--identity; without --escrow it is the one that is at --keys. A root key from
before an erasure that the backup knows of is refused, and so is a backup from
before the root key.

If the durable mark is still at --keys, the answer says exactly which positions
were acknowledged and are lost. They are given out anew, and the first event that
the restored ledger records says so. A new operator's token is in operator.token
in the data directory.

Where the data are whole and only the keys are lost, --keys-only puts the root key
back from the escrow.`

type restoreOptions struct {
	folders
	from, escrow string
	identities   []string
	keysOnly     bool
}

func (s *session) restoreCommand() *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use:   "restore --from DIR --data DIR --keys DIR",
		Short: "Make a ledger again from a backup",
		Long:  restoreLong,
		Example: `  custody restore --from /mnt/backup --escrow /mnt/escrow/root.age --identity key.txt --data D --keys K
  custody restore --from /mnt/backup --data D --keys K
  custody restore --keys-only --escrow /mnt/escrow/root.age --identity key.txt --data D --keys K`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "data", "keys"); err != nil {
				return err
			}
			if (o.from == "") != o.keysOnly {
				return misuse("either --from says where the backup is, or --keys-only that the data are whole")
			}
			if o.keysOnly && o.escrow == "" {
				return misuse("--keys-only takes the root key from --escrow")
			}
			if (o.escrow == "") != (len(o.identities) == 0) {
				return misuse("--escrow and --identity go together")
			}
			return s.restore(cmd.Context(), o)
		},
	}
	o.folders.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "folder of the backup")
	f.StringVar(&o.escrow, "escrow", "", "file that holds the root key, sealed with age")
	f.StringArrayVar(&o.identities, "identity", nil, "file with a secret key of age that opens the escrow; may be repeated")
	f.BoolVar(&o.keysOnly, "keys-only", false, "the data are whole: only put the root key back, from the escrow")
	cmd.MarkFlagDirname("from")
	return cmd
}

// restore makes a ledger from a backup. After an error nothing is left behind, or
// its text says to call it once more.
func (s *session) restore(ctx context.Context, o restoreOptions) error {
	a, err := s.answer()
	if err != nil {
		return err
	}
	device, closeDevice, err := openDevice(o.keys)
	if err != nil {
		return a.close(err)
	}
	defer closeDevice()
	log := slog.New(slog.NewTextHandler(s.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	cfg := ledger.RestoreConfig{Backup: o.from, Escrow: o.escrow, Identities: o.identities, Data: o.data, Keys: o.keys, Device: device, Index: views.Identities(log), Log: log}
	if o.keysOnly {
		root, err := ledger.RestoreKeys(cfg)
		if err != nil {
			return a.close(ledgerFault(err))
		}
		return a.close(a.describe(map[string]uint64{"root": root}, field{"root key", fmt.Sprintf("version %d", root)}))
	}
	var bar progress
	r, err := ledger.Restore(ctx, cfg, func(done, all uint64) {
		if bar.bar == nil {
			bar = s.progress("verifying and storing messages", int64(all), false)
		}
		bar.set(int64(done))
	})
	bar.finish()
	if errors.Is(err, ledger.ErrExists) {
		return a.close(advise(err, "restore makes a new ledger, and never touches what exists"))
	}
	if err != nil {
		return a.close(ledgerFault(err))
	}
	return a.close(a.describe(r, field{"ledger", r.Name}, field{"as of", r.Made.Format(time.RFC3339)}, field{"events", count(r.Events)},
		field{"root key", fmt.Sprintf("version %d", r.Root)}, field{"lost", lost(r)}))
}

// lost says which positions are.
func lost(r ledger.RestoreReport) string {
	switch {
	case !r.Known:
		return "not known: there is no durable mark beside the keys"
	case r.Lost.Events.To == 0:
		return "no event"
	}
	return fmt.Sprintf("positions %d to %d, recorded as a gap at position %d", r.Lost.Events.From, r.Lost.Events.To, r.Gap)
}
