package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// stateFormat is the version of what is written down; another is refused.
const stateFormat = 1

// ErrState is returned where what the auditor knew is damaged, or was written by another version of this program: that
// version can go on from it.
var ErrState = errors.New("audit: not the state of an auditor")

// written is all that an auditor knows of a ledger: the checkpoint up to which it recomputed everything, and what it
// takes to go on from there (docs/FORMAT.md, "Folder of an auditor"). It grows with the producers and the register of
// the ledger, not with the events: mostly a few tens of kilobytes.
type written struct {
	Format      int          `json:"format"`
	Note        string       `json:"note"`        // the checkpoint, signed by the log
	Accumulator []byte       `json:"accumulator"` // over its records
	Tiles       [][]byte     `json:"tiles"`       // of hashes, those that are not full, by level
	Sequences   sequences    `json:"sequences"`
	Commits     uint64       `json:"commits"`
	OtherRules  uint64       `json:"other_rules"`
	Events      *judgedState `json:"events,omitempty"` // of an event auditor
}

// encode writes down where a pass is, which recomputed the root of the note.
func (p *pass) encode(n checkpoint.Note) ([]byte, error) {
	events, err := p.judged.state()
	if err != nil {
		return nil, err
	}
	line, err := p.line(n, events)
	return summed(line), err
}

func (p *pass) line(n checkpoint.Note, events *judgedState) ([]byte, error) {
	return json.Marshal(written{
		Format: stateFormat, Note: string(n.Bytes()), Accumulator: p.trail.Now().AppendState(nil), Tiles: p.tiles.written(),
		Sequences: p.sequences, Commits: p.commits, OtherRules: p.otherRules, Events: events,
	})
}

// summed is a line and its checksum: what follows from a state is judged by it, so damage must not pass for knowledge.
func summed(line []byte) []byte {
	line = append(line, '\n')
	return fmt.Appendf(line, "%x\n", sha256.Sum256(line))
}

// decodePass goes on from what was written down. What an event auditor knows beside it is left out if it is of another
// version: then resume begins anew. The error wraps ErrState.
func decodePass(b []byte) (*pass, checkpoint.Note, error) {
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	if !bytes.Equal(summed(bytes.Clone(line)), b) {
		return nil, checkpoint.Note{}, fmt.Errorf("%w: its checksum is another", ErrState)
	}
	p, n, err := restore(line)
	if err != nil {
		return nil, checkpoint.Note{}, fmt.Errorf("%w: %w", ErrState, err)
	}
	return p, n, nil
}

func restore(line []byte) (*pass, checkpoint.Note, error) {
	var w written
	if err := json.Unmarshal(line, &w); err != nil {
		return nil, checkpoint.Note{}, err
	}
	if w.Format != stateFormat || w.Sequences == nil {
		return nil, checkpoint.Note{}, errors.New("of another version")
	}
	n, err := checkpoint.Open([]byte(w.Note))
	if err != nil {
		return nil, n, err
	}
	a, err := evidence.DecodeAccumulator(w.Accumulator)
	if err != nil {
		return nil, n, err
	}
	p := newPass(false)
	if a.Size() == 0 || a.Size() != n.Size || a.Root() != n.Root {
		return nil, n, errors.New("its roots are not those of its checkpoint")
	}
	if p.tiles, err = restoreTiles(n.Size, w.Tiles); err != nil {
		return nil, n, err
	}
	if p.tiles.root() != n.Root {
		return nil, n, errors.New("its tiles are not those of its checkpoint")
	}
	if err := w.Sequences.sound(); err != nil {
		return nil, n, err
	}
	p.trail = evidence.ResumeTrail(a, remembered)
	p.sequences, p.commits, p.otherRules = w.Sequences, w.Commits, w.OtherRules
	again, err := p.line(n, w.Events)
	if err == nil && !bytes.Equal(again, line) {
		err = errors.New("another spelling")
	}
	p.judged, _ = w.Events.restore() // none, if it is not of this version
	return p, n, err
}
