package backup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/stream"
)

var (
	ours   = Ledger{Name: "ledger", ID: "000102030405060708090a0b0c0d0e0f"}
	moment = time.Date(2026, 3, 2, 9, 14, 5, 120e6, time.UTC)
)

// smallRoll gives a file after some messages of message.
const smallRoll = 400

// quickDisk syncs nothing: a killed process loses nothing by that, and what a
// power cut may lose is TestPowerCut's and TestOrder's part.
func quickDisk() disk {
	d := systemDisk()
	d.sync = func(*os.File) error { return nil }
	return d
}

// message is what stands at a sequence of a part; some have no data.
func message(p Part, seq uint64) stream.Message {
	return stream.Message{
		Subject: fmt.Sprintf("%s.ledger.%d", p, seq%3), Sequence: seq,
		Data: bytes.Repeat([]byte{byte(p), byte(seq)}, int(seq*37%90)),
	}
}

// extend appends messages to each part up to a sequence, without committing.
func extend(a *Archive, to [3]uint64) error {
	for _, p := range Parts() {
		from := a.State().Head(p).Last
		if w := a.parts[p-1]; w != nil {
			from = w.head.Last
		}
		for seq := from + 1; seq <= to[p-1]; seq++ {
			m := message(p, seq)
			if err := a.Append(p, &m); err != nil {
				return err
			}
		}
	}
	return nil
}

// make one run: open, extend, commit.
func run(dir string, d disk, to [3]uint64) error {
	a, err := open(dir, ours, d, smallRoll)
	if err != nil {
		return err
	}
	err = extend(a, to)
	if err == nil {
		err = a.Commit(moment.Add(time.Duration(to[0]) * time.Second))
	}
	return errors.Join(err, a.Close())
}

// mustRun makes a backup in dir and wants it to hold what it says.
func mustRun(t testing.TB, dir string, to [3]uint64) {
	t.Helper()
	if err := run(dir, quickDisk(), to); err != nil {
		t.Fatal(err)
	}
	mustHold(t, dir, to)
}

// holds says whether dir is a whole backup up to some sequences.
func holds(dir string, to [3]uint64) error {
	r, err := Read(dir)
	if err != nil {
		return err
	}
	for _, p := range Parts() {
		if got := r.State().Head(p).Last; got != to[p-1] {
			return fmt.Errorf("%s up to %d, want %d", p, got, to[p-1])
		}
		seq := uint64(0)
		for m, err := range r.Messages(p) {
			if err != nil {
				return err
			}
			seq++
			want := message(p, seq)
			if m.Sequence != seq || m.Subject != want.Subject || !bytes.Equal(m.Data, want.Data) {
				return fmt.Errorf("%s: message %d is another", p, seq)
			}
		}
		if seq != to[p-1] {
			return fmt.Errorf("%s: %d messages, want %d", p, seq, to[p-1])
		}
	}
	return nil
}

func mustHold(t testing.TB, dir string, to [3]uint64) {
	t.Helper()
	if err := holds(dir, to); err != nil {
		t.Fatal(err)
	}
	r, err := Read(dir)
	if err == nil {
		err = r.Verify(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name := range files(t, dir) {
		if p, number, ok := parseName(name); ok && number > r.State().Head(p).File {
			t.Fatalf("%s is left", name)
		}
	}
}

// files gives every file of a folder by name, the lock left out.
func files(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		if e.Name() != lockFile {
			if all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// fill makes a folder of files.
func fill(t testing.TB, all map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range all {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
