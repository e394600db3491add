package notary

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// Found is what a ledger signed, as it lies on disk: what it signed last, and what was cosigned.
type Found struct {
	Keys   []string // verifier keys of the log; none if there are none
	Notes  []SignedNote
	Former []SignedNote // of former origins: they may be of another history
}

// A SignedNote is a checkpoint that was found on disk.
type SignedNote struct {
	File string // its path
	Note checkpoint.Note
}

// Find reads what lies in the key directory of a ledger and in its folder of evidence. faults are of files that are not
// what they should be. A ledger without keys is none: it signs nothing, and says so when it is served.
func Find(keys, dir string) (found Found, faults []error) {
	origin := ""
	signers, _, err := ReadKeys(keys)
	switch {
	case err == nil:
		found.Keys, origin = verifiers(signers), signers[0].Key().Name
	case !errors.Is(err, errNoKeys):
		faults = append(faults, err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, cosignedDir, "*"))
	if err != nil {
		return found, append(faults, fmt.Errorf("listing cosigned checkpoints: %w", err))
	}
	last := filepath.Join(keys, signedFile)
	for _, path := range append([]string{last}, paths...) {
		if filepath.Ext(path) == ".tmp" {
			continue // a crash left it
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && found.Keys == nil {
			continue
		}
		var note checkpoint.Note
		if err == nil {
			note, err = checkpoint.Open(b)
		}
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
		case origin != "" && note.Origin != origin && path != last:
			found.Former = append(found.Former, SignedNote{path, note})
		default:
			found.Notes = append(found.Notes, SignedNote{path, note})
		}
	}
	if found.Keys == nil && len(found.Notes) > 0 && len(faults) == 0 {
		faults = append(faults, fmt.Errorf("%s is there, and the keys that signed it are gone", found.Notes[0].File))
	}
	return found, faults
}

// Judge is what is wrong with the signatures of what was found. ever are all the keys that were announced, also those
// of cosigners that are retired since.
func (f *Found) Judge(ever Announced) (faults []error) {
	if len(f.Keys) == 0 {
		return nil
	}
	trust, _, err := trustIn(f.Keys, ever)
	if err != nil {
		return []error{err}
	}
	for _, n := range f.Notes {
		if err := judged(trust.Judge(n.Note), n.Note, ever); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", n.File, err))
		}
	}
	for _, n := range f.Former {
		if !slices.Contains(ever.Ancestors, n.Note.Origin) {
			faults = append(faults, fmt.Errorf("%s: it is signed under a name that this ledger never had", n.File))
		}
	}
	return faults
}

// judged is nil if a key of the log signed, and all others that did were announced and did so.
func judged(j checkpoint.Judgement, n checkpoint.Note, ever Announced) error {
	if err := j.Lacks(checkpoint.NeedLog); err != nil {
		return err
	}
	if j.Void > 0 {
		return errors.New("it is signed by a key that had been retired, beyond what that signed for")
	}
	for _, s := range n.Signatures {
		cosigner := func(c Cosigner) bool { return strings.HasPrefix(c.Key, s.Key.String()+"+") }
		if s.Name != n.Origin && !slices.ContainsFunc(ever.Cosigners, cosigner) {
			return fmt.Errorf("it has a signature by a key that was never announced: %s", s.Key)
		}
	}
	return nil
}
