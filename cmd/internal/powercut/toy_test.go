package powercut_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/imalink/custody/cmd/internal/powercut"
)

// TestMain runs the tests, or, called by one of them, a toy to be traced.
func TestMain(m *testing.M) {
	if name := os.Getenv("POWERCUT_TOY"); name != "" {
		if err := toys[name](os.Getenv("POWERCUT_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	m.Run()
}

// toys are programs that commit records 0, 1, 2 … and say so on standard
// output, each right or wrong in its own way.
var toys = map[string]func(dir string) error{
	"safe":           func(dir string) error { return toy{dir: dir, sync: true, syncDir: true}.run() },
	"no sync":        func(dir string) error { return toy{dir: dir, syncDir: true}.run() },
	"no folder sync": func(dir string) error { return toy{dir: dir, sync: true}.run() },
	"early":          func(dir string) error { return toy{dir: dir, sync: true, syncDir: true, early: true}.run() },
	"through":        func(dir string) error { return toy{dir: dir, flag: os.O_SYNC, syncDir: true}.run() },
	"replace":        func(dir string) error { return replace(dir, true) },
	"replace badly":  func(dir string) error { return replace(dir, false) },
	"busy":           busy,
	"mapped":         mapped,
	"staged":         staged,
	"in memory":      inMemory,
}

const records, segment = 24, 5 // records written, and how many a file holds

// record returns record i as the toys write it: number, length, filling, CRC.
func record(i int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(i))
	b = binary.BigEndian.AppendUint32(b, uint32(200+i*97%1300))
	for len(b) < 8+200+i*97%1300 {
		b = append(b, byte(i+len(b)))
	}
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func segmentName(dir string, i int) string {
	return filepath.Join(dir, "log", fmt.Sprintf("%d.seg", i/segment))
}

// A toy appends records to segments, acknowledging each.
type toy struct {
	dir                  string
	flag                 int
	sync, syncDir, early bool
}

func (t toy) run() error {
	if err := os.MkdirAll(filepath.Join(t.dir, "log"), 0o755); err != nil {
		return err
	}
	if err := syncPath(t.dir); err != nil {
		return err
	}
	for i := range records {
		if err := t.commit(i); err != nil {
			return err
		}
	}
	return nil
}

func (t toy) commit(i int) error {
	f, err := os.OpenFile(segmentName(t.dir, i), os.O_CREATE|os.O_WRONLY|os.O_APPEND|t.flag, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(record(i)); err != nil {
		return err
	}
	if t.early {
		fmt.Printf("ack %d\n", i)
	}
	if t.sync {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	if t.syncDir && i%segment == 0 {
		if err := syncPath(filepath.Join(t.dir, "log")); err != nil {
			return err
		}
	}
	if !t.early {
		fmt.Printf("ack %d\n", i)
	}
	return nil
}

// replace keeps the last record in one file, renamed into place.
func replace(dir string, syncDir bool) error {
	for i := range records {
		f, err := os.Create(filepath.Join(dir, "next"))
		if err != nil {
			return err
		}
		if _, err := f.Write(record(i)); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		f.Close()
		if err := os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "last")); err != nil {
			return err
		}
		if syncDir {
			if err := syncPath(dir); err != nil {
				return err
			}
		}
		fmt.Printf("ack %d\n", i)
	}
	return nil
}

func syncPath(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// busy does everything to files at once, from many threads.
func busy(dir string) error {
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for w := range 8 {
		wg.Go(func() {
			if err := churn(filepath.Join(dir, fmt.Sprint(w)), w); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func churn(dir string, w int) error {
	outside, err := os.MkdirTemp(powercut.Memory, "toy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(outside)
	for i := range 20 {
		if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(dir, "sub", "a"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		f.WriteAt([]byte(fmt.Sprintf("%d at %d\x00\xff, \"(quoted)\" <", w, i)), int64(i*7))
		f.Seek(3, 0)
		f.Write([]byte("abc"))
		f.Write([]byte("def"))
		if i%3 == 0 {
			f.Truncate(int64(5 + i))
			f.Sync()
		}
		if i%4 == 0 {
			syscall.Fallocate(int(f.Fd()), 0, 100, int64(i))
		}
		if err := f.Close(); err != nil {
			return err
		}
		switch i % 5 {
		case 1:
			err = os.Rename(filepath.Join(dir, "sub", "a"), filepath.Join(dir, "b"))
			os.Truncate(filepath.Join(dir, "b"), 11)
		case 2:
			err = os.Remove(filepath.Join(dir, "b"))
		case 3:
			err = os.RemoveAll(filepath.Join(dir, "sub"))
		case 4:
			err = os.WriteFile(filepath.Join(dir, "c"), record(i), 0o600)
			os.Remove(filepath.Join(dir, "out"))
			os.Symlink(outside, filepath.Join(dir, "out"))
			os.WriteFile(filepath.Join(dir, "out", "d"), record(i), 0o600)
		}
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// mapped writes through memory, which no trace shows.
func mapped(dir string) error {
	f, err := os.Create(filepath.Join(dir, "m"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(4096); err != nil {
		return err
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	copy(b, "unseen")
	return syscall.Munmap(b)
}

// link makes dir/stage lead to a new folder in memory.
func link(dir string) error {
	target, err := os.MkdirTemp(powercut.Memory, "toy-")
	if err != nil {
		return err
	}
	return os.Symlink(target, filepath.Join(dir, "stage"))
}

// staged writes each record through a link into memory first, promises nothing
// for it, and then commits it.
func staged(dir string) error {
	if err := os.Mkdir(filepath.Join(dir, "log"), 0o755); err != nil {
		return err
	}
	if err := syncPath(dir); err != nil {
		return err
	}
	if err := link(dir); err != nil {
		return err
	}
	t := toy{dir: dir, sync: true, syncDir: true}
	for i := range records {
		if i == records/2 { // before, the link may be there or not
			if err := syncPath(dir); err != nil {
				return err
			}
			fmt.Println("linked")
		}
		name := filepath.Join(dir, "stage", fmt.Sprint(i))
		if err := os.WriteFile(name, record(i), 0o600); err != nil {
			return err
		}
		if err := t.commit(i); err != nil {
			return err
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// inMemory does all that is right, behind a link into memory.
func inMemory(dir string) error {
	if err := link(dir); err != nil {
		return err
	}
	if err := syncPath(dir); err != nil {
		return err
	}
	return toy{dir: filepath.Join(dir, "stage"), sync: true, syncDir: true}.run()
}
