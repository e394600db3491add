package emit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/imalink/custody/events"
)

// refused is the file refused.ndjson in the spool's folder: what the ledger refused for good, one line each,
// with the reason. Whoever has mended it can send the events again (jq -c .event) and take the file away.
type refused struct {
	path string
	file *os.File
	size uint64          // bytes of whole lines
	late map[string]bool // ids of lines that may be there for events that a crash has put back in the queue
}

type refusedLine struct {
	At    string          `json:"refused"`
	Error refusedError    `json:"error"`
	Event json.RawMessage `json:"event"`
}

type refusedError struct {
	Type   string `json:"type"`
	Path   string `json:"path"`
	Detail string `json:"detail"`
}

// Refused is the file with what the ledger refused for good, one line of JSON each: refused (when), error (type,
// path, detail) and event, with identifiers in clear. It is there once something was refused; "" without a spool.
func (e *Emitter) Refused() string {
	if e.cfg.Spool == "" {
		return ""
	}
	return refusedPath(e.cfg.Spool)
}

func refusedPath(dir string) string { return filepath.Join(dir, "refused.ndjson") }

// openRefused looks at what is in the file behind the bytes known: the events of those lines may be refused
// again. A line that was not finished is cut off; its event is still in the spool.
func openRefused(dir string, known uint64) (*refused, error) {
	r := &refused{path: refusedPath(dir), late: map[string]bool{}}
	b, err := os.ReadFile(r.path)
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("emit: reading what was refused: %w", err)
	}
	whole := bytes.LastIndexByte(b, '\n') + 1
	if whole < len(b) {
		if err := os.Truncate(r.path, int64(whole)); err != nil {
			return nil, fmt.Errorf("emit: cutting off an unfinished line: %w", err)
		}
	}
	r.size = uint64(whole)
	if known > r.size {
		known = 0 // the file was taken away since
	}
	for line := range bytes.Lines(b[known:whole]) {
		var read struct{ Event struct{ ID string } }
		if json.Unmarshal(line, &read) == nil {
			r.late[read.Event.ID] = true
		}
	}
	return r, nil
}

// add makes a line durable, unless it is there.
func (r *refused) add(event []byte, id string, reason *events.Error, now time.Time) error {
	if r.late[id] {
		delete(r.late, id)
		return nil
	}
	line, err := json.Marshal(refusedLine{
		At: now.UTC().Format(time.RFC3339), Event: event,
		Error: refusedError{reason.Type, reason.Path, reason.Detail},
	})
	if err != nil {
		return err
	}
	if err := r.open(); err != nil {
		return err
	}
	line = append(line, '\n')
	if _, err := r.file.WriteAt(line, int64(r.size)); err != nil {
		return err
	}
	if err := r.file.Sync(); err != nil {
		return err
	}
	r.size += uint64(len(line))
	return nil
}

// open opens the file, anew if it was taken away.
func (r *refused) open() error {
	if r.file != nil {
		ours, err := r.file.Stat()
		if err != nil {
			return err
		}
		there, err := os.Stat(r.path)
		if err == nil && os.SameFile(ours, there) {
			return nil
		}
		r.file.Close()
	}
	f, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		err = syncDir(filepath.Dir(r.path))
	}
	if err != nil {
		f.Close()
		return err
	}
	r.file, r.size = f, uint64(end)
	return nil
}

func (r *refused) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
