package natsd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Whatever stands in the marker's place, reading it ends: with nothing, or with a marker that survives being written.
// What is understood takes no more memory than is in proportion to the file, and describes no folder but the one it was made for.
func FuzzMarker(f *testing.F) {
	cfg := stopped(f, messages(3, 20))
	whole := read(f, filepath.Join(cfg.Dir, markerFile))
	made, err := describe(cfg.Dir, "S", 3)
	if err != nil {
		f.Fatal(err)
	}
	reports := []StreamReport{{Name: "S", Last: 3}}
	for _, seed := range []string{
		string(whole), "", "null", "{}", `{"format":1}`, `{"format":2,"streams":[]}`, `{"format":1,"streams":null}`,
		`{"format":1,"streams":[{"name":"S","last":18446744073709551615,"blocks":null}]}`,
		`{"format":1,"streams":[{"name":"S","last":-1}]}`, `{"format":1,"streams":[{"name":"S"},{"name":"S","last":9}]}`,
		strings.Repeat("[", 1<<12), string(whole) + "x",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		write(t, filepath.Join(dir, markerFile), b)
		var m *marker
		if most, used := uint64(1<<20+64*len(b)), allocated(func() { m = readMarker(dir) }); used > most {
			t.Fatalf("%d bytes take %d of memory", len(b), used)
		}
		if m.last("none of ours") != 0 && !bytes.Contains(b, []byte("none of ours")) {
			t.Fatal("knows of a stream that is not in it")
		}
		if m.matches(cfg.Dir, reports) && (len(m.Streams) != 1 || !reflect.DeepEqual(m.Streams[0], made)) {
			t.Fatalf("matches what it does not describe: %s", b)
		}
		if m == nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil || m.Format != markerFormat {
			t.Fatalf("format %d: %v", m.Format, err)
		}
		write(t, filepath.Join(dir, markerFile), again)
		if back := readMarker(dir); !reflect.DeepEqual(back, m) {
			t.Fatalf("written again it reads otherwise: %s", again)
		}
	})
}

// FuzzStagingLink: wherever the link in the place of a stream's staging leads, what it leads to is somebody's own, or nothing.
func FuzzStagingLink(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "nats")
	link := stagingDir(dir, "S")
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		memoryRoot + "/" + memoryPrefix + "1/S", memoryRoot + "/" + memoryPrefix + "1/T", memoryRoot + "/1/S", memoryRoot + "/" + memoryPrefix + "1/../../etc/S",
		memoryRoot, "/", ".", "S", "../S", dir, link,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		os.Remove(link)
		if os.Symlink(target, link) != nil { // no name of a file
			return
		}
		folder, d := stagedIn(dir, "S")
		if d == nil && folder != "" {
			t.Fatalf("a link to %q leads to what another server, or none, stages in %q", target, folder)
		}
		if parent := filepath.Dir(target); d == nil && !strings.HasPrefix(parent, memoryRoot+"/"+memoryPrefix) {
			t.Fatalf("a link to %q is taken for ours", target)
		}
	})
}
