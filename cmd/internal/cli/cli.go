// Package cli is the custody command: what its arguments mean, what it prints,
// and its exit status.
//
// # What is true
//
//   - Exit status 0 is done, 1 failed, 2 misused (nothing was tried), 3 checked
//     and found unsound.
//   - Standard output holds the answer and nothing else; everything about the
//     run (progress, what dates were taken to mean, errors) goes to standard
//     error.
//   - One function prints errors ([session.report]). No error repeats a value
//     that was given, since it may identify a person; names of flags, fields and
//     files are repeated. The one exception is asked for: what an ambiguous
//     identifier may be.
//   - A command that cannot give a whole answer fails; none shortens it silently.
package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // --tz must work on a machine that has no time zones

	"github.com/spf13/cobra"
)

// Env is all that a command sees of the world around it.
type Env struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
}

// session is one invocation: its surroundings and its global flags.
type session struct {
	Env
	url, token, tokenFile string
	format, outFile, zone string
}

// Run carries out one command line and returns its exit status. The first
// interrupt or SIGTERM asks it to finish, a second one ends the process at once.
func Run(env Env) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	return RunContext(ctx, env)
}

// RunContext is [Run] for a caller who decides by ctx when to stop.
func RunContext(ctx context.Context, env Env) int {
	s := &session{Env: env}
	root := s.root()
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	return s.report(root.ExecuteContext(ctx))
}

const rootLong = `Custody keeps the chain of custody for personal data: every collection, use,
share, transfer and deletion is recorded as an event that nobody can change
afterwards, and in which nobody is named in clear.

One machine needs four commands: init creates a ledger, serve runs it,
producer add registers who may send events, and emit sends them.

Every command talks to a running server, found by --url and --token or the
environment, unless its help says that it works on files.

Environment:
  CUSTODY_URL         where the server is; --url overrides it
  CUSTODY_TOKEN       the token to show it; --token and --token-file override it
  CUSTODY_TOKEN_FILE  a file that holds the token
  NO_COLOR            when not empty, no colour

Exit status:
  0  done
  1  failed
  2  misused: nothing was tried
  3  checked and found unsound`

func (s *session) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "custody",
		Short: "The chain of custody for personal data",
		Long:  rootLong,
		Example: `  custody init --data /var/lib/custody --keys /etc/custody/keys
  custody serve --data /var/lib/custody --keys /etc/custody/keys
  export CUSTODY_TOKEN_FILE=/var/lib/custody/operator.token
  custody producer add ats --families data,subject
  custody emit events.ndjson`,
		Args:          cobra.ArbitraryArgs,
		RunE:          group,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(flagMisuse)
	s.globalFlags(root)
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run a ledger:"},
		&cobra.Group{ID: "record", Title: "Record:"},
		&cobra.Group{ID: "read", Title: "Read:"},
		&cobra.Group{ID: "forget", Title: "Forget and reveal:"},
		&cobra.Group{ID: "prove", Title: "Prove and verify:"},
	)
	grouped(root, "run", s.initCommand(), s.serveCommand(), s.demoCommand(), s.statusCommand(), s.checkCommand(), s.backupCommand(), s.restoreCommand(), s.viewsCommand(), s.producerCommand(), s.tokenCommand())
	grouped(root, "record", s.emitCommand(), s.recordCommand(), s.lintCommand(), s.schemaCommand())
	grouped(root, "read", s.personCommand(), s.actorCommand(), s.partyCommand(), s.transfersCommand(), s.logCommand(), s.eventCommand(),
		s.explainCommand(), s.coverageCommand(), s.registerCommand())
	grouped(root, "forget", s.eraseCommand(), s.erasureCommand(), s.retainCommand(), s.revealCommand(), s.approveCommand())
	grouped(root, "prove", s.proveCommand(), s.verifyCommand(), s.auditCommand(), s.receiptsCommand(), s.evidenceCommand(), s.statementCommand())
	root.AddCommand(s.versionCommand())
	return root
}

func grouped(root *cobra.Command, id string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = id
		root.AddCommand(c)
	}
}

func (s *session) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&s.url, "url", "", "where the server is (default $CUSTODY_URL, else http://127.0.0.1:8420)")
	f.StringVar(&s.token, "token", "", "token to show the server (default $CUSTODY_TOKEN); other users of this machine may see it, prefer --token-file")
	f.StringVar(&s.tokenFile, "token-file", "", "file that holds the token (default $CUSTODY_TOKEN_FILE)")
	f.StringVarP(&s.format, "output", "o", "table", "format of the answer: table, json, ndjson or csv")
	f.StringVar(&s.outFile, "out", "", "write the answer to this file, readable by its owner only")
	f.StringVar(&s.zone, "tz", "Europe/Brussels", "time zone in which days are meant and times are shown in tables")
	root.RegisterFlagCompletionFunc("output", one(formats))
}
