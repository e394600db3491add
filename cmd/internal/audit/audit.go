package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/imalink/custody/cmd/internal/witness"
	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

var (
	// ErrInUse is returned when another process audits with the same folder.
	ErrInUse = errors.New("audit: this folder is in use")
	// ErrForeign is returned where the server has a ledger that the trust file is not about.
	ErrForeign = errors.New("audit: not the ledger of the trust file")
	// ErrLost is returned where a key of the folder cosigned what the folder does not know any more. Its keys must not be
	// used again: make others, and have them announced.
	ErrLost = errors.New("audit: what this folder's keys cosigned is not known any more")
)

// Config says what is audited, and how.
type Config struct {
	Dir    string            // of [Init]
	Do     Do                // asks the ledger
	Trust  *checkpoint.Trust // says which ledger it is, and which keys are its own
	Events bool              // from stored events; else from records
	Seen   []checkpoint.Note // checkpoints signed by the log that others were shown: the ledger must continue them
	Now    func() time.Time
	// Progress is told how many leaves of how many are recomputed; nil is nobody.
	Progress func(done, all uint64)
}

// An Auditor audits one ledger. It is for one goroutine.
type Auditor struct {
	cfg     Config
	keys    Keys
	ledger  *remote
	memory  witness.Memory
	witness *witness.Witness
	held    *durable.Lock

	pass *pass           // as far as note; nil if it is to be read
	last checkpoint.Note // up to which everything is recomputed; of the origin "" if nothing is

	left   checkpoint.Checkpoint // that the ledger has the cosignatures of
	leftAt time.Time
}

// Open opens the auditor of a folder, for this process alone. The error wraps [ErrNone] or [ErrInUse].
func Open(cfg Config) (*Auditor, error) {
	keys, err := ReadKeys(cfg.Dir)
	if err != nil {
		return nil, err
	}
	held, err := durable.TryLock(filepath.Join(cfg.Dir, "audit.lock"))
	if errors.Is(err, durable.ErrHeld) {
		err = fmt.Errorf("%w: %s", ErrInUse, cfg.Dir)
	}
	if err != nil {
		return nil, err
	}
	return &Auditor{
		cfg: cfg, keys: keys, held: held, ledger: &remote{cfg.Do, cfg.Trust, answerTime}, memory: witness.Memory{Dir: cfg.Dir, Role: replayRole},
		witness: NewWitness(cfg.Dir, keys, cfg.Trust, cfg.Now),
	}, nil
}

// NewWitness is the witness of an auditor's folder.
func NewWitness(dir string, keys Keys, trust *checkpoint.Trust, now func() time.Time) *witness.Witness {
	return &witness.Witness{Key: keys.Witness, Trust: trust, Memory: witness.Memory{Dir: dir, Role: witnessRole}, Now: now}
}

// Close lets go of the folder.
func (a *Auditor) Close() error { return a.held.Close() }

// Round audits what the ledger signed last, and cosigns it. A report with faults is no error. The error is that it could
// not be audited, or, beside a report, that the cosignatures did not reach the ledger; it wraps [ErrForeign], [ErrLost] or
// [ErrState] if trying again does not help. After any error the next round begins where the last good one ended.
func (a *Auditor) Round(ctx context.Context) (*Report, error) {
	report, err := a.round(ctx)
	if report == nil || !report.Sound || err != nil && !report.Cosigned {
		a.pass = nil // it may be anywhere: what was written down is right
	}
	return report, err
}

func (a *Auditor) round(ctx context.Context) (*Report, error) {
	if err := a.load(); err != nil {
		return nil, err
	}
	report := &Report{Origin: a.cfg.Trust.Origin(), Events: a.cfg.Events, Sound: true, Findings: []Finding{}}
	s, err := a.choose(ctx)
	switch {
	case errors.Is(err, errServed):
		report.list(Finding{Fault: true, Text: err.Error()})
		return report, nil
	case err != nil:
		return nil, err
	}
	a.resume()
	report.about(s.newest)
	report.From = a.pass.trail.Size()
	err = a.holdOthers(ctx, s, report)
	for _, note := range s.notes {
		if err != nil || !report.Sound {
			break
		}
		err = a.audit(ctx, note, report)
	}
	switch {
	case !report.Sound:
		err = nil // whatever else could not be found out
	case err != nil && !report.Cosigned:
		return nil, err
	}
	report.describe(a.pass)
	return report, err
}

// audit audits one checkpoint, and cosigns it unless that was done not long ago.
func (a *Auditor) audit(ctx context.Context, note checkpoint.Note, report *Report) error {
	report.about(note)
	report.Cosigned, report.Taken, report.Unannounced = false, false, nil
	if err := a.recompute(ctx, note, report); err != nil || !report.Sound {
		return err
	}
	if err := a.convicted(report); err != nil || !report.Sound {
		return err
	}
	if note.Checkpoint == a.left && a.cfg.Now().Sub(a.leftAt) < witness.Again {
		report.Unchanged = true
		return nil
	}
	return a.cosign(ctx, note, report)
}

// load reads what was written down, unless the pass is there; nothing is nothing.
func (a *Auditor) load() error {
	if a.pass != nil {
		return nil
	}
	b, err := a.memory.Read(a.cfg.Trust.Origin())
	if errors.Is(err, witness.ErrLost) {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	pass, last := newPass(a.cfg.Events), checkpoint.Note{}
	if b != nil {
		if pass, last, err = decodePass(b); err != nil {
			return err
		}
		if last.Origin != a.cfg.Trust.Origin() {
			return fmt.Errorf("%w: that of another ledger", ErrState)
		}
	}
	a.pass, a.last = pass, last
	return nil
}

// resume has the pass stand where recomputing begins: what a record auditor wrote down does not do for an event auditor,
// and what an event auditor did falls behind when only records are recomputed.
func (a *Auditor) resume() {
	switch {
	case a.cfg.Events && a.pass.judged == nil:
		a.pass = newPass(true)
	case !a.cfg.Events:
		a.pass.judged = nil
	}
}

// A show is what a ledger shows of what it signed.
type show struct {
	notes  []checkpoint.Note // to be audited, the newest last; none of size 0
	newest checkpoint.Note
	seen   []checkpoint.Note // what was shown before, and to others
}

// choose finds the checkpoints to audit: the newest, and before it the newest that a witness cosigned, if that is beyond
// what is recomputed already: a busy ledger signs so often that auditor and witness would never cosign the same. All have
// the log's signatures alone. The newest is asked for last: it must continue whatever was signed before.
func (a *Auditor) choose(ctx context.Context) (s show, err error) {
	own, err := a.witness.Last()
	if errors.Is(err, witness.ErrLost) {
		return s, fmt.Errorf("%w: %w", ErrLost, err)
	}
	if err != nil {
		return s, err
	}
	witnessed, err := a.fetch(ctx, true)
	if err != nil {
		return s, err
	}
	if s.newest, err = a.fetch(ctx, false); err != nil {
		return s, err
	}
	s.seen = slices.Concat(a.cfg.Seen, []checkpoint.Note{a.last, own, witnessed})
	if witnessed.Size > a.last.Size && witnessed.Size < s.newest.Size {
		s.notes = append(s.notes, witnessed)
	}
	if s.newest.Size > 0 {
		s.notes = append(s.notes, s.newest)
	}
	return s, nil
}

// fetch fetches a checkpoint that the log signed.
func (a *Auditor) fetch(ctx context.Context, witnessed bool) (checkpoint.Note, error) {
	note, err := a.ledger.checkpoint(ctx, witnessed)
	if err != nil {
		return note, err
	}
	j := a.cfg.Trust.Judge(note)
	mine, err := a.mine(note)
	switch {
	case note.Origin != a.cfg.Trust.Origin():
		return note, fmt.Errorf("%w: its checkpoints have another origin", ErrForeign)
	case j.Bad != nil:
		return note, fmt.Errorf("%w: %w", errServed, j.Bad)
	case len(j.Log) == 0:
		return note, fmt.Errorf("%w: no key of the log that the trust file names signed its checkpoint", ErrForeign)
	case err != nil:
		return note, err
	case mine && note.Size > a.last.Size:
		return note, fmt.Errorf("%w: the ledger has its cosignature over %d positions, and this folder knows of %d", ErrLost, note.Size, a.last.Size)
	}
	return note.Only(func(k checkpoint.Key) bool { return slices.Contains(j.Log, k) }), nil
}

// mine reports whether the replay key cosigned a note. What stands in its name and is not by it, an honest ledger does not
// have.
func (a *Auditor) mine(note checkpoint.Note) (bool, error) {
	i := slices.IndexFunc(note.Signatures, func(s checkpoint.Signature) bool { return s.Key == a.keys.Replay.Key() })
	if i < 0 {
		return false, nil
	}
	is := note.Signatures[i]
	must, err := a.keys.Replay.Cosign(note.Checkpoint, is.Time()) // Ed25519 signs the same in the same way
	if err != nil || !bytes.Equal(is.Bytes, must.Bytes) {
		return false, fmt.Errorf("%w: its checkpoint has a signature in the name of this auditor's key, and not by it", errServed)
	}
	return true, nil
}
