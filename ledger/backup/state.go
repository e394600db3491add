package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	stateFile   = "state.json"
	stateFormat = 1
)

// A State is one moment of a ledger, and where the archive holds it.
type State struct {
	Ledger
	Made  time.Time // when the ledger was at this moment, UTC, milliseconds; zero before the first
	Heads [3]Head   // of each part, in the order of Parts
}

// Head says how far a part has come.
func (s State) Head(p Part) Head { return s.Heads[p-1] }

// A Head is the end of one part.
type Head struct {
	Last   uint64   // sequence of the last message, 0 if there is none
	Digest [32]byte // SHA-256 of its data; zeros if there is none
	Chain  [32]byte // digest chained over all messages up to it; zeros if there is none
	File   uint32   // number of the file that holds it, 0 if there is none
	Size   int64    // of that file, in bytes, up to and including it
}

// stateJSON is the state as its file spells it; every digest in hexadecimal.
type stateJSON struct {
	Format int      `json:"format"`
	Name   string   `json:"name"`
	ID     string   `json:"id"`
	Made   string   `json:"made"`
	Events headJSON `json:"events"`
	Vault  headJSON `json:"vault"`
	Access headJSON `json:"access"`
	Sum    string   `json:"sum"` // SHA-256 of the line without its line feed, sum being empty
}

type headJSON struct {
	Last   uint64 `json:"last"`
	Digest string `json:"digest"`
	Chain  string `json:"chain"`
	File   uint32 `json:"file"`
	Size   int64  `json:"size"`
}

const timeFormat = "2006-01-02T15:04:05.000Z"

// encode gives the one line of the state file.
func (s State) encode() []byte {
	j := stateJSON{Format: stateFormat, Name: s.Name, ID: s.ID}
	if !s.Made.IsZero() {
		j.Made = s.Made.UTC().Format(timeFormat)
	}
	for i, h := range []*headJSON{&j.Events, &j.Vault, &j.Access} {
		from := s.Heads[i]
		*h = headJSON{from.Last, hex.EncodeToString(from.Digest[:]), hex.EncodeToString(from.Chain[:]), from.File, from.Size}
	}
	b, _ := json.Marshal(j) // texts and numbers: cannot fail
	sum := sha256.Sum256(b)
	j.Sum = hex.EncodeToString(sum[:])
	b, _ = json.Marshal(j)
	return append(b, '\n')
}

// decodeState accepts exactly what encode gives.
func decodeState(b []byte) (State, error) {
	var j stateJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return State{}, errors.New("not the state of a backup")
	}
	if j.Format != stateFormat {
		return State{}, fmt.Errorf("the backup has format %d", j.Format)
	}
	s := State{Ledger: Ledger{Name: j.Name, ID: j.ID}}
	if id, err := hex.DecodeString(j.ID); err != nil || len(id) != 16 {
		return State{}, errors.New("not the id of a ledger")
	}
	var err error
	if j.Made != "" {
		if s.Made, err = time.Parse(timeFormat, j.Made); err != nil {
			return State{}, errors.New("not a time")
		}
	}
	for i, h := range []headJSON{j.Events, j.Vault, j.Access} {
		s.Heads[i] = Head{Last: h.Last, File: h.File, Size: h.Size}
		_, err1 := hex.Decode(s.Heads[i].Digest[:], fit(h.Digest))
		_, err2 := hex.Decode(s.Heads[i].Chain[:], fit(h.Chain))
		if err1 != nil || err2 != nil || (h.Last == 0) != (h.File == 0) || h.Last == 0 && s.Heads[i] != (Head{}) {
			return State{}, fmt.Errorf("%s: not the head of a part", Part(i+1))
		}
	}
	if !bytes.Equal(s.encode(), b) {
		return State{}, errors.New("its sum is wrong, or its spelling")
	}
	return s, nil
}

// fit gives a digest in hexadecimal, or what no decoder takes for one.
func fit(digest string) []byte {
	if len(digest) != 2*sha256.Size {
		return []byte("?")
	}
	return []byte(digest)
}

// readState reads the state of the archive in dir. The error is ErrNone if there
// is neither folder nor anything in it, ErrForeign if there is something else.
func readState(dir string) (State, error) {
	path := filepath.Join(dir, stateFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, noState(dir)
	}
	if err != nil {
		return State{}, fmt.Errorf("reading the backup's state: %w", err)
	}
	s, err := decodeState(b)
	if err != nil {
		return State{}, &Damage{File: path, Err: err}
	}
	return s, nil
}

// noState says why there is no state: it is the first file of an archive.
func noState(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the backup's folder: %w", err)
	}
	for _, e := range entries {
		switch _, _, ours := parseName(e.Name()); {
		case ours:
			return &Damage{File: filepath.Join(dir, stateFile), Err: fs.ErrNotExist}
		case e.Name() != lockFile && e.Name() != stateFile+".tmp":
			return fmt.Errorf("%w: %s holds something else", ErrForeign, dir)
		}
	}
	return fmt.Errorf("%w: %s", ErrNone, dir)
}
