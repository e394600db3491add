package natsd

import (
	"errors"
	"fmt"
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

// memoryFolder makes a folder on a memory file system; "" if there is none.
func memoryFolder() string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(memoryRoot, &st); err != nil || int64(st.Type) != tmpfsMagic {
		return ""
	}
	dir, err := os.MkdirTemp(memoryRoot, memoryPrefix)
	if err != nil {
		return ""
	}
	return dir
}

// stage moves the streams' staging into memory, if there is any. The folders must be absent.
func (s *Server) stage() error {
	if s.staging = memoryFolder(); s.staging == "" {
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
	return errors.Join(append(errs, os.RemoveAll(s.staging))...)
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// stagedIn is the folder in which a stream's batches are, or were, staged; "" if there is none. A link that leads
// anywhere but where stage makes it lead is damage.
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
	return target, nil
}

// dropStaged removes what was staged, and the link to it.
func dropStaged(dir, stream string) error {
	target, d := stagedIn(dir, stream)
	if d != nil {
		return d
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if path := stagingDir(dir, stream); path != target {
		if err := os.Remove(path); err != nil {
			return err
		}
		// The parent goes with its last stream.
		if err := os.Remove(filepath.Dir(target)); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
	return syncDir(streamDir(dir, stream))
}
