package demo

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger"
)

// Wherever the making of a ledger is interrupted, the next call makes it whole.
func TestMakeTakenUp(t *testing.T) {
	y := yearOf(t, Spec{Seed: 1, Size: MinSize, Until: "2025-10-01"})
	for name, interrupt := range map[string]func(t *testing.T, h Home){
		"nothing yet": func(t *testing.T, h Home) {},
		"half a ledger": func(t *testing.T, h Home) {
			back(t, h)
			remove(t, filepath.Join(making(h.Data), "ledger.json"), planIn(making(h.Data)))
		},
		"no plan":       func(t *testing.T, h Home) { back(t, h); remove(t, planIn(making(h.Data))) },
		"nothing moved": func(t *testing.T, h Home) { back(t, h) },
		"keys moved":    func(t *testing.T, h Home) { rename(t, h.Data, making(h.Data)) },
	} {
		t.Run(name, func(t *testing.T) {
			h := homeIn(t.TempDir())
			if name != "nothing yet" {
				if err := h.Make(t.Context(), y); err != nil {
					t.Fatal(err)
				}
			}
			interrupt(t, h)
			if _, err := h.Plan(); !errors.Is(err, ErrNone) {
				t.Fatalf("a plan, %v", err)
			}
			if err := h.Make(t.Context(), y); err != nil {
				t.Fatal(err)
			}
			if there(making(h.Data)) || there(making(h.Keys)) {
				t.Error("an unfinished ledger is left")
			}
			found, err := ledger.Check(t.Context(), ledger.Config{Data: h.Data, Keys: h.Keys}, nil)
			if err != nil || !found.Sound() || found.Name != "demo" {
				t.Errorf("%+v, %v", found, err)
			}
			if p, err := h.Plan(); err != nil || p != (Plan{version, false, y.Spec}) {
				t.Errorf("plan %+v, %v", p, err)
			}
		})
	}
}

// back moves a home to where it was made.
func back(t *testing.T, h Home) {
	rename(t, h.Data, making(h.Data))
	rename(t, h.Keys, making(h.Keys))
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, files ...string) {
	t.Helper()
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// What is no demonstration, or another one, is refused and left as it is.
func TestNothingElseIsTouched(t *testing.T) {
	y := yearOf(t, Spec{Seed: 1, Size: MinSize, Until: "2025-10-01"})
	dir := t.TempDir()
	mine := homeIn(dir)
	if err := ledger.Create(t.Context(), ledger.Config{Data: mine.Data, Keys: mine.Keys}); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	if _, err := mine.Plan(); !errors.Is(err, ErrForeign) {
		t.Errorf("plan of a ledger: %v", err)
	}
	if err := mine.Make(t.Context(), y); err == nil {
		t.Error("made over a ledger")
	}
	keysTaken := Home{Data: filepath.Join(dir, "other"), Keys: mine.Keys}
	if err := keysTaken.Make(t.Context(), y); err == nil {
		t.Error("made over keys")
	}
	after := contents(t, dir)
	for file := range after {
		if strings.Contains(file, ".making") {
			delete(after, file)
		}
	}
	if !maps.Equal(before, after) {
		t.Error("something was changed")
	}
	if err := os.WriteFile(mine.plan(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mine.Plan(); !errors.Is(err, ErrForeign) {
		t.Errorf("plan that is none: %v", err)
	}
}

// A home is filled with the year that it was made for, by what made it.
func TestAnotherYearIsRefused(t *testing.T) {
	y := yearOf(t, Spec{Seed: 1, Size: MinSize, Until: "2025-10-01"})
	h := homeIn(t.TempDir())
	if err := h.Make(t.Context(), y); err != nil {
		t.Fatal(err)
	}
	other := yearOf(t, Spec{Seed: 2, Size: MinSize, Until: "2025-10-01"})
	if err := recorded(t.Context(), h, other, func(int) { t.Error("recorded") }, nil); !errors.Is(err, ErrOther) {
		t.Errorf("another seed: %v", err)
	}
	if err := write(h.plan(), Plan{Version: version + 1, Spec: y.Spec}); err != nil {
		t.Fatal(err)
	}
	if err := recorded(t.Context(), h, y, func(int) { t.Error("recorded") }, nil); !errors.Is(err, ErrOther) {
		t.Errorf("another version: %v", err)
	}
}

// The flipped bit is found where it is, and the original stays as it was.
func TestTamper(t *testing.T) {
	y := yearOf(t, Spec{Seed: 1, Size: MinSize, Until: "2025-10-01"})
	dir := t.TempDir()
	h := homeIn(dir)
	if _, err := Tamper(t.Context(), h, nil); !errors.Is(err, ErrNone) {
		t.Errorf("of nothing: %v", err)
	}
	var classes []string
	err := recorded(t.Context(), h, y, func(int) {}, func(l *ledger.Ledger) error {
		for _, st := range inOrder(t, l) {
			classes = append(classes, st.Facts.Class)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	got, err := Tamper(t.Context(), h, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Events != MinSize || got.Before != '5' || got.After != '4' || got.Record >= got.Offset || len(got.Findings) != 1 {
		t.Errorf("%+v", got)
	}
	if got.Position == 0 || classes[got.Position-1] != "T5" {
		t.Errorf("position %d is no transfer without a ground", got.Position)
	}
	block, err := os.ReadFile(filepath.Join(h.Data, got.File))
	if err != nil || block[got.Offset] != '5' || !strings.Contains(got.Findings[0].Text, got.File) || strings.Contains(got.Findings[0].Text, dir) {
		t.Errorf("%v; %q at %d; %q", err, block[got.Offset], got.Offset, got.Findings[0].Text)
	}
	if !maps.Equal(contents(t, dir), before) {
		t.Error("the original was changed, or the copy is left")
	}
}
