package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/imalink/custody/cmd/internal/witness"
	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

var (
	// ErrExists is returned where an auditor is already.
	ErrExists = errors.New("audit: there is an auditor already")
	// ErrNone is returned where there is none.
	ErrNone = errors.New("audit: there is no auditor")
)

// Keys are what an auditor cosigns with.
type Keys struct {
	Replay  checkpoint.Cosigner // what it recomputed
	Witness checkpoint.Cosigner // what grew consistently
}

// In the folder of an auditor, the files of its keys, and the roles by which it remembers what they vouched for
// (docs/FORMAT.md, "Folder of an auditor").
const (
	replayFile  = "replay.key"
	witnessFile = "witness.key"
	replayRole  = "replay"
	witnessRole = "witness"
)

// Init makes the keys <name>/replay and <name>/witness in a folder, which it makes if it is not there. The error wraps
// [ErrExists] if the folder has an auditor, or something that one knew; then nothing was changed. It wraps
// [checkpoint.ErrKey] for a name that no key can have. After any other, or a crash, do it again: the replay key comes last,
// and nobody was shown a key before.
func Init(dir, name string) (k Keys, err error) {
	if _, err := os.Lstat(filepath.Join(dir, replayFile)); !errors.Is(err, fs.ErrNotExist) {
		return k, fmt.Errorf("%w: %s", ErrExists, filepath.Join(dir, replayFile))
	}
	for _, role := range []string{replayRole, witnessRole} {
		if vouched, err := (witness.Memory{Dir: dir, Role: role}).Vouched(); vouched || err != nil {
			return k, errors.Join(fmt.Errorf("%w: the %s key of %s has vouched for something", ErrExists, role, dir), err)
		}
	}
	if k.Replay, err = checkpoint.NewCosigner(name + "/replay"); err != nil {
		return k, err
	}
	if k.Witness, err = checkpoint.NewCosigner(name + "/witness"); err != nil {
		return k, err
	}
	if err = os.MkdirAll(dir, 0o700); err == nil {
		err = durable.SyncDir(filepath.Dir(dir))
	}
	if err != nil {
		return k, fmt.Errorf("making the folder: %w", err)
	}
	if err = writeKey(filepath.Join(dir, witnessFile), k.Witness); err == nil {
		err = writeKey(filepath.Join(dir, replayFile), k.Replay)
	}
	return k, err
}

func writeKey(path string, k checkpoint.Cosigner) error {
	if err := durable.Replace(path, []byte(k.Reveal()+"\n")); err != nil {
		return fmt.Errorf("writing a key: %w", err)
	}
	return nil
}

// ReadKeys reads the keys of the auditor of a folder. The error wraps [ErrNone] or [checkpoint.ErrKey].
func ReadKeys(dir string) (k Keys, err error) {
	if k.Replay, err = readKey(filepath.Join(dir, replayFile)); err != nil {
		return Keys{}, err
	}
	k.Witness, err = readKey(filepath.Join(dir, witnessFile))
	return k, err
}

func readKey(path string) (checkpoint.Cosigner, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return checkpoint.Cosigner{}, fmt.Errorf("%w: %s", ErrNone, path)
	}
	if err != nil {
		return checkpoint.Cosigner{}, fmt.Errorf("reading a key: %w", err)
	}
	k, err := checkpoint.ParseCosigner(strings.TrimSuffix(string(b), "\n"))
	if err != nil {
		return checkpoint.Cosigner{}, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}
