package projections

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"
)

// key is the n-th of a series of keys spread like hashes.
func key(n uint64) (k Key) {
	r := rand.New(rand.NewPCG(n, 17))
	for i := range k {
		k[i] = byte(r.Uint32())
	}
	return k
}

func digest(position uint64) (d [32]byte) {
	copy(d[:], fmt.Sprintf("digest of %d", position))
	return d
}

// opened opens the index and sees to it that its file is sound when the test is over.
func opened(t testing.TB, path string, chunk int) *Index {
	t.Helper()
	x, err := openIndex(path, chunk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		if err := soundFile(path); err != nil {
			t.Errorf("file unsound after the test: %v", err)
		}
	})
	return x
}

// soundFile checks a closed file, bbolt's pages and ours.
func soundFile(path string) error {
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		faults := []error{check(tx)}
		for err := range tx.Check() {
			faults = append(faults, err)
		}
		return errors.Join(faults...)
	})
}

// holds holds every answer of x against a map.
func holds(x *Index, want map[Key]uint64, absent ...Key) error {
	keys := slices.AppendSeq(slices.Clone(absent), maps.Keys(want))
	got := make([]uint64, len(keys))
	if err := x.LookupMany(keys, got); err != nil {
		return err
	}
	for i, k := range keys {
		if got[i] != want[k] {
			return fmt.Errorf("key %x: position %d, want %d", k, got[i], want[k])
		}
		if i < 50 {
			if one, found, err := x.Lookup(k); err != nil || one != got[i] || found != (one != 0) {
				return fmt.Errorf("key %x: Lookup %d %t %v, LookupMany %d", k, one, found, err, got[i])
			}
		}
	}
	return nil
}

// TestAgainstMap adds keys, new and repeated, in segments of every size, merging and reopening on the way.
func TestAgainstMap(t *testing.T) {
	t.Parallel()
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n))
		chunk := rapid.IntRange(1, 300).Draw(rt, "chunk")
		space := rapid.Uint64Range(1, 3000).Draw(rt, "different keys")
		x, err := openIndex(path, chunk)
		if err != nil {
			rt.Fatal(err)
		}
		want, position, register := map[Key]uint64{}, uint64(0), []byte(nil)
		rt.Repeat(map[string]func(*rapid.T){
			"add": func(rt *rapid.T) {
				entries := make([]Entry, rapid.IntRange(0, 200).Draw(rt, "entries"))
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
				for i := range entries {
					position++
					entries[i] = Entry{key(random.Uint64N(space)), position}
				}
				snapshot := rapid.SliceOfN(rapid.Byte(), -1, 3).Draw(rt, "register")
				if rapid.Bool().Draw(rt, "same register") {
					snapshot = nil
				}
				before := slices.Clone(entries)
				if err := x.Add(entries, position, digest(position), snapshot); err != nil {
					rt.Fatal(err)
				}
				if !slices.Equal(before, entries) {
					rt.Fatal("Add changed its entries")
				}
				for _, e := range entries {
					want[e.Key] = e.Position
				}
				if snapshot != nil {
					register = snapshot
				}
			},
			"settle": func(*rapid.T) { x.work.Wait() },
			"reopen": func(rt *rapid.T) {
				if err := x.Close(); err != nil {
					rt.Fatal(err)
				}
				if x, err = openIndex(path, chunk); err != nil || x.Discarded() != nil {
					rt.Fatal(err, x.Discarded())
				}
			},
			"": func(rt *rapid.T) {
				if err := holds(x, want, key(space), key(space+1)); err != nil {
					rt.Fatal(err)
				}
				if p, d := x.Position(); p != position || p != 0 && d != digest(position) {
					rt.Fatalf("at %d, want %d", p, position)
				}
				if got, err := x.Register(); err != nil || !bytes.Equal(got, register) {
					rt.Fatalf("register %x, %v, want %x", got, err, register)
				}
			},
		})
		if err := x.Close(); err != nil {
			rt.Fatal(err)
		}
		if err := soundFile(path); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestMergesByTiers: after n Adds there are as many segments as n has digits in base eight, summed, and nothing is
// left of what was merged.
func TestMergesByTiers(t *testing.T) {
	t.Parallel()
	x := opened(t, filepath.Join(t.TempDir(), "index"), 64)
	want := map[Key]uint64{}
	for n := uint64(1); n <= 600; n++ {
		e := []Entry{{key(n % 500), n}, {key(10_000 + n), n}}
		for _, e := range e {
			want[e.Key] = e.Position
		}
		if err := x.Add(e, n, digest(n), nil); err != nil {
			t.Fatal(err)
		}
		x.work.Wait()
		sum := 0
		for rest := n; rest > 0; rest /= mergeWidth {
			sum += int(rest % mergeWidth)
		}
		listed, buckets := census(t, x)
		if listed != sum || buckets != sum {
			t.Fatalf("after %d Adds %d segments in %d buckets, want %d", n, listed, buckets, sum)
		}
	}
	if err := holds(x, want, key(501), key(9_999)); err != nil {
		t.Error(err)
	}
}

// census counts the segments that the state lists and those that are there.
func census(t *testing.T, x *Index) (listed, buckets int) {
	t.Helper()
	err := x.db.View(func(tx *bolt.Tx) error {
		s, err := readState(tx)
		listed = len(s.segments)
		return errors.Join(err, tx.Bucket(segmentsBucket).ForEachBucket(func([]byte) error {
			buckets++
			return nil
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return listed, buckets
}

// TestCloseAtEveryStep breaks a merge off after each of its transactions, as a kill would, and opens again.
func TestCloseAtEveryStep(t *testing.T) {
	t.Parallel()
	full := filepath.Join(t.TempDir(), "full")
	want := map[Key]uint64{}
	x := opened(t, full, 20)
	for n := range uint64(mergeWidth) {
		x.mu.Lock()
		x.merging = true // hold merging back
		x.mu.Unlock()
		entries := make([]Entry, 50)
		for i := range entries {
			entries[i] = Entry{key(n*30 + uint64(i)), n*50 + uint64(i) + 1}
			want[entries[i].Key] = entries[i].Position
		}
		if err := x.Add(entries, (n+1)*50, digest(n), nil); err != nil {
			t.Fatal(err)
		}
	}
	image, err := os.ReadFile(full)
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	for limit := 0; ; limit++ {
		path := filepath.Join(t.TempDir(), "index")
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		if breakOff(t, path, limit) {
			steps = limit
		}
		x := opened(t, path, 20)
		if x.Discarded() != nil {
			t.Fatalf("after %d transactions: %v", limit, x.Discarded())
		}
		x.work.Wait()
		if listed, buckets := census(t, x); listed != 1 || buckets != 1 {
			t.Errorf("after %d transactions: %d segments in %d buckets", limit, listed, buckets)
		}
		if err := holds(x, want, key(1000)); err != nil {
			t.Errorf("after %d transactions: %v", limit, err)
		}
		if steps > 0 {
			break
		}
	}
	if steps < mergeWidth+10 {
		t.Errorf("a merge is %d transactions, which is too few to be true", steps)
	}
}

// breakOff merges the file at path in at most limit transactions, and reports whether that was enough.
func breakOff(t *testing.T, path string, limit int) bool {
	t.Helper()
	db, err := openSound(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	enough := errors.New("enough")
	x := &Index{db: db, chunk: 20, update: func(fn func(*bolt.Tx) error) error {
		if limit--; limit < 0 {
			return enough
		}
		return db.Update(fn)
	}}
	switch err := x.mergeOne(); {
	case errors.Is(err, enough):
		return false
	case err != nil:
		t.Fatal(err)
	}
	return true
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index")
	x := opened(t, path, chunkEntries)
	if err := x.Add([]Entry{{key(1), 5}}, 5, digest(5), []byte("r")); err != nil {
		t.Fatal(err)
	}
	if err := x.Add([]Entry{{key(2), 4}}, 4, digest(4), []byte("s")); err != ErrBackward {
		t.Errorf("backward: %v", err)
	}
	if err := x.Add([]Entry{{key(2), 0}}, 6, digest(6), []byte("s")); err != ErrNoPosition {
		t.Errorf("no position: %v", err)
	}
	if err := x.LookupMany(make([]Key, 2), make([]uint64, 3)); err == nil {
		t.Error("answers of another length accepted")
	}
	if err := holds(x, map[Key]uint64{key(1): 5}, key(2)); err != nil {
		t.Error(err)
	}
	if p, d := x.Position(); p != 5 || d != digest(5) {
		t.Errorf("at %d", p)
	}
	if _, err := OpenIndex(path); err == nil {
		t.Error("opened a file that is open")
	}
	dir := t.TempDir()
	if _, err := OpenIndex(dir); err == nil {
		t.Error("opened a directory")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("a directory was removed: %v", err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.Add(nil, 6, digest(6), nil); err != ErrClosed {
		t.Errorf("closed: %v", err)
	}
	if _, _, err := x.Lookup(key(1)); err == nil {
		t.Error("looked up in a closed index")
	}
}

// TestMergingFails: when merging cannot go on, Add says so; look-ups go on.
func TestMergingFails(t *testing.T) {
	t.Parallel()
	x := opened(t, filepath.Join(t.TempDir(), "index"), 10)
	lost := errors.New("lost")
	x.work.Wait()
	x.update = func(func(*bolt.Tx) error) error { return lost }
	for n := uint64(1); n <= mergeWidth; n++ {
		if err := x.Add([]Entry{{key(n), n}}, n, digest(n), nil); err != nil {
			t.Fatal(err)
		}
	}
	x.work.Wait()
	if err := x.Add(nil, mergeWidth, digest(mergeWidth), nil); !errors.Is(err, lost) {
		t.Errorf("Add after merging failed: %v", err)
	}
	if err := holds(x, map[Key]uint64{key(1): 1, key(mergeWidth): mergeWidth}, key(100)); err != nil {
		t.Error(err)
	}
}

// TestFilter: a filter knows all of its keys, and few others; chunks of a large segment share their first bits.
func TestFilter(t *testing.T) {
	t.Parallel()
	for _, shared := range []int{0, 1, 2} {
		random := rand.New(rand.NewPCG(uint64(shared), 1))
		draw := func() (k Key) {
			for i := shared; i < len(k); i++ {
				k[i] = byte(random.Uint32())
			}
			return k
		}
		const n = 20_000
		f, keys, hits := newFilter(n), make([]Key, n), 0
		for i := range keys {
			keys[i] = draw()
			f.add(keys[i])
		}
		for _, k := range keys {
			if !f.has(k) {
				t.Fatalf("%x was added", k)
			}
		}
		for range 100_000 {
			if f.has(draw()) {
				hits++
			}
		}
		if hits > 1000 {
			t.Errorf("%d bytes shared: %d of 100,000 absent keys found", shared, hits)
		}
		t.Logf("%d bytes shared: %d of 100,000 absent keys found", shared, hits)
	}
}
