package projections

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// TestMain lets this program be the child that TestKill kills.
func TestMain(m *testing.M) {
	if path := os.Getenv("CUSTODY_TEST_INDEX"); path != "" {
		fmt.Println(addForEver(path))
		return
	}
	os.Exit(m.Run())
}

// segmentAt are the entries of the Add that brings the index from position to position+30.
func segmentAt(position uint64) []Entry {
	entries := make([]Entry, 30)
	for i := range entries {
		p := position + uint64(i) + 1
		entries[i] = Entry{key(p), p}
	}
	return entries
}

func registerAt(position uint64) []byte {
	return bytes.Repeat(binary.BigEndian.AppendUint64(nil, position), 20)
}

// addForEver adds segments and says each position once it is durable.
func addForEver(path string) error {
	x, err := openIndex(path, 50)
	if err != nil {
		return err
	}
	fmt.Println("opened", x.Discarded())
	for position, _ := x.Position(); ; {
		entries := segmentAt(position)
		position += uint64(len(entries))
		if err := x.Add(entries, position, digest(position), registerAt(position)); err != nil {
			return err
		}
		fmt.Println("at", position)
	}
}

// TestKill kills a process that adds and merges, again and again: what it said was added is there, and what is
// there is whole.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index")
	random := rand.New(rand.NewPCG(3, 3))
	var said uint64
	for round := range 20 {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), "CUSTODY_TEST_INDEX="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if lines.Scan(); lines.Text() != "opened <nil>" {
			t.Fatalf("round %d: %q", round, lines.Text())
		}
		for range random.IntN(40) {
			lines.Scan()
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for ok := true; ok; ok = lines.Scan() {
			if rest, found := strings.CutPrefix(lines.Text(), "at "); found {
				if _, err := fmt.Sscan(rest, &said); err != nil {
					t.Fatal(err)
				}
			}
		}
		child.Wait() // killed
		if err := soundFile(path); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		x, err := openIndex(path, 50)
		if err != nil || x.Discarded() != nil {
			t.Fatal(err, x.Discarded())
		}
		position, d := x.Position()
		if position < said || position > said+30 || position != 0 && d != digest(position) {
			t.Errorf("round %d: at %d, but the last said was %d", round, position, said)
		}
		if err := whole(x, position); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if said < 2000 {
		t.Errorf("only %d entries: nothing to merge", said)
	}
}

// whole reports whether x holds exactly the entries and the register of position.
func whole(x *Index, position uint64) error {
	keys, got := []Key{}, make([]uint64, position+100)
	for p := range position + 100 {
		keys = append(keys, key(p+1))
	}
	if err := x.LookupMany(keys, got); err != nil {
		return err
	}
	for i, p := range got {
		if want := uint64(i) + 1; p != want && want <= position || p != 0 && want > position {
			return fmt.Errorf("entry of %d found at %d, the index being at %d", want, p, position)
		}
	}
	if r, err := x.Register(); err != nil || position != 0 && !bytes.Equal(r, registerAt(position)) {
		return fmt.Errorf("register of another position, %v", err)
	}
	return nil
}

// sample makes an index with several tiers and free pages, closes it, and returns its bytes.
func sample(t *testing.T) (image []byte, position uint64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample")
	x := opened(t, path, 500)
	for range 75 {
		if err := x.Add(segmentAt(position), position+30, digest(position+30), registerAt(position+30)); err != nil {
			t.Fatal(err)
		}
		position += 30
	}
	x.work.Wait()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return image, position
}

// survives opens a damaged image: the index is begun anew, or gives every right answer, and either way goes on.
func survives(t *testing.T, path string, image []byte, position uint64) (discarded error) {
	t.Helper()
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	x, err := openIndex(path, 500)
	if err != nil {
		t.Fatal(err)
	}
	at, d := x.Position()
	if x.Discarded() != nil && at != 0 || x.Discarded() == nil && at != 0 && d != digest(at) {
		t.Fatalf("at %d, discarded: %v", at, x.Discarded())
	}
	// One of bbolt's two meta pages may be lost, and with it the last transaction.
	for range 3 {
		if err := whole(x, at); err != nil {
			t.Fatal(err)
		}
		if err := x.Add(segmentAt(at), at+30, digest(at+30), registerAt(at+30)); err != nil {
			t.Fatal(err)
		}
		at += 30
	}
	if err := whole(x, at); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := soundFile(path); err != nil {
		t.Fatal(err)
	}
	return x.Discarded()
}

// TestFlippedBits changes one bit in every page of a file, in its first bytes, where bbolt keeps its structure, and
// somewhere else.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	image, position := sample(t)
	path := filepath.Join(t.TempDir(), "index")
	random := rand.New(rand.NewPCG(5, 5))
	discarded := 0
	for page := 0; page < len(image); page += 4096 {
		for _, at := range []int{random.IntN(64), random.IntN(4096)} {
			bit := byte(1) << random.IntN(8)
			image[page+at] ^= bit
			if err := survives(t, path, image, position); err != nil {
				discarded++
			}
			image[page+at] ^= bit
		}
	}
	t.Logf("%d pages: begun anew %d times of %d", len(image)/4096, discarded, len(image)/2048)
	if discarded < len(image)/4096/2 {
		t.Errorf("begun anew only %d times", discarded)
	}
}

// TestTruncated cuts the file at many lengths, and puts zeros in place of what is cut.
func TestTruncated(t *testing.T) {
	t.Parallel()
	image, position := sample(t)
	path := filepath.Join(t.TempDir(), "index")
	for length := 1; length < len(image); length += 4096*5 - 100 {
		survives(t, path, image[:length], position)
		survives(t, path, append(bytes.Clone(image[:length]), make([]byte, len(image)-length)...), position)
	}
}

func TestOtherFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index")
	image, position := sample(t)
	version := bytes.Clone(image)
	for i := 0; ; i++ { // the version stands first in the value of the state, in whichever pages hold one
		next := bytes.Index(version[i:], digestMark(position))
		if next < 0 {
			break
		}
		i += next
		version[i-9] = indexVersion + 1
	}
	for name, c := range map[string]struct {
		image []byte
		want  error
	}{
		"another version": {version, errVersion},
		"text":            {bytes.Repeat([]byte("not an index\n"), 1000), nil},
		"zeros":           {make([]byte, 1<<16), nil},
	} {
		if err := survives(t, path, c.image, position); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: discarded for %v", name, err)
		}
	}
	if err := survives(t, path, nil, 0); err != nil { // an empty file is a new index
		t.Errorf("empty: %v", err)
	}
}

// TestFreePageInUse puts a page that is in use on the list of free ones, and nothing else: bbolt would overwrite it one day.
func TestFreePageInUse(t *testing.T) {
	t.Parallel()
	image, position := sample(t)
	path := filepath.Join(t.TempDir(), "index")
	altered := 0
	for page := 2 * pageSize; page < len(image); page += pageSize {
		if header := image[page:]; u16(header[8:]) == freelistFlag { // the newest list, or an older one: a free page
			count := u16(header[10:])
			binary.NativeEndian.PutUint16(header[10:], count+1)
			binary.NativeEndian.PutUint64(header[pageHeader+8*int(count):], uint64(page/pageSize)) // the list's own page
			altered++
		}
	}
	if err := survives(t, path, image, position); altered == 0 || err == nil || !strings.Contains(err.Error(), "used twice") {
		t.Errorf("%d lists altered: discarded for %v", altered, err)
	}
}

// TestContent alters, in ways that leave every checksum right, what a segment holds.
func TestContent(t *testing.T) {
	t.Parallel()
	image, position := sample(t)
	first := func(tx *bolt.Tx, prefix byte) (*bolt.Bucket, []byte) {
		s, err := readState(tx)
		if err != nil {
			t.Fatal(err)
		}
		b := tx.Bucket(segmentsBucket).Bucket(segmentName(s.segments[0].number)) // the largest: several filters
		name, _ := b.Cursor().Seek([]byte{prefix})
		return b, bytes.Clone(name)
	}
	remove := func(prefix byte) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			b, name := first(tx, prefix)
			return b.Delete(name)
		}
	}
	rename := func(prefix byte) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			b, name := first(tx, prefix)
			value := bytes.Clone(b.Get(name))
			other := bytes.Clone(name)
			other[16]-- // the entry of that name is no longer before it
			return errors.Join(b.Delete(name), b.Put(other, value))
		}
	}
	for name, alter := range map[string]func(*bolt.Tx) error{
		"a block removed":  remove(blockPrefix),
		"a filter removed": remove(filterPrefix),
		"the last filter removed": func(tx *bolt.Tx) error {
			b, _ := first(tx, filterPrefix)
			c := b.Cursor()
			c.Seek([]byte{blockPrefix})
			name, _ := c.Prev()
			return b.Delete(bytes.Clone(name))
		},
		"a block renamed":  rename(blockPrefix),
		"a filter renamed": rename(filterPrefix),
		"a segment removed": func(tx *bolt.Tx) error {
			number, _ := tx.Bucket(segmentsBucket).Cursor().First()
			return tx.Bucket(segmentsBucket).DeleteBucket(number)
		},
		"another count": func(tx *bolt.Tx) error {
			s, err := readState(tx)
			s.segments[0].count++
			return errors.Join(err, s.write(tx))
		},
		"a value among the segments": func(tx *bolt.Tx) error { return tx.Bucket(segmentsBucket).Put([]byte("x"), []byte("y")) },
		"no segments":                func(tx *bolt.Tx) error { return tx.DeleteBucket(segmentsBucket) },
		"no state":                   func(tx *bolt.Tx) error { return tx.DeleteBucket(stateBucket) },
		"an altered register":        func(tx *bolt.Tx) error { return tx.Bucket(stateBucket).Put(registerKey, []byte("short of a sum")) },
	} {
		path := filepath.Join(t.TempDir(), "index")
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(path, 0o600, options(false))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Update(alter), db.Close()); err != nil {
			t.Fatal(name, err)
		}
		altered, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := survives(t, path, altered, position); !errors.Is(err, errDamaged) {
			t.Errorf("%s: discarded for %v", name, err)
		}
	}
}

// digestMark is how the digest of position begins in the state.
func digestMark(position uint64) []byte {
	d := digest(position)
	return d[:20]
}
