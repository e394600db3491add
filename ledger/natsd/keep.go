package natsd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The server removes what it cannot read: one read that fails while it recovers, or one open file too many, and it
// deletes a block, or the stream's whole folder, and says that it is ready. So every file of a stream has a second name
// while the server recovers: a hard link in keptFolder, durable before the server starts. The second names are given up
// once the server has taken every stream as it was verified and no first name is missing. Else the first names are put
// back: at once, or at the next start, if this one was killed.
//
// A second name does not keep a file from being cut. The server cuts a block in which it finds a bad record, never for
// a read that fails; that there is no bad record is what the preflight has just seen.
const keptFolder = "kept"

// keep gives the files of every stream a second name, durably. What they hold must be durable already.
func keep(cfg Config) error {
	kept := filepath.Join(cfg.Dir, keptFolder)
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return err
	}
	for _, name := range cfg.Streams {
		if err := keepStream(streamDir(cfg.Dir, name), filepath.Join(kept, name)); err != nil {
			return fmt.Errorf("keeping the files of stream %s: %w", name, err)
		}
	}
	return errors.Join(syncDir(kept), syncDir(cfg.Dir))
}

// keepStream leaves out what the server may rightly remove: its index, and blocks that are empty.
func keepStream(from, to string) error {
	files := []string{"meta.inf", "meta.sum"}
	blocks, err := blockNumbers(filepath.Join(from, "msgs"))
	if err != nil {
		return err
	}
	for _, n := range blocks {
		files = append(files, blockPath("msgs", n))
	}
	if err := os.MkdirAll(filepath.Join(to, "msgs"), 0o700); err != nil {
		return err
	}
	for _, file := range files {
		info, err := os.Lstat(filepath.Join(from, file))
		if err != nil {
			return err
		}
		if info.Size() == 0 {
			continue
		}
		if err := os.Link(filepath.Join(from, file), filepath.Join(to, file)); err != nil {
			return err
		}
	}
	return errors.Join(syncDir(filepath.Join(to, "msgs")), syncDir(to))
}

// missing lists the kept files whose first name is gone, by their paths below keptFolder, which are those below the
// folder of streams.
func missing(dir string) ([]string, error) {
	var gone []string
	kept := filepath.Join(dir, keptFolder)
	err := filepath.WalkDir(kept, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == kept:
			return nil
		case err != nil || d.IsDir():
			return err
		}
		file, err := filepath.Rel(kept, path)
		if err != nil {
			return err
		}
		_, err = os.Lstat(filepath.Join(streamsDir(dir), file))
		if errors.Is(err, fs.ErrNotExist) {
			gone = append(gone, file)
			return nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for files that the server removed: %w", err)
	}
	return gone, nil
}

// nothingMissing is an error if the server has removed a file that is kept.
func nothingMissing(dir string) error {
	gone, err := missing(dir)
	if err == nil && len(gone) > 0 {
		err = fmt.Errorf("starting, the server removed %s, %d files in all: they are kept in %s, from where a start puts them back",
			gone[0], len(gone), filepath.Join(dir, keptFolder))
	}
	return err
}

// putBack gives every kept file its first name again, durably, and then gives up the second ones. No server may be
// running.
func putBack(cfg Config) error {
	gone, err := missing(cfg.Dir)
	if err != nil {
		return err
	}
	for _, file := range gone {
		if err := relink(filepath.Join(cfg.Dir, keptFolder, file), filepath.Join(streamsDir(cfg.Dir), file)); err != nil {
			return fmt.Errorf("putting back what the server removed: %w", err)
		}
	}
	if len(gone) > 0 {
		cfg.Log.Warn("put back what the server had removed", "first", gone[0], "files", len(gone))
		if err := syncTree(filepath.Join(cfg.Dir, "jetstream")); err != nil {
			return err
		}
	}
	return giveUp(cfg.Dir)
}

// relink gives a kept file its first name. A server that has ended may yet remove folders, once each and only if they
// are empty: then they are made again.
func relink(kept, place string) error {
	for attempt := 0; ; attempt++ {
		err := os.MkdirAll(filepath.Dir(place), 0o700)
		if err == nil {
			err = os.Link(kept, place)
		}
		if attempt == 100 || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// giveUp removes the second names, durably.
func giveUp(dir string) error {
	kept := filepath.Join(dir, keptFolder)
	if _, err := os.Lstat(kept); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.RemoveAll(kept); err != nil {
		return err
	}
	return syncDir(dir)
}
