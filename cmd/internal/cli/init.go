package cli

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/notary"
	"github.com/imalink/custody/ledger/pkcs11"
)

const initLong = `Creates a ledger: an empty data directory becomes its home, and a key directory
gets its root key. It works on files; no server may be running on them.

The key directory must not lie inside the data directory, nor the other way
round. Who has both can read who everybody is; who has a copy of the data alone
cannot. So keep the keys apart from backups of the data. Without the root key the
data is lost: nobody in it can ever be named again.

The operator's token is written to operator.token in the data directory, readable
by its owner only.

The ledger also gets keys that sign its evidence, beside the root key, and a name
for them to sign under, its origin: what --origin says, or custody/NAME/ID. It is
part of every proof and never changes. Whoever verifies needs the verifier key that
init prints, over a channel that they trust; custody evidence trust prints it again.

With --pkcs11 the root key is sealed under a key of a PKCS#11 device, a smart card
or HSM, which destroys it for good at an erasure; device.json in the key directory
says which.

What exists is never touched: init refuses a data directory that is not empty.`

// folders is where a ledger is on disk.
type folders struct{ data, keys string }

func (d *folders) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.data, "data", "", "data directory: events, vault, views")
	cmd.Flags().StringVar(&d.keys, "keys", "", "key directory: root key, keys of evidence, durable mark; not inside the data directory")
	cmd.MarkFlagDirname("data")
	cmd.MarkFlagDirname("keys")
}

func (s *session) initCommand() *cobra.Command {
	var where folders
	var name, origin string
	var sealing device
	cmd := &cobra.Command{
		Use:   "init --data DIR --keys DIR",
		Short: "Create a ledger",
		Long:  initLong,
		Example: `  custody init --data /var/lib/custody --keys /etc/custody/keys
  custody init --data D --keys K --name imalink --origin custody.imalink.example/ledger
  custody init --data D --keys K --pkcs11 /usr/lib/softhsm/libsofthsm2.so --pkcs11-token custody --pkcs11-pin pin.txt`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "data", "keys"); err != nil {
				return err
			}
			return s.init(cmd.Context(), where, name, origin, sealing)
		},
	}
	where.flags(cmd)
	sealing.flags(cmd)
	cmd.Flags().StringVar(&name, "name", ledger.DefaultName, "name of the ledger: 1 to 32 of a-z, 0-9 and -")
	cmd.Flags().StringVar(&origin, "origin", "", "name that evidence is signed under, for good: visible ASCII without +, such as a host you own and a path (default custody/NAME/ID)")
	return cmd
}

// created is what init made.
type created struct {
	Name          string `json:"name"`
	Data          string `json:"data"`
	Keys          string `json:"keys"`
	OperatorToken string `json:"operator_token_file"`
	Origin        string `json:"origin"`
	VerifierKey   string `json:"verifier_key"`
}

// init creates a ledger. An error that says something exists has changed
// nothing; after any other both directories may hold a part.
func (s *session) init(ctx context.Context, where folders, name, origin string, sealing device) error {
	sealed, err := sealing.check()
	if err != nil {
		return err
	}
	a, err := s.answer()
	if err != nil {
		return err
	}
	errorsOnly := slog.New(slog.NewTextHandler(s.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	cfg := ledger.Config{Data: where.data, Keys: where.keys, Name: name, Origin: origin, Log: errorsOnly}
	if sealed {
		open, closeDevice := sealing.opener()
		cfg.Device = open
		defer closeDevice()
	}
	if err := ledger.Create(ctx, cfg); err != nil {
		return a.close(ledgerFault(err))
	}
	if sealed {
		if err := sealing.keep(where.keys); err != nil {
			return a.close(err)
		}
	}
	signers, _, err := notary.ReadKeys(where.keys)
	if err != nil {
		return a.close(err)
	}
	made := created{name, absolute(where.data), absolute(where.keys), absolute(ledger.OperatorTokenPath(where.data)), signers[0].Key().Name, signers[0].Verifier()}
	err = a.close(a.describe(made, field{"ledger", made.Name}, field{"data", made.Data}, field{"keys", made.Keys}, field{"operator's token", made.OperatorToken},
		field{"origin", made.Origin}, field{"verifier key", made.VerifierKey}))
	s.note("Keep %s apart from every backup of %s, and do not lose it.", where.keys, where.data)
	s.note("Next: custody serve --data %s --keys %s", where.data, where.keys)
	return err
}

func absolute(path string) string {
	whole, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return whole
}

// ledgerFault gives an error of package ledger its exit status and next step.
func ledgerFault(err error) error {
	hint, status := "", failed
	switch {
	case errors.Is(err, ledger.ErrConfig):
		status = misused
	case errors.Is(err, pkcs11.ErrPIN), errors.Is(err, pkcs11.ErrConfig), errors.Is(err, pkcs11.ErrToken), errors.Is(err, pkcs11.ErrModule), errors.Is(err, pkcs11.ErrUnsupported):
		status = misused // trying again does not help, and locks tokens
		hint = "device.json beside the keys says which device seals the root key"
	case errors.Is(err, ledger.ErrExists):
		hint = "init never touches what exists; custody serve opens a ledger that is there"
	case errors.Is(err, ledger.ErrNoLedger):
		hint = "custody init makes a ledger; is --data right?"
	case errors.Is(err, ledger.ErrLocked):
		hint = "a server is running on this data directory: stop it, or ask it with custody status"
	case errors.Is(err, ledger.ErrDamaged):
		status = unsound
		hint = "nothing was changed; keep a copy of both directories as they are, then see custody check"
	}
	return &fault{status: status, err: err, hint: hint}
}
