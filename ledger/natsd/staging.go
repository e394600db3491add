package natsd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Before the server commits an atomic batch it stages it, in a folder and files of their own that it syncs: a fixed cost
// of several milliseconds a group on an ordinary disk, for something that nobody has been promised. What makes a batch
// durable is the one sync of the stream's own blocks that follows, before the acknowledgement; after a kill a staged
// batch is quarantined, never completed. So staging may happen in memory: each stream's staging folder is a link into
// a folder on a memory file system, made once the server has recovered (it removes the link by itself then). When that
// file system is full the server refuses the batch, and nothing has happened.
const (
	memoryRoot   = "/dev/shm"
	memoryPrefix = "custody-"
	tmpfsMagic   = 0x01021994
)

// ownerFile, in a folder in memory, holds the server's folder that it belongs to: a copy of that folder, the link
// included, is not to take away what the original stages. The server holds a lock on it.
const ownerFile = "owner"

// memoryFolder makes a folder on a memory file system that belongs to dir, until the file returned is closed; "" if there
// is none.
func memoryFolder(dir string) (string, *os.File) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(memoryRoot, &st); err != nil || int64(st.Type) != tmpfsMagic {
		return "", nil
	}
	sweep()
	folder, err := os.MkdirTemp(memoryRoot, memoryPrefix)
	if err != nil {
		return "", nil
	}
	owner, err := os.OpenFile(filepath.Join(folder, ownerFile), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		if err = syscall.Flock(int(owner.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			_, err = owner.WriteString(dir)
		}
		if err == nil {
			return folder, owner
		}
		_ = owner.Close() // it is full, or cannot be locked: do without
	}
	_ = os.RemoveAll(folder)
	return "", nil
}

// sweep removes folders in memory whose server has ended, and whose server's folder is gone: nobody else will.
func sweep() {
	owners, err := filepath.Glob(filepath.Join(memoryRoot, memoryPrefix+"*", ownerFile))
	if err != nil {
		return
	}
	for _, path := range owners {
		if abandoned(path) {
			_ = os.RemoveAll(filepath.Dir(path)) // another's, perhaps: not ours to remove
		}
	}
}

func abandoned(owner string) bool {
	f, err := os.Open(owner)
	if err != nil {
		return false
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return false
	}
	dir, err := io.ReadAll(f)
	if err != nil || len(dir) == 0 { // just being made
		return false
	}
	_, err = os.Stat(string(dir))
	return errors.Is(err, fs.ErrNotExist)
}

// stage moves the streams' staging into memory, if there is any. The folders must be absent.
func (s *Server) stage() error {
	if s.staging, s.owner = memoryFolder(s.cfg.Dir); s.staging == "" {
		return nil
	}
	for _, name := range s.cfg.Streams {
		target := filepath.Join(s.staging, name)
		if err := os.Mkdir(target, 0o700); err != nil {
			return fmt.Errorf("staging in memory: %w", err)
		}
		if err := os.Symlink(target, stagingDir(s.cfg.Dir, name)); err != nil {
			return fmt.Errorf("staging in memory: %w", err)
		}
	}
	return nil
}

// unstage undoes stage, the server having stopped.
func (s *Server) unstage() error {
	if s.staging == "" {
		return nil
	}
	var errs []error
	for _, name := range s.cfg.Streams {
		if link := stagingDir(s.cfg.Dir, name); isLink(link) {
			errs = append(errs, os.Remove(link))
		}
	}
	errs = append(errs, os.RemoveAll(s.staging), s.owner.Close())
	s.staging = ""
	return errors.Join(errs...)
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// stagedIn is the folder in which a stream's batches are, or were, staged; "" if it is another server's, or gone. A link
// that leads anywhere but where stage makes it lead is damage.
func stagedIn(dir, stream string) (string, *Damage) {
	path := stagingDir(dir, stream)
	if !isLink(path) {
		return path, nil
	}
	target, err := os.Readlink(path)
	if err != nil {
		return "", damage(stream, KindUnreadable, path, err)
	}
	parent := filepath.Dir(target)
	if filepath.Base(target) != stream || filepath.Dir(parent) != memoryRoot || !strings.HasPrefix(filepath.Base(parent), memoryPrefix) {
		return "", damage(stream, KindStray, path, errors.New("a link that is not ours"))
	}
	if owner, err := os.ReadFile(filepath.Join(parent, ownerFile)); err != nil || string(owner) != dir {
		return "", nil
	}
	return target, nil
}

// hasStaged reports whether batches were being staged.
func hasStaged(dir, stream string) (bool, *Damage) {
	folder, d := stagedIn(dir, stream)
	if d != nil || folder == "" {
		return false, d
	}
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, damage(stream, KindUnreadable, folder, err)
	}
	return len(entries) > 0, nil
}

// dropStaged removes what was staged, and the link to it.
func dropStaged(dir, stream string) error {
	folder, d := stagedIn(dir, stream)
	if d != nil {
		return d
	}
	path := stagingDir(dir, stream)
	if folder != "" {
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	if folder != "" && folder != path {
		if err := dropEmpty(filepath.Dir(folder)); err != nil {
			return err
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(streamDir(dir, stream))
}

// dropEmpty removes a folder in memory once it holds no stream's staging any more.
func dropEmpty(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) > 1 { // the owner file
		return err
	}
	return os.RemoveAll(folder)
}
