package recordlog

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// mustRecover opens what a crash left, wants so many records, and fills up to n: the files are those of a log that was
// made in one go.
func mustRecover(t testing.TB, dir string, size, n uint64, whole map[string]string) {
	t.Helper()
	l, o, err := open(dir, quickDisk(), 200)
	must(t, err)
	if o.Size != size || l.Size() != size || o.Fault != nil {
		t.Fatalf("found %d of %d records (%v)", o.Size, size, o.Fault)
	}
	for i, length := range lengths(size, l.state.length) {
		if info, err := l.files[i].Stat(); err != nil || info.Size() != length {
			t.Fatalf("%s has %d bytes, not %d, %v", fileNames[i], info.Size(), length, err)
		}
	}
	must(t, give(l, size, n, 150))
	must(t, l.Close())
	mustBe(t, dir, whole)
}

// TestCrash leaves anything at all beyond what the marker vouches for.
func TestCrash(t *testing.T) {
	const n = 600
	whole := inOneGo(t, n)
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(t, err)
		l, _, err := open(dir, quickDisk(), rapid.Uint64Range(1, n).Draw(rt, "every"))
		must(t, err)
		defer l.closeFiles()
		must(t, give(l, 0, n, rapid.Uint64Range(1, 300).Draw(rt, "batch")))
		m, _, err := readMarker(dir)
		must(t, err)
		for i, length := range lengths(m.size, m.producers) {
			path := filepath.Join(dir, fileNames[i])
			b, err := os.ReadFile(path)
			must(t, err)
			from := rapid.IntRange(int(length), len(b)).Draw(rt, "from")
			switch rapid.SampledFrom([]string{"kept", "cut", "zeros", "noise"}).Draw(rt, fileNames[i]) {
			case "cut":
				b = b[:from]
			case "zeros":
				clear(b[from:])
			case "noise":
				b = append(b[:from], rapid.SliceOf(rapid.Byte()).Draw(rt, "noise")...)
			}
			patch(t, path, b)
		}
		must(t, os.WriteFile(filepath.Join(dir, markerFile+".tmp"), []byte("half a mark"), 0o600))
		mustRecover(t, dir, m.size, n, whole)
	})
}

// TestDamage cuts or clears the end of each file, what the marker vouches for included: nothing is kept, nothing is an
// error, and the log comes back.
func TestDamage(t *testing.T) {
	for _, n := range []uint64{40, 256, 1000} {
		whole := inOneGo(t, n)
		for name, b := range whole {
			for at := 0; at < len(b); at += 1 + len(b)/5 {
				for _, damaged := range []string{b[:at], b[:at] + strings.Repeat("\x00", len(b)-at)} {
					files := maps.Clone(whole)
					files[name] = damaged
					dir := fill(t, files)
					l, o, err := open(dir, quickDisk(), syncEvery)
					must(t, err)
					if !errors.Is(o.Fault, ErrDamaged) || o.Size != 0 || l.Size() != 0 {
						t.Fatalf("%s of %d bytes from %d on: %+v", name, len(b), at, o)
					}
					must(t, give(l, 0, n, n)) // and a kill: the next one finds nothing wrong
					must(t, l.closeFiles())
					mustRecover(t, dir, 0, n, whole)
				}
			}
		}
	}
}

// TestMarkerLies: a marker with a right checksum is not believed if the files are not so, or not so long.
func TestMarkerLies(t *testing.T) {
	whole := inOneGo(t, 600)
	good, err := decodeMarker([]byte(whole[markerFile]))
	must(t, err)
	for name, lie := range map[string]func(m *marker){
		"more records":     func(m *marker) { m.size++ },
		"fewer records":    func(m *marker) { m.size-- },
		"most records":     func(m *marker) { m.size = 1<<40 - 1 },
		"another root":     func(m *marker) { m.root[3]++ },
		"another G":        func(m *marker) { m.annotated[3]++ },
		"more producers":   func(m *marker) { m.producers++ },
		"fewer producers":  func(m *marker) { m.producers-- },
		"no producers":     func(m *marker) { m.producers = 0 },
		"other producers":  func(m *marker) { m.names[3]++ },
		"no records":       func(m *marker) { m.size = 0 },
		"a producer fewer": func(m *marker) { m.producers = uint64(strings.LastIndex(whole["producers"], "/source/of") - 12) },
	} {
		m := good
		lie(&m)
		files := maps.Clone(whole)
		files[markerFile] = string(m.encode())
		dir := fill(t, files)
		l, o, err := open(dir, quickDisk(), syncEvery)
		must(t, err)
		if !errors.Is(o.Fault, ErrDamaged) || o.Size != 0 || o.Dropped != 600 {
			t.Errorf("%s: %+v", name, o)
		}
		must(t, l.Close())
		mustRecover(t, dir, 0, 600, whole)
	}
}

// A powered disk knows what is sure to be there after a power cut.
type powered struct {
	sure    map[string]string // by name: what was there at the last sync
	renamed string            // a marker in the place of the sure one, if the folder has it already
	calls   int
	after   func() // called after every call
}

func (p *powered) disk(t *testing.T) disk {
	d := quickDisk()
	quick := d
	called := func(err error) error {
		p.calls++
		p.after()
		return err
	}
	d.write = func(f *os.File, b []byte, at int64) error { return called(quick.write(f, b, at)) }
	d.cut = func(f *os.File, size int64) error { return called(quick.cut(f, size)) }
	d.sync = func(f *os.File) error {
		info, err := f.Stat()
		must(t, err)
		if info.IsDir() {
			p.sure[markerFile] = p.renamed
			return called(nil)
		}
		b, err := os.ReadFile(f.Name())
		must(t, err)
		p.sure[filepath.Base(f.Name())] = string(b)
		return called(nil)
	}
	d.rename = func(from, to string) error {
		p.renamed = p.sure[filepath.Base(from)]
		return called(quick.rename(from, to))
	}
	return d
}

// TestPowerCut cuts the power after every call of the disk: what was not synced is lost, or zeros, or half there. The
// marker never vouches for what was lost.
func TestPowerCut(t *testing.T) {
	const n = 700
	whole := inOneGo(t, n)
	dir := t.TempDir()
	p := &powered{sure: make(map[string]string)}
	p.after = func() {
		for name, lost := range map[string]func(now, sure string) string{
			"nothing": func(_, sure string) string { return sure },
			"zeros":   func(now, sure string) string { return sure + strings.Repeat("\x00", max(len(now)-len(sure), 0)) },
			"half": func(now, sure string) string {
				return sure + now[min(len(sure), len(now)):][:max(len(now)-len(sure), 0)/2]
			},
			"all": func(now, _ string) string { return now },
		} {
			for i, m := range []string{p.sure[markerFile], p.renamed} {
				if i == 1 && m == p.sure[markerFile] {
					continue
				}
				files := make(map[string]string)
				for _, f := range fileNames {
					now, err := os.ReadFile(filepath.Join(dir, f))
					must(t, err)
					files[f] = lost(string(now), p.sure[f])
				}
				var size uint64
				if m != "" {
					files[markerFile] = m
					vouched, err := decodeMarker([]byte(m))
					must(t, err)
					size = vouched.size
				}
				t.Run(fmt.Sprintf("%d %s %d", p.calls, name, size), func(t *testing.T) { mustRecover(t, fill(t, files), size, n, whole) })
			}
		}
	}
	l, _, err := open(dir, p.disk(t), 200)
	must(t, err)
	must(t, give(l, 0, 300, 100))
	must(t, give(l, 300, 500, 150))
	must(t, l.Truncate(480))
	must(t, l.Truncate(270))
	must(t, give(l, 270, 400, 130))
	must(t, l.Close())
	if m, err := decodeMarker([]byte(p.sure[markerFile])); err != nil || m.size != 400 {
		t.Error("after a clean close", m.size, err)
	}
}
