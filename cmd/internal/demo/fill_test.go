package demo

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
)

// A test that is killed runs this same program, as [killed] says.
func TestMain(m *testing.M) {
	if home, ok := os.LookupEnv("DEMO_HOME"); ok {
		os.Exit(killed(homeIn(home)))
	}
	os.Exit(m.Run())
}

func homeIn(dir string) Home {
	return Home{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys")}
}

// recorded fills a home, made if it is not there, and closes it again. The ledger
// is given to use before that.
func recorded(ctx context.Context, h Home, y *Year, progress func(int), use func(*ledger.Ledger) error) (err error) {
	if _, err := h.Plan(); errors.Is(err, ErrNone) {
		if err := h.Make(ctx, y); err != nil {
			return err
		}
	}
	clock := &Clock{}
	l, err := ledger.Open(ctx, ledger.Config{Data: h.Data, Keys: h.Keys, Index: views.Identities(slog.New(slog.DiscardHandler)), Now: clock.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close(context.WithoutCancel(ctx))) }()
	if err := y.Fill(ctx, h, l, clock, progress); err != nil || use == nil {
		return err
	}
	return use(l)
}

// inOrder are the stored events of a ledger.
func inOrder(t *testing.T, l *ledger.Ledger) (list []*events.Stored) {
	t.Helper()
	for rec, err := range l.ReplayTo(t.Context(), 1, l.Head().Position) {
		if err != nil {
			t.Fatal(err)
		}
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, st)
	}
	return list
}

// Whatever day the year ends on: as many events as asked for, none recorded before
// it happened, or much later than it arrived; and what the stories say of classes
// is so, in the whole year, in each quarter, and in the month of the late evidence.
func TestClassesAreExact(t *testing.T) {
	for i, until := range []string{"2025-01-01", "2025-03-31", "2025-05-14", "2025-10-01"} {
		t.Run(until, func(t *testing.T) {
			y := yearOf(t, Spec{Seed: uint64(i), Size: MinSize + 13*i, Until: until})
			classes := map[string]map[string]int{}
			count := func(name string, s span, st *events.Stored) {
				if !st.Event.At.Before(s.from) && st.Event.At.Before(s.to) {
					if classes[name] == nil {
						classes[name] = map[string]int{}
					}
					classes[name][st.Facts.Class]++
				}
			}
			err := recorded(t.Context(), homeIn(t.TempDir()), y, func(int) {}, func(l *ledger.Ledger) error {
				list := inOrder(t, l)
				if len(list) != y.Size {
					t.Errorf("%d events, want %d", len(list), y.Size)
				}
				for _, st := range list {
					if st.Recorded.Before(st.Event.At) || st.Recorded.After(y.To().Add(2*time.Second)) {
						t.Errorf("happened %v, recorded %v", st.Event.At, st.Recorded)
					}
					for name, s := range map[string]span{"year": {y.start, y.end}, "broken": y.broken, "clean": y.clean, "late": y.late,
						"before": {y.start, y.mixed.from}, "after": {y.clean.to, y.end}} {
						count(name, s, st)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]map[string]int{
				"year":   {"T1": abroad, "T1f": freelance, "T2": adequate, "T3": safeguarded, "T4": derogated, "T5": pactShares + deskTransfers + lateShares, "U": unregistered},
				"broken": {"T5": pactShares + deskTransfers},
				"late":   {"T5": lateShares},
				"clean":  {}, "before": {}, "after": {},
			} {
				got := maps.Clone(classes[name])
				if name != "before" && name != "after" && got["T0"] == 0 {
					t.Errorf("%s has no transfer inside", name)
				}
				delete(got, "T0")
				delete(got, "")
				if !maps.Equal(got, want) {
					t.Errorf("%s: %v, want %v", name, got, want)
				}
			}
		})
	}
}

// However often it is interrupted, and wherever, the same year comes out.
func TestInterruptedAndBegunAgain(t *testing.T) {
	y := yearOf(t, Spec{Seed: 5, Size: MinSize, Until: "2025-10-01"})
	h := homeIn(t.TempDir())
	var all []string
	for after := 150; ; after += 300 {
		ctx, stop := context.WithCancel(t.Context())
		err := recorded(ctx, h, y, func(n int) {
			if n > after {
				stop()
			}
		}, func(l *ledger.Ledger) error {
			for _, st := range inOrder(t, l) {
				all = append(all, st.Event.Source+" "+st.Event.ID)
			}
			return nil
		})
		stop()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || after > y.Size {
			t.Fatal(err)
		}
	}
	var want []string
	for line := range y.Lines() {
		if !line.Again {
			want = append(want, line.Source+" "+line.ID)
		}
	}
	if strings.Join(all, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d events in another order than the %d of the year", len(all), len(want))
	}
	if p, err := h.Plan(); err != nil || p != (Plan{version, true, y.Spec}) {
		t.Errorf("plan %+v, %v", p, err)
	}
	if err := recorded(t.Context(), h, y, func(n int) { t.Errorf("%d recorded anew", n) }, nil); err != nil {
		t.Error(err)
	}
}

// killed fills a home until it is killed, and says how far it is.
func killed(h Home) int {
	y, err := New(Spec{Seed: 6, Size: MinSize, Until: "2025-10-01"})
	if err == nil {
		err = recorded(context.Background(), h, y, func(n int) {
			fmt.Println(n)
			if n > MinSize/2 {
				select {} // until the kill: it must not be too late
			}
		}, nil)
	}
	fmt.Println(err)
	return 1
}

// A kill in the middle loses nothing and doubles nothing.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DEMO_HOME="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := 0
	for in := bufio.NewScanner(out); said <= MinSize/2; {
		if !in.Scan() {
			t.Fatalf("ended at %d: %v", said, in.Err())
		}
		if _, err := fmt.Sscan(in.Text(), &said); err != nil {
			t.Fatal(in.Text())
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	y := yearOf(t, Spec{Seed: 6, Size: MinSize, Until: "2025-10-01"})
	err = recorded(t.Context(), homeIn(dir), y, func(int) {}, func(l *ledger.Ledger) error {
		if got := len(inOrder(t, l)); got != y.Size {
			t.Errorf("%d events, want %d", got, y.Size)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := ledger.Check(t.Context(), ledger.Config{Data: homeIn(dir).Data, Keys: homeIn(dir).Keys}, nil)
	if err != nil || !found.Sound() {
		t.Errorf("%+v, %v", found, err)
	}
}

// contents are the SHA-256 of all files below a folder, by name.
func contents(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	files := map[string][sha256.Size]byte{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[path] = sha256.Sum256(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
