package notary

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// A signer signs checkpoints, each greater than the one before. It belongs to the notary's goroutine.
type signer struct {
	dir    string
	keys   []checkpoint.Signer // the newest last
	bundle checkpoint.Signer
	last   checkpoint.Note // signed last, durable
	tried  []byte          // the note written last, which may be durable although that failed
	held   *durable.Lock
}

// openSigner reads the keys and what they signed last, and takes them for this process alone. The error wraps
// [ErrUnsigned] or [ErrInUse].
func openSigner(dir string) (*signer, error) {
	held, err := lock(dir)
	if err != nil {
		return nil, err
	}
	s, err := readSigner(dir, held)
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	return s, nil
}

// readSigner is openSigner under a lock that is held.
func readSigner(dir string, held *durable.Lock) (*signer, error) {
	keys, bundle, err := ReadKeys(dir)
	if err != nil {
		return nil, err
	}
	last, err := readSigned(dir, keys)
	if err != nil {
		return nil, err
	}
	return &signer{dir: dir, keys: keys, bundle: bundle, last: last, held: held}, nil
}

func (s *signer) origin() string { return s.last.Origin }

func (s *signer) close() error { return s.held.Close() }

// agrees finds out whether a log, so long, is the one that was signed. root gives the root over the first n leaves.
// The error wraps [ErrUnsigned].
func (s *signer) agrees(size uint64, root func(n uint64) (evidence.Hash, error)) error {
	switch {
	case size < s.last.Size:
		return fmt.Errorf("%w: it has %d positions, and signed for %d: this is an older copy, or something is lost", ErrUnsigned, size, s.last.Size)
	case s.last.Size == 0:
		return nil
	}
	r, err := root(s.last.Size)
	if err != nil {
		return err
	}
	if r != s.last.Root {
		return fmt.Errorf("%w: over the first %d positions it signed another root: this is another history", ErrUnsigned, s.last.Size)
	}
	return nil
}

// sign signs for a size greater than the last. It is durable when it returns; after an error it may be, and nobody
// has seen it: signing the same again is harmless, and nothing else can follow from the same log.
func (s *signer) sign(size uint64, root evidence.Hash) (checkpoint.Note, error) {
	if size <= s.last.Size {
		return checkpoint.Note{}, fmt.Errorf("%w: asked for size %d after %d", ErrUnsigned, size, s.last.Size)
	}
	path := filepath.Join(s.dir, signedFile)
	found, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(found, s.last.Bytes()) && !bytes.Equal(found, s.tried) {
		return checkpoint.Note{}, errors.Join(fmt.Errorf("%w: the last checkpoint beside the keys is not the one that was written: somebody else signs, or changed it", ErrUnsigned), err)
	}
	note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: s.origin(), Size: size, Root: root}, s.keys...)
	if err != nil {
		return checkpoint.Note{}, err
	}
	s.tried = note.Bytes()
	if err := durable.Replace(path, s.tried); err != nil {
		return checkpoint.Note{}, fmt.Errorf("writing a checkpoint: %w", err)
	}
	s.last = note
	return note, nil
}

// again signs for the last size with the keys of now, durably: whichever of them stays, it has signed that.
func (s *signer) again() error {
	note, err := checkpoint.Sign(s.last.Checkpoint, s.keys...)
	if err != nil {
		return err
	}
	s.tried = note.Bytes()
	if err := durable.Replace(filepath.Join(s.dir, signedFile), s.tried); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	s.last = note
	return nil
}

// emptyRoot is the root over no leaves (RFC 6962, section 2.1).
func emptyRoot() evidence.Hash { return sha256.Sum256(nil) }
