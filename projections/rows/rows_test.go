package rows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/spoil"
)

const bucket = "rows"

func newFile(tb testing.TB) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(filepath.Join(tb.TempDir(), "view.db"), 0o600, &bolt.Options{PageSize: 4096, NoSync: true, NoGrowSync: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

func update(tb interface{ Fatal(...any) }, db *bolt.DB, fn func(t *Table) error) {
	if err := db.Update(func(tx *bolt.Tx) error {
		t, err := Make(tx, bucket)
		if err != nil {
			return err
		}
		return fn(t)
	}); err != nil {
		tb.Fatal(err)
	}
}

// TestTable writes and cuts at random, some of it in one transaction, and holds every way of reading against a map.
func TestTable(t *testing.T) {
	files := t
	rapid.Check(t, func(t *rapid.T) {
		db, want := newFile(files), map[string]string{}
		defer db.Close()
		drawKey := func(t *rapid.T) string {
			return strings.Repeat(rapid.StringMatching("[a-d]{1,3}").Draw(t, "key"), rapid.SampledFrom([]int{1, 1, 90}).Draw(t, "times"))
		}
		for range rapid.IntRange(1, 6).Draw(t, "transactions") {
			update(t, db, func(table *Table) error {
				for range rapid.IntRange(0, 40).Draw(t, "writes") {
					key := drawKey(t)
					if rapid.IntRange(0, 19).Draw(t, "how") == 0 {
						if err := table.Cut([]byte(key)); err != nil {
							return err
						}
						maps.DeleteFunc(want, func(k, _ string) bool { return k <= key })
						continue
					}
					want[key] = strings.Repeat("v", rapid.SampledFrom([]int{0, 1, 700}).Draw(t, "size")) + key
					if err := table.Put([]byte(key), []byte(want[key])); err != nil {
						return err
					}
				}
				return agrees(table, want, drawKey(t))
			})
			if err := db.View(func(tx *bolt.Tx) error {
				table, err := Open(tx, bucket)
				if err != nil {
					return err
				}
				return agrees(table, want, drawKey(t))
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// agrees reads a table from end to end in both ways, and about a key.
func agrees(t *Table, want map[string]string, at string) error {
	keys := slices.Sorted(maps.Keys(want))
	c := t.Cursor()
	var got []string
	k, v, err := c.First()
	for ; k != nil && err == nil; k, v, err = c.Next() {
		if string(v) != want[string(k)] {
			return fmt.Errorf("another value of %q", k)
		}
		got = append(got, string(k))
	}
	if err != nil || !slices.Equal(got, keys) {
		return fmt.Errorf("forward: %q, want %q, %w", got, keys, err)
	}
	got = nil
	k, _, err = c.Last()
	for ; k != nil && err == nil; k, _, err = c.Prev() {
		got = append(got, string(k))
	}
	slices.Reverse(got)
	if err != nil || !slices.Equal(got, keys) {
		return fmt.Errorf("backward: %q, want %q, %w", got, keys, err)
	}
	i, found := slices.BinarySearch(keys, at)
	value, err := t.Get([]byte(at))
	if err != nil || string(value) != want[at] || (value != nil) != found {
		return fmt.Errorf("%q is %q, want %q, %w", at, value, want[at], err)
	}
	after := append(slices.Clone(keys[i:]), "")[0]
	before := append([]string{""}, keys[:i]...)[i]
	if found {
		before = at
	}
	if k, _, err := c.Seek([]byte(at)); err != nil || string(k) != after {
		return fmt.Errorf("from %q: %q, want %q, %w", at, k, after, err)
	}
	if k, _, err := c.SeekBack([]byte(at)); err != nil || string(k) != before {
		return fmt.Errorf("back from %q: %q, want %q, %w", at, k, before, err)
	}
	return nil
}

// many is a table of several pages.
func many(tb testing.TB) (*bolt.DB, [][]byte) {
	db, keys := newFile(tb), make([][]byte, 300)
	update(tb, db, func(t *Table) error {
		for i := range keys {
			keys[i] = fmt.Appendf(nil, "key %04d", i*3)
			if err := t.Put(keys[i], bytes.Repeat(keys[i], 9)); err != nil {
				return err
			}
		}
		return nil
	})
	return db, keys
}

// TestCutAll goes on with a table of which all pages were emptied in the same transaction.
func TestCutAll(t *testing.T) {
	db, keys := many(t)
	update(t, db, func(table *Table) error {
		return errors.Join(table.Cut([]byte("z")), agrees(table, nil, "key"), table.Cut([]byte("z")), table.Put(keys[9], nil),
			agrees(table, map[string]string{string(keys[9]): ""}, "key 0030"))
	})
}

// TestDamage spoils a table in every way. A look-up, which reads a row or two, finds what it rests on.
func TestDamage(t *testing.T) {
	db, keys := many(t)
	for name, answer := range map[string]func(table *Table) (string, error){
		"forward": func(table *Table) (all string, err error) {
			c := table.Cursor()
			k, v, err := c.First()
			for ; k != nil && err == nil; k, v, err = c.Next() {
				all += string(k) + string(v)
			}
			return all, err
		},
		"backward": func(table *Table) (all string, err error) {
			c := table.Cursor()
			k, v, err := c.Last()
			for ; k != nil && err == nil; k, v, err = c.Prev() {
				all += string(k) + string(v)
			}
			return all, err
		},
		"one by one": func(table *Table) (all string, err error) {
			for _, key := range keys {
				for _, key := range [][]byte{key, append(slices.Clone(key), 'x')} {
					v, err := table.Get(key)
					if err != nil {
						return "", err
					}
					all += string(v) + "\n"
				}
			}
			return all, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			spoil.File(t, db, 1, func(tx *bolt.Tx) (string, error) {
				table, err := Open(tx, bucket)
				if err != nil {
					return "", err
				}
				return answer(table)
			})
		})
	}
}

// TestNotCovered: no write covers up damage beside it.
func TestNotCovered(t *testing.T) {
	db, keys := many(t)
	undo := errors.New("undone")
	for name, write := range map[string]func(t *Table) error{
		"over it":    func(t *Table) error { return t.Put(keys[10], nil) },
		"before it":  func(t *Table) error { return t.Put([]byte("key 0028"), nil) },
		"behind it":  func(t *Table) error { return t.Put([]byte("key 0031"), nil) },
		"at the end": func(t *Table) error { return t.Put([]byte("z"), nil) },
		"cut":        func(t *Table) error { return t.Cut(keys[10]) },
	} {
		for what, damage := range map[string]func(b *bolt.Bucket) error{
			"a lost row":    func(b *bolt.Bucket) error { return b.Delete(keys[10]) },
			"the last lost": func(b *bolt.Bucket) error { return b.Delete(keys[len(keys)-1]) },
			"the sequence":  func(b *bolt.Bucket) error { return b.SetSequence(b.Sequence() ^ 2) },
		} {
			err := db.Update(func(tx *bolt.Tx) error {
				if err := damage(tx.Bucket([]byte(bucket))); err != nil {
					return err
				}
				table, err := Open(tx, bucket)
				if err != nil {
					return err
				}
				if err := write(table); err != nil {
					return err
				}
				c := table.Cursor()
				k, _, err := c.First()
				for ; k != nil && err == nil; k, _, err = c.Next() {
				}
				if err == nil {
					t.Errorf("%s, written %s: not noticed any more", what, name)
				}
				return undo
			})
			if !errors.Is(err, undo) && !errors.Is(err, projections.ErrDamaged) {
				t.Errorf("%s, written %s: %v", what, name, err)
			}
		}
	}
}

// TestSeal: a value that was changed anywhere, or stands under another key or in another bucket, is refused.
func TestSeal(t *testing.T) {
	key := []byte("key")
	sealed := Seal(bucket, key, binary.BigEndian.AppendUint64(nil, 1))
	if v, err := Unseal(bucket, key, sealed); err != nil || len(v) != 8 {
		t.Fatal(v, err)
	}
	for bit := range len(sealed) * 8 {
		other := slices.Clone(sealed)
		other[bit/8] ^= 1 << (bit % 8)
		if _, err := Unseal(bucket, key, other); !errors.Is(err, projections.ErrDamaged) {
			t.Errorf("bit %d: %v", bit, err)
		}
	}
	for n := range len(sealed) {
		if _, err := Unseal(bucket, key, sealed[:n]); !errors.Is(err, projections.ErrDamaged) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := Unseal(bucket, []byte("kez"), sealed); !errors.Is(err, projections.ErrDamaged) {
		t.Error(err)
	}
	if _, err := Unseal("rowz", key, sealed); !errors.Is(err, projections.ErrDamaged) {
		t.Error(err)
	}
}
