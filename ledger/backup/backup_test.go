package backup

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/stream"
	"pgregory.net/rapid"
)

// TestRuns makes runs of any size, with small and large files, and runs that were
// given up between them: what is there is what was committed, and nothing is
// written twice.
func TestRuns(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := filepath.Join(t.TempDir(), rapid.StringMatching(`[a-z]{8}`).Draw(rt, "dir"))
		roll := rapid.Int64Range(100, 5000).Draw(rt, "roll")
		var at [3]uint64
		for range rapid.IntRange(1, 4).Draw(rt, "runs") {
			to := at
			for i := range to {
				to[i] += rapid.Uint64Range(0, 30).Draw(rt, "more")
			}
			a, err := open(dir, ours, quickDisk(), roll)
			if err != nil {
				rt.Fatal(err)
			}
			if err := extend(a, to); err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "commit") {
				if err := a.Commit(moment); err != nil {
					rt.Fatal(err)
				}
				at = to
			}
			if err := a.Close(); err != nil {
				rt.Fatal(err)
			}
			if err := holds(dir, at); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// TestAppendOnly: what a run wrote, later runs leave as it is.
func TestAppendOnly(t *testing.T) {
	dir := t.TempDir()
	before := map[string][]byte{}
	for n := range uint64(8) {
		mustRun(t, dir, [3]uint64{5 * n, 3 * n, n})
		after := files(t, dir)
		for name, b := range before {
			if name != stateFile && !bytes.HasPrefix(after[name], b) {
				t.Errorf("run %d changed what was in %s", n, name)
			}
		}
		before = after
	}
	if len(before) < 6 {
		t.Errorf("only %d files: nothing rolled", len(before))
	}
}

// TestSeveralCommits of one run: each counts.
func TestSeveralCommits(t *testing.T) {
	dir := t.TempDir()
	a, err := open(dir, ours, quickDisk(), smallRoll)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for n := range uint64(5) {
		to := [3]uint64{4 * n, 2 * n, n}
		if err := errors.Join(extend(a, to), a.Commit(moment)); err != nil {
			t.Fatal(err)
		}
		mustHold(t, dir, to)
	}
	digest := a.State().Head(Events).Digest
	if err := a.Commit(moment); err != nil || a.State().Head(Events).Digest != digest {
		t.Errorf("a commit of nothing: %v, or it changed the digest", err)
	}
}

// TestRefused: other ledgers, folders of something else, messages that do not
// follow or do not fit. Nothing is changed.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(dir); !errors.Is(err, ErrNone) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, ErrNone) {
		t.Errorf("no folder: %v", err)
	}
	mustRun(t, dir, [3]uint64{9, 9, 9})
	before := files(t, dir)
	if _, err := Open(dir, Ledger{ours.Name, strings.Repeat("ab", 16)}); !errors.Is(err, ErrForeign) {
		t.Errorf("another ledger's: %v", err)
	}
	if _, err := Open(dir, Ledger{"other", ours.ID}); !errors.Is(err, ErrForeign) {
		t.Errorf("another name: %v", err)
	}
	if !maps.EqualFunc(before, files(t, dir), bytes.Equal) {
		t.Error("a refusal changed the folder")
	}
	other := fill(t, map[string][]byte{"letter.txt": []byte("dear")})
	for _, err := range []error{second(Read(other)), second(Open(other, ours))} {
		if !errors.Is(err, ErrForeign) {
			t.Errorf("a folder of something else: %v", err)
		}
	}
	for name, m := range map[string]stream.Message{
		"gap":     message(Events, 11),
		"repeat":  message(Events, 9),
		"headers": {Sequence: 10, Subject: "a", Header: map[string]string{"a": "b"}},
		"subject": {Sequence: 10, Subject: strings.Repeat("a", 1<<16)},
		"data":    {Sequence: 10, Subject: "a", Data: make([]byte, maxData+1)},
	} {
		a, err := Open(dir, ours)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Append(Events, &m); err == nil {
			t.Errorf("%s: taken", name)
		}
		if good := message(Events, 10); a.Append(Events, &good) == nil || a.Commit(moment) == nil {
			t.Errorf("%s: it goes on after a failure", name)
		}
		a.Close()
		mustHold(t, dir, [3]uint64{9, 9, 9})
	}
}

func second[T any](_ T, err error) error { return err }

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(dir, ours)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, ours); !errors.Is(err, ErrInUse) {
		t.Errorf("two writers: %v", err)
	}
	a.Close()
	mustRun(t, dir, [3]uint64{1, 1, 1})
}

// TestReadWhileWritten: a reader keeps to the moment it began with.
func TestReadWhileWritten(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, dir, [3]uint64{20, 20, 20})
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, dir, [3]uint64{40, 40, 40})
	for _, p := range Parts() {
		n := 0
		for _, err := range r.Messages(p) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 20 {
			t.Errorf("%s: %d messages of 20", p, n)
		}
	}
	for range r.Messages(Events) {
		break // leaves nothing behind
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Verify(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestEveryByte flips a bit of every byte, cuts every file at every byte, and
// takes away every file, and wants each to be found, and named.
func TestEveryByte(t *testing.T) {
	dir := t.TempDir()
	to := [3]uint64{6, 3, 1}
	mustRun(t, dir, to)
	whole := files(t, dir)
	if len(whole) < 5 {
		t.Fatalf("%d files: nothing rolled", len(whole))
	}
	for name, b := range whole {
		path := filepath.Join(dir, name)
		spoil := func(how string, at int, content []byte) {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			wantDamage(t, how, dir, name, at, content)
		}
		for at := range b {
			flipped := slices.Clone(b)
			flipped[at] ^= 4
			spoil("flipped", at, flipped)
			spoil("cut", at, b[:at])
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		wantDamage(t, "missing", dir, name, -1, nil)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustHold(t, dir, to)
	// Files in the place of another part's, or of one another.
	spoilt := maps.Clone(whole)
	spoilt["events-000001"], spoilt["events-000002"] = whole["events-000002"], whole["events-000001"]
	wantDamage(t, "swapped", fill(t, spoilt), "events-000001", 29, whole["events-000002"])
	spoilt = maps.Clone(whole)
	spoilt["vault-000001"] = whole["events-000001"]
	wantDamage(t, "another part's", fill(t, spoilt), "vault-000001", 25, whole["events-000001"])
}

// TestAnotherHistory puts whole files of another archive, of the same sizes, in the
// place of this one's: the state names what they must end with.
func TestAnotherHistory(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	mustRun(t, dir, [3]uint64{3, 3, 3})
	a, err := open(other, ours, quickDisk(), smallRoll)
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= 3; seq++ {
		m := message(Events, seq)
		m.Data = bytes.Repeat([]byte("?"), len(m.Data))
		if err := a.Append(Events, &m); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Commit(moment), a.Close()); err != nil {
		t.Fatal(err)
	}
	all := files(t, dir)
	for name, b := range files(t, other) {
		if name != stateFile {
			all[name] = b
		}
	}
	spoilt := fill(t, all)
	r, err := Read(spoilt)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{r.Verify(t.Context(), nil), second(Open(spoilt, ours))} {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("another history: %v", err)
		}
	}
}

// wantDamage wants reading to name a file, and where a byte was changed the frame
// that holds it or its field; and appending to find it, or to leave it as it is.
func wantDamage(t *testing.T, how, dir, name string, at int, content []byte) {
	t.Helper()
	var d *Damage
	err := holds(dir, [3]uint64{6, 3, 1})
	if !errors.As(err, &d) || !errors.Is(err, ErrDamaged) {
		t.Errorf("%s %s at %d: %v", how, name, at, err)
		return
	}
	if filepath.Base(d.File) != name || d.Part != 0 && at >= 0 && (d.Offset > int64(at) || d.Offset < int64(at)-400) {
		t.Errorf("%s %s at %d: named %s at %d", how, name, at, filepath.Base(d.File), d.Offset)
	}
	if a, err := open(dir, ours, quickDisk(), smallRoll); err == nil {
		a.Close()
	} else if !errors.Is(err, ErrDamaged) {
		t.Errorf("%s %s at %d: opening: %v", how, name, at, err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, name)); !bytes.Equal(b, content) {
		t.Errorf("%s %s at %d: the damaged archive was changed", how, name, at)
	}
}
