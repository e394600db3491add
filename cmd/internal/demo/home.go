package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imalink/custody/ledger"
)

var (
	// ErrNone is returned where no demonstration is.
	ErrNone = errors.New("demo: none here")
	// ErrForeign is returned for a data directory that holds anything but a
	// demonstration. It is left as it is.
	ErrForeign = errors.New("demo: the data directory holds something else")
	// ErrOther is returned for a demonstration of another year than the one asked for.
	ErrOther = errors.New("demo: the directories hold another year")
)

// A Home is where a demonstration is on disk. Which year it holds stands in the
// file demo.json in its data directory.
type Home struct{ Data, Keys string }

// A Plan is what demo.json says.
type Plan struct {
	Version  int  `json:"version"` // of what made it
	Complete bool `json:"complete"`
	Spec
}

func (h Home) plan() string { return planIn(h.Data) }

func planIn(data string) string { return filepath.Join(data, "demo.json") }

// Plan reads which year is here. The error wraps [ErrNone] or [ErrForeign] where
// it is that.
func (h Home) Plan() (Plan, error) {
	var p Plan
	raw, err := os.ReadFile(h.plan())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		entries, err := os.ReadDir(h.Data)
		if len(entries) > 0 {
			return p, fmt.Errorf("%w: %s", ErrForeign, h.Data)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return p, fmt.Errorf("reading the data directory: %w", err)
		}
		return p, fmt.Errorf("%w: %s", ErrNone, h.Data)
	case err != nil:
		return p, fmt.Errorf("reading which year is here: %w", err)
	case json.Unmarshal(raw, &p) != nil:
		return p, fmt.Errorf("%w: %s", ErrForeign, h.plan())
	}
	return p, nil
}

// Make makes a ledger for a year that is to be recorded. The ledger is made beside
// the home and moved there whole, the data last: whenever it is interrupted, what
// it left is taken up or removed by the next call, and nothing else ever is. What
// is at the home already is never touched.
func (h Home) Make(ctx context.Context, y *Year) error {
	data, keys := making(h.Data), making(h.Keys)
	if there(planIn(data)) && !there(keys) { // only the last step is missing
		return h.move(data, h.Data)
	}
	if err := errors.Join(os.RemoveAll(data), os.RemoveAll(keys)); err != nil {
		return fmt.Errorf("removing an unfinished ledger: %w", err)
	}
	clock := &Clock{}
	clock.set(y.start)
	if err := ledger.Create(ctx, ledger.Config{Data: data, Keys: keys, Name: "demo", Now: clock.Now}); err != nil {
		return fmt.Errorf("making a ledger: %w", err)
	}
	if err := write(planIn(data), Plan{Version: version, Spec: y.Spec}); err != nil {
		return err
	}
	if err := h.move(keys, h.Keys); err != nil {
		return err
	}
	return h.move(data, h.Data)
}

// making is where a folder is made before it is moved to its place.
func making(dir string) string { return filepath.Clean(dir) + ".making" }

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// move moves a folder to a place where there is none, or an empty one.
func (h Home) move(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("moving a new ledger to its place: %w", err)
	}
	return nil
}

// complete notes that all of the year is recorded.
func (h Home) complete(p Plan) error {
	p.Complete = true
	return write(h.plan(), p)
}

// write replaces a plan; it is there whole or not at all.
func write(path string, p Plan) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("noting which year is here: %w", err)
	}
	return replace(path, append(raw, '\n'))
}

func replace(path string, content []byte) error {
	next := path + ".next"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return nil
}
