package report

// Format is the version of the JSON form. [Decode] refuses any other.
const Format = 1

// A Certificate is what one document says. A part that is nil or empty has
// nothing to say, or is not of this kind; see [Kind]. It is not safe to change
// while it is written.
type Certificate struct {
	Version     int          `json:"version"` // Format
	Kind        Kind         `json:"kind"`
	Issued      Instant      `json:"issued"` // when this copy was made; the date of the PDF
	Ledger      Ledger       `json:"ledger"`
	Erasure     *Erasure     `json:"erasure,omitempty"`
	Retention   *Retention   `json:"retention,omitempty"`
	Identifiers *Identifiers `json:"identifiers,omitempty"`
	Shredding   *Shredding   `json:"shredding,omitempty"`
	Cells       []Cells      `json:"cells,omitempty"` // what is, or would be, destroyed
	Holds       []Hold       `json:"holds,omitempty"`
	Kept        []Kept       `json:"kept,omitempty"`
	Remains     Remains      `json:"remains"`
	Recipients  []Recipient  `json:"recipients,omitempty"`
	Legs        []Leg        `json:"legs,omitempty"`
	Copies      []Copy       `json:"copies"` // one of each kind, a device only if there is one
	Evidence    Evidence     `json:"evidence"`
}

// Ledger says which ledger it is (docs/FORMAT.md, manifest).
type Ledger struct {
	Name string `json:"name"`
	ID   string `json:"id"` // 32 lower-case hexadecimal digits
}

// Who is a token behind something, and where two people must agree, the second.
type Who struct {
	Role     string `json:"role"`
	Token    string `json:"token"`                 // its name
	Approved string `json:"approved_by,omitempty"` // name of the token that approved
}

// An Erasure is that a person is to be forgotten: Art. 17(1) GDPR.
type Erasure struct {
	Position   uint64  `json:"position,omitempty"` // of its ledger.erasure-opened, by which it is known; 0 in a dry run
	Opened     Instant `json:"opened,omitzero"`    // zero in a dry run
	Reason     string  `json:"reason"`             // one of events.ErasureReasons
	Request    string  `json:"request,omitempty"`  // reference of the person's request
	By         Who     `json:"by"`
	Restricted Instant `json:"restricted_since,omitzero"` // since when the person's data are restricted: Art. 18
	Due        Instant `json:"due,omitzero"`              // when keys are destroyed at the latest
	AsActor    bool    `json:"as_actor,omitempty"`        // also what the person did as an actor
	Ground     string  `json:"ground,omitempty"`          // why that may go; with AsActor only
}

// A Retention is that a class of events is kept no longer: Art. 5(1)(e) GDPR.
type Retention struct {
	Class    string `json:"class"`              // a retention class, as events names it
	Before   Month  `json:"before"`             // the first month that stays
	Cells    uint64 `json:"cells"`              // destroyed
	Held     uint64 `json:"held"`               // persons of whom keys stay, because of a legal hold
	Schedule string `json:"schedule,omitempty"` // the rule that asked for it; "" if somebody did
}

// Identifiers are those of the person.
type Identifiers struct {
	Shown bool     `json:"shown"`          // whether this copy names them; a copy that is issued again does not
	Count uint64   `json:"count"`          // how many there are, shown or not
	List  []Linked `json:"list,omitempty"` // as many as Count if they are shown, else none
}

// Linked is one identifier of the person.
type Linked struct {
	Identifier Identifier `json:"identifier"`
	Links      []Link     `json:"links,omitempty"` // what made it one of the person's
	Acted      uint64     `json:"acted,omitempty"` // events in which it acted
	Stays      bool       `json:"stays,omitempty"` // goes on, as an actor or on a ground of Art. 17(3)
}

// A Link is the event that linked an identifier.
type Link struct {
	Position uint64     `json:"position"`
	By       Identifier `json:"by,omitzero"` // who did it; left out where the copy goes to the person
}

// Shredding is that keys were destroyed: the event ledger.key-shredded.
type Shredding struct {
	Position   uint64  `json:"position"`
	At         Instant `json:"at"`
	Digest     string  `json:"digest"` // SHA-256 of the stored event, in lower-case hexadecimal
	By         Who     `json:"by"`
	RootBefore uint64  `json:"root_before"` // version of the root key that was destroyed
	RootAfter  uint64  `json:"root_after"`  // version in force since
	Shards     uint64  `json:"shards"`      // of 256, those whose keys were replaced
	Rows       uint64  `json:"rows"`        // rows of the vault that are gone
}

// Cells are months of a class, all in one row if they follow each other.
type Cells struct {
	Class string `json:"class"`
	From  Month  `json:"from"`
	To    Month  `json:"to"`   // included
	Keys  uint64 `json:"keys"` // cells: of a person, those in which events have a tag whose key does not stay; of a retention, all
}

// A Hold is a legal hold that concerns what would go.
type Hold struct {
	Position uint64 `json:"position"` // of its governance.hold-placed
	Hold     string `json:"hold"`
	Ground   string `json:"ground"` // one of events.KeepGrounds
	Dataset  string `json:"dataset,omitempty"`
	Review   Day    `json:"review,omitempty"`
}

// Kept is a part that stays.
type Kept struct {
	What   string `json:"what"`             // KeptClass or KeptActor
	Class  string `json:"class,omitempty"`  // of KeptClass
	Ground string `json:"ground,omitempty"` // of KeptClass: one of events.KeepGrounds
	Rows   uint64 `json:"rows"`             // rows of the vault that stay for it
	Events uint64 `json:"events"`           // that can be resolved because of it
}

// What can stay.
const (
	KeptClass = "class" // keys of a class, on a ground of Art. 17(3)
	KeptActor = "actor" // what the person did as an actor
)

// Remains is what is left, and what can still be learnt from it.
type Remains struct {
	Uncounted bool     `json:"uncounted,omitempty"` // issued when nobody could tell any more what was about the person: the numbers here, and what is due, are not known
	Events    []Count  `json:"events,omitempty"`
	Shared    uint64   `json:"shared"`    // events that concern other people too
	Crowd     uint64   `json:"crowd"`     // events of more than 16 people that hold sealed fields
	Clear     []string `json:"clear"`     // ClearFields
	Learnable []string `json:"learnable"` // what Learnable gives
}

// A Count is how many events there are of one class and family.
type Count struct {
	Class  string  `json:"class"`
	Family string  `json:"family"`
	Events uint64  `json:"events"`
	First  Instant `json:"first,omitzero"` // times of the events
	Last   Instant `json:"last,omitzero"`
}

// A Recipient is to be told: Art. 19 GDPR.
type Recipient struct {
	Party  string  `json:"party"`
	Events uint64  `json:"events"` // disclosures
	First  Instant `json:"first"`
	Last   Instant `json:"last"`
	State  string  `json:"state"`           // one of RecipientStates
	Told   Instant `json:"told,omitzero"`   // when, or when it was found that it cannot be done
	Event  uint64  `json:"event,omitempty"` // position of the event that says so
}

// A Leg is a place that data of the person have to go from.
type Leg struct {
	Deletion  string  `json:"deletion"`
	Kind      string  `json:"kind"` // one of LegKinds
	Party     string  `json:"party,omitempty"`
	State     string  `json:"state"` // Done or Due
	Due       Day     `json:"due,omitempty"`
	Confirmed Instant `json:"confirmed,omitzero"`
	Attest    string  `json:"attest,omitempty"` // reference of the attestation
}

// A Copy is a place beside the ledger's own files that had the root key of before,
// or has rows that it opens. Every certificate says of each kind how it stands.
type Copy struct {
	Kind   string `json:"kind"`             // one of CopyKinds
	State  string `json:"state"`            // one of CopyStates
	Former uint64 `json:"former,omitempty"` // version of the root key that has to go, or went; 0 of None
	// What was found there, and when it was looked at; zero if nobody did.
	Root  uint64  `json:"root,omitempty"`
	Found Instant `json:"found,omitzero"`
}

// Evidence says as of when the document is, and how to verify it.
type Evidence struct {
	AsOf   uint64   `json:"as_of"` // position of the last event that it takes into account
	At     Instant  `json:"at"`    // recorded time of that event
	Digest string   `json:"digest"`
	Verify []string `json:"verify"` // commands
}
