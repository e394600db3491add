package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

// waitingRequests is how many requests may wait for the sequencer; more wait at
// the door of Record.
const waitingRequests = 256

// Open opens the ledger at cfg.Data, for this process alone. Every block is
// read before the server may touch it; damage at or below what is known to be
// durable wraps [ErrDamaged] and nothing is changed. It returns once identities
// and register have reached the head.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	return openWith(ctx, cfg, func(*Ledger) {})
}

// openWith is Open, and lets a test change the ledger before it begins: give it
// a stream that fails, or a tail that fills sooner.
func openWith(ctx context.Context, cfg Config, adjust func(*Ledger)) (_ *Ledger, err error) {
	l, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	begun := false
	defer func() {
		switch {
		case err != nil && begun:
			err = errors.Join(err, l.Close(context.WithoutCancel(ctx)))
		case err != nil:
			l.release(context.WithoutCancel(ctx))
		}
	}()
	if l.lock, err = takeLock(l.paths.lock()); err != nil {
		return nil, err
	}
	known, have, err := l.readMark()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(l.paths.views(), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of views: %w", err)
	}
	if l.index, err = cfg.Index(filepath.Join(l.paths.views(), "identity.db")); err != nil {
		return nil, fmt.Errorf("identity index: %w", err)
	}
	if err := l.startServer(ctx, known, have); err != nil {
		return nil, err
	}
	if err := l.openStreams(ctx); err != nil {
		return nil, err
	}
	if err := l.checkDigest(ctx, known); err != nil {
		return nil, err
	}
	if err := l.recover(ctx); err != nil {
		return nil, err
	}
	if err := l.openVault(ctx); err != nil {
		return nil, err
	}
	adjust(l)
	l.begin()
	begun = true
	if err := l.finishPending(ctx); err != nil {
		return nil, err
	}
	if err := l.openNotary(cfg.Pace); err != nil {
		return nil, err
	}
	return l, nil
}

// prepare reads what can be read before anything is locked or started.
func prepare(cfg Config) (*Ledger, error) {
	paths, err := resolve(cfg.Data, cfg.Keys)
	if err != nil {
		return nil, err
	}
	m, err := readManifest(paths.manifest())
	if err != nil {
		return nil, err
	}
	l := &Ledger{paths: paths, manifest: m, logger: cfg.Log, now: cfg.Now, device: cfg.Device, ship: cfg.Ship}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	if l.now == nil {
		l.now = time.Now
	}
	return l, nil
}

func (l *Ledger) readMark() (mark, bool, error) {
	m, ok, err := readMark(l.paths.mark())
	if err != nil {
		return mark{}, false, err
	}
	l.stats.markedTo.Store(m.Events)
	if ok && m.Ledger != l.manifest.ID {
		return mark{}, false, fmt.Errorf("%w: %s belongs to another ledger", ErrDamaged, l.paths.mark())
	}
	if !ok {
		l.logger.Warn("no durable mark beside the keys: an older copy of the data could not be told from the newest", "file", l.paths.mark())
	}
	return m, ok, nil
}

func (l *Ledger) startServer(ctx context.Context, known mark, have bool) error {
	cfg := natsd.Config{Dir: l.paths.store(), Streams: l.manifest.streams(), Quarantine: l.paths.quarantine(), Log: l.logger}
	if have {
		cfg.Durable = map[string]uint64{
			l.manifest.events(): known.Events, l.manifest.vault(): known.Vault, l.manifest.access(): known.Access,
		}
	}
	var err error
	l.server, l.start, err = natsd.Start(ctx, cfg)
	return damaged("starting the store", err)
}

// damaged marks what a preflight or scan found as damage.
func damaged(doing string, err error) error {
	if err == nil {
		return nil
	}
	var damage *natsd.Damage
	if errors.As(err, &damage) {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func (m manifest) configs() []stream.Config {
	return []stream.Config{
		{Name: m.events(), Subjects: []string{"custody." + m.Name + ".>"}, MaxBatch: natsd.DefaultMaxBatch},
		{Name: m.vault(), Subjects: []string{"vault." + m.Name + ".>"}, MaxBatch: natsd.DefaultMaxBatch},
		{Name: m.access(), Subjects: []string{"access." + m.Name + ".>"}, MaxBatch: natsd.DefaultMaxBatch},
	}
}

func (l *Ledger) openStreams(ctx context.Context) error {
	var opened []*stream.Stream
	for _, cfg := range l.manifest.configs() {
		s, err := stream.Open(ctx, l.server.Conn(), l.server.Guard(cfg))
		if err != nil {
			return fmt.Errorf("opening stream %s: %w", cfg.Name, err)
		}
		opened = append(opened, s)
	}
	l.events, l.vaults = opened[0], opened[1]
	var err error
	l.access, err = access.Open(ctx, access.Config{Log: opened[2], Ledger: l.manifest.Name, Now: l.now})
	if err != nil {
		return unsound("opening access", err)
	}
	return nil
}

// openVault opens the vault under a root that no recorded erasure has retired.
func (l *Ledger) openVault(ctx context.Context) error {
	device, err := wrapper(l.device, l.manifest.ID)
	if err != nil {
		return err
	}
	root, err := vault.OpenRoot(l.paths.root(), device)
	if err != nil {
		return unsound("root key "+l.paths.root(), err)
	}
	ship, err := l.shipper(l.ship)
	if err != nil {
		return err
	}
	l.vault, err = vault.Open(ctx, vault.Options{
		Log: l.vaults, Subject: "vault." + l.manifest.Name, Root: root, Shredded: l.register.Shredded, Escrow: ship,
		IndexPath: filepath.Join(l.paths.views(), "vault.db"), Confirm: l.confirmLink,
	})
	if err != nil {
		return unsound("opening the vault", err)
	}
	return nil
}

// unsound marks what a part found wrong with its own stream or key as damage.
func unsound(doing string, err error) error {
	for _, damage := range []error{vault.ErrDamaged, vault.ErrMissingRoot, vault.ErrRetiredRoot, vault.ErrAbandonedRoot, vault.ErrForeignRoot, vault.ErrOldStream, access.ErrCorrupt} {
		if errors.Is(err, damage) {
			return fmt.Errorf("%w: %s: %w", ErrDamaged, doing, err)
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// confirmLink tells the vault whether the event that a link was made for was
// really recorded: it is at its place, with its salt.
func (l *Ledger) confirmLink(position uint64) (salt [16]byte, ok bool, err error) {
	if position > l.events.Last() {
		return salt, false, nil
	}
	m, err := l.events.Get(context.Background(), position)
	if err != nil {
		return salt, false, fmt.Errorf("reading position %d: %w", position, err)
	}
	st, err := events.DecodeStored(m.Data)
	if err != nil {
		return salt, false, fmt.Errorf("%w: position %d: %w", ErrDamaged, position, err)
	}
	return st.Salt, true, nil
}

// checkDigest holds the durable mark against the event it names.
func (l *Ledger) checkDigest(ctx context.Context, known mark) error {
	if known.Events == 0 {
		return nil
	}
	m, err := l.events.Get(ctx, known.Events)
	if err != nil {
		return fmt.Errorf("reading position %d: %w", known.Events, err)
	}
	if sha256.Sum256(m.Data) != known.Digest {
		return fmt.Errorf("%w: event %d is not the one the durable mark names: this is another history", ErrDamaged, known.Events)
	}
	return nil
}

// begin starts the goroutines of an open ledger.
func (l *Ledger) begin() {
	l.incoming = make(chan *request, waitingRequests)
	l.rotated = make(chan error, 1)
	l.asked, l.solo = make(chan func()), make(chan func())
	l.ending, l.quit = make(chan struct{}), make(chan struct{})
	l.stopped = make(chan struct{})
	l.next = l.events.Last() + 1
	l.open = l.newGroup(l.next)
	go l.sequence()
	l.tasks.Go(l.watchServer)
	l.tasks.Go(l.keepMark)
	l.tasks.Go(l.countRefusals)
}

// watchServer halts the ledger when the server can no longer store.
func (l *Ledger) watchServer() {
	select {
	case <-l.server.Failed():
		l.halt(fmt.Errorf("%w: %w", ErrHalted, l.server.Health()))
	case <-l.ending:
	}
}
