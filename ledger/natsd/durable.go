package natsd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// syncFile makes a file's content durable; a folder's entries, if it is one.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("syncing %s: %w", path, err), f.Close())
	}
	return f.Close()
}

func syncDir(path string) error { return syncFile(path) }

// syncTree makes everything below and including dir durable, and dir's own entry: files before the folders that name them.
func syncTree(dir string) error {
	var folders []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			folders = append(folders, path)
			return nil
		}
		return syncFile(path)
	})
	if err != nil {
		return err
	}
	for _, path := range slices.Backward(folders) {
		if err := syncDir(path); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(dir))
}

// writeFile makes a new file of the given content durable, under its name or not at all.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

// removeFile removes a file, if it is there, durably.
func removeFile(path string) error {
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// guard makes durable the folder entry of each block file that the server adds: it syncs the file only.
type guard struct {
	dir, name string

	mu     sync.Mutex
	newest uint32 // number of the newest block whose entry is durable
}

// newGuard begins where the server, having recovered, is about to go on: in the newest block there is. That block is not
// always one that the preflight saw: in place of one that was empty the server makes another, with the next number.
func newGuard(dir, stream string) (*guard, error) {
	g := &guard{dir: messagesDir(dir, stream), name: stream}
	blocks, err := blockNumbers(g.dir)
	if err != nil {
		return nil, err
	}
	if len(blocks) > 0 {
		g.newest = blocks[len(blocks)-1]
	}
	return g, syncDir(g.dir)
}

// sync runs after an acknowledgement, which covers the content of the block files.
func (g *guard) sync() error { return g.upTo(false) }

// settle runs without one, and syncs the content of every block file that may have been written to since the last.
func (g *guard) settle() error { return g.upTo(true) }

func (g *guard) upTo(content bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	newest := g.newest
	for {
		_, err := os.Stat(blockPath(g.dir, newest+1))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		newest++
	}
	for n := max(g.newest, 1); content && n <= newest; n++ {
		if err := syncFile(blockPath(g.dir, n)); err != nil {
			return err
		}
	}
	if newest == g.newest {
		return nil
	}
	if err := syncDir(g.dir); err != nil {
		return err
	}
	g.newest = newest
	return nil
}

// Barrier is what must follow an acknowledgement of the named stream before it is passed on: the server must not have
// failed, and the folder entry of a new block file is synced. One stat of a file as a rule.
func (s *Server) Barrier(name string) func() error { return s.guarded(name, s.Health, (*guard).sync) }

// settle makes durable what the server has stored without acknowledging it.
func (s *Server) settle(name string) func() error { return s.guarded(name, s.Healthy, (*guard).settle) }

func (s *Server) guarded(name string, health func() error, sync func(*guard) error) func() error {
	i := slices.IndexFunc(s.guards, func(g *guard) bool { return g.name == name })
	return func() error {
		if err := health(); err != nil {
			return err
		}
		if i < 0 {
			return fmt.Errorf("natsd: no stream %s", name)
		}
		if err := sync(s.guards[i]); err != nil {
			err = fmt.Errorf("syncing stream %s: %w", name, err)
			s.fail(err)
			return err
		}
		return nil
	}
}

// roomFor is how many bytes the streams in dir may take: what they take now and what is free, less a reserve
// so that the server refuses before the file system does.
func roomFor(dir string) (int64, error) {
	var used int64
	root := filepath.Join(dir, "jetstream") // a second name takes no room
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil
		}
		if err != nil || d.IsDir() {
			return nil // the preflight names what cannot be read
		}
		if info, err := d.Info(); err == nil {
			used += info.Size()
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var st syscall.Statfs_t
	for {
		err = syscall.Statfs(dir, &st)
		if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
			dir = parent
			continue
		}
		break
	}
	if err != nil {
		return 0, err
	}
	free := int64(st.Bavail) * int64(st.Bsize)
	return max(used+free-min(free/16, 1<<30), 1), nil
}
