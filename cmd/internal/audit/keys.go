package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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

// keyFiles are the names of their files in the folder of an auditor.
const (
	replayFile  = "replay.key"
	witnessFile = "witness.key"
)

// Init makes the keys <name>/replay and <name>/witness in a folder, which it makes if it is not there. The error wraps
// [ErrExists] if the folder has a key; then nothing was changed. It wraps [checkpoint.ErrKey] for a name that no key can
// have. After any other, remove what is there and do it again.
func Init(dir, name string) (k Keys, err error) {
	for _, file := range []string{replayFile, witnessFile} {
		if _, err := os.Lstat(filepath.Join(dir, file)); !errors.Is(err, fs.ErrNotExist) {
			return k, fmt.Errorf("%w: %s", ErrExists, filepath.Join(dir, file))
		}
	}
	if k.Replay, err = checkpoint.NewCosigner(name + "/replay"); err != nil {
		return k, err
	}
	if k.Witness, err = checkpoint.NewCosigner(name + "/witness"); err != nil {
		return k, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return k, fmt.Errorf("making the folder: %w", err)
	}
	for file, key := range map[string]checkpoint.Cosigner{replayFile: k.Replay, witnessFile: k.Witness} {
		if err := durable.Replace(filepath.Join(dir, file), []byte(key.Reveal()+"\n")); err != nil {
			return k, fmt.Errorf("writing a key: %w", err)
		}
	}
	return k, nil
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
