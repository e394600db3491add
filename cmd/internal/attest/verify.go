package attest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/imalink/custody/cmd/internal/statement"
	"github.com/imalink/custody/cmd/internal/verifier"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/bundle"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// ErrFalse is returned for a bundle the parts of which do not agree.
var ErrFalse = errors.New("bundle: false")

// A Verdict says what a bundle proves, and to whom.
type Verdict struct {
	Outcome   evidence.Outcome // Proven or Unsigned
	Lacks     error            // why it is not proven
	Proofs    []*evidence.Verdict
	Statement *statement.Statement // its counts and two lists of transfers are proven, all else is asserted
	Signed    []checkpoint.Key     // of the manifest
	Unknown   int                  // signatures of the manifest by keys that the trust does not name
	Page      [sha256.Size]byte    // hash of verify.html
	Own       bool                 // which is that of this program
}

// Verify says what a bundle proves to whoever has this trust; nil trusts nobody. An error means that it is false,
// and says why.
func Verify(b []byte, trust *checkpoint.Trust) (*Verdict, error) {
	read, err := bundle.Read(b)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Page: sha256.Sum256(read.Files[bundle.Verifier])}
	v.Own = v.Page == verifier.Digest()
	if v.Signed, v.Unknown, err = read.Judge(trust); err != nil {
		return nil, err
	}
	if len(v.Signed) == 0 {
		v.Outcome, v.Lacks = evidence.Unsigned, fmt.Errorf("%w: nobody who is trusted signed the manifest", checkpoint.ErrUnsigned)
	}
	for _, name := range []string{bundle.Proof, bundle.Counts, bundle.Working} {
		one, err := evidence.Verify(read.Files[name], trust)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !bytes.Equal(one.Head.Note.Bytes(), read.Files[bundle.Checkpoint]) {
			return nil, fmt.Errorf("%w: %s is under another checkpoint than the bundle's", ErrFalse, name)
		}
		if one.Outcome != evidence.Proven && v.Outcome == evidence.Proven {
			v.Outcome, v.Lacks = one.Outcome, one.Lacks
		}
		v.Proofs = append(v.Proofs, one)
	}
	return v, v.readStatement(read)
}

// readStatement holds the statement and the events against the proofs.
func (v *Verdict) readStatement(read *bundle.Bundle) error {
	figures, err := statement.FiguresOf(v.Proofs[0], v.Proofs[1], v.Proofs[2])
	if err != nil {
		return err
	}
	if v.Statement, err = statement.Decode(bytes.NewReader(read.Files[bundle.Statement])); err != nil {
		return fmt.Errorf("%s: %w", bundle.Statement, err)
	}
	if err := v.Statement.Agrees(figures); err != nil {
		return err
	}
	if !slices.ContainsFunc(statement.Langs(), func(l statement.Lang) bool {
		var page bytes.Buffer
		return v.Statement.Page(&page, l) == nil && bytes.Equal(page.Bytes(), read.Files[bundle.Page])
	}) {
		return fmt.Errorf("%w: %s does not say what %s says", ErrFalse, bundle.Page, bundle.Statement)
	}
	return v.Statement.EventsAgree(read.Files[bundle.Events])
}
