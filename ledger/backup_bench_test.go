package ledger

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/backup"
)

// BenchmarkBackup backs up a ledger of 100,000 events from nothing, beside a raw
// copy of the same streams' files, synced as well; and brings a backup up by 1,000
// events, which costs what is new.
func BenchmarkBackup(b *testing.B) {
	s := newSite(b)
	l := mustOpen(b, s.cfg)
	defer mustClose(b, l)
	for i := range 25 {
		people(b, l, fmt.Sprint("group", i), 4000)
	}
	size := folderSize(b, filepath.Join(s.cfg.Data, "nats", "jetstream"))
	base := b.TempDir()
	b.Run("whole", func(b *testing.B) {
		var events uint64
		for i := range b.N {
			events += mustBackup(b, l, filepath.Join(base, fmt.Sprint("whole", b.N, "-", i))).Events.Added
		}
		perSecond(b, events, size)
	})
	b.Run("raw copy", func(b *testing.B) {
		for i := range b.N {
			to := filepath.Join(base, fmt.Sprint("raw", b.N, "-", i))
			rawCopy(b, filepath.Join(s.cfg.Data, "nats", "jetstream"), to)
		}
		perSecond(b, uint64(b.N)*100_000, size)
	})
	b.Run("verify", func(b *testing.B) {
		dir := filepath.Join(base, "verified")
		mustBackup(b, l, dir)
		b.ResetTimer()
		for range b.N {
			r, err := backup.Read(dir)
			if err == nil {
				err = r.Verify(b.Context(), nil)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, uint64(b.N)*100_000, size)
	})
	b.Run("restore", func(b *testing.B) {
		dir := filepath.Join(base, "restored")
		mustBackup(b, l, dir)
		b.ResetTimer()
		for range b.N {
			restoreFrom(b, s, dir)
		}
		perSecond(b, uint64(b.N)*100_000, size)
	})
	b.Run("one more thousand", func(b *testing.B) {
		dir := filepath.Join(base, "more")
		mustBackup(b, l, dir)
		var spent time.Duration
		for i := range b.N {
			people(b, l, fmt.Sprint("more", b.N, "-", i), 1000)
			began := time.Now()
			mustBackup(b, l, dir)
			spent += time.Since(began)
		}
		b.ReportMetric(float64(spent.Microseconds())/1e3/float64(b.N), "ms/backup")
	})
}

func perSecond(b *testing.B, events uint64, size int64) {
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(size)*float64(b.N)/1e6/b.Elapsed().Seconds(), "MB/s")
}

func folderSize(b *testing.B, dir string) (size int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}

// rawCopy copies the block files and syncs them.
func rawCopy(b *testing.B, from, to string) {
	n := 0
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".blk" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		f, err := os.Create(filepath.Join(to, fmt.Sprint(n)))
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.Write(content); err != nil {
			return err
		}
		return f.Sync()
	})
	if err != nil {
		b.Fatal(err)
	}
}
