package natsd

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
)

// markerFile, in the server's folder, says that the last stop was clean: everything was synced, and each stream's
// index describes blocks of these sizes, up to this sequence. It is removed before the server starts. Without it, or when it does not match,
// a start syncs every block and has the server rebuild its index: slower, never wrong.
const markerFile = "clean-stop.json"

const markerFormat = 1

type marker struct {
	Format  int            `json:"format"`
	Streams []markerStream `json:"streams"`
}

type markerStream struct {
	Name   string        `json:"name"`
	Last   uint64        `json:"last"`         // sequence; everything up to it was synced
	Index  string        `json:"index_sha256"` // of index.db, hexadecimal; empty if there was none
	Blocks []markerBlock `json:"blocks"`
}

type markerBlock struct {
	Number uint32 `json:"number"`
	Size   int64  `json:"size"`
}

// describe says what a stream's files are now, its last sequence being known.
func describe(dir, stream string, last uint64) (markerStream, error) {
	messages := messagesDir(dir, stream)
	st := markerStream{Name: stream, Last: last, Blocks: []markerBlock{}}
	blocks, d := listBlocks(dir, stream)
	if d != nil {
		return st, d
	}
	for _, n := range blocks {
		info, err := os.Stat(blockPath(messages, n))
		if err != nil {
			return st, err
		}
		st.Blocks = append(st.Blocks, markerBlock{n, info.Size()})
	}
	index, err := os.ReadFile(filepath.Join(messages, indexFile))
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	sum := sha256.Sum256(index)
	st.Index = hex.EncodeToString(sum[:])
	return st, err
}

// lastSequence reads it from the newest block that has any.
func lastSequence(dir, stream string) (uint64, error) {
	blocks, d := listBlocks(dir, stream)
	if d != nil {
		return 0, d
	}
	for _, n := range slices.Backward(blocks) {
		sum, _ := summarize(dir, stream, n, nil)
		if sum.kind != "" {
			return 0, fmt.Errorf("%s after the server stopped: %s at offset %d: %w", blockPath(messagesDir(dir, stream), n), sum.kind, sum.offset, sum.err)
		}
		if sum.last > 0 {
			return sum.last, nil
		}
	}
	return 0, nil
}

// writeMarker leaves the marker, durably. Everything it describes must be durable already.
func writeMarker(dir string, streams []string) error {
	m := marker{Format: markerFormat}
	for _, name := range streams {
		last, err := lastSequence(dir, name)
		if err != nil {
			return err
		}
		st, err := describe(dir, name, last)
		if err != nil {
			return err
		}
		m.Streams = append(m.Streams, st)
	}
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding the clean-stop marker: %w", err)
	}
	return writeFile(filepath.Join(dir, markerFile), append(b, '\n'))
}

// readMarker gives nil if there is no marker that makes sense.
func readMarker(dir string) *marker {
	b, err := os.ReadFile(filepath.Join(dir, markerFile))
	if err != nil {
		return nil
	}
	m := new(marker)
	if err := json.Unmarshal(b, m); err != nil || m.Format != markerFormat {
		return nil
	}
	return m
}

// last is the stream's last sequence at the clean stop; 0 if not known.
func (m *marker) last(stream string) uint64 {
	if m == nil {
		return 0
	}
	for _, st := range m.Streams {
		if st.Name == stream {
			return st.Last
		}
	}
	return 0
}

// matches reports whether the marker describes the files exactly, so that the server may believe its indexes.
func (m *marker) matches(dir string, streams []StreamReport) bool {
	if m == nil || len(m.Streams) != len(streams) {
		return false
	}
	for i, want := range m.Streams {
		got, err := describe(dir, streams[i].Name, streams[i].Last)
		if err != nil || got.Index == "" || !reflect.DeepEqual(got, want) {
			return false
		}
	}
	return true
}
