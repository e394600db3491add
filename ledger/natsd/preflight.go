package natsd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/minio/highwayhash"
)

// StreamReport is what the preflight found of one stream. An empty stream has First 1 and Last 0.
type StreamReport struct {
	Name        string
	First, Last uint64   // what the server is to find
	Mark        uint64   // highest durable mark found inside the records
	MarkOutside uint64   // the one given, if MarkKnown
	MarkStop    uint64   // last sequence when the server was last stopped cleanly, if the marker says
	MarkKnown   bool     // false: nothing outside says how far the stream had come, so an older copy cannot be told
	Blocks      int      // block files, after any cut
	Bytes       int64    // of them
	Torn        *Damage  // what lies above every mark, and is cut off by Start; nil: nothing
	Quarantined []string // the folders of the copies Start made; of staged batches too
}

// Report is what a start found.
type Report struct {
	CleanStop bool // the marker of a clean stop is there, and matches
	Streams   []StreamReport
}

// finding is what prepare has to do about a stream.
type finding struct {
	blocks []summary
	torn   *Damage
	cut    int  // index into blocks of the first damaged one, if torn
	staged bool // batches were being staged
}

// Preflight reads and verifies every block of every stream, as Start does first, and touches nothing. The error
// joins a [*Damage] for each stream with which no server may be started; a torn tail is not one of them.
func Preflight(ctx context.Context, cfg Config) (*Report, error) {
	cfg.MaxStore = max(cfg.MaxStore, 1)
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := nothingMissing(cfg.Dir); err != nil {
		return nil, err
	}
	report, _, err := preflight(ctx, cfg)
	return report, err
}

func preflight(ctx context.Context, cfg Config) (*Report, []finding, error) {
	report := &Report{Streams: make([]StreamReport, len(cfg.Streams))}
	found := make([]finding, len(cfg.Streams))
	stopped := readMarker(cfg.Dir)
	var errs []error
	if d := checkStrays(cfg.Dir, cfg.Streams); d != nil {
		errs = append(errs, d)
	}
	for i, name := range cfg.Streams {
		r := &report.Streams[i]
		r.Name, r.First = name, 1
		r.MarkOutside, r.MarkKnown = cfg.Durable[name]
		r.MarkStop = stopped.last(name)
		blocks, d := listBlocks(cfg.Dir, name)
		if d != nil {
			errs = append(errs, d)
			continue
		}
		sums, err := summarizeAll(ctx, cfg.Dir, name, blocks)
		if err != nil {
			return report, nil, err
		}
		if found[i], d = assess(cfg, r, sums); d != nil {
			errs = append(errs, d)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return report, nil, err
	}
	report.CleanStop = stopped.matches(cfg.Dir, report.Streams)
	return report, found, nil
}

// summarizeAll verifies blocks side by side.
func summarizeAll(ctx context.Context, dir, stream string, blocks []uint32) ([]summary, error) {
	sums := make([]summary, len(blocks))
	work := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(blocks)) {
		workers.Go(func() {
			var buf []byte
			for i := range work {
				sums[i], buf = summarize(dir, stream, blocks[i], buf)
			}
		})
	}
	defer workers.Wait()
	defer close(work)
	for i := range blocks {
		select {
		case work <- i:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return sums, nil
}

// assess puts a stream's blocks together: either they are whole, or damage lies above every durable mark and can be
// cut off, or no server may be started on them.
func assess(cfg Config, r *StreamReport, sums []summary) (finding, *Damage) {
	f := finding{blocks: sums, cut: len(sums)}
	var bad *Damage
	for i := range sums {
		sum := &sums[i]
		if bad == nil {
			if bad = follows(cfg.Dir, r.Name, sums, i, r.Last); bad != nil {
				f.cut = i
			}
		}
		if sum.kind == KindRecord || sum.kind == KindHole {
			sum.marksBeyond(cfg.Dir, r.Name, max(r.Last, sum.last))
		}
		r.Mark = max(r.Mark, sum.mark)
		switch {
		case bad == nil && sum.size > 0: // an empty last block the server makes anew
			r.Last, r.Blocks, r.Bytes = sum.last, i+1, r.Bytes+sum.size
		case bad != nil && f.cut == i && bad.Offset > 0:
			r.Last, r.Blocks, r.Bytes = sum.last, i+1, r.Bytes+bad.Offset
		}
	}
	mark := max(r.Mark, r.MarkOutside, r.MarkStop)
	if bad == nil && r.Last < mark {
		file := messagesDir(cfg.Dir, r.Name)
		err := errors.New("an older copy of the data directory was put back, or the last blocks were removed")
		return f, &Damage{Stream: r.Name, File: file, Sequence: r.Last + 1, Kind: KindOlder, Mark: mark, Err: err}
	}
	for _, sum := range sums {
		if sum.kind == KindUnreadable {
			return f, &Damage{Stream: r.Name, File: blockPath(messagesDir(cfg.Dir, r.Name), sum.number), Sequence: r.Last + 1, Kind: sum.kind, Mark: mark, Err: sum.err}
		}
	}
	if bad != nil {
		bad.Sequence, bad.Mark = r.Last+1, mark
		if bad.Sequence <= mark {
			return f, bad
		}
		f.torn, r.Torn = bad, bad
	}
	var d *Damage
	f.staged, d = hasStaged(cfg.Dir, r.Name)
	return f, d
}

// follows reports what keeps block i from continuing after last, or being whole; nil: nothing. A number without a
// block is no damage where the sequences go on: the server removes blocks that have stayed empty.
func follows(dir, stream string, sums []summary, i int, last uint64) *Damage {
	messages, sum := messagesDir(dir, stream), &sums[i]
	d := &Damage{Stream: stream, File: blockPath(messages, sum.number), Sequence: last + 1, Kind: sum.kind, Offset: sum.offset, Err: sum.err}
	want := uint32(1)
	if i > 0 {
		want = sums[i-1].number + 1
	}
	switch continues := sum.first == 0 || sum.first == last+1; {
	case !continues && sum.number != want:
		d.File, d.Kind, d.Offset = blockPath(messages, want), KindMissing, 0
		d.Err = fmt.Errorf("block %d is there, and begins with sequence %d", sum.number, sum.first)
	case !continues && i > 0 && sums[i-1].size == 0:
		d.File, d.Kind, d.Offset = blockPath(messages, sums[i-1].number), KindMissing, 0
		d.Err = fmt.Errorf("it is empty, and block %d begins with sequence %d", sum.number, sum.first)
	case !continues:
		d.Kind, d.Offset, d.Err = KindHole, 0, fmt.Errorf("sequence %d follows %d", sum.first, last)
	case sum.kind != "":
	default:
		return nil
	}
	return d
}

// checkStrays looks for what would make the server act on more than the streams it is told of.
func checkStrays(dir string, streams []string) *Damage {
	for _, level := range []struct {
		folder string
		known  func(fs.DirEntry) bool
	}{
		{dir, func(e fs.DirEntry) bool {
			return e.Name() == "jetstream" || e.Name() == markerFile || e.Name() == keptFolder || strings.HasPrefix(e.Name(), ".new-")
		}},
		{filepath.Join(dir, "jetstream"), func(e fs.DirEntry) bool {
			return e.Name() == "$G" || e.Name() == "$SYS" || e.Name() == ".snap-staging" || isProbe(e)
		}},
		{filepath.Join(dir, "jetstream", "$G"), func(e fs.DirEntry) bool { return e.Name() == "streams" }},
		{streamsDir(dir), func(e fs.DirEntry) bool { return slices.Contains(streams, e.Name()) }},
	} {
		entries, err := os.ReadDir(level.folder)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // each stream's own folder is then missing
		}
		if err != nil {
			return damage("", KindUnreadable, level.folder, err)
		}
		for _, e := range entries {
			if !level.known(e) {
				return damage("", KindStray, filepath.Join(level.folder, e.Name()), errors.New("not ours"))
			}
		}
	}
	return nil
}

// checkMeta verifies the stream's description against its checksum: HighwayHash-64 in hex under the key
// SHA-256(name). The server ignores a stream whose description does not match.
func checkMeta(dir, stream string) *Damage {
	file, sumFile := filepath.Join(streamDir(dir, stream), "meta.inf"), filepath.Join(streamDir(dir, stream), "meta.sum")
	for _, path := range []string{file, sumFile} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return damage(stream, KindMeta, path, err)
		}
	}
	meta, err := os.ReadFile(file)
	if err != nil {
		return damage(stream, KindUnreadable, file, err)
	}
	want, err := os.ReadFile(sumFile)
	if err != nil {
		return damage(stream, KindUnreadable, sumFile, err)
	}
	key := sha256.Sum256([]byte(stream))
	h, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		return damage(stream, KindUnreadable, file, err)
	}
	h.Write(meta)
	if got := hex.AppendEncode(nil, h.Sum(nil)); !bytes.Equal(got, want) {
		return damage(stream, KindMeta, file, errors.New("does not match meta.sum"))
	}
	return nil
}
