package witness

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// A Witness cosigns checkpoints of one log that only grew. It is safe for concurrent use, and beside other processes
// that have the same folder and key.
type Witness struct {
	Key    checkpoint.Cosigner
	Trust  *checkpoint.Trust // whose log keys count
	Memory Memory
	Now    func() time.Time
}

// An Answer is what a witness says to a request.
type Answer struct {
	checkpoint.Answer
	Signature checkpoint.Signature // with 200
	Proof     string               // of a fork: the file that proves it
}

// Add answers a request. The error is that the folder cannot be used, or wraps [ErrLost]; then the request may be
// remembered, and nobody has seen a signature: asking again is safe.
func (w *Witness) Add(r checkpoint.Request) (a Answer, err error) {
	err = w.Memory.Alone(func() error {
		last, err := w.last()
		if err != nil {
			return err
		}
		a.Answer = checkpoint.Witness(w.Trust, last.Checkpoint, r)
		own := logOnly(w.Trust, r.Note)
		switch {
		case errors.Is(a.Err, checkpoint.ErrFork):
			a.Proof, err = w.keepFork(last, own)
			return err
		case a.Err != nil:
			return nil
		case r.Note.Checkpoint != last.Checkpoint:
			if err := w.Memory.Write(own.Origin, own.Bytes()); err != nil {
				return err
			}
		}
		a.Signature, err = w.Key.Cosign(own.Checkpoint, w.Now())
		return err
	})
	return a, err
}

// Last is what the witness cosigned last; of the origin "" if nothing.
func (w *Witness) Last() (last checkpoint.Note, err error) {
	err = w.Memory.Alone(func() error {
		last, err = w.last()
		return err
	})
	return last, err
}

func (w *Witness) last() (checkpoint.Note, error) {
	b, err := w.Memory.Read(w.Trust.Origin())
	if err != nil || b == nil {
		return checkpoint.Note{}, err
	}
	n, err := checkpoint.Open(b)
	if err != nil {
		return checkpoint.Note{}, fmt.Errorf("reading what was cosigned last: %w", err)
	}
	return n, nil
}

// keepFork writes the proof of a fork beside what is remembered.
func (w *Witness) keepFork(a, b checkpoint.Note) (path string, err error) {
	proof, err := evidence.ProveFork(a, b)
	if err != nil {
		return "", fmt.Errorf("proving a fork: %w", err)
	}
	path = filepath.Join(w.Memory.Dir, fmt.Sprintf("fork-%d.proof", a.Size))
	return path, durable.Replace(path, proof)
}

// logOnly is the note with the good signatures of the log alone.
func logOnly(t *checkpoint.Trust, n checkpoint.Note) checkpoint.Note {
	keys := t.Judge(n).Log
	return n.Only(func(k checkpoint.Key) bool { return slices.Contains(keys, k) })
}
