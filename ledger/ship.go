package ledger

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/backup/escrow"
	"github.com/imalink/custody/ledger/vault"
)

// A Shipper says where a change of keys is taken before it comes into force, so
// that whoever then loses data and keys can still open what is left: the rows to
// the backup, the root to an escrow, which is never beside them.
type Shipper struct {
	Backup string // folder of the backup; "" for none
	Escrow string // file that holds the root, one at a time; "" for none
	// Recipients are who can open the escrow, as age spells them: "age1…", or all of
	// them "age1pq1…". At least one, if there is an escrow.
	Recipients []string
}

// shipper returns what the vault calls with a root that is about to come into
// force, and with the one in force when it opens; nil if nothing is to be done.
// The error is [ErrConfig].
//
// What it does: bring the backup up to the ledger as it is, if it does not reach
// r.Last yet; then put the root in escrow, in the place of the one before. A backup
// that is being made meanwhile makes it fail with [ErrLocked]. If it fails, the
// backup is as before or as after, and one of the two roots is in escrow.
//
// It brings up all streams, not the vault's alone: a backup is one moment of the
// ledger. Recording waits meanwhile, so back up before a change of keys: then
// little is left to do.
func (l *Ledger) shipper(s Shipper) (func(context.Context, vault.EscrowedRoot) error, error) {
	if s.Backup == "" && s.Escrow == "" {
		return nil, nil
	}
	file, err := s.file(l.paths)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r vault.EscrowedRoot) error {
		if s.Backup != "" {
			if err := l.shipRows(ctx, s.Backup, r.Last); err != nil {
				return fmt.Errorf("taking rows to the backup: %w", err)
			}
		}
		if file == nil {
			return nil
		}
		slot := r.Reveal()
		defer clear(slot)
		return file.Put(escrow.NewRoot(l.manifest.ID, r.Version, slot))
	}, nil
}

// file gives the escrow's file, nil for none, once the places are found apart.
func (s Shipper) file(paths layout) (*escrow.File, error) {
	if s.Backup != "" {
		if err := paths.apart("the backup", s.Backup); err != nil {
			return nil, err
		}
	}
	if s.Escrow == "" {
		return nil, nil
	}
	path, err := filepath.Abs(s.Escrow)
	if err != nil {
		return nil, fmt.Errorf("%w: the escrow: %w", ErrConfig, err)
	}
	for _, dir := range []string{paths.data, paths.keys, s.Backup} {
		if dir == "" {
			continue
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, fmt.Errorf("%w: the escrow: %w", ErrConfig, err)
		}
		if inside(real(path), real(dir)) {
			return nil, fmt.Errorf("%w: the escrow must not lie in data, keys or backup, but lies in %s", ErrConfig, dir)
		}
	}
	to, err := escrow.ParseRecipients(s.Recipients)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return escrow.NewFile(path, to), nil
}

// nested refuses a path inside one of some folders, or around one.
func nested(what, path string, dirs ...string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrConfig, what, err)
	}
	for _, dir := range dirs {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrConfig, what, err)
		}
		if inside(real(path), real(dir)) || inside(real(dir), real(path)) {
			return fmt.Errorf("%w: %s must lie apart from %s", ErrConfig, what, dir)
		}
	}
	return nil
}

// shipRows brings the backup in dir up to the vault's message last at least. The
// sequencer has nothing in hand: it is what calls, or has not begun.
func (l *Ledger) shipRows(ctx context.Context, dir string, last uint64) error {
	a, err := l.openBackup(dir)
	if err != nil {
		return err
	}
	defer a.Close()
	c := l.cut()
	if a.State().Head(backup.Vault).Last >= last {
		return backedUp(agrees(ctx, a.State().Head(backup.Vault), backup.Vault, l.vaults, c.last[1]))
	}
	return backedUp(l.bringUp(ctx, a, c, nil))
}
