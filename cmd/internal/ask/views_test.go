package ask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/imalink/custody/projections"
)

// everything asks by every method, as known once and for all, and gives the
// answers as text without what differs from one answer to the next.
func (r *rig) everything(t *testing.T, known uint64) string {
	t.Helper()
	all, err := r.someThings(t.Context(), known)
	if err != nil {
		t.Error(err)
	}
	return all
}

// someThings is everything up to the first method that gives no answer.
func (r *rig) someThings(ctx context.Context, known uint64) (string, error) {
	var all strings.Builder
	for _, m := range methods() {
		q := Question{Name: m.name}
		if !m.event {
			q.KnownAt = fmt.Sprint(known)
		}
		answer, err := m.ask(ctx, r.Desk, dpo(), q)
		if err != nil {
			return all.String(), fmt.Errorf("%s: %w", m.name, err)
		}
		text, err := json.Marshal(answer)
		if err != nil {
			return all.String(), err
		}
		text = regexp.MustCompile(`"(handle|mask|silent_seconds)":("[^"]*"|[0-9.]+)`).ReplaceAll(text, nil)
		if m.event {
			text = regexp.MustCompile(`"as_of":{[^}]*}`).ReplaceAll(text, nil)
		}
		fmt.Fprintf(&all, "%s: %s\n", m.name, text)
	}
	return all.String(), nil
}

// crowded is a rig of drawn events about those whom methods ask about.
func crowded(t *testing.T) (*rig, uint64) {
	r := small(t)
	lines := rapid.Custom(drawEvents).Example(9)
	for i, line := range lines {
		line = strings.NewReplacer("candidate:1", zulu, "employee:1", whiskey, "sess-1", session, "firm-a", "uniform-saas").Replace(line)
		lines[i] = line
	}
	r.send(lines...)
	if _, err := r.Lookup(t.Context(), dpo(), Person, zulu, "", Question{Name: "person.lookup"}); err != nil {
		t.Fatal(err)
	}
	return r, r.ledger.Head().Position
}

func (r *rig) viewFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.folder, "*.db"))
	if err != nil || len(files) != 7 {
		t.Fatalf("%d view files, %v", len(files), err)
	}
	return files
}

// TestViewsGone asks with any of the views' files deleted, cut, or of noise.
func TestViewsGone(t *testing.T) {
	t.Parallel()
	r, known := crowded(t)
	want := r.everything(t, known)
	files := r.viewFiles(t)
	for i, path := range append(files, files...) {
		if err := r.set.Close(); err != nil {
			t.Fatal(err)
		}
		subset := []string{path}
		if i >= len(files) { // and each with all behind it
			subset = files[i-len(files):]
		}
		for j, path := range subset {
			var err error
			switch (i + j) % 3 {
			case 0:
				err = os.Remove(path)
			case 1:
				err = os.Truncate(path, 8192)
			case 2:
				err = os.WriteFile(path, []byte(strings.Repeat("noise", 9999)), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		r.openViews()
		if got := r.everything(t, known); got != want {
			t.Fatalf("without %d files: %s", len(subset), difference(got, want))
		}
	}
}

func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] + "\nwant\n" + b[i]
		}
	}
	return "more or fewer answers"
}

// TestViewsDamaged spoils the head of every page of the views' files but the first
// two, which say where the others are.
func TestViewsDamaged(t *testing.T) {
	t.Parallel()
	r, known := crowded(t)
	want := r.everything(t, known)
	for i, path := range r.viewFiles(t) {
		if err := r.set.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for page := 2 * 4096; page < len(b); page += 4096 {
			for at := range 16 {
				b[page+at] ^= byte(1 << ((at + i) % 8))
			}
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r.openViews()
		if got := r.everything(t, known); got != want {
			t.Errorf("%s was damaged: %s", filepath.Base(path), difference(got, want))
		}
	}
}

// TestViewsFlipped turns over one bit of a view's file at a time, where there is
// anything: every answer is the same then, or there is none, and soon there is.
func TestViewsFlipped(t *testing.T) {
	t.Parallel()
	r, known := crowded(t)
	want := r.everything(t, known)
	rnd := rand.New(rand.NewPCG(5, 6))
	for n := range 70 {
		files := r.viewFiles(t)
		path := files[n%len(files)]
		if err := r.set.Close(); err != nil {
			t.Fatal(err)
		}
		sound, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at, bit := rnd.IntN(len(sound)), rnd.IntN(8)
		for sound[at] == 0 {
			at = rnd.IntN(len(sound))
		}
		flipped := slices.Clone(sound)
		flipped[at] ^= 1 << bit
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		r.openViews()
		got, err := r.someThings(t.Context(), known)
		if !strings.HasPrefix(want, got) || err == nil && got != want {
			t.Errorf("%s, bit %d of byte %d of page %d: %s", filepath.Base(path), bit, at%4096, at/4096, difference(got, want))
		}
		if err != nil && !errors.Is(err, projections.ErrDamaged) && !errors.Is(err, projections.ErrBehind) {
			t.Errorf("%s, bit %d of byte %d of page %d: %v", filepath.Base(path), bit, at%4096, at/4096, err)
		}
		if err := r.set.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
		r.openViews()
	}
	if got := r.everything(t, known); got != want {
		t.Errorf("as it was: %s", difference(got, want))
	}
}

// TestViewsRebuilt asks while views are filled anew, and after a restart.
func TestViewsRebuilt(t *testing.T) {
	t.Parallel()
	r, known := crowded(t)
	want := r.everything(t, known)
	var asking sync.WaitGroup
	ended := make(chan struct{})
	for range 2 {
		asking.Go(func() {
			for done := false; !done; {
				select {
				case <-ended:
					done = true
				default:
				}
				if got := r.everything(t, known); got != want {
					t.Errorf("while views are filled: %s", difference(got, want))
					return
				}
			}
		})
	}
	for range 3 {
		for _, name := range []string{searchView, personView, accessView, transfersView, governanceView, coverageView} {
			if err := r.set.Rebuild(name); err != nil && !strings.Contains(err.Error(), projections.ErrRebuilding.Error()) {
				t.Error(err)
			}
		}
		for slices.ContainsFunc(r.set.Status(), func(s projections.Status) bool { return s.State != projections.Live }) {
			if err := r.set.Wait(t.Context(), r.ledger.Head().Position); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(ended)
	asking.Wait()
	r.close()
	r.open()
	if got := r.everything(t, known); got != want {
		t.Errorf("after a restart: %s", difference(got, want))
	}
}

// TestViewsStopped: without views there is no answer, and none that is not complete.
func TestViewsStopped(t *testing.T) {
	r := small(t)
	if err := r.set.Close(); err != nil {
		t.Fatal(err)
	}
	for _, m := range methods() {
		answer, err := m.ask(t.Context(), r.Desk, dpo(), Question{Name: m.name})
		looksUp := m.name == "lookup-actor" || m.name == "lookup-session" // which ask the vault alone
		if looksUp != (err == nil) {
			t.Errorf("%s: %v, %+v", m.name, err, answer)
		}
	}
	if r.questions() != 2 {
		t.Errorf("%d questions were recorded", r.questions())
	}
	r.openViews()
}
