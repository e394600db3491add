package recordlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/imalink/custody/ledger/evidence"
)

// TestTilePaths has paths of https://c2sp.org/tlog-tiles, and some that are none.
func TestTilePaths(t *testing.T) {
	for path, want := range map[string]Tile{
		"tile/0/x001/x234/067":       {0, 1234067, 256},
		"tile/0/x001/x234/067.p/8":   {0, 1234067, 8},
		"tile/63/000":                {63, 0, 256},
		"tile/2/000.p/1":             {2, 0, 1},
		"tile/entries/273.p/255":     {Entries, 273, 255},
		"tile/entries/x001/000":      {Entries, 1000, 256},
		"tile/entries/x001/000.p/17": {Entries, 1000, 17},
	} {
		if got, err := ParseTile(path); err != nil || got != want || got.Path() != path {
			t.Errorf("%s: %v, %v, %s", path, got, err, got.Path())
		}
	}
	for _, path := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000/000", "tile/0/001/000", "tile/0/x001",
		"tile/64/000", "tile/00/000", "tile/-1/000", "tile/+1/000", "tile/data/000", "tile/8/0/000", "tile/0/000.p/0", "tile/0/000.p/256",
		"tile/0/000.p/01", "tile/0/000.p", "tile/0/000.p/", "tile/0/000/", "/tile/0/000", "tile/entries", "tile/entries/0", "tile/entries/data/000",
		"tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/0/000?", "checkpoint", "tile/8/data/000",
	} {
		if got, err := ParseTile(path); err == nil {
			t.Errorf("%s is %v", path, got)
		}
	}
}

func FuzzParseTile(f *testing.F) {
	for _, path := range []string{"tile/0/x001/x234/067.p/8", "tile/entries/273", "tile/63/000", "tile/data/000"} {
		f.Add(path)
	}
	l := made(f, 300)
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := ParseTile(path)
		if err != nil {
			return
		}
		if tile.Path() != path {
			t.Errorf("%q is written %q", path, tile.Path())
		}
		if _, err := l.Tile(tile, 300); err != nil && !errors.Is(err, ErrNoTile) {
			t.Error(err)
		}
	})
}

// TestTiles has the tiles of 70,000 records that the specification names, each with the hashes it defines.
func TestTiles(t *testing.T) {
	const size = 70_000
	l := mustOpen(t, t.TempDir())
	one := history(l.Number, 0, 1)
	must(t, l.Append(bytes.Repeat(one, size+1)))
	want := []Tile{{0, 273, 112}, {1, 0, 256}, {1, 1, 17}, {2, 0, 1}, {Entries, 273, 112}}
	for i := range uint64(273) {
		want = append(want, Tile{0, i, 256}, Tile{Entries, i, 256})
	}
	for _, tile := range want {
		got, err := l.Tile(tile, size)
		if err != nil {
			t.Fatal(tile, err)
		}
		if tile.Level == Entries {
			if !bytes.Equal(got, bytes.Repeat(append([]byte{0, 54}, one...), tile.Width)) {
				t.Fatal("entries of", tile)
			}
			continue
		}
		var hashes []byte
		for i := range int64(tile.Width) {
			h, err := reader(l).ReadHashes([]int64{tlog.StoredHashIndex(8*tile.Level, int64(tile.Index)*256+i)})
			must(t, err)
			hashes = append(hashes, h[0][:]...)
		}
		if !bytes.Equal(got, hashes) {
			t.Fatal("hashes of", tile)
		}
	}
	for _, tile := range []Tile{
		{0, 273, 113}, {0, 273, 256}, {0, 274, 1}, {1, 1, 18}, {2, 0, 2}, {3, 0, 1}, {63, 0, 1}, {64, 0, 1}, {-2, 0, 1},
		{0, 1 << 56, 1}, {0, 1<<63 + 1, 256}, {0, 0, 0}, {0, 0, 257}, {Entries, 273, 113},
	} {
		if _, err := l.Tile(tile, size); !errors.Is(err, ErrNoTile) {
			t.Errorf("%v: %v", tile, err)
		}
	}
	if _, err := l.Tile(Tile{0, 0, 1}, size+2); !errors.Is(err, ErrRange) {
		t.Error("tile of more records than there are:", err)
	}
}

// TestPartialTiles cuts every partial tile of small logs, of every size at which it existed.
func TestPartialTiles(t *testing.T) {
	l := made(t, 600)
	records, err := l.Records(evidence.Span{To: 600})
	must(t, err)
	for size := range uint64(601) {
		width := int(size % 256)
		if width == 0 {
			continue
		}
		hashes, err := l.Tile(Tile{0, size / 256, width}, size)
		must(t, err)
		entries, err := l.Tile(Tile{Entries, size / 256, width}, size)
		must(t, err)
		for i := range width {
			record := records[(int(size/256)*256+i)*recordSize:][:recordSize]
			entry := entries[i*(2+recordSize):]
			if h := tlog.RecordHash(record); !bytes.Equal(hashes[i*hashSize:][:hashSize], h[:]) ||
				binary.BigEndian.Uint16(entry) != recordSize || !bytes.Equal(entry[2:][:recordSize], record) {
				t.Fatalf("entry %d of %d records", i, size)
			}
		}
	}
}

// tiles serves our tiles to package tlog.
type tiles struct {
	t    *testing.T
	log  *Log
	size uint64
}

func (r tiles) Height() int { return 8 }

func (r tiles) ReadTiles(wanted []tlog.Tile) (data [][]byte, err error) {
	for _, w := range wanted {
		b, err := r.log.Tile(Tile{Level: w.L, Index: uint64(w.N), Width: w.W}, r.size)
		if err != nil {
			return nil, err
		}
		data = append(data, b)
	}
	return data, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// TestTileReader: package tlog finds our tiles to be those of our roots, and makes proofs from them.
func TestTileReader(t *testing.T) {
	const most = 66_000
	l := made(t, most)
	for _, n := range []uint64{1, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, most} {
		root, err := l.Root(n)
		must(t, err)
		r := tlog.TileHashReader(tlog.Tree{N: int64(n), Hash: tlog.Hash(root)}, tiles{t, l, n})
		for _, i := range []uint64{0, n / 3, n - 1} {
			p, err := tlog.ProveRecord(int64(n), int64(i), r)
			must(t, err)
			record, err := l.Records(evidence.Span{From: i, To: i + 1})
			must(t, err)
			must(t, tlog.CheckRecord(p, int64(n), tlog.Hash(root), int64(i), tlog.RecordHash(record)))
		}
	}
}
