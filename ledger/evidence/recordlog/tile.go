package recordlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/imalink/custody/ledger/evidence"
)

// ErrNoTile is returned for what is no path of a tile, and for a tile that there is not, or not yet.
var ErrNoTile = errors.New("recordlog: no such tile")

const (
	// Entries is the level of the tiles that hold records.
	Entries = -1
	// TileWidth is how many hashes, or records, a full tile has.
	TileWidth = 1 << tileHeight

	tileHeight = 8
	maxLevel   = 63
)

// A Tile names a tile of https://c2sp.org/tlog-tiles: the hashes of Width subtrees of 256^Level records each, or so
// many records, from number Index * 256 on. A Width below 256 is that of a partial tile.
type Tile struct {
	Level int // 0 to 63, or Entries
	Index uint64
	Width int // 1 to 256
}

// In the paths of package tlog the height of tiles is said, and what they hold is data.
const (
	tlogPrefix  = "tile/8/"
	tlogData    = tlogPrefix + "data/"
	c2spPrefix  = "tile/"
	c2spEntries = c2spPrefix + "entries/"
)

// ParseTile reads a path: tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]. It takes exactly what Path gives. The
// error is [ErrNoTile].
func ParseTile(path string) (Tile, error) {
	var t tlog.Tile
	var err error
	if rest, ok := strings.CutPrefix(path, c2spEntries); ok {
		t, err = tlog.ParseTilePath(tlogData + rest)
	} else if rest, ok := strings.CutPrefix(path, c2spPrefix); ok && !strings.HasPrefix(rest, "data/") {
		t, err = tlog.ParseTilePath(tlogPrefix + rest)
	} else {
		err = ErrNoTile
	}
	if err != nil || t.L > maxLevel {
		return Tile{}, ErrNoTile
	}
	return Tile{Level: t.L, Index: uint64(t.N), Width: t.W}, nil
}

// Path is the tile's path below the log's prefix.
func (t Tile) Path() string {
	path := tlog.Tile{H: tileHeight, L: t.Level, N: int64(t.Index), W: t.Width}.Path()
	if rest, ok := strings.CutPrefix(path, tlogData); ok {
		return c2spEntries + rest
	}
	return c2spPrefix + strings.TrimPrefix(path, tlogPrefix)
}

// Tile gives the bytes of a tile of the log as it was with the first size records: hashes, or records, each behind its
// length (2). Such a tile never changes. The error wraps [ErrNoTile], [ErrRange] or [ErrDamaged].
func (l *Log) Tile(t Tile, size uint64) ([]byte, error) {
	if size > l.Size() {
		return nil, beyond()
	}
	if t.Level < Entries || t.Level > maxLevel || t.Width < 1 || t.Width > TileWidth {
		return nil, ErrNoTile
	}
	height := tileHeight * max(t.Level, 0)
	have := size >> height
	if t.Index > have/TileWidth || t.Index*TileWidth+uint64(t.Width) > have {
		return nil, fmt.Errorf("%w among %d records", ErrNoTile, size)
	}
	in := evidence.Span{From: t.Index * TileWidth, To: t.Index*TileWidth + uint64(t.Width)}
	if t.Level == Entries {
		return l.entryTile(in)
	}
	return l.hashTile(in, height)
}

func (l *Log) entryTile(leaves evidence.Span) ([]byte, error) {
	records, err := l.recordsOf(leaves)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, leaves.Len()*(2+recordSize))
	for r := records; len(r) > 0; r = r[recordSize:] {
		b = binary.BigEndian.AppendUint16(b, recordSize)
		b = append(b, r[:recordSize]...)
	}
	return b, nil
}

// hashTile gives the hashes of subtrees of that height.
func (l *Log) hashTile(subtrees evidence.Span, height int) ([]byte, error) {
	spans := each(subtrees)
	for i, s := range spans {
		spans[i] = evidence.Span{From: s.From << height, To: s.To << height}
	}
	hashes, err := l.hashesOf(spans)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(hashes)*hashSize)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b, nil
}
