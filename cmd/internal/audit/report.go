package audit

import (
	"fmt"
	"strings"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const (
	mostProofs   = 16  // that one round makes
	mostFindings = 200 // that a report lists
	shownHoles   = 10  // of one producer
)

// A Report says what a round found.
type Report struct {
	Origin      string    `json:"origin"`
	Events      bool      `json:"events"` // recomputed from stored events, not from records
	From        uint64    `json:"from"`   // leaves that were recomputed before
	Size        uint64    `json:"size"`   // of the checkpoint
	Root        string    `json:"root,omitempty"`
	Records     uint64    `json:"records"`     // recomputed in this round
	Commits     uint64    `json:"commits"`     // held against the roots, since leaf 0
	OtherRules  uint64    `json:"other_rules"` // of these made under other rules or tables than this program's
	OtherTables uint64    `json:"other_tables"`
	Sound       bool      `json:"sound"` // no finding is a fault
	Findings    []Finding `json:"findings"`
	More        int       `json:"more,omitempty"` // findings beyond those listed
	Cosigned    bool      `json:"cosigned"`
	Unchanged   bool      `json:"unchanged,omitempty"`   // nothing is new, and it was cosigned not long ago
	Taken       bool      `json:"taken"`                 // the ledger has the cosignatures
	Unannounced []string  `json:"unannounced,omitempty"` // own keys whose cosignatures the ledger does not take
	Note        string    `json:"note,omitempty"`        // the checkpoint, as cosigned
}

// A Finding is what is not as it should be.
type Finding struct {
	Fault    bool   `json:"fault"` // of the log: nothing is cosigned
	Text     string `json:"text"`
	Position uint64 `json:"position,omitempty"` // where it begins
	Proof    string `json:"proof,omitempty"`    // file that proves it to others
}

// about says which checkpoint the report is about.
func (r *Report) about(n checkpoint.Note) { r.Size, r.Root = n.Size, fmt.Sprintf("%x", n.Root) }

func (r *Report) proofs() (n int) {
	for _, f := range r.Findings {
		if f.Proof != "" {
			n++
		}
	}
	return n
}

// list lists a finding, if there is room. Half of it is for faults alone.
func (r *Report) list(f Finding) {
	room := mostFindings / 2
	if f.Fault {
		r.Sound, room = false, mostFindings
	}
	if len(r.Findings) >= room {
		r.More++
		return
	}
	r.Findings = append(r.Findings, f)
}

// describe says how far a pass came, and what it found that is no fault of the log.
func (r *Report) describe(p *pass) {
	r.Records, r.Commits, r.OtherRules = p.trail.Size()-min(r.From, p.trail.Size()), p.commits, p.otherRules
	if p.judged != nil {
		r.OtherTables = p.judged.judge.Older()
	}
	for _, number := range p.sequences.producers() {
		n := p.sequences[number]
		if n.Missing > 0 {
			r.list(Finding{Text: fmt.Sprintf("%s: %s not come: %s", p.judged.name(number), numbersHave(n.Missing), n.shown())})
		}
		if n.Repeated > 0 {
			r.list(Finding{Text: fmt.Sprintf("%s: %d numbers came twice", p.judged.name(number), n.Repeated)})
		}
	}
}

// numbersHave says how many, and that they have.
func numbersHave(n uint64) string {
	if n == 1 {
		return "1 number has"
	}
	return fmt.Sprintf("%d numbers have", n)
}

// shown are the last holes, for people.
func (n *numbers) shown() string {
	var parts []string
	if n.GivenUp > 0 {
		parts = append(parts, fmt.Sprintf("some up to %d, which are not followed any more", n.GivenUp))
	}
	last := n.Holes[max(0, len(n.Holes)-shownHoles):]
	if len(last) < len(n.Holes) {
		parts = append(parts, "...")
	}
	for _, h := range last {
		text := fmt.Sprint(h.From)
		if h.To > h.From {
			text += fmt.Sprintf(" to %d", h.To)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}
