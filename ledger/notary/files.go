package notary

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

var (
	// ErrUnsigned is why a ledger does not sign: it has no keys, or what it signed before forbids it.
	ErrUnsigned = errors.New("notary: this ledger does not sign checkpoints")
	// ErrExists is returned where keys are already.
	ErrExists = errors.New("notary: already there")
	// ErrInUse is returned when another process signs with these keys.
	ErrInUse = errors.New("notary: keys in use")
)

// errNoKeys is why a ledger does not sign that has no file of keys.
var errNoKeys = fmt.Errorf("%w: no keys in the key directory", ErrUnsigned)

// Files in the key directory (docs/FORMAT.md, "Checkpoint").
const (
	keysFile   = "checkpoint.keys"
	signedFile = "checkpoint"
	bundleFile = "bundle.key"
	lockFile   = "checkpoint.lock"
	maxKeys    = 2 // while one takes the other's place
)

// KeyFiles are the paths of what a ledger signs with, and of what it signed last.
func KeyFiles(dir string) (paths []string) {
	for _, name := range []string{keysFile, signedFile, bundleFile} {
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths
}

// CreateKeys makes the keys of a new ledger in a directory that has none, and a checkpoint of size zero beside
// them: what a ledger signed last is never unknown. The error wraps [ErrExists], or [checkpoint.ErrKey] for an
// origin that no key can have; after any other, remove what is there and try again.
func CreateKeys(dir, origin string) error {
	for _, path := range KeyFiles(dir) {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s", ErrExists, path)
		}
	}
	key, err := checkpoint.NewSigner(origin)
	if err != nil {
		return err
	}
	return takeOrigin(dir, key)
}

// takeOrigin writes the files of an origin that has signed nothing: the keys last, for without them nothing is
// signed.
func takeOrigin(dir string, key checkpoint.Signer) error {
	bundle, err := checkpoint.NewSigner(key.Key().Name + "/bundle")
	if err != nil {
		return err
	}
	empty, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: key.Key().Name, Root: emptyRoot()}, key)
	if err != nil {
		return err
	}
	if err := durable.Replace(filepath.Join(dir, bundleFile), []byte(bundle.Reveal()+"\n")); err != nil {
		return fmt.Errorf("writing the key of bundles: %w", err)
	}
	if err := durable.Replace(filepath.Join(dir, signedFile), empty.Bytes()); err != nil {
		return fmt.Errorf("writing the first checkpoint: %w", err)
	}
	if err := writeKeys(dir, key); err != nil {
		return err
	}
	return nil
}

func writeKeys(dir string, keys ...checkpoint.Signer) error {
	var b []byte
	for _, k := range keys {
		b = append(append(b, k.Reveal()...), '\n')
	}
	if err := durable.Replace(filepath.Join(dir, keysFile), b); err != nil {
		return fmt.Errorf("writing the keys of checkpoints: %w", err)
	}
	return nil
}

// ReadKeys reads the log's keys and the key of bundles. The error wraps [ErrUnsigned] if there are none, or
// [checkpoint.ErrKey].
func ReadKeys(dir string) (log []checkpoint.Signer, bundle checkpoint.Signer, err error) {
	b, err := os.ReadFile(filepath.Join(dir, keysFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, bundle, errNoKeys
	}
	if err != nil {
		return nil, bundle, fmt.Errorf("reading the keys of checkpoints: %w", err)
	}
	if log, err = checkpoint.ParseSigners(b, maxKeys); err != nil {
		return nil, bundle, fmt.Errorf("%w: %s: %w", ErrUnsigned, keysFile, err)
	}
	if b, err = os.ReadFile(filepath.Join(dir, bundleFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, bundle, fmt.Errorf("%w: no key of bundles in the key directory", ErrUnsigned)
	} else if err != nil {
		return nil, bundle, fmt.Errorf("reading the key of bundles: %w", err)
	}
	one, err := checkpoint.ParseSigners(b, 1)
	if err != nil {
		return nil, bundle, fmt.Errorf("%w: %s: %w", ErrUnsigned, bundleFile, err)
	}
	return log, one[0], nil
}

// readSigned reads what was signed last. The error wraps [ErrUnsigned]: without it nobody knows what may be signed.
func readSigned(dir string, keys []checkpoint.Signer) (checkpoint.Note, error) {
	b, err := os.ReadFile(filepath.Join(dir, signedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return checkpoint.Note{}, fmt.Errorf("%w: what it signed last is not beside its keys any more", ErrUnsigned)
	}
	if err != nil {
		return checkpoint.Note{}, fmt.Errorf("reading the last checkpoint: %w", err)
	}
	note, err := checkpoint.Open(b)
	if err != nil {
		return checkpoint.Note{}, fmt.Errorf("%w: %s: %w", ErrUnsigned, signedFile, err)
	}
	own, err := trustOf(keys)
	if err != nil {
		return checkpoint.Note{}, err
	}
	if err := own.Judge(note).Lacks(checkpoint.NeedLog); err != nil {
		return checkpoint.Note{}, fmt.Errorf("%w: its last checkpoint is not signed by its keys: %w", ErrUnsigned, err)
	}
	return note, nil
}

// trustOf trusts the log's own keys.
func trustOf(keys []checkpoint.Signer) (*checkpoint.Trust, error) {
	var lines []byte
	for _, k := range keys {
		lines = fmt.Appendf(lines, "log %s\n", k.Verifier())
	}
	return checkpoint.ParseTrust(lines)
}

// lock makes this process the only one that signs with the keys of a directory, until the lock is closed.
func lock(dir string) (*durable.Lock, error) {
	held, err := durable.TryLock(filepath.Join(dir, lockFile))
	if errors.Is(err, durable.ErrHeld) {
		return nil, fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return held, err
}
