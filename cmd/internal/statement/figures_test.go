package statement

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
)

// small is a ledger with a transfer, work from outside, and much that is neither.
func small(t testing.TB) []events.Record {
	t.Helper()
	d := newDiary()
	d.gave("2025-06-05", "home-bank", "client")
	d.special(time.June, "2025-06-20")
	d.special(time.August, "2025-06-21")
	d.gave("2025-07-05", "alpine", "processor")
	return record(t, d.lines...)
}

// TestAgrees: a statement is made only if the walk over the events gives what the
// proofs give, and whatever differs is found in one that was made.
func TestAgrees(t *testing.T) {
	t.Parallel()
	all := small(t)
	good := sources(t, all, "2025-06-01", "2025-06-30")
	s, err := Make(context.Background(), good)
	if err != nil || len(s.Transfers) != 1 || len(s.Working) != 1 {
		t.Fatal(err)
	}
	for name, change := range map[string]func(f *Figures){
		"fewer transfers":  func(f *Figures) { f.Outside = nil },
		"more transfers":   func(f *Figures) { f.Outside = append(f.Outside, f.Outside[0]) },
		"another position": func(f *Figures) { f.Outside[0].Position-- },
		"another event":    func(f *Figures) { f.Outside[0].Digest[31] ^= 1 },
		"fewer at work":    func(f *Figures) { f.Working = nil },
		"another at work":  func(f *Figures) { f.Working[0].Digest[0] ^= 1 },
		"inside":           func(f *Figures) { f.Counts[0]++ },
		"working":          func(f *Figures) { f.Counts[1] = 0 },
		"adequate":         func(f *Figures) { f.Counts[2]++ },
		"unknown":          func(f *Figures) { f.Counts[6]++ },
		"days":             func(f *Figures) { f.From++ },
		"more days":        func(f *Figures) { f.To += 10 },
	} {
		src := good
		src.Figures.Outside, src.Figures.Working = slices.Clone(good.Figures.Outside), slices.Clone(good.Figures.Working)
		change(&src.Figures)
		if name != "days" && name != "more days" { // then the walk is about these days as well
			if _, err := Make(context.Background(), src); !errors.Is(err, ErrDiffers) {
				t.Errorf("%s: %v", name, err)
			}
		} else if name == "more days" {
			if _, err := Make(context.Background(), src); !errors.Is(err, ErrDiffers) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := s.Agrees(src.Figures); !errors.Is(err, ErrDiffers) {
			t.Errorf("%s, of the statement: %v", name, err)
		}
	}
	for name, change := range map[string]func(f *Figures){
		"root":      func(f *Figures) { f.Root[0] ^= 1 },
		"annotated": func(f *Figures) { f.Annotated[0] ^= 1 },
		"rules":     func(f *Figures) { f.Rules[0] ^= 1 },
		"origin":    func(f *Figures) { f.Origin += "x" },
		"size":      func(f *Figures) { f.Size++ },
		"commit":    func(f *Figures) { f.Commit++ },
	} {
		f := good.Figures
		change(&f)
		if err := s.Agrees(f); !errors.Is(err, ErrDiffers) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// TestEvents: the file of events holds what is listed, in order, and nothing else.
func TestEvents(t *testing.T) {
	t.Parallel()
	all := small(t)
	s := made(t, all, "2025-06-01", "2025-06-30")
	if len(s.Positions()) != 2 || !slices.IsSorted(s.Positions()) {
		t.Fatal(s.Positions())
	}
	var lines [][]byte
	for _, p := range s.Positions() {
		lines = append(lines, append(bytes.Clone(all[p-1].Raw), '\n'))
	}
	if err := s.EventsAgree(bytes.Join(lines, nil)); err != nil {
		t.Error(err)
	}
	for name, raw := range map[string][]byte{
		"none":          nil,
		"one":           lines[0],
		"another order": slices.Concat(lines[1], lines[0]),
		"one more":      slices.Concat(lines[0], lines[1], lines[1]),
		"a line more":   slices.Concat(lines[0], lines[1], []byte("\n")),
		"no last LF":    bytes.TrimSuffix(slices.Concat(lines[0], lines[1]), []byte("\n")),
		"a byte":        bytes.Replace(bytes.Join(lines, nil), []byte("2025-06-20"), []byte("2025-06-21"), 1),
	} {
		if err := s.EventsAgree(raw); !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := made(t, all, "2025-05-01", "2025-05-31").EventsAgree(nil); err != nil {
		t.Error(err)
	}
}

// TestFigures: proofs that do not belong to one statement are refused.
func TestFigures(t *testing.T) {
	t.Parallel()
	all := small(t)
	june, july, may := prove(t, all, "2025-06-01", "2025-06-30"), prove(t, all, "2025-07-01", "2025-07-31"), prove(t, all, "2025-05-01", "2025-05-31")
	f := june.figures(t)
	if f.Events != uint64(len(all)) || f.Commit != f.Events+1 || f.Size != f.Commit+2 || f.Counts != [7]uint64{1, 1, 1} {
		t.Errorf("%+v", f)
	}
	if may.proof.Question.What != evidence.Absence || june.proof.Question.What != evidence.List {
		t.Error("the questions")
	}
	sooner := prove(t, all[:len(all)-1], "2025-06-01", "2025-06-30")
	empty := *may.proof
	empty.Question.What = evidence.List
	other := *june.proof
	other.Counts[2]++
	for name, p := range map[string]proven{
		"another's days":     {june.proof, july.counts, july.work},
		"another's work":     {june.proof, june.counts, may.work},
		"in another order":   {june.counts, june.proof, june.work},
		"the same twice":     {june.proof, june.counts, june.proof},
		"another checkpoint": {sooner.proof, june.counts, june.work},
		"a list of nothing":  {&empty, may.counts, may.work},
		"other counts":       {&other, june.counts, june.work},
	} {
		if _, err := FiguresOf(p.proof, p.counts, p.work); !errors.Is(err, ErrSources) && !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSources: what cannot be a statement's sources is refused before anything is
// read, and what the events lack, while they are.
func TestSources(t *testing.T) {
	t.Parallel()
	all := small(t)
	good := sources(t, all, "2025-06-01", "2025-06-30")
	gone := errors.New("gone")
	failing := func(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
		return func(yield func(events.Record, error) bool) { yield(events.Record{}, gone) }
	}
	damaged := slices.Clone(all)
	damaged[3].Raw = slices.Concat(all[3].Raw[:40], []byte("x"), all[3].Raw[41:])
	swapped := slices.Clone(all)
	swapped[3], swapped[4] = all[4], all[3]
	for name, test := range map[string]struct {
		change func(s *Sources)
		want   error
	}{
		"days":            {func(s *Sources) { s.Figures.From = s.Figures.To + 1 }, ErrSources},
		"no events":       {func(s *Sources) { s.Figures.Events = 0 }, ErrSources},
		"commit too soon": {func(s *Sources) { s.Figures.Commit = s.Figures.Events }, ErrSources},
		"checkpoint":      {func(s *Sources) { s.Figures.Size = s.Figures.Commit - 1 }, ErrSources},
		"head":            {func(s *Sources) { s.Head = s.Figures.Size - 1 }, ErrSources},
		"no replay":       {func(s *Sources) { s.Replay = nil }, ErrSources},
		"no moment":       {func(s *Sources) { s.Issued = time.Time{} }, ErrSources},
		"grace":           {func(s *Sources) { s.Grace = -time.Hour }, ErrSources},
		"months":          {func(s *Sources) { s.Months = 0 }, ErrSources},
		"ledger":          {func(s *Sources) { s.ID = "x" }, ErrSources},
		"cosigner":        {func(s *Sources) { s.Cosigners = []Cosignature{{"key", "notary", s.Issued}} }, ErrSources},
		"fails":           {func(s *Sources) { s.Replay = failing }, gone},
		"ends early":      {func(s *Sources) { s.Replay = replay(all[:5]) }, ErrDamaged},
		"a hole":          {func(s *Sources) { s.Replay = replay(slices.Delete(slices.Clone(all), 4, 5)) }, ErrDamaged},
		"out of order":    {func(s *Sources) { s.Replay = replay(swapped) }, ErrDamaged},
		"damaged":         {func(s *Sources) { s.Replay = replay(damaged) }, ErrDamaged},
	} {
		src := good
		test.change(&src)
		if s, err := Make(context.Background(), src); s != nil || !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Make(ctx, good); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	var told []uint64
	good.Progress = func(done, of uint64) { told = append(told, done, of) }
	n := uint64(len(all))
	if _, err := Make(context.Background(), good); err != nil || !slices.Equal(told, []uint64{n, n}) {
		t.Errorf("told %v: %v", told, err)
	}
}
