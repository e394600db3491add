package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// after gives a copy of a spool's folder as a crash left it: the file cut to a size, with more bytes behind.
func after(t testing.TB, dir, file string, size int, more []byte) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "spool")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(copied, file)
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(b[:size:size], more...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// TestTornAtEveryByte cuts a write at every byte, with nothing, zeros or something else behind it: what was
// accepted before is there, and nothing of what was not.
func TestTornAtEveryByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, options())
	for i := range 3 {
		add(t, s, fmt.Sprintf("accepted %d", i))
	}
	durable := int(s.State().Bytes)
	add(t, s, "torn, perhaps")
	s.Close()
	whole := int(s.State().Bytes)
	file := "000000000001.spool"
	for size := durable; size <= whole; size++ {
		for _, more := range []string{"", strings.Repeat("\x00", 300), strings.Repeat("{\"id\":", 50)} {
			again, _, err := Open(after(t, dir, file, size, []byte(more)), options())
			if err != nil {
				t.Fatalf("cut at %d: %v", size, err)
			}
			want := 3
			if size == whole {
				want = 4
			}
			if got := again.State(); got.Waiting != want || got.Next != uint64(want)+1 || got.Torn != int64(size+len(more))-again.State().Bytes {
				t.Fatalf("cut at %d of %d: %+v", size, whole, got)
			}
			add(t, again, "new")
			if got := rest(t, again); len(got) != want+1 || got[want] != "new" {
				t.Fatalf("cut at %d: %q", size, got)
			}
			again.Close()
		}
	}
}

// TestHeaderTornAtEveryByte cuts the making of the first file and of a later one.
func TestHeaderTornAtEveryByte(t *testing.T) {
	t.Parallel()
	o := options()
	o.segment = segmentHeader + 1
	dir := t.TempDir()
	s := mustOpen(t, dir, o)
	s.Close()
	later := t.TempDir()
	s = mustOpen(t, later, o)
	add(t, s, "a")
	add(t, s, "b")
	s.Close()
	for size := range segmentHeader {
		again := mustOpen(t, after(t, dir, "000000000001.spool", size, nil), o)
		if got := again.State(); got.Next != 1 || add(t, again, "first") != 1 {
			t.Fatalf("cut at %d: %+v", size, got)
		}
		again = mustOpen(t, after(t, later, "000000000002.spool", size, nil), o)
		if got := again.State(); got.Next != 2 || add(t, again, "b") != 2 {
			t.Fatalf("second cut at %d: %+v", size, got)
		}
		if got := rest(t, again); !slices.Equal(got, []string{"a", "b"}) {
			t.Fatalf("second cut at %d: %q", size, got)
		}
	}
}

// TestDamageIsNamedAndLeftAlone flips every byte below what is known to be durable.
func TestDamageIsNamedAndLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, options())
	for i := range 4 { // the last one's mark covers those before
		add(t, s, fmt.Sprintf("accepted %d", i))
	}
	s.Close()
	file := "000000000001.spool"
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	last := len(b) - recordHeader - len("accepted 3")
	for at := range last {
		flipped := slices.Clone(b[at:])
		flipped[0] ^= 1
		again := after(t, dir, file, at, flipped)
		if _, _, err := Open(again, options()); !errors.Is(err, ErrDamaged) {
			t.Fatalf("a flipped byte at %d of %d: %v", at, last, err)
		}
		if left, err := os.ReadFile(filepath.Join(again, file)); err != nil || !slices.Equal(left[at:], flipped) {
			t.Fatalf("the damaged file was changed: %v", err)
		}
	}
}

func TestMissingFileIsDamage(t *testing.T) {
	t.Parallel()
	o := options()
	o.segment = segmentHeader + 1
	dir := t.TempDir()
	s := mustOpen(t, dir, o)
	for range 3 {
		add(t, s, "a")
	}
	s.Close()
	if err := os.Remove(segmentPath(dir, 2)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, o); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened: %v", err)
	}
}

func TestLostCursorReadsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, options())
	add(t, s, "a")
	rest(t, s)
	add(t, s, "b")
	s.Close()
	for _, content := range []string{"", "not a cursor", string(encodeCursor(place{1, segmentHeader}, 0)[:20])} {
		again := after(t, dir, "cursor", 0, []byte(content))
		if got := rest(t, mustOpen(t, again, options())); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("cursor %q: %q", content, got)
		}
	}
	ahead := after(t, dir, "cursor", 0, encodeCursor(place{1, 1 << 20}, 0))
	if _, _, err := Open(ahead, options()); !errors.Is(err, ErrDamaged) {
		t.Errorf("a cursor beyond the end: %v", err)
	}
}

// fault has the next calls of a disk fail as told.
type fault struct{ write, sync, cut bool }

var errDisk = errors.New("no space left")

func (f *fault) disk() disk {
	return disk{
		write: func(file *os.File, b []byte, at int64) (int, error) {
			if f.write { // half of it, as a full disk does
				n, _ := file.WriteAt(b[:len(b)/2], at)
				return n, errDisk
			}
			return file.WriteAt(b, at)
		},
		sync: func(file *os.File) error {
			if f.sync {
				return errDisk
			}
			return nil // a crash here loses nothing: files are copied as they are
		},
		cut: func(file *os.File, size int64) error {
			if f.cut {
				return errDisk
			}
			return file.Truncate(size)
		},
	}
}

// TestAgainstModel appends, takes out, crashes, and has writes fail in every way, and compares with a list.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		dir := filepath.Join(root, fmt.Sprint(runs))
		f := &fault{}
		o := options()
		o.disk, o.segment = f.disk(), rapid.Int64Range(1, 2000).Draw(rt, "segment")
		var s *Spool
		open := func() {
			var err error
			if s, _, err = Open(dir, o); err != nil {
				rt.Fatalf("opening: %v", err)
			}
		}
		open()
		defer func() { s.Close() }()
		var waiting, perhaps []string // perhaps: whose outcome is not known
		next := uint64(1)
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				*f = fault{rapid.IntRange(0, 9).Draw(rt, "w") == 0, rapid.IntRange(0, 9).Draw(rt, "s") == 0, rapid.IntRange(0, 3).Draw(rt, "c") == 0}
				payload := rapid.StringN(1, 300, 1000).Draw(rt, "payload")
				n, err := s.Append(t.Context(), true, func(uint64) []byte { return []byte(payload) })
				*f = fault{}
				switch {
				case err == nil && (n != next || len(perhaps) > 0):
					rt.Fatalf("number %d, want %d", n, next)
				case err == nil:
					waiting, next = append(waiting, payload), next+1
				case errors.Is(err, ErrUnknown):
					perhaps = append(perhaps, payload)
				}
			},
			"take": func(rt *rapid.T) {
				if len(waiting) == 0 {
					return
				}
				b, err := s.Next(t.Context(), rapid.IntRange(1, 5).Draw(rt, "records"), rapid.Int64Range(1, 1000).Draw(rt, "bytes"))
				if err != nil {
					rt.Fatal(err)
				}
				for i, r := range b.Records {
					if string(r) != waiting[i] {
						rt.Fatalf("record %d is not what was appended", i)
					}
				}
				if rapid.Bool().Draw(rt, "done") {
					if err := s.Done(b, 0); err != nil {
						rt.Fatal(err)
					}
					waiting = waiting[len(b.Records):]
				}
			},
			"crash": func(rt *rapid.T) {
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				last, _ := filepath.Glob(filepath.Join(dir, "*.spool"))
				if rapid.Bool().Draw(rt, "garbage") {
					file, err := os.OpenFile(last[len(last)-1], os.O_APPEND|os.O_WRONLY, 0)
					if err != nil {
						rt.Fatal(err)
					}
					file.Write(rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(rt, "bytes"))
					file.Close()
				}
				open()
				for _, p := range perhaps {
					if s.State().Next > next {
						waiting, next = append(waiting, p), next+1
					}
				}
				perhaps = nil
			},
			"": func(rt *rapid.T) {
				if got := s.State(); got.Waiting != len(waiting) || got.Next != next {
					rt.Fatalf("%d wait and %d is next; want %d and %d", got.Waiting, got.Next, len(waiting), next)
				}
			},
		})
		if got := rest(t, s); !slices.Equal(got, waiting) {
			rt.Fatalf("left %q, want %q", got, waiting)
		}
	})
}

// TestHeaderIsDurableBeforeItCounts opens a new spool: nothing may be removed for a file that a power cut takes.
func TestHeaderIsDurableBeforeItCounts(t *testing.T) {
	t.Parallel()
	synced := map[string]int64{}
	o := options()
	o.disk.sync = func(f *os.File) error {
		info, err := f.Stat()
		synced[filepath.Base(f.Name())] = info.Size()
		return errors.Join(err, f.Sync())
	}
	mustOpen(t, t.TempDir(), o)
	if synced["000000000001.spool"] != segmentHeader {
		t.Errorf("synced %v", synced)
	}
}

// TestGroupBehindAFailedOneFails has a record gather while a write fails: its number counts on from one that is
// taken back.
func TestGroupBehindAFailedOneFails(t *testing.T) {
	t.Parallel()
	writing, fail := make(chan struct{}), make(chan struct{})
	o := options()
	first := true
	o.disk.write = func(f *os.File, b []byte, at int64) (int, error) {
		if at >= segmentHeader && first {
			first = false
			close(writing)
			<-fail
			return 0, errDisk
		}
		return f.WriteAt(b, at)
	}
	s := mustOpen(t, t.TempDir(), o)
	results := make(chan error, 2)
	appendOne := func() {
		_, err := s.Append(t.Context(), true, func(n uint64) []byte { return fmt.Appendf(nil, "%d", n) })
		results <- err
	}
	go appendOne()
	<-writing
	_, second, err := s.join(t.Context(), true, func(n uint64) []byte { return fmt.Appendf(nil, "%d", n) })
	if err != nil {
		t.Fatal(err)
	}
	close(fail)
	<-second.done
	if err := <-results; !errors.Is(err, errDisk) || !errors.Is(second.err, errDisk) {
		t.Errorf("%v and %v", err, second.err)
	}
	if n := add(t, s, "1"); n != 1 {
		t.Errorf("number %d", n)
	}
	if got := rest(t, s); !slices.Equal(got, []string{"1"}) {
		t.Errorf("read %q", got)
	}
}

// FuzzSegment has a segment hold anything: it is read without harm, and what is read is what a writer writes.
func FuzzSegment(f *testing.F) {
	g := &group{bytes: append(make([]byte, recordHeader), "abc"...), records: []extent{{recordHeader + 3, true}}}
	g.seal(1, segmentHeader)
	h := header{1, 1, "ats", "copy-1"}.encode()
	f.Add(append(h, g.bytes...))
	f.Add(h)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := decodeHeader(b)
		if !ok {
			return
		}
		c := survey(b, h.number)
		if c.end > int64(len(b)) || c.counted > c.records {
			t.Fatalf("%+v of %d bytes", c, len(b))
		}
		for at := int64(segmentHeader); at < c.end; {
			r, ok := recordAt(b[at:], h.number, at)
			if !ok {
				t.Fatalf("no record at %d of %d", at, c.end)
			}
			made := append(make([]byte, recordHeader), r.payload...)
			putRecord(made, r.counts, h.number, at, r.mark)
			if string(made) != string(b[at:at+r.size()]) {
				t.Fatalf("the record at %d is written in another way", at)
			}
			at += r.size()
		}
	})
}
