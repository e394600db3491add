package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imalink/custody/events"
)

func yearOf(t testing.TB, s Spec) *Year {
	t.Helper()
	y, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// someSpec draws any year but those too large for a test.
func someSpec(t *rapid.T) Spec {
	day := time.Date(earliest, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 5000).Draw(t, "day"))
	return Spec{Seed: rapid.Uint64().Draw(t, "seed"), Size: rapid.IntRange(MinSize, 2*MinSize).Draw(t, "size"), Until: day.Format(time.DateOnly)}
}

// Whatever the seed, the size and the day: every line is an event that may be
// sent, about which there is nothing to warn of; there are as many as were asked
// for; they arrive in order, in the year; and what comes again is what came.
func TestEveryLineIsAnEvent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		y, err := New(someSpec(rt))
		if err != nil {
			rt.Fatal(err)
		}
		sent, last := map[string][sha256.Size]byte{}, y.From()
		for line := range y.Lines() {
			e, err := events.Decode(line.Raw)
			if err != nil {
				rt.Fatalf("%v\n%s", err, line.Raw)
			}
			if e.ID != line.ID || e.Source != line.Source || len(e.Warnings) > 0 {
				rt.Fatalf("%s %s, warnings %q\n%s", line.Source, line.ID, e.Warnings, line.Raw)
			}
			if line.Arrives.Before(last) || e.At.Before(y.From()) || !e.At.Before(y.To()) || e.At.After(line.Arrives) {
				rt.Fatalf("after %v, in %v to %v, arrives %v\n%s", last, y.From(), y.To(), line.Arrives, line.Raw)
			}
			last = line.Arrives
			sum := sha256.Sum256(line.Raw)
			if before, known := sent[line.ID]; known != line.Again || known && before != sum {
				rt.Fatalf("known %t, again %t\n%s", known, line.Again, line.Raw)
			}
			sent[line.ID] = sum
		}
		if len(sent) != y.Size {
			rt.Fatalf("%d events, want %d", len(sent), y.Size)
		}
	})
}

// However much happens, nothing does before the register is written.
func TestRegisterComesFirst(t *testing.T) {
	y := yearOf(t, Spec{Seed: 1, Size: 10_000_000, Until: "2026-11-22"})
	registered := 0
	for line := range y.Lines() {
		if line.Source != "/register" {
			break
		}
		registered++
	}
	all := 0
	for _, a := range y.script {
		if a.from == register {
			all++
		}
	}
	if registered != all-1 { // one party is registered anew at the end of a quarter
		t.Errorf("%d of %d registrations come first", registered, all)
	}
}

// What is missing in a producer's numbers is what was lost on purpose.
func TestNumbersHaveOneGap(t *testing.T) {
	for _, size := range []int{MinSize, 60_000} {
		y := yearOf(t, Spec{Seed: 7, Size: size, Until: "2026-11-22"})
		highest, received := map[string]uint64{}, map[string]uint64{}
		for line := range y.Lines() {
			e, err := events.Decode(line.Raw)
			if err != nil {
				t.Fatal(err)
			}
			if line.Again {
				continue
			}
			name := e.Source + " " + e.Instance
			highest[name] = max(highest[name], e.Seq)
			received[name]++
		}
		if len(highest) != int(producers) {
			t.Errorf("%d producers sent, want %d", len(highest), producers)
		}
		for name, last := range highest {
			want := uint64(0)
			if name == "/mail " {
				want = lostMails
			}
			if last-received[name] != want {
				t.Errorf("%s: %d of %d arrived, want %d missing", name, received[name], last, want)
			}
		}
	}
}

// digest is the SHA-256 of all lines with their times of arrival.
func digest(y *Year) string {
	h := sha256.New()
	for line := range y.Lines() {
		writeLine(h, line)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func writeLine(h hash.Hash, line Line) {
	h.Write(line.Raw)
	h.Write(line.Arrives.UTC().AppendFormat(nil, "\n15:04:05.000\n"))
}

// The same year is the same on every machine and for ever; if this digest has to
// change, so has the constant version.
func TestYearIsTheSame(t *testing.T) {
	const versionOne = "d72fe24dbf8cc7d752f4c88b93d058c33e495d326f11bc927ff11c6af22afba9"
	spec := Spec{Seed: 1, Size: 60_000, Until: "2026-11-22"}
	if got := digest(yearOf(t, spec)); got != versionOne || version != 1 {
		t.Errorf("version %d is %s", version, got)
	}
	y := yearOf(t, spec)
	if first, again := digest(y), digest(y); first != again {
		t.Errorf("a year is %s, then %s", first, again)
	}
	for _, other := range []Spec{{2, 60_000, "2026-11-22"}, {1, 60_001, "2026-11-22"}, {1, 60_000, "2026-11-21"}} {
		if digest(yearOf(t, spec)) == digest(yearOf(t, other)) {
			t.Errorf("%+v is no other year", other)
		}
	}
}

// Lines can be left at any point, and begun again.
func TestLinesCanBeLeft(t *testing.T) {
	y := yearOf(t, Spec{Seed: 3, Size: MinSize, Until: "2025-06-30"})
	var first []byte
	for line := range y.Lines() {
		first = bytes.Clone(line.Raw)
		break
	}
	n := 0
	for line := range y.Lines() {
		if n++; n == 1 && !bytes.Equal(line.Raw, first) {
			t.Error("the first line differs")
		}
		if n == 700 {
			break
		}
	}
}

func TestSpecsThatAreNone(t *testing.T) {
	for _, s := range []Spec{{Size: MinSize - 1, Until: "2026-01-01"}, {Size: MaxSize + 1, Until: "2026-01-01"}, {Size: MinSize}, {Size: MinSize, Until: "2026-02-30"}, {Size: MinSize, Until: "2024-12-31"}, {Size: MinSize, Until: "2101-01-01"}} {
		if _, err := New(s); err == nil {
			t.Errorf("%+v is a year", s)
		}
	}
}

func BenchmarkLines(b *testing.B) {
	y := yearOf(b, Spec{Seed: 1, Size: 1_000_000, Until: "2026-11-22"})
	n, bytes := 0, 0
	for b.Loop() {
		for line := range y.Lines() {
			n++
			bytes += len(line.Raw)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(bytes)/float64(n), "B/event")
}
