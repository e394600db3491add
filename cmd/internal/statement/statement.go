package statement

import (
	"github.com/imalink/custody/cmd/internal/report"
)

// Format is the version of the JSON form. [Decode] refuses any other.
const Format = 1

// An Instant is a point in time, UTC, in milliseconds.
type Instant = report.Instant

// A Day is a UTC day, as 2026-03-02.
type Day string

// A Statement is what one document says; docs/FORMAT.md, "Statement", has every
// member. A list that is empty has nothing to say. It is not safe to change while
// it is written.
type Statement struct {
	Version     int          `json:"version"` // Format
	Issued      Instant      `json:"issued"`
	Ledger      Ledger       `json:"ledger"`
	Range       Range        `json:"range"`
	Covers      Covers       `json:"covers"`
	Result      Result       `json:"result"` // follows from the rest
	Classes     []Class      `json:"classes"`
	Transfers   []Item       `json:"transfers,omitempty"` // T2 to T5 and U, by position
	Working     []Item       `json:"working,omitempty"`   // T1 and T1f, by position
	Parents     []Parent     `json:"parents,omitempty"`   // T7
	Onward      []Onward     `json:"onward,omitempty"`    // T9
	Locations   []Location   `json:"locations,omitempty"`
	Systems     []System     `json:"systems,omitempty"`
	Unknowns    Unknowns     `json:"unknowns"`
	Controls    []Control    `json:"controls"`
	Again       Again        `json:"again"`
	Corrections []Correction `json:"corrections,omitempty"`
	Policies    []Policy     `json:"policies,omitempty"`
	Cosigners   []Cosigner   `json:"cosigners,omitempty"`
	Limits      []string     `json:"limits"` // Limits
}

// Ledger says which ledger it is (docs/FORMAT.md, "Manifest").
type Ledger struct {
	Name string `json:"name"`
	ID   string `json:"id"` // 32 lower-case hexadecimal digits
}

// Range is the days of event time that it is about.
type Range struct {
	From   Day     `json:"from"`
	To     Day     `json:"to"`     // included
	Closes Instant `json:"closes"` // the end of the last day, and a grace for what arrives late
	Closed bool    `json:"closed"` // a witness signed after that
}

// Covers says which events were looked at, and as of when.
type Covers struct {
	Origin    string  `json:"origin"`
	Events    uint64  `json:"events"`    // n: every position from 1 to n
	Commit    uint64  `json:"commit"`    // position of the ledger.committed that says so
	Root      string  `json:"root"`      // of the record log over n, hexadecimal
	Annotated string  `json:"annotated"` // of the annotated tree over n, hexadecimal
	Rules     string  `json:"rules"`     // hash of what the flags mean, hexadecimal
	Size      uint64  `json:"size"`      // of the checkpoint
	KnownAt   Instant `json:"known_at"`  // recorded time of position n
	Head      uint64  `json:"head"`      // the ledger's, when this was made
	Lag       uint64  `json:"lag"`       // head less n
	Tables    string  `json:"tables"`    // version of the legal tables of the program that made this
	Months    uint64  `json:"months"`    // how old the confirmation of a location may be
}

// Result is the outcome. It follows from the rest of the statement.
type Result struct {
	Grade     string   `json:"grade"`     // A, B, C or F
	Law       string   `json:"law"`       // Chapter V of the GDPR: one of Verdicts
	Policy    string   `json:"policy"`    // "we do not transfer data outside the EEA": likewise
	Transfers uint64   `json:"transfers"` // events of T2 to T5
	Unknown   uint64   `json:"unknown"`   // events of U
	Unmapped  uint64   `json:"unmapped"`  // what controls found and nobody accounted for
	Reasons   []Reason `json:"reasons,omitempty"`
}

// A Reason keeps the grade from being better.
type Reason struct {
	Grade string `json:"grade"` // no better than this
	Why   string `json:"why"`   // one of Whys
	Count uint64 `json:"count"`
}

// A Class is one row of the table of verdicts.
type Class struct {
	Class   string `json:"class"`
	Shown   string `json:"shown"` // Proven, Asserted or NotRecorded
	Events  uint64 `json:"events"`
	Persons uint64 `json:"persons"` // of T0 to U: data subjects listed; one person in two events counts twice
	Late    uint64 `json:"late"`    // of T0 to U: events recorded more than a day after their time
	Law     string `json:"law"`     // one of Verdicts
	Policy  string `json:"policy"`
}

// An Item is an event that is listed.
type Item struct {
	Position   uint64   `json:"position"`
	Digest     string   `json:"digest"` // SHA-256 of the stored event, hexadecimal
	Day        Day      `json:"day"`
	Class      string   `json:"class"`
	Kind       string   `json:"kind"`
	Party      string   `json:"party,omitempty"` // to whom data were made available
	Role       string   `json:"role,omitempty"`  // the recipient's, else the kind of whoever acted
	Via        string   `json:"via,omitempty"`
	Region     string   `json:"region,omitempty"`
	Outside    []string `json:"outside,omitempty"`                    // countries outside the EEA
	IO         bool     `json:"international_organisation,omitempty"` // the party: outside wherever it is
	Tool       string   `json:"tool,omitempty"`
	ToolRef    string   `json:"tool_ref,omitempty"`
	Assessment string   `json:"assessment,omitempty"` // of the transfer
	System     string   `json:"system,omitempty"`
	Purpose    string   `json:"purpose,omitempty"`
	Categories []string `json:"categories,omitempty"`
	Persons    uint64   `json:"persons"`
	Late       bool     `json:"late,omitempty"`
	Secrecy    string   `json:"secrecy,omitempty"`
	Missing    string   `json:"missing,omitempty"` // of U: one of Missing
}

// A Parent is a party inside the EEA whose group's parent is not: T7.
type Parent struct {
	Party     string   `json:"party"`
	Position  uint64   `json:"position"` // of the registration
	Country   string   `json:"country"`
	Parent    string   `json:"parent_country"`
	Events    uint64   `json:"events"` // of T0
	Persons   uint64   `json:"persons"`
	First     Day      `json:"first"`
	Last      Day      `json:"last"`
	Positions []uint64 `json:"positions"`
}

// Onward is a sub-processor outside the EEA: T9. Recorded, events name it as the
// one that received; registered, events name a processor that engages it, and
// whether it received is not recorded.
type Onward struct {
	How       string   `json:"how"`               // Recorded or Registered
	Chain     []string `json:"chain"`             // from who received to the sub-processor; of a recorded one, from the processor, if known
	Position  uint64   `json:"position"`          // of the event that registered it, or says that it is engaged; 0 if none did
	Outside   []string `json:"outside,omitempty"` // outside the EEA; none if its places are not known
	Events    uint64   `json:"events"`
	Persons   uint64   `json:"persons"`
	First     Day      `json:"first"`
	Last      Day      `json:"last"`
	Positions []uint64 `json:"positions"`
}

// A Location is where examined data were, or from where they were seen, and who
// says so.
type Location struct {
	Source    string   `json:"source"`             // Register, Own or OfSystem
	Position  uint64   `json:"position,omitempty"` // of the registration
	Party     string   `json:"party,omitempty"`
	System    string   `json:"system,omitempty"`
	Country   string   `json:"country,omitempty"`
	Storage   []string `json:"storage,omitempty"`
	Access    []string `json:"access,omitempty"`
	Outside   []string `json:"outside,omitempty"` // those outside the EEA on the last day
	IO        bool     `json:"international_organisation,omitempty"`
	Assertion string   `json:"assertion,omitempty"` // absent: nobody said how it is known
	Confirmed Day      `json:"confirmed,omitempty"`
	Stale     bool     `json:"stale,omitempty"` // never confirmed, or too long before the last day
	Events    uint64   `json:"events"`
	First     Day      `json:"first"`
	Last      Day      `json:"last"`
}

// A System is what was recorded in one, by day.
type System struct {
	System     string      `json:"system,omitempty"`     // absent: events that name none
	Registered uint64      `json:"registered,omitempty"` // position of its last registration; 0 if there is none
	Personal   bool        `json:"personal_data,omitempty"`
	Producers  []string    `json:"producers,omitempty"` // the one registered, else those that reported of it
	Expected   uint64      `json:"expected"`            // days on which a heartbeat was to come
	Days       []SystemDay `json:"days,omitempty"`      // on which anything came
	Without    []Days      `json:"without_heartbeat,omitempty"`
}

// A SystemDay is one day of a system.
type SystemDay struct {
	Day        Day    `json:"day"`
	Events     uint64 `json:"events"`
	Examined   uint64 `json:"examined"` // those with a class
	Heartbeats uint64 `json:"heartbeats"`
}

// Days are days that follow each other, both ends included.
type Days struct {
	From Day `json:"from"`
	To   Day `json:"to"`
}

// Unknowns are what the evidence lacks.
type Unknowns struct {
	Parties   []Lacking  `json:"parties,omitempty"`
	Gaps      []Gap      `json:"gaps,omitempty"`
	Producers []Producer `json:"producers,omitempty"`
	Refused   []Refused  `json:"refused,omitempty"`
	Lost      []Lost     `json:"lost,omitempty"`
	Bare      []Days     `json:"bare,omitempty"` // days of the range for which no system was registered
}

// Lacking is a party of events of U, and what is missing of it.
type Lacking struct {
	Party      string `json:"party,omitempty"` // absent: own staff
	Missing    string `json:"missing"`         // one of Missing
	Registered uint64 `json:"registered"`      // position of its first registration, before or since; 0 if never
	Events     uint64 `json:"events"`
	First      Day    `json:"first"`
	Last       Day    `json:"last"`
}

// A Gap is numbers of a producer that never came.
type Gap struct {
	Producer string `json:"producer"`
	Instance string `json:"instance,omitempty"`
	From     uint64 `json:"from"`
	To       uint64 `json:"to"`
	After    Day    `json:"after,omitempty"` // of the event before them; absent if there is none
	Before   Day    `json:"before"`          // of the event after them; these days touch the range
}

// A Producer is one copy of a producer, which numbers its events.
type Producer struct {
	Producer   string `json:"producer"`
	Instance   string `json:"instance,omitempty"`
	Events     uint64 `json:"events"`     // in the range; so are the next two
	Unnumbered uint64 `json:"unnumbered"` // without a number, so that no gap can show
	Repeated   uint64 `json:"repeated"`   // whose number another event had
	Missing    uint64 `json:"missing"`    // numbers, of gaps that touch the range
	Elsewhere  uint64 `json:"elsewhere"`  // numbers, of other gaps
	Last       Day    `json:"last"`       // of its last event, whenever
	Silent     bool   `json:"silent"`     // nothing since, and it did not say that it stopped
}

// Refused is what the ledger did not accept: it is not in it.
type Refused struct {
	Producer string `json:"producer"`
	Type     string `json:"type"`
	Events   uint64 `json:"events"`
	First    Day    `json:"first"`
	Last     Day    `json:"last"`
}

// Lost is positions that an older copy of the ledger lost.
type Lost struct {
	Position uint64 `json:"position"` // of the ledger.gap-found
	From     uint64 `json:"from"`
	To       uint64 `json:"to"`
}

// A Control is one of the eight controls of completeness, and what came of it.
type Control struct {
	Control  uint64        `json:"control"` // its number
	Code     string        `json:"code"`
	Result   string        `json:"result"` // one of Results
	Findings []Finding     `json:"findings,omitempty"`
	Attested []Attestation `json:"attested,omitempty"`
}

// A Finding is something that a control counted.
type Finding struct {
	What  string `json:"what"` // one of Whys, or of Plain
	Count uint64 `json:"count"`
}

// An Attestation is a governance.control-attested: that somebody looked. The
// ledger does not know what they saw.
type Attestation struct {
	Position  uint64  `json:"position"`
	System    string  `json:"system,omitempty"`
	Outcome   string  `json:"outcome"`
	Unmapped  *uint64 `json:"unmapped,omitempty"` // absent: not said
	From      Day     `json:"from,omitempty"`
	To        Day     `json:"to,omitempty"`
	Assertion string  `json:"assertion,omitempty"`
}

// Again is what the classes would be if decided now.
type Again struct {
	Tables      string       `json:"tables"`   // version of the legal tables
	Register    uint64       `json:"register"` // as recorded up to this position
	Events      uint64       `json:"events"`   // that have a class, then or now
	Same        uint64       `json:"same"`
	Differences []Difference `json:"differences,omitempty"`
}

// A Difference is events that would have another class.
type Difference struct {
	Was       string   `json:"was"` // or none
	Now       string   `json:"now"`
	Events    uint64   `json:"events"`
	Positions []uint64 `json:"positions"`
}

// A Correction is a ledger.corrected of the range, or of an event listed here.
type Correction struct {
	Position uint64 `json:"position"`
	Day      Day    `json:"day"`
	Effect   string `json:"effect"`
	Reason   string `json:"reason"`
	Corrects uint64 `json:"corrects,omitempty"` // position of a listed event; absent if it corrects another
}

// A Policy is a version of a policy that was in force on a day of the range.
type Policy struct {
	Position uint64  `json:"position"`
	Policy   string  `json:"policy"`
	Version  string  `json:"version"`
	SHA256   string  `json:"sha256"`
	From     Instant `json:"from"`
}

// A Cosigner is who signed the checkpoint besides the log.
type Cosigner struct {
	Key       string  `json:"key"`  // its name, +, its id: 8 hexadecimal digits
	Role      string  `json:"role"` // Witness or Replay
	At        Instant `json:"at"`
	Announced uint64  `json:"announced,omitempty"` // position of the ledger.key-announced; absent: the key was not announced
	Operator  string  `json:"operator,omitempty"`  // party that keeps the key; absent of a key announced: the controller itself
}
