package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/audit"
	"github.com/imalink/custody/cmd/internal/witness"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

func (s *session) auditInitCommand() *cobra.Command {
	var dir, name string
	cmd := &cobra.Command{
		Use:   "init --state DIR --name NAME",
		Short: "Make the keys of an auditor",
		Long: `Makes a folder with two keys: NAME/replay cosigns only what the auditor recomputed
itself; NAME/witness cosigns whatever grew consistently. Prints both verifier keys:
the ledger's operator announces them, and whoever verifies puts them in a trust file,
from you and not from the ledger.

Run again, it shows the keys that are there.`,
		Example:           `  custody audit init --state /var/lib/custody-audit --name auditor.example`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "state", "name"); err != nil {
				return err
			}
			return s.auditInit(dir, name)
		},
	}
	auditFolder(cmd, &dir)
	cmd.Flags().StringVar(&name, "name", "", "name of the auditor, such as a domain: printable ASCII, without spaces and +")
	return cmd
}

func (s *session) auditInit(dir, name string) error {
	a, err := s.answer()
	if err != nil {
		return err
	}
	keys, err := audit.Init(dir, name)
	if errors.Is(err, audit.ErrExists) {
		if keys, err = audit.ReadKeys(dir); err == nil && keys.Replay.Key().Name != name+"/replay" {
			err = misuse("the auditor of this folder has another name")
		}
	}
	if errors.Is(err, checkpoint.ErrKey) {
		err = misuse("--name is printable ASCII without spaces and +, at most %d characters", checkpoint.MaxName-len("/witness"))
	}
	if err != nil {
		return a.close(err)
	}
	made := struct {
		Replay  string `json:"replay"`
		Witness string `json:"witness"`
	}{keys.Replay.Verifier(), keys.Witness.Verifier()}
	err = a.close(a.describe(made, field{"replay key", made.Replay}, field{"witness key", made.Witness}))
	s.note("The ledger's operator announces both: custody evidence cosigner add KEY --operator PARTY")
	s.note("Whoever verifies has these lines in a trust file: replay %s", made.Replay)
	s.note("                                                  witness %s", made.Witness)
	s.note("Keep %s: without it the keys must not be used again.", dir)
	return err
}

const witnessLong = `Serves add-checkpoint of c2sp.org/tlog-witness: a ledger that was started with
--witness and the URL of this one asks it to cosign each checkpoint. It cosigns, with
the witness key of the folder, what the ledger of the trust file signed and what
continues, by a proof, what it cosigned before. It recomputes nothing. It may run
beside custody audit, with the same folder.

It speaks plain HTTP: put a proxy that speaks TLS before it if others can reach it.
What it is asked is public. It logs no addresses.

A ledger that signed two roots for one size is refused, and the proof of that is
written to the folder.`

func (s *session) auditWitnessCommand() *cobra.Command {
	var listen, trust, dir, logFormat string
	cmd := &cobra.Command{
		Use:               "witness --trust FILE --state DIR",
		Short:             "Cosign checkpoints that a ledger sends, if it only grew",
		Long:              witnessLong,
		Example:           `  custody audit witness --listen 127.0.0.1:8421 --trust imalink.trust --state A`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "trust", "state"); err != nil {
				return err
			}
			return s.witness(cmd.Context(), listen, trust, dir, logFormat)
		},
	}
	auditFolder(cmd, &dir)
	trustFlag(cmd, &trust)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8421", "host and port to listen on")
	cmd.Flags().StringVar(&logFormat, "log-format", "text", "format of the log: text or json")
	cmd.RegisterFlagCompletionFunc("log-format", one([]string{"text", "json"}))
	return cmd
}

// witness serves a witness until ctx is done.
func (s *session) witness(ctx context.Context, listen, trustPath, dir, logFormat string) error {
	log, err := s.logger(logFormat)
	if err != nil {
		return err
	}
	trust, err := readTrust(trustPath)
	if err != nil {
		return err
	}
	keys, err := audit.ReadKeys(dir)
	if err != nil {
		return auditFault(err)
	}
	w := audit.NewWitness(dir, keys, trust, time.Now)
	if _, err := w.Last(); err != nil { // better now than at the first request
		return auditFault(err)
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	server := witness.Server(w.Handler(log))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Fprintf(s.Stdout, "listening on http://%s\n", listener.Addr())
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}
