package witness

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// A Witness cosigns checkpoints of one log that only grew. It is safe for concurrent use, and beside other processes
// that have the same folder and key. It is not copied.
type Witness struct {
	Key    checkpoint.Cosigner
	Trust  *checkpoint.Trust // whose log keys count
	Memory Memory
	Now    func() time.Time

	turn sync.Mutex // before the folder's lock: whoever waits for that holds a thread, of which there are not many
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
	err = w.alone(func() error {
		last, err := w.last()
		if err != nil {
			return err
		}
		a.Answer = checkpoint.Witness(w.Trust, last.Checkpoint, r)
		own := logOnly(w.Trust, r.Note)
		switch {
		case forked(last, own): // whatever the old size of the request is
			a.Answer = checkpoint.Answer{Status: http.StatusConflict, Err: checkpoint.ErrFork}
			a.Proof, err = w.keepFork(last, own)
			return err
		case a.Err != nil:
			return nil
		}
		// The same checkpoint too: a write before may have ended in the middle.
		if err := w.Memory.Write(own.Origin, own.Bytes()); err != nil {
			return err
		}
		a.Signature, err = w.Key.Cosign(own.Checkpoint, w.Now())
		return err
	})
	return a, err
}

// Last is what the witness cosigned last; of the origin "" if nothing.
func (w *Witness) Last() (last checkpoint.Note, err error) {
	err = w.alone(func() error {
		last, err = w.last()
		return err
	})
	return last, err
}

// alone runs f while nobody else uses the folder.
func (w *Witness) alone(f func() error) error {
	w.turn.Lock()
	defer w.turn.Unlock()
	return w.Memory.Alone(f)
}

func (w *Witness) last() (checkpoint.Note, error) {
	b, err := w.Memory.Read(w.Trust.Origin())
	if err != nil || b == nil {
		return checkpoint.Note{}, err
	}
	n, err := checkpoint.Open(b)
	if err == nil && n.Origin != w.Trust.Origin() {
		err = errors.New("it is of another log")
	}
	if err == nil {
		err = w.Trust.Judge(n).Bad // damage must not pass for a fork
	}
	if err != nil {
		return checkpoint.Note{}, fmt.Errorf("reading what was cosigned last: %w", err)
	}
	return n, nil
}

// forked reports whether the log signed two roots for one size.
func forked(a, b checkpoint.Note) bool {
	return a.Origin == b.Origin && a.Size == b.Size && a.Root != b.Root && len(a.Signatures) > 0 && len(b.Signatures) > 0
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
