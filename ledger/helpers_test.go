package ledger

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imalink/custody/events"
)

// memoryIndex is the identity index of these tests; the real one is tested in
// projections, and both together by the scripts of cmd/custody.
type memoryIndex struct {
	mu       sync.Mutex
	keys     map[[16]byte]uint64
	position uint64
	digest   [32]byte
	register []byte
	adds     int
	failAdd  error
}

func (x *memoryIndex) Close() error { return nil }

// at is what Config.Index wants.
func (x *memoryIndex) at(string) (Index, error) { return x, nil }

func newMemoryIndex() *memoryIndex { return &memoryIndex{keys: map[[16]byte]uint64{}} }

func (x *memoryIndex) Position() (uint64, [32]byte) { return x.position, x.digest }
func (x *memoryIndex) Register() ([]byte, error)    { return x.register, nil }
func (x *memoryIndex) Reset() error                 { *x = memoryIndex{keys: map[[16]byte]uint64{}}; return nil }

func (x *memoryIndex) Lookup(keys [][16]byte, found []uint64) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, k := range keys {
		found[i] = x.keys[k]
	}
	return nil
}

func (x *memoryIndex) Add(keys [][16]byte, at []uint64, position uint64, digest [32]byte, register []byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.adds++
	if x.failAdd != nil {
		return x.failAdd
	}
	for i, k := range keys {
		x.keys[k] = at[i]
	}
	x.position, x.digest, x.register = position, digest, register
	return nil
}

// newConfig creates a ledger and returns how to open it.
func newConfig(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	cfg := Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Index: newMemoryIndex().at}
	if err := Create(t.Context(), cfg); err != nil {
		t.Fatalf("create: %v", err)
	}
	return cfg
}

// open opens a ledger and, at the end of the test, closes and checks it.
func open(t *testing.T, cfg Config) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		closeLedger(t, l)
		mustBeSound(t, cfg)
	})
	return l
}

func closeLedger(t *testing.T, l *Ledger) {
	t.Helper()
	if err := l.Close(context.Background()); err != nil && !errors.Is(err, ErrHalted) {
		t.Errorf("close: %v", err)
	}
}

func mustBeSound(t *testing.T, cfg Config) *Report {
	t.Helper()
	r, err := Check(context.Background(), cfg, nil)
	if err != nil {
		t.Errorf("check: %v", err)
		return nil
	}
	for _, f := range r.Findings {
		t.Errorf("check found: %s at %d: %s", f.Part, f.Position, f.Text)
	}
	return r
}

func decode(t testing.TB, line []byte) *events.Event {
	t.Helper()
	e, err := events.Decode(line)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	return e
}

// record records events in one request.
func record(t *testing.T, l *Ledger, es ...*events.Event) []Result {
	t.Helper()
	subs := make([]Submission, len(es))
	for i, e := range es {
		subs[i] = Submission{Event: e}
	}
	results, err := l.Record(t.Context(), subs)
	if err != nil {
		t.Fatalf("record: %v", err)
	}
	return results
}

// view is an event about a person, with a given id.
func view(t testing.TB, id, person string) *events.Event {
	return decode(t, fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":"/ats","type":"eu.custody.data.accessed.v1","time":"2026-03-02T09:14:05.120Z",`+
		`"data":{"subjects":[{"id":%q,"role":"candidate"}],"actor":{"id":"employee:x01","role":"recruiter","kind":"human","session":"sess-4711"},`+
		`"system":"ats","dataset":"career_cv","categories":["contact"],"purpose":"service_provision","mode":"view","reference":"vacancy:662","reason":"asked by the person"}}`, id, person))
}

func gunzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// year is the year of events at the staffing company, in order of arrival.
func year(t testing.TB) (lines [][]byte) {
	s := bufio.NewScanner(bytes.NewReader(gunzip(t, "../events/testdata/events.ndjson.gz")))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		lines = append(lines, bytes.Clone(s.Bytes()))
	}
	return lines
}

// searchIdentifiers looks for every identifier of the year in every byte of the
// data and key directories: in clear, in hex, in base64 at each alignment.
func searchIdentifiers(t *testing.T, cfg Config, lines [][]byte) {
	t.Helper()
	ids := map[string]bool{}
	for _, line := range lines {
		var e struct {
			Data struct {
				Subjects []struct{ ID string }
				Actor    struct{ ID, Session string }
			}
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		ids[e.Data.Actor.ID], ids[e.Data.Actor.Session] = true, true
		for _, s := range e.Data.Subjects {
			ids[s.ID] = true
		}
	}
	delete(ids, "")
	var needles []string
	for id := range ids {
		needles = append(needles, id, hex.EncodeToString([]byte(id)))
		for offset := range 3 {
			b := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + id))
			needles = append(needles, b[(offset*8+5)/6:len(b)-2]) // the characters that depend on id alone
		}
	}
	for _, dir := range []string{cfg.Data, cfg.Keys} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, n := range needles {
				if len(n) >= 6 && bytes.Contains(b, []byte(n)) {
					t.Errorf("%s holds an identifier", d.Name())
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
