package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imalink/custody/ledger/durable"
)

// ErrLost is returned where a key vouched for a log, and what it last vouched for is not there any more. The key must
// not be used again: make another.
var ErrLost = errors.New("witness: what this key vouched for last is lost")

// A Memory has, of each log that a key vouches for, what it vouched for last: a file each, in a folder of its owner
// (docs/FORMAT.md, "Folder of an auditor"). A list of the logs lies beside them, so that a lost file is not taken for a
// beginning. Several processes may have the same folder.
type Memory struct {
	Dir  string
	Role string // of the key; names its files
}

// Read is what is remembered of a log: nil if it was never vouched for. The error wraps [ErrLost] if it was.
func (m Memory) Read(origin string) ([]byte, error) {
	b, err := os.ReadFile(m.path(origin))
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	logs, err := m.logs()
	if err == nil && slices.Contains(logs, origin) {
		err = fmt.Errorf("%w: %s", ErrLost, m.path(origin))
	}
	return nil, err
}

// Write replaces what is remembered of a log, durably. After an error the old or the new is there, perhaps not durably, or
// not on the list: nothing may be vouched for before writing again, which is safe, succeeded.
func (m Memory) Write(origin string, b []byte) error {
	if err := durable.Replace(m.path(origin), b); err != nil {
		return fmt.Errorf("remembering a checkpoint: %w", err)
	}
	logs, err := m.logs()
	if err != nil || slices.Contains(logs, origin) {
		return err
	}
	list := strings.Join(append(logs, origin), "\n") + "\n"
	if err := durable.Replace(m.listPath(), []byte(list)); err != nil {
		return fmt.Errorf("remembering a log: %w", err)
	}
	return nil
}

// Vouched reports whether the key vouched for anything.
func (m Memory) Vouched() (bool, error) {
	logs, err := m.logs()
	return len(logs) > 0, err
}

// Alone runs f while no other that calls it with this folder does.
func (m Memory) Alone(f func() error) (err error) {
	lock, err := durable.AwaitLock(filepath.Join(m.Dir, "lock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return f()
}

// logs are the origins of all logs that were vouched for.
func (m Memory) logs() ([]string, error) {
	b, err := os.ReadFile(m.listPath())
	if errors.Is(err, fs.ErrNotExist) || len(b) == 0 && err == nil {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"), err
}

func (m Memory) listPath() string { return filepath.Join(m.Dir, m.Role+".logs") }

// path is named by a hash: an origin may hold what a file's name may not.
func (m Memory) path(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return filepath.Join(m.Dir, m.Role+"-"+hex.EncodeToString(sum[:8]))
}
