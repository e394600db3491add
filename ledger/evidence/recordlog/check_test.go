package recordlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// differences are what a check against the first n records of the history finds.
func differences(t testing.TB, dir string, n uint64) string {
	t.Helper()
	c, err := NewCheck(dir)
	must(t, err)
	must(t, give(c, 0, n, 100))
	found, err := c.End()
	must(t, err)
	var s []string
	for _, d := range found {
		s = append(s, fmt.Sprintf("%s:%d", d.File, d.Offset))
	}
	return strings.Join(s, " ")
}

// TestCheckSame: nothing differs in a log that is whole, one that lags behind the stream, one that a crash left, and none.
func TestCheckSame(t *testing.T) {
	l := made(t, 700)
	if d := differences(t, l.dir, 900); d != "" {
		t.Error("before any sync:", d)
	}
	must(t, l.Sync())
	must(t, give(l, 700, 800, 10))
	if d := differences(t, l.dir, 900); d != "" {
		t.Error("with more than is synced:", d)
	}
	must(t, l.Close())
	for _, n := range []uint64{800, 900} {
		if d := differences(t, l.dir, n); d != "" {
			t.Errorf("against %d records: %s", n, d)
		}
	}
	if d := differences(t, filepath.Join(l.dir, "none"), 10); d != "" {
		t.Error("none:", d)
	}
}

// TestCheckFinds changes each bit of each file, cuts each and makes it longer: the check says where.
func TestCheckFinds(t *testing.T) {
	const n = 520
	good := inOneGo(t, n)
	dir := fill(t, good)
	for name, b := range good {
		path := filepath.Join(dir, name)
		step := 1 + len(b)/60
		for at := 0; at < len(b); at += step {
			changed := []byte(b)
			changed[at] ^= 1 << (at % 8)
			patch(t, path, changed)
			want := fmt.Sprintf("%s:%d", name, at)
			if d := differences(t, dir, n); d != want {
				t.Fatalf("%s: found %q", want, d)
			}
			patch(t, path, []byte(b[:at]))
			if d := differences(t, dir, n); d != want {
				t.Fatalf("%s, cut: found %q", want, d)
			}
		}
		patch(t, path, []byte(b))
	}
	patch(t, filepath.Join(dir, markerFile), []byte(good[markerFile]+"x"))
	if d := differences(t, dir, n); d != fmt.Sprintf("marker:%d", markerSize) {
		t.Error("a longer marker:", d)
	}
}

// TestCheckOther: a log of another stream, and one of more records than the stream has, differ.
func TestCheckOther(t *testing.T) {
	dir := fill(t, inOneGo(t, 520))
	if d := differences(t, dir, 300); d != fmt.Sprintf("records:%d hashes:%d nodes:176 producers:%d marker:15",
		300*recordSize, stored(300)*32, len(inOneGo(t, 300)["producers"])) {
		t.Error("against fewer records:", d)
	}
	c, err := NewCheck(dir)
	must(t, err)
	b := history(c.Number, 0, 520)
	b[7*recordSize+30] ^= 1 // in the digest
	must(t, c.Append(b))
	found, err := c.End()
	must(t, err)
	want := []Difference{{"records", 7*recordSize + 30}, {"hashes", int64(stored(7)) * 32}, {"marker", 17}}
	if fmt.Sprint(found) != fmt.Sprint(want) {
		t.Error("another digest:", found)
	}
	c, err = NewCheck(dir)
	must(t, err)
	c.Number(1, "/another", "")
	must(t, c.Append(history(func(uint64, string, string) uint16 { return 1 }, 0, 1)))
	found, err = c.End()
	must(t, err)
	if !strings.Contains(fmt.Sprint(found), "{producers 11}") {
		t.Error("another producer:", found)
	}
}

// TestCheckMissing: a file that is missing differs from its beginning; without a marker nothing is vouched for.
func TestCheckMissing(t *testing.T) {
	good := inOneGo(t, 520)
	for name := range good {
		dir := fill(t, good)
		must(t, os.Remove(filepath.Join(dir, name)))
		want := name + ":0"
		if name == markerFile {
			want = ""
		}
		if d := differences(t, dir, 520); d != want {
			t.Errorf("without %s: %q", name, d)
		}
	}
}

// TestCheckBadMarker: beside a bad marker, all that there seems to be is looked at.
func TestCheckBadMarker(t *testing.T) {
	files := inOneGo(t, 520)
	for _, name := range []string{"marker", "producers", "nodes"} {
		files[name] = files[name][:3] + "?" + files[name][4:]
	}
	if d := differences(t, fill(t, files), 600); d != "nodes:3 producers:3 marker:3" {
		t.Error(d)
	}
}
