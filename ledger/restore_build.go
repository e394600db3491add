package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

// build makes the whole ledger in the staging folders. A crash leaves folders that
// the next restore clears.
func (r *restoration) build(ctx context.Context) error {
	if err := r.clearStaged(); err != nil {
		return err
	}
	for _, dir := range []string{r.staged.views(), r.staged.quarantine(), r.staged.keys} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making folders: %w", err)
		}
	}
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"streams", r.makeStreams}, {"filled", r.fillStreams}, {"root", r.makeRoot}, {"named", r.nameIt}, {"opened", r.openOnce}, {"complete", r.sayComplete},
	} {
		if err := s.do(ctx); err != nil {
			return err
		}
		if err := r.step(s.name); err != nil {
			return err
		}
	}
	return nil
}

func (r *restoration) store() natsd.Config {
	return natsd.Config{Dir: r.staged.store(), Streams: r.manifest.streams(), Quarantine: r.staged.quarantine(), Log: r.cfg.Log}
}

func (r *restoration) makeStreams(ctx context.Context) error {
	if err := natsd.Create(ctx, r.store(), r.manifest.configs()); err != nil {
		return fmt.Errorf("creating the streams: %w", err)
	}
	return nil
}

// fillStreams stores every message of the backup, each at its sequence.
func (r *restoration) fillStreams(ctx context.Context) (err error) {
	server, _, err := natsd.Start(ctx, r.store())
	if err != nil {
		return fmt.Errorf("starting the store: %w", err)
	}
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }()
	f := filler{restoration: r, force: inForce{root: r.report.Root}}
	for _, p := range backup.Parts() {
		f.all += r.from.State().Head(p).Last
	}
	for i, p := range backup.Parts() {
		s, err := stream.Open(ctx, server.Conn(), server.Guard(r.manifest.configs()[i]))
		if err != nil {
			return fmt.Errorf("opening the stream of %s: %w", p, err)
		}
		if err := f.fill(ctx, p, s); err != nil {
			return err
		}
	}
	return f.force.check()
}

// Limits of what a filler stores at once.
const (
	fillMessages = 4096
	fillBytes    = 16 << 20
)

// A filler stores a backup's messages, many at a time.
type filler struct {
	*restoration
	done, all uint64
	force     inForce
}

func (f *filler) fill(ctx context.Context, p backup.Part, to *stream.Stream) error {
	var waiting []stream.Message
	size := 0
	flush := func() error {
		if _, err := to.Append(ctx, waiting); err != nil {
			return fmt.Errorf("storing %s: %w", p, err)
		}
		f.done += uint64(len(waiting))
		waiting, size = waiting[:0], 0
		f.progress(f.all+f.done, 2*f.all)
		return nil
	}
	for m, err := range f.from.Messages(p) {
		if err != nil {
			return err
		}
		if p == backup.Events && f.report.Known && m.Sequence == f.mark.Events && sha256.Sum256(m.Data) != f.mark.Digest {
			return fmt.Errorf("%w: event %d is not the one that the durable mark names: the backup is of another history", ErrDamaged, m.Sequence)
		}
		if p == backup.Vault {
			f.force.take(m)
		}
		if waiting, size = append(waiting, m), size+len(m.Data); len(waiting) >= fillMessages || size >= fillBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if last := f.from.State().Head(p).Last; to.Last() != last {
		return fmt.Errorf("the stream of %s ends at %d, the backup at %d", p, to.Last(), last)
	}
	return nil
}

// inForce finds a root that was put in escrow and then given up: the vault went on
// under the one before, and what it wrote since would be left out under this one.
type inForce struct {
	root  uint64
	table bool   // its table has come
	after uint64 // first message after it under an older root, 0 if none
}

// take reads the header of a message of the vault (FORMAT.md, "Messages"): its kind
// and the version of the root. What is too short is left to the vault.
func (c *inForce) take(m stream.Message) {
	const table, size = 1, 10
	if len(m.Data) < size {
		return
	}
	switch version := binary.BigEndian.Uint64(m.Data[2:]); {
	case version == c.root && m.Data[1] == table:
		c.table = true
	case version < c.root && c.table && c.after == 0:
		c.after = m.Sequence
	}
}

func (c *inForce) check() error {
	if c.after != 0 {
		return fmt.Errorf("%w: root version %d never came into force: message %d of the vault was written under an older one after it", ErrDamaged, c.root, c.after)
	}
	return nil
}

// makeRoot puts the root from escrow into a file of its own, or gives the one at
// the keys a second name: it is not copied.
func (r *restoration) makeRoot(context.Context) error {
	if r.cfg.Escrow == "" {
		if err := os.Link(r.paths.root(), r.staged.root()); err != nil {
			return fmt.Errorf("taking the root key: %w", err)
		}
		return nil
	}
	slot := r.root.Reveal()
	defer clear(slot)
	if err := vault.RestoreRoot(r.staged.root(), slot, r.device); err != nil {
		return unsound("the root key from escrow", err)
	}
	return nil
}

// nameIt writes mark and manifest.
func (r *restoration) nameIt(context.Context) error {
	s := r.from.State()
	m := mark{
		Ledger: r.manifest.ID, Events: s.Head(backup.Events).Last, Vault: s.Head(backup.Vault).Last,
		Access: s.Head(backup.Access).Last, Digest: s.Head(backup.Events).Digest,
	}
	if err := m.write(r.staged.mark()); err != nil {
		return err
	}
	if err := durable.Replace(r.staged.manifest(), append(r.manifest.encode(), '\n')); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}

// openOnce opens the ledger, which finds whether backup and root belong together,
// records what is lost, makes an operator's token, and closes it.
func (r *restoration) openOnce(ctx context.Context) (err error) {
	device := func(string) (vault.Wrapper, error) { return r.device, nil }
	l, err := Open(ctx, Config{Data: r.staged.data, Keys: r.staged.keys, Index: r.cfg.Index, Device: device, Log: r.cfg.Log, Now: r.cfg.Now})
	if err != nil {
		return fmt.Errorf("opening what was restored: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close(context.WithoutCancel(ctx))) }()
	if lost := r.report.Lost.Events; lost != (Span{}) {
		gap := events.Gap{Cause: "restore", From: lost.From, To: lost.To}
		if r.report.Gap, err = l.recordOwn(ctx, "gap", nil, gap.Event); err != nil {
			return err
		}
	}
	return r.newOperator(ctx, l)
}

// newOperator makes a token of role operator: the one that init left is in no
// backup, and others may have been lost with the machine.
func (r *restoration) newOperator(ctx context.Context, l *Ledger) error {
	token, _, err := l.access.CreateToken(ctx, "", access.NewToken{Role: access.RoleOperator, Name: "restore"})
	if err != nil {
		return fmt.Errorf("making an operator's token: %w", err)
	}
	if err := durable.Replace(OperatorTokenPath(r.staged.data), []byte(token.Reveal()+"\n")); err != nil {
		return fmt.Errorf("writing the operator's token: %w", err)
	}
	return nil
}

func (r *restoration) sayComplete(context.Context) error {
	b, err := json.Marshal(complete{Format: manifestFormat, Keys: r.paths.keys, Report: r.report})
	if err == nil {
		err = durable.Replace(r.completeFile(), append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("completing the restore: %w", err)
	}
	return nil
}
