package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/notary"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

// DefaultName is what Create calls a ledger that is given no name.
const DefaultName = "ledger"

// Create makes a new ledger with its root key and first operator token. It
// refuses, with [ErrExists], to touch a data directory that is not empty or a
// key directory that already holds a root or a mark.
//
// The manifest is written last and durably: without it Open says [ErrNoLedger].
// After an error nothing was recorded; remove both folders and try again.
func Create(ctx context.Context, cfg Config) error {
	if cfg.Name == "" {
		cfg.Name = DefaultName
	}
	if !validName(cfg.Name) {
		return fmt.Errorf("%w: name: 1 to 32 of a-z, 0-9 and -, not beginning with -", ErrConfig)
	}
	if cfg.Origin != "" && !validOrigin(cfg.Origin) {
		return fmt.Errorf("%w: origin: 1 to %d visible characters of ASCII, none of them +, and no end in %s", ErrConfig, MaxOrigin, strings.Join(otherNames(), ", "))
	}
	paths, err := resolve(cfg.Data, cfg.Keys)
	if err != nil {
		return err
	}
	if err := claim(paths); err != nil {
		return err
	}
	lock, err := takeLock(paths.lock())
	if err != nil {
		return err
	}
	defer lock.Close()
	m := newManifest(cfg.Name)
	if err := fill(ctx, cfg, paths, m); err != nil {
		return err
	}
	if err := durable.Replace(paths.manifest(), append(m.encode(), '\n')); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}

// claim makes both folders, refusing what is already in use.
func claim(paths layout) error {
	if used, err := used(paths.data); err != nil || used {
		return errors.Join(err, fmt.Errorf("%w: %s is not empty%s", ErrExists, paths.data, interrupted(paths)))
	}
	for _, file := range append(notary.KeyFiles(paths.keys), paths.root(), paths.mark()) {
		if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%w: %s", ErrExists, file)
		}
	}
	for _, dir := range []string{paths.data, paths.views(), paths.quarantine(), paths.keys} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making folders: %w", err)
		}
	}
	for _, dir := range []string{paths.data, filepath.Dir(paths.data), filepath.Dir(paths.keys)} {
		if err := durable.SyncDir(dir); err != nil {
			return fmt.Errorf("syncing %s: %w", dir, err)
		}
	}
	return nil
}

// interrupted says what to do about a folder that an init left unfinished: the
// manifest is written last.
func interrupted(paths layout) string {
	if _, err := os.Lstat(paths.manifest()); errors.Is(err, os.ErrNotExist) {
		return "; it holds no ledger: if an init was interrupted, nothing was recorded, remove both folders"
	}
	return ""
}

// used reports whether anything is at path other than an empty folder.
func used(path string) (bool, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return len(entries) > 0, err
}

// MaxOrigin is the most bytes of an origin that is chosen: a new one, if the ledger ever needs it, adds 9 to it, and
// events have room for 80.
const MaxOrigin = 71

func validOrigin(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || c == '+' {
			return false
		}
	}
	end := func(other string) bool { return strings.HasSuffix(name, other) }
	return len(name) <= MaxOrigin && !slices.ContainsFunc(otherNames(), end)
}

// otherNames are what the names of keys end in that are not a log's.
func otherNames() []string { return []string{"/witness", "/replay", "/bundle"} }

// origin is the name under which the ledger's checkpoints are signed.
func (cfg Config) origin(m manifest) string {
	if cfg.Origin != "" {
		return cfg.Origin
	}
	return "custody/" + m.Name + "/" + m.ID
}

// fill makes what the folders hold: streams, root key, first table, operator's
// token, durable mark.
func fill(ctx context.Context, cfg Config, paths layout, m manifest) (err error) {
	store := natsd.Config{Dir: paths.store(), Streams: m.streams(), Quarantine: paths.quarantine(), Log: cfg.Log}
	if err := natsd.Create(ctx, store, m.configs()); err != nil {
		return fmt.Errorf("creating the streams: %w", err)
	}
	server, _, err := natsd.Start(ctx, store)
	if err != nil {
		return fmt.Errorf("starting the store: %w", err)
	}
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }()
	var opened []*stream.Stream
	for _, sc := range m.configs() {
		s, err := stream.Open(ctx, server.Conn(), server.Guard(sc))
		if err != nil {
			return fmt.Errorf("opening stream %s: %w", sc.Name, err)
		}
		opened = append(opened, s)
	}
	device, err := wrapper(cfg.Device, m.ID)
	if err != nil {
		return err
	}
	if err := vault.CreateRoot(paths.root(), device); err != nil {
		return fmt.Errorf("creating the root key: %w", err)
	}
	root, err := vault.OpenRoot(paths.root(), device)
	if err != nil {
		return fmt.Errorf("opening the root key: %w", err)
	}
	if err := vault.Create(ctx, opened[1], "vault."+m.Name, root); err != nil {
		return fmt.Errorf("creating the vault: %w", err)
	}
	if err := notary.CreateKeys(paths.keys, cfg.origin(m)); err != nil {
		return fmt.Errorf("creating the keys of checkpoints: %w", err)
	}
	if err := firstToken(ctx, cfg, paths, m, opened[2]); err != nil {
		return err
	}
	return mark{Ledger: m.ID, Vault: opened[1].Last(), Access: opened[2].Last()}.write(paths.mark())
}

func firstToken(ctx context.Context, cfg Config, paths layout, m manifest, log *stream.Stream) error {
	store, err := access.Open(ctx, access.Config{Log: log, Ledger: m.Name, Now: cfg.Now})
	if err != nil {
		return fmt.Errorf("opening access: %w", err)
	}
	token, err := store.CreateFirst(ctx)
	if err != nil {
		return fmt.Errorf("making the operator's token: %w", err)
	}
	if err := durable.Replace(OperatorTokenPath(paths.data), []byte(token.Reveal()+"\n")); err != nil {
		return fmt.Errorf("writing the operator's token: %w", err)
	}
	return nil
}
