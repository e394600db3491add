package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

const backupLong = `Has the server bring its backup up to date, and waits for it. The server makes
the backup in the folder that custody serve --backup names, by itself every hour
and before every erasure; it costs what is new.

A backup holds events, the vault's rows and who may do what, as they are stored.
It holds no key: who has it alone can name nobody. The root key goes to an escrow,
custody serve --escrow, sealed with age; keep that somewhere else.`

func (s *session) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup",
		Short: "Bring the backup up to date",
		Long:  backupLong,
		Example: `  custody backup
  custody serve --data D --keys K --backup /mnt/backup --escrow /mnt/escrow/root.age --escrow-to age1...`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return s.backup(cmd.Context()) },
	}
}

// backedUp is how far the backup is.
type backedUp struct {
	Running bool   `json:"running"`
	Done    uint64 `json:"done,omitempty"`
	All     uint64 `json:"all,omitempty"`
	Failed  bool   `json:"failed,omitempty"`
	Made    string `json:"made,omitempty"`
	Events  uint64 `json:"events"`
	Vault   uint64 `json:"vault"`
	Access  uint64 `json:"access"`
	Added   uint64 `json:"added"`
}

func (s *session) backup(ctx context.Context) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	var b backedUp
	if err := e.ask(ctx, "POST", "/v1/backups", nil, nil, &b); err != nil {
		return e.close(err)
	}
	var bar progress
	for b.Running {
		select {
		case <-ctx.Done():
			return e.close(ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
		if err := e.ask(ctx, "GET", "/v1/backups", nil, nil, &b); err != nil {
			return e.close(err)
		}
		if bar.bar == nil && b.All > 0 {
			bar = s.progress("copying messages", int64(b.All), false)
		}
		bar.set(int64(b.Done))
	}
	bar.finish()
	if b.Failed {
		return e.close(advise(errors.New("the backup was not brought up to date"), "the server's log says why; the backup is what it was before"))
	}
	return e.close(e.describe(b, field{"backed up to", fmt.Sprintf("position %d", b.Events)}, field{"as of", shown(b.Made, e.zone)},
		field{"vault", count(b.Vault)}, field{"access", count(b.Access)}, field{"added", count(b.Added)}))
}
