package notary

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// ErrCosignature is returned for a cosigned checkpoint that is not taken: not one that this ledger signed, or by a
// key that was not announced.
var ErrCosignature = errors.New("notary: cosignature not taken")

// cosignedDir holds the cosigned checkpoints below the notary's folder, each named by its size. They are no
// function of the stream; if they are lost, witnesses and auditors cosign the next one.
const cosignedDir = "cosigned"

// keptNotes is how many cosigned checkpoints are kept: the newest, and always one that a witness and an auditor cosigned.
const keptNotes = 8

// publish makes a checkpoint the newest. at is when it was signed, zero if by a former run.
func (n *Notary) publish(note checkpoint.Note, at time.Time) {
	n.set(func(s *Status) {
		s.Signed, s.SignedAt = note.Size, at
		n.newest = note
	})
}

// Checkpoint is the newest checkpoint, with the cosignatures it has. The error wraps [ErrUnsigned], or [ErrBehind]
// while it is not known yet whether the ledger may sign.
func (n *Notary) Checkpoint() (checkpoint.Note, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.silent(); err != nil {
		return checkpoint.Note{}, err
	}
	if i := n.find(n.newest.Size); i >= 0 {
		return n.cosigned[i], nil
	}
	return n.newest, nil
}

// silent is why there is no checkpoint to show: nil if there is. The caller holds mu.
func (n *Notary) silent() error {
	switch {
	case n.newest.Origin != "":
		return nil
	case n.status.Unsigned != "":
		return fmt.Errorf("%w: %s", ErrUnsigned, n.status.Unsigned)
	}
	return fmt.Errorf("%w: records are still being read", ErrBehind)
}

// find is where the cosigned checkpoint of a size is, or -1. The caller holds mu.
func (n *Notary) find(size uint64) int {
	return slices.IndexFunc(n.cosigned, func(c checkpoint.Note) bool { return c.Size == size })
}

// Cosigned is the newest checkpoint that a witness and an auditor cosigned; else the newest that a witness did;
// else the newest. Its errors are those of Checkpoint.
func (n *Notary) Cosigned() (checkpoint.Note, error) {
	if best, found := n.newestThat(proving); found {
		return best, nil
	}
	return n.Witnessed()
}

// newestThat is the newest of the cosigned checkpoints of which something holds, if the ledger shows any.
func (n *Notary) newestThat(holds func(checkpoint.Note) bool) (best checkpoint.Note, found bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.silent() != nil {
		return best, false
	}
	for _, c := range slices.Backward(n.cosigned) {
		if holds(c) {
			return c, true
		}
	}
	return best, false
}

// replaySuffix ends the name of a key that cosigns only what it recomputed (docs/FORMAT.md, "Checkpoint").
const replaySuffix = "/replay"

// replayed and witnessed report whether an auditor, and a witness, cosigned. Only signatures of announced keys and the
// log's own, which has the origin as its name, are kept.
func replayed(c checkpoint.Note) bool {
	return slices.ContainsFunc(c.Signatures, func(s checkpoint.Signature) bool { return strings.HasSuffix(s.Name, replaySuffix) })
}

func witnessed(c checkpoint.Note) bool {
	count, _ := witnesses(c)
	return count > 0
}

// witnesses is how many witnesses cosigned, and when the last of them did.
func witnesses(c checkpoint.Note) (count int, last time.Time) {
	for _, s := range c.Signatures {
		if s.Name == c.Origin || strings.HasSuffix(s.Name, replaySuffix) {
			continue
		}
		count++
		if at := s.Time(); at.After(last) {
			last = at
		}
	}
	return count, last
}

// proving reports whether LIGHT can stand on a checkpoint.
func proving(c checkpoint.Note) bool { return witnessed(c) && replayed(c) }

// Cosign takes cosignatures of a checkpoint that this ledger signed, by keys that were announced, and keeps them
// durably. Those by other keys are refused, as a whole. The error wraps [ErrCosignature], [checkpoint.ErrFormat],
// [ErrUnsigned] or [ErrBehind]; then nothing happened. After any other it may be kept: sending it again is safe.
func (n *Notary) Cosign(ctx context.Context, text []byte) error {
	note, err := checkpoint.Open(text)
	if err != nil {
		return err
	}
	if _, err := n.Checkpoint(); err != nil { // what was kept may not be read yet
		return err
	}
	trust, err := n.Trust(ctx)
	if err != nil {
		return err
	}
	j := trust.Judge(note)
	switch {
	case j.Bad != nil:
		return fmt.Errorf("%w: %w", ErrCosignature, j.Bad)
	case len(j.Log) == 0:
		return fmt.Errorf("%w: this ledger did not sign it", ErrCosignature)
	case j.Unknown > 0 || j.Void > 0:
		return fmt.Errorf("%w: by a key that was not announced", ErrCosignature)
	case len(j.Witnesses)+len(j.Replays) == 0:
		return fmt.Errorf("%w: there is none", ErrCosignature)
	}
	if err := n.own(note.Checkpoint); err != nil {
		return err
	}
	return n.keep(note)
}

// keep adds the signatures of a note to what is kept of its size.
func (n *Notary) keep(note checkpoint.Note) error {
	n.keeping.Lock() // one file at a time; mu is not held while one is written
	defer n.keeping.Unlock()
	n.mu.Lock()
	kept := slices.Clone(n.cosigned)
	n.mu.Unlock()
	i := slices.IndexFunc(kept, func(c checkpoint.Note) bool { return c.Size >= note.Size })
	switch {
	case i >= 0 && kept[i].Size == note.Size:
		kept[i] = kept[i].With(note.Signatures...)
	case i >= 0:
		kept = slices.Insert(kept, i, note)
	default:
		i, kept = len(kept), append(kept, note)
	}
	text := kept[i].Bytes()
	if _, err := checkpoint.Open(text); err != nil {
		return fmt.Errorf("%w: with it the checkpoint has more than it may: %v", ErrCosignature, err)
	}
	if err := durable.Replace(n.cosignedPath(note.Size), text); err != nil {
		return fmt.Errorf("keeping a cosignature: %w", err)
	}
	for len(kept) > keptNotes {
		old := 0
		if !slices.ContainsFunc(kept[1:], proving) && proving(kept[0]) {
			old = 1 // LIGHT stands on the other
		}
		if err := os.Remove(n.cosignedPath(kept[old].Size)); err != nil {
			n.cfg.Log.Warn("an old cosigned checkpoint stays", "error", err)
		}
		kept = slices.Delete(kept, old, old+1)
	}
	n.set(func(s *Status) { n.setCosigned(s, kept) })
	return nil
}

func (n *Notary) cosignedPath(size uint64) string {
	return filepath.Join(n.cfg.Dir, cosignedDir, strconv.FormatUint(size, 10))
}

// readCosigned reads what is kept, once the records are there. What is not a checkpoint of these records that this
// ledger signed is left out.
func (n *Notary) readCosigned(ctx context.Context) error {
	if n.signer == nil {
		return nil
	}
	n.keeping.Lock()
	defer n.keeping.Unlock()
	trust, err := n.Trust(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Join(n.cfg.Dir, cosignedDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading cosigned checkpoints: %w", err)
	}
	var kept []checkpoint.Note
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".tmp" {
			continue // a crash left it
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading cosigned checkpoints: %w", err)
		}
		note, err := checkpoint.Open(b)
		if err == nil && note.Origin != trust.Origin() {
			continue // of a former origin
		}
		if err == nil {
			err = trust.Judge(note).Lacks(checkpoint.NeedLog)
		}
		if err != nil || note.Size > n.signer.last.Size {
			n.cfg.Log.Warn("not a cosigned checkpoint of this ledger; left out", "file", e.Name())
			continue
		}
		switch err := n.own(note.Checkpoint); {
		case err == nil:
			kept = append(kept, note)
		case !errors.Is(err, ErrCosignature): // which it said
			return err
		}
	}
	slices.SortFunc(kept, func(a, b checkpoint.Note) int { return cmp.Compare(a.Size, b.Size) })
	n.set(func(s *Status) { n.setCosigned(s, kept) })
	return nil
}

// setCosigned changes what is kept. The caller holds mu.
func (n *Notary) setCosigned(s *Status, kept []checkpoint.Note) {
	n.cosigned, s.Cosigned = kept, 0
	for _, c := range kept {
		if proving(c) {
			s.Cosigned = c.Size
		}
	}
}

// own is nil if a checkpoint is of this ledger's records. One that its key signed and that is not is evidence: the
// error wraps [ErrCosignature].
func (n *Notary) own(c checkpoint.Checkpoint) error {
	if c.Size == 0 || c.Size > n.log.Size() {
		return fmt.Errorf("%w: of %d positions, and there are %d", ErrCosignature, c.Size, n.log.Size())
	}
	root, err := n.log.Root(c.Size)
	if err != nil {
		return err
	}
	if root != c.Root {
		n.cfg.Log.Error("a checkpoint that is not of these events is signed with the key of this ledger", "size", c.Size)
		return fmt.Errorf("%w: over the first %d positions this ledger has another root", ErrCosignature, c.Size)
	}
	return nil
}

// Judged says whose signatures a checkpoint has, by the keys that sign here and those that were announced.
func (n *Notary) Judged(ctx context.Context, note checkpoint.Note) (checkpoint.Judgement, error) {
	trust, err := n.Trust(ctx)
	if err != nil {
		return checkpoint.Judgement{}, err
	}
	return trust.Judge(note), nil
}
