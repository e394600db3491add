package recordlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
)

// A taker is given a history: a log, or a check.
type taker interface {
	Number(position uint64, source, instance string) uint16
	Append(records []byte) error
}

// recordAt is the record of a made-up history at an index. Every 97th has a producer of its own.
func recordAt(i uint64, number func(position uint64, source, instance string) uint16) evidence.Record {
	rnd := rand.New(rand.NewPCG(1, i))
	source, instance := "/source/"+string(rune('a'+rnd.IntN(5))), ""
	if i%97 == 0 {
		source, instance = fmt.Sprintf("/source/of/%d", i), "instance"
	}
	r := evidence.Record{
		Kind: uint8(rnd.IntN(256)), Flags: 1 << rnd.IntN(7), Time: rnd.Int64N(evidence.MaxTime + 1),
		Producer: number(i+1, source, instance), Sequence: rnd.Uint64N(evidence.MaxSequence + 1),
	}
	r.Flags |= evidence.Flags(rnd.Uint32()) & evidence.Counted &^ evidence.Classes
	if r.Flags&evidence.Classes&^evidence.T0 != 0 {
		r.Region = [2]byte{'U', 'S'}
	}
	for j := 0; j < len(r.Digest); j += 8 {
		binary.BigEndian.PutUint64(r.Digest[j:], rnd.Uint64())
	}
	return r
}

// history is records [from, to) of the made-up history, encoded.
func history(number func(position uint64, source, instance string) uint16, from, to uint64) []byte {
	var b []byte
	for i := from; i < to; i++ {
		r := recordAt(i, number)
		b = r.Append(b)
	}
	return b
}

// give has t take records [from, to) of the history, so many at a time.
func give(t taker, from, to, batch uint64) error {
	for ; from < to; from += batch {
		if err := t.Append(history(t.Number, from, min(from+batch, to))); err != nil {
			return err
		}
	}
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// quickDisk has nothing written to the disk at once, as a file system may also do that sees a file replaced: what that
// may lose is the part of TestPowerCut and TestOrder.
func quickDisk() disk {
	d := systemDisk()
	d.sync = func(*os.File) error { return nil }
	d.rename = func(from, to string) error { return errors.Join(os.RemoveAll(to), os.Rename(from, to)) }
	return d
}

// mustOpen opens a log in which nothing is wrong, to be closed at the test's end if it was not before.
func mustOpen(t testing.TB, dir string) *Log {
	t.Helper()
	l, o, err := open(dir, quickDisk(), syncEvery)
	must(t, err)
	if o.Fault != nil {
		t.Fatal(o.Fault)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// made is a log of the first n records.
func made(t testing.TB, n uint64) *Log {
	t.Helper()
	l := mustOpen(t, t.TempDir())
	must(t, give(l, 0, n, 1000))
	return l
}

// bytesOf are a folder's files.
func bytesOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	for _, name := range append(fileNames[:], markerFile) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		files[name] = string(b)
	}
	return files
}

// inOneGo are the files of a log of the first n records that was made in one go.
func inOneGo(t testing.TB, n uint64) map[string]string {
	t.Helper()
	dir := t.TempDir()
	l, _, err := open(dir, quickDisk(), syncEvery)
	must(t, err)
	must(t, give(l, 0, n, max(n, 1)))
	must(t, l.Close())
	return bytesOf(t, dir)
}

// mustBe wants the files of a folder to be these.
func mustBe(t testing.TB, dir string, want map[string]string) {
	t.Helper()
	for name, b := range bytesOf(t, dir) {
		if b != want[name] {
			t.Fatalf("%s: %d bytes, not the %d of a log made in one go", name, len(b), len(want[name]))
		}
	}
}

// fill puts files into a new folder.
func fill(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(b), 0o600))
	}
	return dir
}

// patch makes b the whole content of a file, in place.
func patch(t testing.TB, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteAt(b, 0)
	must(t, err)
	must(t, f.Truncate(int64(len(b))))
}
