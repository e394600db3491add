package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/imalink/custody/ledger/durable"
)

// finish moves the staged ledger to its place. It may be repeated: what is moved
// already is passed over.
func (r *restoration) finish() error {
	moves := []struct {
		from, to string
		replace  bool
	}{
		{r.staged.root(), r.paths.root(), false}, {r.staged.mark(), r.paths.mark(), true},
		{r.staged.store(), r.paths.store(), false}, {r.staged.views(), r.paths.views(), false},
		{r.staged.quarantine(), r.paths.quarantine(), false}, {OperatorTokenPath(r.staged.data), OperatorTokenPath(r.paths.data), false},
		{r.staged.manifest(), r.paths.manifest(), false},
	}
	for _, m := range moves {
		err := move(m.from, m.to, m.replace)
		if err == nil {
			err = r.step("moved " + filepath.Base(m.to))
		}
		if err != nil {
			return fmt.Errorf("complete, but not finished: call it again: %w", err)
		}
	}
	for _, dir := range []string{r.staged.keys, r.staged.data} {
		err := os.RemoveAll(dir)
		if err == nil {
			err = durable.SyncDir(filepath.Dir(dir))
		}
		if err == nil {
			err = r.step("removed " + filepath.Base(filepath.Dir(dir)))
		}
		if err != nil {
			return fmt.Errorf("restored, but %s is to be removed: call it again: %w", dir, err)
		}
	}
	return nil
}

// move gives a file or folder its name, durably; one that has both names keeps
// this one. It refuses with ErrExists to replace what is not to be replaced.
func move(from, to string, replace bool) error {
	a, err := os.Lstat(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	switch b, err := os.Lstat(to); {
	case err == nil && os.SameFile(a, b):
		err = os.Remove(from)
		return errors.Join(err, durable.SyncDir(filepath.Dir(to)))
	case err == nil && !replace:
		return fmt.Errorf("%w: %s", ErrExists, to)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(to))
}

// clear removes all that a restore made, so that nothing is left behind.
func (r *restoration) clear() error {
	err := r.clearStaged()
	if err == nil {
		err = os.Remove(r.paths.lock())
	}
	if err != nil {
		return fmt.Errorf("clearing what was begun: %w", err)
	}
	for _, dir := range r.made {
		_ = os.Remove(dir) // unless somebody put something there
	}
	return nil
}

// clearStaged removes the staging folders, first what says that they are complete.
// A root key that was written there is overwritten; one that only has a second
// name there is left as it is.
func (r *restoration) clearStaged() error {
	if err := os.Remove(r.completeFile()); err == nil {
		err = durable.SyncDir(r.staged.data)
		if err != nil {
			return fmt.Errorf("clearing %s: %w", r.staged.data, err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("clearing %s: %w", r.staged.data, err)
	}
	info, err := os.Lstat(r.staged.root())
	if err == nil && info.Sys().(*syscall.Stat_t).Nlink == 1 {
		err = zero(r.staged.root(), info.Size())
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("destroying a root key that was begun: %w", err)
	}
	for _, dir := range []string{r.staged.keys, r.staged.data} {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("clearing %s: %w", dir, err)
		}
	}
	return nil
}

// zero overwrites a file in place, durably.
func zero(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, size))
	return errors.Join(err, f.Sync(), f.Close())
}
