package ledger

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/recordlog"
	"github.com/imalink/custody/ledger/notary"
	"github.com/imalink/custody/ledger/stream"
)

// rememberedLeaves is how far back a commit may reach for its roots to be recomputed in passing. A ledger commits
// every second or so.
const rememberedLeaves = 1 << 20

// A recount makes the evidence of a ledger again from its events, and holds it against everything that says what it
// should be: files, commits, signed checkpoints. A nil one does nothing: what is below it cannot be numbered.
type recount struct {
	files     *recordlog.Check // nil if the folder cannot be read
	producers recordlog.Producers
	trail     *evidence.Trail
	rules     evidence.Hash
	found     notary.Found
	signed    map[uint64][]signedRoot // by size: what was signed
	announced notary.Announced        // keys, also those of cosigners that are retired

	commits, far, older uint64
}

// A signedRoot is a root that somebody signed, and where that was found.
type signedRoot struct {
	root  evidence.Hash
	where string
}

// recountEvidence begins the recount.
func (c *checker) recountEvidence() {
	r := &recount{trail: evidence.NewTrail(rememberedLeaves), rules: evidence.Rules(), signed: map[uint64][]signedRoot{}}
	var err error
	if r.files, err = recordlog.NewCheck(c.paths.evidence()); err != nil {
		c.report.find("evidence", 0, "%v", err)
	}
	var faults []error
	r.found, faults = notary.Find(c.paths.keys, c.paths.evidence())
	for _, fault := range faults {
		c.report.find("evidence", 0, "%v", fault)
	}
	if len(r.found.Keys) == 0 && len(faults) == 0 {
		c.report.Notes = append(c.report.Notes, "no keys of checkpoints beside the root key: this ledger signs nothing")
	}
	if former := len(r.found.Former); former > 0 {
		c.report.Notes = append(c.report.Notes, fmt.Sprintf("checkpoints of a former origin, not compared: %d", former))
	}
	for _, n := range r.found.Notes {
		r.signed[n.Note.Size] = append(r.signed[n.Note.Size], signedRoot{n.Note.Root, n.File})
	}
	c.witness = r
	c.signedSound(0, emptyRoot)
}

// emptyRoot is the root over no records (RFC 6962, section 2.1).
func emptyRoot() evidence.Hash { return sha256.Sum256(nil) }

// signedSound holds what was signed for a size against the root over so many records.
func (c *checker) signedSound(size uint64, root func() evidence.Hash) {
	for _, s := range c.witness.signed[size] {
		if s.root != root() {
			c.report.find("evidence", size, "%s: the root that was signed for %d positions is not theirs: another history", s.where, size)
		}
	}
	delete(c.witness.signed, size)
}

// give adds an event to the recount. One that cannot be read ends it: nothing can be said of the roots above.
func (r *recount) give(c *checker, m stream.Message, st *events.Stored) {
	if r == nil {
		return
	}
	if st == nil {
		c.witness = nil
		c.report.Notes = append(c.report.Notes, "evidence was not recomputed beyond an event that cannot be read")
		return
	}
	if st.Event.Kind == events.LedgerCommitted {
		r.commitSound(c, m)
	}
	if st.Event.Kind == events.LedgerKeyAnnounced {
		r.announced = r.announced.Ever(st.Event.Data)
	}
	number := r.producers.Number(m.Sequence, st.Event.Source, st.Event.Instance)
	record := evidence.RecordOf(st, sha256.Sum256(m.Data), number)
	raw := record.Append(nil)
	if err := r.trail.Append(raw); err != nil {
		c.report.find("evidence", m.Sequence, "%v", err)
		c.witness = nil
		return
	}
	if r.files != nil && r.trail.Size() <= r.files.Size() {
		r.files.Number(m.Sequence, st.Event.Source, st.Event.Instance)
		if err := r.files.Append(raw); err != nil {
			c.report.find("evidence", m.Sequence, "%v", err)
		}
	}
	c.signedSound(r.trail.Size(), r.trail.Now().Root)
}

// commitSound holds a commit against the roots of what is before it.
func (r *recount) commitSound(c *checker, m stream.Message) {
	says, err := evidence.ParseCommit(m.Data)
	if err != nil {
		c.report.find("evidence", m.Sequence, "%v", err)
		return
	}
	r.commits++
	if says.Rules != r.rules {
		r.older++
	}
	switch why, err := r.trail.Contradicts(says); {
	case errors.Is(err, evidence.ErrQuestion):
		r.far++
	case err != nil:
		c.report.find("evidence", m.Sequence, "%v", err)
	case why != "":
		c.report.find("evidence", m.Sequence, "the commit is false: %s", why)
	}
}

// evidenceSound says what of the evidence was not as recomputed.
func (c *checker) evidenceSound() {
	r := c.witness
	if r == nil {
		return
	}
	if r.files != nil {
		differences, err := r.files.End()
		if err != nil {
			c.report.find("evidence", 0, "%v", err)
		}
		for _, d := range differences {
			c.report.find("evidence", 0, "%s is not what the events give, from offset %d; delete the folder %s while the ledger is stopped, and it comes back", d.File, d.Offset, c.paths.evidence())
		}
	}
	for _, fault := range r.found.Judge(r.announced) {
		c.report.find("evidence", 0, "%v", fault)
	}
	for size, signed := range r.signed {
		c.report.find("evidence", size, "%s: was signed for %d positions, and there are %d: this is an older copy, or something is lost", signed[0].where, size, r.trail.Size())
	}
	c.report.Checked = append(c.report.Checked, fmt.Sprintf("records, both trees, %d commits, every tile, signed root and signature", r.commits))
	if r.far > 0 {
		c.report.Notes = append(c.report.Notes, fmt.Sprintf("%d commits reach further back than %d positions; their roots were not recomputed", r.far, rememberedLeaves))
	}
	if r.older > 0 {
		c.report.Notes = append(c.report.Notes, fmt.Sprintf("%d commits were made under other rules or legal tables than this program's", r.older))
	}
}
