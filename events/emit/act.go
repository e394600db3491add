package emit

import "github.com/imalink/custody/events"

// An Act is something that was done with personal data, or that a person said about theirs: one of the types of
// this package, or [Other]. The fields have the names, and the words the meaning, that the catalogue gives them
// (docs/events). An Act never prints itself.
type Act interface {
	// Kind is the kind of event that the act becomes.
	Kind() events.Kind

	data(w *writer)
}

// Processing is what every act of the family data says. An act that names an activity which is registered with
// the ledger may leave out System, Dataset, Categories, Purpose and Basis; one that does not must say the first
// four.
type Processing struct {
	discreet
	Subjects []Subject
	Actor    Actor

	Activity   string // code of a registered activity (Art. 30 GDPR)
	System     string // a code, such as ats
	Dataset    string // a code, such as career_cv
	Categories []string
	Purpose    string // a code, such as service_provision
	Basis      Basis
	BasisRef   string // reference of the consent, contract or assessment it rests on
	Statute    string // a code
	Exception  Exception

	Special   []string  // codes of special categories (Art. 9); sealed
	Condition Condition // Art. 9(2); sealed
	Criminal  bool      // Art. 10

	Operation   string // of W3C DPV, such as dpv:Consult, where the kind does not say it
	Environment string // prod or test
	OurRole     OurRole
	OnBehalfOf  string    // code of the controller, where OurRole is processor or subprocessor
	Storage     []string  // countries where the data were kept, ISO 3166-1 alpha-2
	Access      []string  // countries from which they were accessed
	Records     Number    // how many
	Reference   string    // what it was about, such as vacancy:2291; joins events
	Reason      string    // at most 200 characters; sealed
	Assertion   Assertion // how this is known; mostly Observed
	Bulk        Bulk
}

// A Bulk joins the events of one act that is larger than an event may be. The last one says how many there are.
type Bulk struct {
	ID    string // a reference
	Part  int    // from 1
	Parts int    // 0: more to come
}

// common writes what every act begins with.
func common(w *writer, actor Actor, assertion Assertion, reference, reason string) {
	actor.write(w)
	text(w, "assertion", assertion)
	text(w, "reference", reference)
	text(w, "reason", reason)
}

func (b Bulk) write(w *writer) {
	w.object("bulk", func(w *writer) {
		text(w, "id", b.ID)
		if b.Part != 0 {
			w.number("part", Count(b.Part))
		}
		if b.Parts != 0 {
			w.number("parts", Count(b.Parts))
		}
	})
}

func (p Processing) write(w *writer) {
	common(w, p.Actor, p.Assertion, p.Reference, p.Reason)
	writeSubjects(w, p.Subjects)
	text(w, "system", p.System)
	p.Bulk.write(w)
	text(w, "our_role", p.OurRole)
	text(w, "on_behalf_of", p.OnBehalfOf)
	text(w, "dataset", p.Dataset)
	text(w, "environment", p.Environment)
	text(w, "operation", p.Operation)
	texts(w, "categories", p.Categories)
	texts(w, "special", p.Special)
	text(w, "a9", p.Condition)
	w.yes("art10", p.Criminal)
	text(w, "purpose", p.Purpose)
	text(w, "basis", p.Basis)
	text(w, "basis_ref", p.BasisRef)
	text(w, "statute", p.Statute)
	text(w, "exception", p.Exception)
	text(w, "activity", p.Activity)
	w.object("volume", func(w *writer) { w.number("records", p.Records) })
	w.object("location", func(w *writer) {
		texts(w, "storage", p.Storage)
		texts(w, "access", p.Access)
	})
}

// Other is an act of a kind that has no type here: any kind a producer may send, with its data as the catalogue
// has it (docs/events), in JSON.
type Other struct {
	discreet
	Of   events.Kind
	Data []byte
}

// Kind is the kind it says.
func (o Other) Kind() events.Kind { return o.Of }

// data is not called: an Other brings its data along.
func (o Other) data(*writer) {}
