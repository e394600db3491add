package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// stateFormat is the version of what is written down; another is refused.
const stateFormat = 1

// errState is wrapped for a state that is none, or does not hold together.
var errState = errors.New("audit: not the state of an auditor")

// written is all that an auditor knows of a ledger: the checkpoint up to which it recomputed everything, and what it
// takes to go on from there. It is a few tens of kilobytes, whatever the size of the ledger.
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
	return json.Marshal(written{
		Format: stateFormat, Note: string(n.Bytes()), Accumulator: p.trail.Now().AppendState(nil), Tiles: p.tiles.written(),
		Sequences: p.sequences, Commits: p.commits, OtherRules: p.otherRules, Events: events,
	})
}

// decodePass goes on from what was written down. The error wraps errState.
func decodePass(b []byte) (*pass, checkpoint.Note, error) {
	p, n, err := restore(b)
	if err == nil {
		var again []byte
		if again, err = p.encode(n); err == nil && !bytes.Equal(again, b) {
			err = errors.New("another spelling")
		}
	}
	if err != nil {
		return nil, checkpoint.Note{}, fmt.Errorf("%w: %w", errState, err)
	}
	return p, n, nil
}

func restore(b []byte) (*pass, checkpoint.Note, error) {
	var w written
	if err := json.Unmarshal(b, &w); err != nil {
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
	if p.judged, err = w.Events.restore(); err != nil {
		return nil, n, err
	}
	p.trail = evidence.ResumeTrail(a, remembered)
	p.sequences, p.commits, p.otherRules = w.Sequences, w.Commits, w.OtherRules
	return p, n, nil
}
