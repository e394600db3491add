package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// A Backup brings the backup up to the ledger as it is, and says how far it is.
type Backup func(ctx context.Context, progress func(done, all uint64)) (ledger.BackupReport, error)

// backups are the runs of a backup, one at a time.
type backups struct {
	run Backup
	log *slog.Logger

	mu    sync.Mutex
	state backupState
	ended sync.WaitGroup
}

// backupState is how far the backup is.
type backupState struct {
	Running bool       `json:"running"`
	Done    uint64     `json:"done,omitempty" doc:"messages copied, of the run in hand"`
	All     uint64     `json:"all,omitempty"`
	Failed  bool       `json:"failed,omitempty" doc:"the last run failed, and the backup is what it was; the log says why"`
	Made    *time.Time `json:"made,omitempty" doc:"the moment of the ledger that the backup holds"`
	Events  uint64     `json:"events" doc:"last position held"`
	Vault   uint64     `json:"vault" doc:"last message of the vault held"`
	Access  uint64     `json:"access" doc:"last change of producers and tokens held"`
	Added   uint64     `json:"added" doc:"messages that the last run added"`
}

type backupOutput struct{ Body backupState }

// AttachBackup has backups made, from now on: whenever asked, and every so often,
// until ctx ends. What it gives waits until the run in hand has ended.
func (a *API) AttachBackup(ctx context.Context, run Backup, every time.Duration) (wait func()) {
	b := &backups{run: run, log: a.log}
	a.backups.Store(b)
	b.ended.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			b.start(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return b.ended.Wait
}

// start begins a run, if none is in hand.
func (b *backups) start(ctx context.Context) backupState {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state.Running || ctx.Err() != nil {
		return b.state
	}
	b.state.Running, b.state.Done, b.state.All = true, 0, 0
	b.ended.Go(func() { b.one(ctx) })
	return b.state
}

func (b *backups) one(ctx context.Context) {
	report, err := b.run(ctx, func(done, all uint64) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.state.Done, b.state.All = done, all
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state.Running, b.state.Failed = false, err != nil
	if err != nil {
		b.log.Error("the backup was not brought up to date", "error", err)
		return
	}
	made := report.Made
	b.state.Made, b.state.Events, b.state.Vault, b.state.Access = &made, report.Events.Last, report.Vault.Last, report.Access.Last
	b.state.Added = report.Events.Added + report.Vault.Added + report.Access.Added
}

func (b *backups) now() backupState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// backUp registers the backup.
func (a *API) backUp(h huma.API) {
	with := func(do func(*backups) backupState) func(context.Context, *struct{}) (*backupOutput, error) {
		return func(context.Context, *struct{}) (*backupOutput, error) {
			b := a.backups.Load()
			if b == nil {
				return nil, problem(notFound, "the server was started without a backup: custody serve --backup")
			}
			return &backupOutput{do(b)}, nil
		}
	}
	start := operation(http.MethodPost, "/v1/backups", "back-up", "Bring the backup up to date", notFound)
	start.Description = "Answers at once; GET says how far it is. Only one run is in hand at a time."
	start.DefaultStatus = http.StatusAccepted
	huma.Register(h, guard(start, access.Backup), with(func(b *backups) backupState { return b.start(a.closing) }))
	show := operation(http.MethodGet, "/v1/backups", "get-backup", "How far the backup is", notFound)
	huma.Register(h, guard(show, access.Backup), with((*backups).now))
}
