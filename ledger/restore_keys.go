package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/vault"
)

// RestoreKeys puts the root key from escrow to Keys, for a ledger whose data are
// whole at Data; Backup and Index are not used. It returns the root's version.
//
// It refuses with [ErrExists] where a root is, with [ErrConfig] the escrow of
// another ledger, and with [ErrDamaged] a root that was put in escrow and never
// came into force. Whether the root is the one in force the next start finds out.
// After an error there is no root, or the right one; remove it and try again.
func RestoreKeys(cfg RestoreConfig) (root uint64, err error) {
	r := &restoration{cfg: cfg}
	if r.paths, err = resolve(cfg.Data, cfg.Keys); err != nil {
		return 0, err
	}
	if r.manifest, err = readManifest(r.paths.manifest()); err != nil {
		return 0, err
	}
	lock, err := takeLock(r.paths.lock())
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	if cfg.Escrow == "" {
		return 0, fmt.Errorf("%w: no escrow is given", ErrConfig)
	}
	if _, err := os.Lstat(r.paths.root()); !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("%w: %s", ErrExists, r.paths.root())
	}
	if err := r.readRoot(); err != nil {
		return 0, fmt.Errorf("restoring keys: %w", err)
	}
	force := inForce{root: r.root.Version}
	for m, err := range natsd.Scan(r.paths.store(), r.manifest.vault()) {
		if err != nil {
			break // the next start says what is damaged, and what is only torn
		}
		force.take(m)
	}
	if err := force.check(); err != nil {
		return 0, fmt.Errorf("restoring keys: %w", err)
	}
	if err := os.MkdirAll(r.paths.keys, 0o700); err != nil {
		return 0, fmt.Errorf("making the key directory: %w", err)
	}
	if err := durable.SyncDir(filepath.Dir(r.paths.keys)); err != nil {
		return 0, fmt.Errorf("syncing %s: %w", filepath.Dir(r.paths.keys), err)
	}
	slot := r.root.Reveal()
	defer clear(slot)
	if err := vault.RestoreRoot(r.paths.root(), slot, r.device); err != nil {
		return 0, unsound("the root key from escrow", err)
	}
	return r.root.Version, nil
}
