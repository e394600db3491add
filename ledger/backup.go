package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/stream"
)

// A BackupReport says what a backup holds.
type BackupReport struct {
	Name, ID string
	Made     time.Time // the moment of the ledger that it holds
	Events   Backed
	Vault    Backed
	Access   Backed
}

// Backed is one stream in a backup.
type Backed struct {
	Added uint64 // messages added by this run
	Last  uint64 // sequence of the last message held
}

// Backup brings the backup in dir up to the durable head of the ledger, or makes
// one where there is nothing; it costs what is new. The ledger goes on recording.
// It holds the three streams as they are stored, and so producers and tokens, but
// no key: the root key is no part of it.
//
// A backup is the ledger at one moment, and so opens again with the root key of
// that moment. The moment is one at which the sequencer had nothing in hand: every
// row of the vault that an event needs is durable before the event, so each event
// has its rows; and the vault vouches for no event that is not there, which would
// let links hold that nobody recorded. The access stream may be a little ahead: it
// has every producer whose events are there.
//
// dir must lie apart from data and keys ([ErrConfig]). [ErrLocked] means that
// another backup into it is being made, [ErrDamaged] that what is there is not
// what was written, or is of another ledger or history. After any error the backup
// is what it was, or what it was to be if only the answer was lost; try again.
// progress, if not nil, is called now and then with messages done and in all.
func (l *Ledger) Backup(ctx context.Context, dir string, progress func(done, all uint64)) (BackupReport, error) {
	a, err := l.openBackup(dir)
	if err != nil {
		return BackupReport{}, err
	}
	c, err := l.quietCut(ctx)
	if err == nil {
		err = l.bringUp(ctx, a, c, progress)
	}
	if err := errors.Join(err, a.Close()); err != nil {
		return BackupReport{}, backedUp(err)
	}
	return c.report, nil
}

// openBackup opens the archive in dir, which this process alone writes to then.
func (l *Ledger) openBackup(dir string) (*backup.Archive, error) {
	if err := l.paths.apart("the backup", dir); err != nil {
		return nil, err
	}
	a, err := backup.Open(dir, backup.Ledger{Name: l.manifest.Name, ID: l.manifest.ID})
	return a, backedUp(err)
}

// apart refuses a path inside the data or key directory, or around one.
func (p layout) apart(what, path string) error {
	if path == "" {
		return fmt.Errorf("%w: %s: no path given", ErrConfig, what)
	}
	return nested(what, path, p.data, p.keys)
}

// backedUp gives an error of an archive the ledger's kind.
func backedUp(err error) error {
	switch {
	case errors.Is(err, backup.ErrInUse):
		return fmt.Errorf("%w: %w", ErrLocked, err)
	case errors.Is(err, backup.ErrDamaged), errors.Is(err, backup.ErrForeign):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// A cut is one moment of the ledger: how far each stream goes.
type cut struct {
	last   [3]uint64 // in the order of backup.Parts
	made   time.Time
	report BackupReport
}

// quietCut takes a cut while the sequencer has nothing in hand.
func (l *Ledger) quietCut(ctx context.Context) (c *cut, err error) {
	l.gate.RLock()
	defer l.gate.RUnlock()
	if l.closed {
		return nil, ErrClosed
	}
	if err := l.alone(ctx, func() { c = l.cut() }); err != nil {
		return nil, fmt.Errorf("awaiting a quiet moment for a backup: %w", err)
	}
	return c, nil
}

// cut takes a cut; the caller knows that no group is in hand.
func (l *Ledger) cut() *cut {
	return &cut{
		last: [3]uint64{l.events.Last(), l.vaults.Last(), l.access.Position()}, made: l.now(),
		report: BackupReport{Name: l.manifest.Name, ID: l.manifest.ID},
	}
}

// bringUp adds to the archive what it lacks of a cut, and commits it.
func (l *Ledger) bringUp(ctx context.Context, a *backup.Archive, c *cut, progress func(done, all uint64)) error {
	accesses, err := stream.Open(ctx, l.server.Conn(), l.server.Guard(l.manifest.configs()[2]))
	if err != nil {
		return fmt.Errorf("opening stream %s to back it up: %w", l.manifest.access(), err)
	}
	defer accesses.Close()
	sources := [3]log{l.events, l.vaults, accesses}
	var done, all uint64
	for i, p := range backup.Parts() {
		if err := agrees(ctx, a.State().Head(p), p, sources[i], c.last[i]); err != nil {
			return err
		}
		all += c.last[i] - a.State().Head(p).Last
	}
	for i, p := range backup.Parts() {
		for m, err := range sources[i].Replay(ctx, a.State().Head(p).Last+1, c.last[i]) {
			if err != nil {
				return l.orClosed(fmt.Errorf("reading %s to back it up: %w", p, err))
			}
			if err := a.Append(p, &m); err != nil {
				return err
			}
			if done++; progress != nil && done%4096 == 0 {
				progress(done, all)
			}
		}
	}
	if err := c.commit(a); err != nil {
		return err
	}
	if progress != nil {
		progress(done, all)
	}
	return nil
}

// commit commits a cut of which everything was added, and fills in its report.
func (c *cut) commit(a *backup.Archive) error {
	before := a.State()
	if err := a.Commit(c.made); err != nil {
		return err
	}
	after := a.State()
	c.report.Made = after.Made
	for i, to := range []*Backed{&c.report.Events, &c.report.Vault, &c.report.Access} {
		p := backup.Parts()[i]
		*to = Backed{Added: after.Head(p).Last - before.Head(p).Last, Last: after.Head(p).Last}
		if to.Last != c.last[i] {
			return fmt.Errorf("%w: backup of %s ends at %d, not at %d", ErrDamaged, p, to.Last, c.last[i])
		}
	}
	return nil
}

// agrees holds the end of a backup against the stream: it must be a part of the
// same history.
func agrees(ctx context.Context, head backup.Head, p backup.Part, source log, last uint64) error {
	if head.Last > last {
		return fmt.Errorf("%w: the backup has %s up to %d, the ledger up to %d", backup.ErrForeign, p, head.Last, last)
	}
	if head.Last == 0 {
		return nil
	}
	m, err := source.Get(ctx, head.Last)
	if err != nil {
		return fmt.Errorf("reading %s at %d: %w", p, head.Last, err)
	}
	if sha256.Sum256(m.Data) != head.Digest {
		return fmt.Errorf("%w: %s at %d is not what the backup holds: another history", backup.ErrForeign, p, head.Last)
	}
	return nil
}

// orClosed says that the ledger was closed, if that is why reading it failed.
func (l *Ledger) orClosed(err error) error {
	select {
	case <-l.ending: // nil until the ledger has begun
		return fmt.Errorf("%w: %w", ErrClosed, err)
	default:
		return err
	}
}
