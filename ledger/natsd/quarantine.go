package natsd

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// prepare leaves files that the server can start on, and that are durable. Interrupted anywhere, it does the same
// again at the next start: copies are durable before anything is cut, and the cut itself goes from the end.
func prepare(cfg Config, report *Report, found []finding) error {
	for i := range found {
		r := &report.Streams[i]
		if found[i].torn == nil && !found[i].staged {
			if err := dropStaged(cfg.Dir, r.Name); err != nil {
				return err
			}
			continue
		}
		folder, err := quarantine(cfg, r, &found[i])
		if err != nil {
			return fmt.Errorf("quarantining from stream %s: %w", r.Name, err)
		}
		r.Quarantined = append(r.Quarantined, folder)
		cfg.Log.Warn("quarantined what a crash left", "stream", r.Name, "folder", folder, "torn", found[i].torn)
		if err := cut(cfg.Dir, r.Name, &found[i]); err != nil {
			return fmt.Errorf("cutting stream %s: %w", r.Name, err)
		}
	}
	if err := removeProbes(filepath.Join(cfg.Dir, "jetstream")); err != nil {
		return err
	}
	if err := removeFile(filepath.Join(cfg.Dir, markerFile)); err != nil {
		return err
	}
	if report.CleanStop {
		return nil
	}
	for _, name := range cfg.Streams {
		for _, index := range []string{indexFile, indexFile + ".tmp"} {
			if err := removeFile(filepath.Join(messagesDir(cfg.Dir, name), index)); err != nil {
				return err
			}
		}
	}
	return syncTree(cfg.Dir)
}

// removeProbes removes the server's own probes, which a power cut may bring back: it would take them for accounts.
func removeProbes(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("looking for probes: %w", err)
	}
	for _, e := range entries {
		if isProbe(e) {
			if err := removeFile(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// note is the file beside quarantined copies that says what they are.
type note struct {
	Format   int        `json:"format"`
	Stream   string     `json:"stream"`
	Time     time.Time  `json:"time"`
	Kind     string     `json:"kind,omitempty"` // of damage; absent: staged batches only
	File     string     `json:"file,omitempty"` // where the damage begins
	Offset   int64      `json:"offset"`
	Sequence uint64     `json:"first_sequence"` // first one not in the stream any more
	Mark     uint64     `json:"durable_mark"`
	Reason   string     `json:"reason,omitempty"`
	Files    []noteFile `json:"files"`
}

type noteFile struct {
	Name   string `json:"name"` // relative to the note
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

const (
	noteFormat = 1
	noteName   = "note.json"
)

// quarantine copies, durably, the damaged block, the blocks after it, and all staged batches. It returns the folder.
func quarantine(cfg Config, r *StreamReport, f *finding) (folder string, err error) {
	if cfg.Quarantine == "" {
		return "", errors.New("natsd: Quarantine is empty")
	}
	now := time.Now().UTC()
	if err := os.MkdirAll(cfg.Quarantine, 0o700); err != nil {
		return "", err
	}
	if folder, err = os.MkdirTemp(cfg.Quarantine, now.Format("20060102T150405Z-")+r.Name+"-"); err != nil {
		return "", err
	}
	n := note{Format: noteFormat, Stream: r.Name, Time: now, Sequence: r.Last + 1, Mark: max(r.Mark, r.MarkOutside, r.MarkStop), Files: []noteFile{}}
	if d := f.torn; d != nil {
		n.Kind, n.File, n.Offset, n.Reason = d.Kind, filepath.Base(d.File), d.Offset, d.Err.Error()
		for _, sum := range f.blocks[f.cut:] {
			from := blockPath(messagesDir(cfg.Dir, r.Name), sum.number)
			if err := n.copy(folder, from, filepath.Base(from)); err != nil {
				return "", err
			}
		}
	}
	if f.staged {
		from, d := stagedIn(cfg.Dir, r.Name)
		if d != nil {
			return "", d
		}
		if err := n.copyTree(folder, from, "batches"); err != nil {
			return "", err
		}
	}
	text, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return "", err
	}
	if err := writeFile(filepath.Join(folder, noteName), append(text, '\n')); err != nil {
		return "", err
	}
	if err := syncTree(folder); err != nil {
		return "", err
	}
	return folder, syncDir(filepath.Dir(cfg.Quarantine))
}

// copy copies one file to folder/name.
func (n *note) copy(folder, from, name string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	to := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(out, hash), in)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	n.Files = append(n.Files, noteFile{name, size, hex.EncodeToString(hash.Sum(nil))})
	return nil
}

func (n *note) copyTree(folder, from, name string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return n.copy(folder, path, filepath.Join(name, rel))
	})
}

// cut removes, from the end, what quarantine has copied.
func cut(dir, stream string, f *finding) error {
	messages := messagesDir(dir, stream)
	if err := dropStaged(dir, stream); err != nil {
		return err
	}
	if f.torn == nil {
		return nil
	}
	for i := len(f.blocks) - 1; i >= f.cut; i-- {
		path := blockPath(messages, f.blocks[i].number)
		if i == f.cut && f.torn.Offset > 0 {
			if err := os.Truncate(path, f.torn.Offset); err != nil {
				return err
			}
			return syncFile(path)
		}
		if err := removeFile(path); err != nil {
			return err
		}
	}
	return nil
}
