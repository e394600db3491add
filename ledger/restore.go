package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/backup/escrow"
	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/vault"
)

// A RestoreConfig says what a ledger is made from again, and where.
type RestoreConfig struct {
	Backup string // folder of the backup
	// Escrow is the file that holds the root key, Identities the files of age's secret
	// keys that open it. Without an escrow the root key at Keys is taken as it is.
	Escrow     string
	Identities []string
	Data       string // where the ledger is to be: nothing may be there
	Keys       string // where its keys are to be, or are: no root, if there is an escrow

	// Index, Device, Log and Now are as in Config.
	Index  func(path string) (Index, error)
	Device func(id string) (vault.Wrapper, error)
	Log    *slog.Logger
	Now    func() time.Time
}

// A RestoreReport says what was restored, and what is lost.
type RestoreReport struct {
	Name   string    `json:"name"`
	ID     string    `json:"id"`
	Made   time.Time `json:"made"`   // the moment of the ledger that the backup holds
	Root   uint64    `json:"root"`   // version of the root key
	Events uint64    `json:"events"` // restored: positions 1 to this
	// Known is whether a durable mark at Keys said how far the ledger had come. Without
	// one nobody knows what is lost. With one it is at least Lost: the mark is up to a
	// second old when a machine dies.
	Known bool   `json:"known"`
	Lost  Lost   `json:"lost"`
	Gap   uint64 `json:"gap"` // position of the ledger.gap-found that says so, 0 if there is none
}

// Lost is what was durable in each stream and is in no backup: events, people
// and links, changes of producers and tokens.
type Lost struct {
	Events Span `json:"events"`
	Vault  Span `json:"vault"`
	Access Span `json:"access"`
}

// A Span is positions From to To, both included; zero for none.
type Span struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// Restore makes a ledger again from a backup. Every event is at its position,
// byte for byte; views and indexes are built by the next start.
//
// The durable mark at Keys, if there is one, says what is lost: positions that
// were acknowledged and are in no backup. They are given out anew; the first
// event that the restored ledger records says so, ledger.gap-found. Tokens and
// producers are those of the backup: what was revoked since is valid again. A new
// token of role operator is at OperatorTokenPath.
//
// It refuses with [ErrExists] what is in use, with [ErrDamaged] a backup that is
// not what was written or of another history than the mark, a root older than an
// erasure in the backup ([vault.ErrRetiredRoot]), and a backup older than its root
// ([vault.ErrOldStream]). After an error nothing is left behind; if the text says
// so, it is to be called once more to finish. If the process dies, call it again:
// it begins anew, or finishes.
//
// progress, if not nil, is called now and then with messages done and in all: each
// is verified before anything is made, and then stored.
func Restore(ctx context.Context, cfg RestoreConfig, progress func(done, all uint64)) (RestoreReport, error) {
	return restoreWith(ctx, cfg, progress, func(string) error { return nil })
}

// restoreWith is Restore, and lets a test fail after each of its steps.
func restoreWith(ctx context.Context, cfg RestoreConfig, progress func(done, all uint64), step func(string) error) (RestoreReport, error) {
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	r := &restoration{cfg: cfg, progress: progress, step: step}
	err := r.run(ctx)
	if err != nil {
		return RestoreReport{}, fmt.Errorf("restoring: %w", backedUp(err))
	}
	return r.report, nil
}

// A restoration is one run of Restore. Everything is made in folders named
// "restoring" inside data and keys, checked there by opening the ledger, and moved
// to its place last, the manifest after all else: without it there is no ledger.
type restoration struct {
	cfg      RestoreConfig
	paths    layout // where the ledger is to be
	staged   layout // where it is made
	manifest manifest
	from     *backup.Reader
	root     escrow.Root
	device   vault.Wrapper // nil if the root is not sealed
	mark     mark
	report   RestoreReport
	made     []string // folders that were not there before
	progress func(done, all uint64)
	step     func(string) error
}

const restoringDir = "restoring"

func (r *restoration) run(ctx context.Context) error {
	if err := r.resolve(); err != nil {
		return err
	}
	done, resumed, err := r.begun()
	if err != nil {
		return err
	}
	if !resumed {
		if err := r.readSources(ctx); err != nil {
			return err
		}
	}
	lock, err := r.claim(resumed)
	if err != nil {
		return err
	}
	defer lock.Close()
	if resumed {
		r.report = done.Report
		return r.finish()
	}
	if err := r.build(ctx); err != nil {
		return errors.Join(err, r.clear())
	}
	return r.finish()
}

func (r *restoration) resolve() (err error) {
	if r.paths, err = resolve(r.cfg.Data, r.cfg.Keys); err != nil {
		return err
	}
	r.staged = layout{data: filepath.Join(r.paths.data, restoringDir), keys: filepath.Join(r.paths.keys, restoringDir)}
	return r.paths.apart("the backup", r.cfg.Backup)
}

// readSources verifies the backup as a whole, opens the escrow, and holds both
// against the durable mark. It makes nothing.
func (r *restoration) readSources(ctx context.Context) (err error) {
	if r.from, err = backup.Read(r.cfg.Backup); err != nil {
		return err
	}
	s := r.from.State()
	r.manifest = manifest{Format: manifestFormat, Name: s.Name, ID: s.ID}
	if !validName(s.Name) || !validID(s.ID) {
		return fmt.Errorf("%w: the backup's name or id is none of a ledger", ErrDamaged)
	}
	r.report = RestoreReport{Name: s.Name, ID: s.ID, Made: s.Made, Events: s.Head(backup.Events).Last}
	if err := r.readMark(s); err != nil {
		return err
	}
	if err := r.readRoot(); err != nil {
		return err
	}
	err = r.from.Verify(ctx, func(done, all uint64) { r.progress(done, 2*all) })
	return err
}

// readMark finds out what is lost.
func (r *restoration) readMark(s backup.State) (err error) {
	if r.mark, r.report.Known, err = readMark(r.paths.mark()); err != nil {
		return err
	}
	if r.report.Known && r.mark.Ledger != r.manifest.ID {
		return fmt.Errorf("%w: %s is of another ledger than the backup", ErrConfig, r.paths.mark())
	}
	lost := func(p backup.Part, known uint64) Span {
		if last := s.Head(p).Last; known > last {
			return Span{last + 1, known}
		}
		return Span{}
	}
	r.report.Lost = Lost{lost(backup.Events, r.mark.Events), lost(backup.Vault, r.mark.Vault), lost(backup.Access, r.mark.Access)}
	return nil
}

// readRoot opens the escrow, or wants a root at Keys.
func (r *restoration) readRoot() (err error) {
	if r.device, err = wrapper(r.cfg.Device, r.manifest.ID); err != nil {
		return err
	}
	if r.cfg.Escrow == "" {
		root, err := vault.OpenRoot(r.paths.root(), r.device)
		if err != nil {
			return fmt.Errorf("no escrow is given, and the root key %s: %w", r.paths.root(), err)
		}
		r.report.Root = root.Version()
		return nil
	}
	identities, err := escrow.ParseIdentities(r.cfg.Identities)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if r.root, err = escrow.Read(r.cfg.Escrow, identities); err != nil {
		return err
	}
	if r.root.Ledger != r.manifest.ID {
		return fmt.Errorf("%w: the escrow is of another ledger than the backup", ErrConfig)
	}
	r.report.Root = r.root.Version
	return nil
}

// claim takes the data directory for this process alone, and refuses what is in use.
func (r *restoration) claim(resumed bool) (*durable.Lock, error) {
	if err := r.unused(resumed); err != nil {
		return nil, err
	}
	for _, dir := range []string{r.paths.data, r.paths.keys} {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			r.made = append(r.made, dir)
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making folders: %w", err)
		}
		if err := durable.SyncDir(filepath.Dir(dir)); err != nil {
			return nil, fmt.Errorf("syncing %s: %w", filepath.Dir(dir), err)
		}
	}
	lock, err := takeLock(r.paths.lock())
	if err == nil {
		err = r.unused(resumed) // somebody may have been quicker
	}
	if err != nil && lock != nil {
		lock.Close()
	}
	return lock, err
}

// unused refuses a data directory in which there is more than an unfinished
// restore, and a root that the escrow's would take the place of.
func (r *restoration) unused(resumed bool) error {
	if resumed {
		return nil
	}
	entries, err := os.ReadDir(r.paths.data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading %s: %w", r.paths.data, err)
	}
	for _, e := range entries {
		if e.Name() != restoringDir && e.Name() != filepath.Base(r.paths.lock()) {
			return fmt.Errorf("%w: %s is not empty", ErrExists, r.paths.data)
		}
	}
	if _, err := os.Lstat(r.paths.root()); r.cfg.Escrow != "" && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s; to use it, give no escrow", ErrExists, r.paths.root())
	}
	return nil
}

// complete is the file that says that the staged ledger is whole: from then on a
// restore is finished, never begun anew.
type complete struct {
	Format int           `json:"format"`
	Keys   string        `json:"keys"`
	Report RestoreReport `json:"report"`
}

func (r *restoration) completeFile() string { return filepath.Join(r.staged.data, "complete.json") }

// begun looks for a restore that was complete and did not finish.
func (r *restoration) begun() (c complete, resumed bool, err error) {
	b, err := os.ReadFile(r.completeFile())
	if errors.Is(err, os.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("reading an unfinished restore: %w", err)
	}
	if err := json.Unmarshal(b, &c); err != nil || c.Format != manifestFormat {
		return c, false, fmt.Errorf("%w: %s is not of this version", ErrDamaged, r.completeFile())
	}
	if c.Keys != r.paths.keys {
		return c, false, fmt.Errorf("%w: an unfinished restore has its keys at %s", ErrConfig, c.Keys)
	}
	return c, true, nil
}
