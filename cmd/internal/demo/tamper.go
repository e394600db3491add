package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/natsd"
)

var (
	// ErrUnsound is returned when the copy was unsound before anything was changed.
	ErrUnsound = errors.New("demo: the copy was unsound before it was tampered with")
	// ErrNotCaught is returned when a change was not found, or not where it was made.
	ErrNotCaught = errors.New("demo: the change was NOT caught")
)

// A Tampering is a bit that was flipped in a copy of a ledger, and how that was
// found. With it a transfer of class T5, without a ground, reads as one of T4,
// under a derogation: which is what somebody with something to hide would change.
type Tampering struct {
	File     string // of the ledger, relative to the data directory
	Offset   int64  // in it, of the byte that was changed
	Before   byte
	After    byte
	Position uint64           // of the event that the byte belongs to, as the check found it
	Record   int64            // offset at which the check found the damage to begin
	Events   uint64           // that the check read before anything was changed
	Findings []ledger.Finding // of the check after it
}

// Tamper copies the ledger of a home, holds the copy against itself, flips one bit
// in it, and does so again. The original is only read, and a server may be running
// on it; the copy lies beside it meanwhile. The error wraps [ErrNone], [ErrUnsound]
// or [ErrNotCaught] where it is that.
func Tamper(ctx context.Context, h Home, progress func(done, all uint64)) (t Tampering, err error) {
	if _, err := h.Plan(); err != nil {
		return t, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Clean(h.Data)), "tamper-")
	if err != nil {
		return t, fmt.Errorf("making room for a copy: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if dir, err = filepath.Abs(dir); err != nil { // findings name files absolutely
		return t, fmt.Errorf("making room for a copy: %w", err)
	}
	victim := Home{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys")}
	if err := h.copyTo(victim); err != nil {
		return t, fmt.Errorf("copying the ledger: %w", err)
	}
	before, err := ledger.Check(ctx, ledger.Config{Data: victim.Data, Keys: victim.Keys}, progress)
	switch {
	case err != nil:
		return t, fmt.Errorf("checking the copy: %w", err)
	case !before.Sound():
		return t, fmt.Errorf("%w: %s", ErrUnsound, before.Findings[0].Text)
	}
	t.Events = before.Events
	if err := t.flip(victim); err != nil {
		return t, err
	}
	return t, t.caught(ctx, victim, progress)
}

// copyTo copies what a check reads. The durable mark, beside the keys, comes first,
// and events before the vault that names their people: so the copy is whole even
// if events are recorded meanwhile.
func (h Home) copyTo(to Home) error {
	if err := os.CopyFS(to.Keys, os.DirFS(h.Keys)); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(to.Data, store), os.DirFS(filepath.Join(h.Data, store))); err != nil {
		return err
	}
	manifest, err := os.ReadFile(filepath.Join(h.Data, manifestFile))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to.Data, manifestFile), manifest, 0o600)
}

// Names of docs/FORMAT.md.
const (
	store        = "nats"
	manifestFile = "ledger.json"
	eventStream  = "CUSTODY_DEMO"
)

// flip changes the first transfer without a ground: '5' and '4' differ in one bit.
func (t *Tampering) flip(victim Home) error {
	blocks, err := filepath.Glob(filepath.Join(victim.Data, store, "jetstream", "*", "streams", eventStream, "msgs", "*.blk"))
	if err != nil {
		return fmt.Errorf("finding the blocks of the ledger: %w", err)
	}
	slices.SortStableFunc(blocks, func(a, b string) int { return len(a) - len(b) }) // 9.blk before 10.blk; Glob sorts the rest
	for _, path := range blocks {
		block, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading a block: %w", err)
		}
		const class = `"class":"T5"`
		i := bytes.Index(block, []byte(class))
		if i < 0 {
			continue
		}
		i += len(class) - len(`5"`)
		t.Offset, t.Before, t.After = int64(i), block[i], block[i]^1
		if t.File, err = filepath.Rel(victim.Data, path); err != nil {
			return fmt.Errorf("naming a block: %w", err)
		}
		block[i] = t.After
		if err := os.WriteFile(path, block, 0o600); err != nil {
			return fmt.Errorf("changing the copy: %w", err)
		}
		return nil
	}
	return fmt.Errorf("%w: it holds no transfer without a ground; is the year recorded to its end?", ErrNone)
}

// caught demands that the check finds the change, where it was made.
func (t *Tampering) caught(ctx context.Context, victim Home, progress func(done, all uint64)) error {
	after, err := ledger.Check(ctx, ledger.Config{Data: victim.Data, Keys: victim.Keys}, progress)
	if err != nil {
		return fmt.Errorf("checking the changed copy: %w", err)
	}
	if after.Sound() {
		return ErrNotCaught
	}
	for _, f := range after.Findings { // the copy will be gone: name its files as the original's
		f.Text = strings.ReplaceAll(f.Text, victim.Data+string(filepath.Separator), "")
		t.Findings = append(t.Findings, f)
	}
	for _, err := range natsd.Scan(filepath.Join(victim.Data, store), eventStream) {
		damage, ok := errors.AsType[*natsd.Damage](err)
		if !ok {
			continue
		}
		t.Position, t.Record = damage.Sequence, damage.Offset
		if damage.File == filepath.Join(victim.Data, t.File) && damage.Offset <= t.Offset {
			return nil
		}
	}
	return fmt.Errorf("%w where it was made", ErrNotCaught)
}
