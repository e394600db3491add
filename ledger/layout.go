package ledger

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/imalink/custody/ledger/durable"
)

// manifestFormat is the version of ledger.json and of the folder around it.
const manifestFormat = 1

// A layout names every file of a ledger. D is the data directory, K the key
// directory, which never lies inside D: a backup of D alone must open nothing.
type layout struct{ data, keys string }

func (p layout) manifest() string   { return filepath.Join(p.data, "ledger.json") }
func (p layout) lock() string       { return filepath.Join(p.data, "lock") }
func (p layout) store() string      { return filepath.Join(p.data, "nats") }
func (p layout) views() string      { return filepath.Join(p.data, "views") }
func (p layout) quarantine() string { return filepath.Join(p.data, "quarantine") }
func (p layout) evidence() string   { return filepath.Join(p.data, "evidence") }
func (p layout) root() string       { return filepath.Join(p.keys, "root") }
func (p layout) mark() string       { return filepath.Join(p.keys, "durable") }

// OperatorTokenPath is where init leaves the first operator's token, mode 0600.
func OperatorTokenPath(data string) string { return filepath.Join(data, "operator.token") }

// resolve makes both folders absolute and refuses keys inside the data.
func resolve(data, keys string) (layout, error) {
	if data == "" || keys == "" {
		return layout{}, fmt.Errorf("%w: both a data and a key directory are needed", ErrConfig)
	}
	d, err := filepath.Abs(data)
	if err != nil {
		return layout{}, fmt.Errorf("data directory: %w", err)
	}
	k, err := filepath.Abs(keys)
	if err != nil {
		return layout{}, fmt.Errorf("key directory: %w", err)
	}
	if inside(real(k), real(d)) || inside(real(d), real(k)) {
		return layout{}, fmt.Errorf("%w: keys and data must not lie inside one another", ErrConfig)
	}
	return layout{data: d, keys: k}, nil
}

// real follows symbolic links of the longest part of path that exists.
func real(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(real(dir), filepath.Base(path))
	}
	return path
}

func inside(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// A manifest says which ledger a data directory holds.
type manifest struct {
	Format int    `json:"format"`
	Name   string `json:"name"` // 1 to 32 of [a-z0-9-]
	ID     string `json:"id"`   // 16 random bytes in hex, the same in the durable mark
}

func newManifest(name string) manifest {
	var id [16]byte
	rand.Read(id[:]) // never fails: crypto/rand aborts the program instead
	return manifest{Format: manifestFormat, Name: name, ID: hex.EncodeToString(id[:])}
}

// events, vault and access name the three streams of the ledger.
func (m manifest) events() string { return "CUSTODY_" + streamName(m.Name) }
func (m manifest) vault() string  { return m.events() + "_VAULT" }
func (m manifest) access() string { return m.events() + "_ACCESS" }

func (m manifest) streams() []string { return []string{m.events(), m.vault(), m.access()} }

func streamName(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func validName(name string) bool {
	if name == "" || len(name) > 32 || name[0] == '-' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func validID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}

func readManifest(path string) (manifest, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return manifest{}, fmt.Errorf("%w: %s", ErrNoLedger, path)
	}
	if err != nil {
		return manifest{}, fmt.Errorf("reading the manifest: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var m manifest
	if err := dec.Decode(&m); err != nil || dec.More() {
		return manifest{}, fmt.Errorf("%w: %s is not a ledger manifest", ErrDamaged, path)
	}
	want := append(m.encode(), '\n')
	if m.Format != manifestFormat || !validName(m.Name) || !validID(m.ID) || !bytes.Equal(want, b) {
		return manifest{}, fmt.Errorf("%w: %s: unknown format or altered content", ErrDamaged, path)
	}
	return m, nil
}

func (m manifest) encode() []byte {
	b, _ := json.Marshal(m) // three plain fields: cannot fail
	return b
}

// takeLock makes this process the only one of the data directory, until the
// lock is closed or the process dies.
func takeLock(path string) (*durable.Lock, error) {
	lock, err := durable.TryLock(path)
	if errors.Is(err, durable.ErrHeld) {
		return nil, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return lock, err
}
