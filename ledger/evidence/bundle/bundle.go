// Package bundle has the one file in which a statement is handed over with all that it takes to check it
// (docs/FORMAT.md, "Bundle"). It is pure: it reads no file and no clock, and asks nobody.
//
// What is true of it:
//
//  1. A bundle has one spelling: what is read is written again and compared.
//  2. A signed manifest has the hash of every other member, so that no byte can be changed in what nobody signed.
//  3. Trust never comes with a bundle.
package bundle

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

var (
	// ErrFormat is returned for bytes that are not of the format, or not in its one spelling.
	ErrFormat = errors.New("bundle: not of this format")
	// ErrFalse is returned for a bundle whose members are not those of its manifest.
	ErrFalse = errors.New("bundle: false")
)

// The members of a bundle besides its manifest. The proofs are as package evidence writes them.
const (
	Checkpoint = "checkpoint"     // the note of the proofs
	Counts     = "counts"         // the proof of how many records have each transfer class
	Events     = "events"         // stored events that the statement lists, one a line, by position
	Proof      = "proof"          // the proof of the transfers, or that there are none
	Page       = "statement.html" // the statement to read
	Statement  = "statement.json" // the statement
	Verifier   = "verify.html"    // the second verifier
	Working    = "working"        // the proof of the records of class T1, or that there are none

	manifestName = "manifest"
)

// names are those of all members but the manifest, sorted.
var names = [...]string{Checkpoint, Counts, Events, Proof, Page, Statement, Verifier, Working}

// MaxSize is the most bytes of a bundle.
const MaxSize = 1 << 31

// Files are the members by name, all but the manifest.
type Files map[string][]byte

// A Bundle is what was read. Its files share the memory of what it was read from.
type Bundle struct {
	Files  Files
	Origin string // the ledger

	manifest   []byte // its text
	signatures []checkpoint.Signature
}

// Write writes a bundle whose manifest is signed with keys, one at least. The files must be all that a bundle has, and the
// checkpoint one of the origin; else the error wraps [ErrFormat] or [ErrFalse] and nothing was written. Any other error
// is of w, and what was written is no bundle.
func Write(w io.Writer, origin string, files Files, keys ...checkpoint.Signer) error {
	if err := files.check(origin); err != nil {
		return err
	}
	text := manifest(origin, files)
	var signatures []checkpoint.Signature
	for _, k := range keys {
		signatures = append(signatures, k.SignText(text))
	}
	note := checkpoint.Join(text, signatures)
	if _, _, err := checkpoint.Split(note); err != nil {
		return fmt.Errorf("%w: its manifest: %w", ErrFormat, err)
	}
	return files.with(note).write(w)
}

// Read reads a bundle without trusting anybody: it writes again what it read, and compares. The error wraps
// [ErrFormat] or [ErrFalse].
func Read(b []byte) (*Bundle, error) {
	if uint64(len(b)) > MaxSize {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrFormat, uint64(MaxSize))
	}
	files := Files{}
	for _, m := range split(b) {
		files[m.name] = m.data
	}
	note := files[manifestName]
	delete(files, manifestName)
	out := &Bundle{Files: files}
	var err error
	if out.manifest, out.signatures, err = checkpoint.Split(note); err != nil {
		return nil, fmt.Errorf("%w: its manifest: %w", ErrFormat, err)
	}
	if out.Origin, err = readManifest(out.manifest, files); err != nil {
		return nil, err
	}
	if err := files.check(out.Origin); err != nil {
		return nil, err
	}
	if !files.with(note).writes(b) {
		return nil, fmt.Errorf("%w: not a zip file as a bundle is written", ErrFormat)
	}
	return out, nil
}

// Judge says which keys that the trust names for manifests signed this one, and how many signatures are by keys
// that it does not name. The error is nil, or wraps [checkpoint.ErrSignature].
func (b *Bundle) Judge(t *checkpoint.Trust) (signed []checkpoint.Key, unknown int, err error) {
	return t.JudgeManifest(b.Origin, b.manifest, b.signatures)
}

// check refuses files that are not those of a bundle of this origin.
func (f Files) check(origin string) error {
	for _, name := range names {
		if _, found := f[name]; !found {
			return fmt.Errorf("%w: no %s", ErrFormat, name)
		}
	}
	if len(f) != len(names) {
		return fmt.Errorf("%w: a member that no bundle has", ErrFormat)
	}
	note, err := checkpoint.Open(f[Checkpoint])
	if err != nil {
		return fmt.Errorf("%w: its checkpoint: %w", ErrFormat, err)
	}
	if note.Origin != origin {
		return fmt.Errorf("%w: its checkpoint is of another origin than its manifest", ErrFalse)
	}
	return nil
}

// with is all members of a bundle with this manifest, sorted by name.
func (f Files) with(manifest []byte) members {
	all := members{{manifestName, manifest}}
	for _, name := range names {
		all = append(all, member{name, f[name]})
	}
	slices.SortFunc(all, member.compare)
	return all
}

func (f Files) hash(name string) [sha256.Size]byte { return sha256.Sum256(f[name]) }
