package natsd

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// place is where a record of a block is.
type place struct {
	offset, end int
	sequence    uint64
	mark        uint64
}

func places(tb testing.TB, block uint32, b []byte) []place {
	tb.Helper()
	h, err := newHasher("S", block)
	if err != nil {
		tb.Fatal(err)
	}
	var all []place
	for r, at := range h.records(b) {
		if at.err != nil {
			tb.Fatal(at.err)
		}
		all = append(all, place{at.offset, at.offset + r.size, r.sequence, r.mark})
	}
	return all
}

// highestMark is the durable mark that remains when record i cannot be read.
func highestMark(all []place, i int) (mark uint64) {
	for j, p := range all {
		if j != i {
			mark = max(mark, p.mark)
		}
	}
	return mark
}

// Every bit of a block, flipped: what was acknowledged refuses the start, what may be a torn tail is named as such,
// both at the right place; and with a mark from outside, or after a clean stop, everything refuses.
func TestEveryBit(t *testing.T) {
	cfg := killed(t, messages(1, 20), messages(5, 20), messages(2, 20), messages(1, 0))
	path := blockPath(messagesDir(cfg.Dir, "S"), 1)
	good := read(t, path)
	all := places(t, 1, good)
	if len(all) != 9 {
		t.Fatalf("%d records", len(all))
	}
	torn, refused := 0, 0
	for i, p := range all {
		for bit := p.offset * 8; bit < p.end*8; bit++ {
			b := bytes.Clone(good)
			b[bit/8] ^= 1 << (bit % 8)
			write(t, path, b)
			report, err := Preflight(t.Context(), cfg)
			var d *Damage
			if acknowledged := p.sequence <= highestMark(all, i); acknowledged != errors.As(err, &d) {
				t.Fatalf("bit %d of record %d: acknowledged %v, error %v", bit-p.offset*8, p.sequence, acknowledged, err)
			} else if !acknowledged {
				d = report.Streams[0].Torn
				torn++
			}
			if d == nil || d.File != path || d.Offset != int64(p.offset) || d.Sequence != p.sequence || d.Kind != KindRecord {
				t.Fatalf("bit %d of record %d: %v", bit-p.offset*8, p.sequence, d)
			}
			refused++
			if bit%8 != int(p.sequence)%8 {
				continue // one bit of a byte is enough for the rest
			}
			outside := cfg
			outside.Durable = map[string]uint64{"S": 9}
			if _, err := Preflight(t.Context(), outside); !errors.As(err, &d) || d.Offset != int64(p.offset) || d.Sequence != p.sequence {
				t.Fatalf("bit %d of record %d, mark outside: %v", bit-p.offset*8, p.sequence, err)
			}
			for m, err := range Scan(cfg.Dir, "S") {
				if err == nil && m.Sequence >= p.sequence || err != nil && (!errors.As(err, &d) || d.Offset != int64(p.offset) || d.Sequence != p.sequence) {
					t.Fatalf("bit %d of record %d: scan: %d, %v", bit-p.offset*8, p.sequence, m.Sequence, err)
				}
			}
		}
	}
	if torn == 0 || refused == torn {
		t.Fatalf("%d torn of %d", torn, refused)
	}
}

// Every length of the last record that a torn write may leave.
func TestEveryTruncation(t *testing.T) {
	cfg := killed(t, messages(1, 20), messages(5, 20), messages(1, 30))
	path := blockPath(messagesDir(cfg.Dir, "S"), 1)
	good := read(t, path)
	all := places(t, 1, good)
	last := all[len(all)-1]
	for size := last.offset; size < len(good); size++ {
		write(t, path, good[:size])
		report, err := Preflight(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := report.Streams[0]
		if r.Last != 6 || (r.Torn == nil) != (size == last.offset) || r.Torn != nil && r.Torn.Offset != int64(last.offset) {
			t.Fatalf("%d bytes of %d: %+v", size, len(good), r)
		}
		outside := cfg
		outside.Durable = map[string]uint64{"S": 7}
		var d *Damage
		if _, err := Preflight(t.Context(), outside); !errors.As(err, &d) || d.Sequence != 7 {
			t.Fatalf("%d bytes: %v", size, err)
		}
	}
	// Once with the server: the tail is in quarantine, whole; the sequence is used again.
	write(t, path, good[:len(good)-1])
	srv, s, report := started(t, cfg)
	defer srv.Stop(t.Context())
	r := report.Streams[0]
	if r.Torn == nil || len(r.Quarantined) != 1 || s.Last() != 6 {
		t.Fatalf("%+v", r)
	}
	if !bytes.Equal(read(t, filepath.Join(r.Quarantined[0], "1.blk")), good[:len(good)-1]) {
		t.Fatal("the copy is not what was cut")
	}
	if !strings.Contains(string(read(t, filepath.Join(r.Quarantined[0], noteName))), `"first_sequence": 7`) {
		t.Fatal("the note does not say what is missing")
	}
	if last, err := s.Append(t.Context(), messages(1, 30)); last != 7 || err != nil {
		t.Fatal(last, err)
	}
}

// A kill between the records of a batch, at each of them: what is whole stays, and the server agrees.
func TestPartOfBatch(t *testing.T) {
	cfg := killed(t, messages(1, 20), messages(8, 20))
	good := read(t, blockPath(messagesDir(cfg.Dir, "S"), 1))
	for _, p := range places(t, 1, good) {
		part := cfg
		part.Dir = filepath.Join(t.TempDir(), "nats")
		snapshot(t, cfg.Dir, part.Dir)
		write(t, blockPath(messagesDir(part.Dir, "S"), 1), good[:p.end])
		srv, s, report := started(t, part)
		if r := report.Streams[0]; r.Last != p.sequence || s.Last() != p.sequence || r.Torn != nil {
			t.Fatalf("after %d: %+v", p.sequence, r)
		}
		if last, err := s.Append(t.Context(), messages(4, 20)); last != p.sequence+4 || err != nil {
			t.Fatal(last, err)
		}
		if err := srv.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := scanned(t, part); len(got) != int(p.sequence)+4 {
			t.Fatalf("%d messages", len(got))
		}
	}
}

// large is a stream of four blocks, 1-2, 3-4, 5-6 and 7, killed.
func large(tb testing.TB) Config {
	tb.Helper()
	var groups [][]stream.Message
	for range 7 {
		groups = append(groups, messages(1, 3<<20))
	}
	cfg := killed(tb, groups...)
	if blocks, d := listBlocks(cfg.Dir, "S"); d != nil || len(blocks) != 4 {
		tb.Fatalf("blocks %v: %v", blocks, d)
	}
	return cfg
}

func TestBitsAcrossBlocks(t *testing.T) {
	cfg := large(t)
	for block := uint32(1); block <= 4; block++ {
		path := blockPath(messagesDir(cfg.Dir, "S"), block)
		b := read(t, path)
		for _, p := range places(t, block, b) {
			for _, at := range []int{p.offset, p.offset + 5, p.offset + 21, p.offset + 40, (p.offset + p.end) / 2, p.end - 1} {
				b[at] ^= 4
				write(t, path, b)
				b[at] ^= 4
				report, err := Preflight(t.Context(), cfg)
				var d *Damage
				if p.sequence == 7 { // nothing says that it was acknowledged
					d = report.Streams[0].Torn
				} else if !errors.As(err, &d) {
					t.Fatalf("byte %d of %s: %v", at, path, err)
				}
				if d == nil || d.File != path || d.Offset != int64(p.offset) || d.Sequence != p.sequence {
					t.Fatalf("byte %d of %s: %v", at, path, d)
				}
			}
		}
		write(t, path, b)
	}
}

func TestBlocksOutOfPlace(t *testing.T) {
	cfg := large(t)
	path := func(dir string, n uint32) string { return blockPath(messagesDir(dir, "S"), n) }
	for name, c := range map[string]struct {
		do       func(dir string) error
		kind     string
		file     uint32
		sequence uint64
	}{
		"first removed":   {func(d string) error { return os.Remove(path(d, 1)) }, KindMissing, 1, 1},
		"middle removed":  {func(d string) error { return os.Remove(path(d, 2)) }, KindMissing, 2, 3},
		"middle emptied":  {func(d string) error { return os.Truncate(path(d, 2), 0) }, KindMissing, 2, 3},
		"middle renamed":  {func(d string) error { return os.Rename(path(d, 2), path(d, 9)) }, KindMissing, 2, 3},
		"middle cut":      {func(d string) error { return os.Truncate(path(d, 2), 3<<20+500) }, KindRecord, 2, 4},
		"middle shorter":  {func(d string) error { return os.Truncate(path(d, 2), int64(len(read(t, path(d, 2)))/2)) }, KindHole, 3, 4},
		"middle replaced": {func(d string) error { return os.Rename(path(d, 3), path(d, 2)) }, KindRecord, 2, 3},
		"unreadable":      {func(d string) error { return os.Truncate(path(d, 3), maxBlock+1) }, KindUnreadable, 3, 5},
		"last unreadable": {func(d string) error { return os.Truncate(path(d, 4), maxBlock+1) }, KindUnreadable, 4, 7},
	} {
		t.Run(name, func(t *testing.T) {
			bad := cfg
			bad.Dir = filepath.Join(t.TempDir(), "nats")
			snapshot(t, cfg.Dir, bad.Dir)
			if err := c.do(bad.Dir); err != nil {
				t.Fatal(err)
			}
			refuses(t, bad, c.kind, path(bad.Dir, c.file), c.sequence)
			for _, err := range Scan(bad.Dir, "S") {
				var d *Damage
				if err != nil && (!errors.As(err, &d) || d.Kind != c.kind || d.File != path(bad.Dir, c.file) || d.Sequence != c.sequence) {
					t.Fatalf("scan: %v", err)
				}
			}
		})
	}
}

// refuses starts, and wants exactly this damage and nothing touched.
func refuses(t *testing.T, cfg Config, kind, file string, sequence uint64) {
	t.Helper()
	before := digest(t, filepath.Dir(cfg.Dir))
	srv, _, err := Start(t.Context(), cfg)
	if err == nil {
		srv.Stop(t.Context())
		t.Fatal("started")
	}
	var d *Damage
	if !errors.As(err, &d) || d.Kind != kind || d.File != file || d.Sequence != sequence {
		t.Fatalf("want %s of %s from %d: %v", kind, file, sequence, err)
	}
	if digest(t, filepath.Dir(cfg.Dir)) != before {
		t.Fatal("something was touched")
	}
}

// The last block removed, or an older copy put back: seen against a mark from outside, or the marker of a clean
// stop, and reported as not knowable without either.
func TestOlderCopy(t *testing.T) {
	cfg := stopped(t, messages(1, 20), messages(5, 20))
	old := filepath.Join(t.TempDir(), "nats")
	snapshot(t, cfg.Dir, old)
	srv, s, _ := started(t, cfg)
	if _, err := s.Append(t.Context(), messages(5, 20)); err != nil {
		t.Fatal(err)
	}
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Dir = old
	outside := cfg
	outside.Durable = map[string]uint64{"S": 11}
	refuses(t, outside, KindOlder, messagesDir(old, "S"), 7)
	report, err := Preflight(t.Context(), cfg)
	if err != nil || report.Streams[0].MarkKnown {
		t.Fatalf("%+v: %v", report, err)
	}
	outside.Durable["S"] = 6
	if report, err = Preflight(t.Context(), outside); err != nil || !report.Streams[0].MarkKnown {
		t.Fatalf("%+v: %v", report, err)
	}

	cfg = large(t)
	last := blockPath(messagesDir(cfg.Dir, "S"), 4)
	if err := os.Remove(last); err != nil {
		t.Fatal(err)
	}
	cfg.Durable = map[string]uint64{"S": 7}
	refuses(t, cfg, KindOlder, messagesDir(cfg.Dir, "S"), 7)
	cfg.Durable["S"] = 6
	if _, err := Preflight(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
}

// After a clean stop everything was durable: no damage is a torn tail.
func TestDamageAfterCleanStop(t *testing.T) {
	cfg := stopped(t, messages(1, 20), messages(5, 20))
	path := blockPath(messagesDir(cfg.Dir, "S"), 1)
	b := read(t, path)
	all := places(t, 1, b)
	b[len(b)-1] ^= 1
	write(t, path, b)
	refuses(t, cfg, KindRecord, path, 6)
	write(t, path, b[:all[5].offset])
	refuses(t, cfg, KindOlder, messagesDir(cfg.Dir, "S"), 6)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refuses(t, cfg, KindOlder, messagesDir(cfg.Dir, "S"), 1)
}

// Files that the server might act on, and a description that it would not take.
func TestStraysAndMeta(t *testing.T) {
	cfg := killed(t, messages(5, 20))
	in := func(dir string, names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	for _, c := range []struct {
		path string
		dir  bool
	}{
		{in(streamDir(cfg.Dir, "S"), "__msgs__"), true}, {in(streamDir(cfg.Dir, "S"), "__new_msgs__"), true},
		{in(streamDir(cfg.Dir, "S"), "meta.key"), false}, {in(messagesDir(cfg.Dir, "S"), "1.idx"), false},
		{in(messagesDir(cfg.Dir, "S"), "1.key"), false}, {in(messagesDir(cfg.Dir, "S"), "01.blk"), false},
		{in(messagesDir(cfg.Dir, "S"), "2.blk"), true}, {in(messagesDir(cfg.Dir, "S"), "0.blk"), false},
		{in(streamsDir(cfg.Dir), ".T"), true}, {in(streamsDir(cfg.Dir), "T"), true}, {in(cfg.Dir, "jetstream", "A"), true},
	} {
		var err error
		if c.dir {
			err = os.Mkdir(c.path, 0o700)
		} else {
			err = os.WriteFile(c.path, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, cfg, KindStray, c.path, 1)
		if err := os.Remove(c.path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(t.TempDir(), stagingDir(cfg.Dir, "S")); err != nil {
		t.Fatal(err)
	}
	refuses(t, cfg, KindStray, stagingDir(cfg.Dir, "S"), 1)
	if err := os.Remove(stagingDir(cfg.Dir, "S")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"meta.inf", "meta.sum"} {
		path := in(streamDir(cfg.Dir, "S"), name)
		good := read(t, path)
		for i := range good {
			b := bytes.Clone(good)
			b[i] ^= 1 << (i % 8)
			write(t, path, b)
			if d := checkMeta(cfg.Dir, "S"); d == nil || d.Kind != KindMeta || d.File != in(streamDir(cfg.Dir, "S"), "meta.inf") {
				t.Fatalf("byte %d of %s: %v", i, name, d)
			}
		}
		refuses(t, cfg, KindMeta, in(streamDir(cfg.Dir, "S"), "meta.inf"), 1)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		refuses(t, cfg, KindMeta, path, 1)
		write(t, path, good)
	}
	if _, err := Preflight(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	cfg.Streams = append(cfg.Streams, "T")
	refuses(t, cfg, KindNoStream, streamDir(cfg.Dir, "T"), 1)
}
