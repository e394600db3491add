package events

// The catalogue is data: every kind is a row, every row a shape, every field of a shape a spec. The
// decoder, the encoder, the screening and the published JSON Schema all read these rows and nothing
// else, so they cannot disagree. The rows are in the catalogue_*.go files.

// row is one kind.
type row struct {
	kind      Kind
	name      string
	retention Retention
	byLedger  bool // the ledger's own, refused from producers
	data      *shape

	typ    string // filled by newCatalogue
	stored *shape // data, then the field "ledger"
}

// shape is what an object may hold: at most 64 fields.
type shape struct {
	fields   []field
	required uint64     // bit i: fields[i] must be there
	either   []uint64   // if any: all the bits of one of them must be there
	when     *condition // if any: a field that one value of another field demands
	base     *shape     // what this shape adds fields to, if any
	secrets  bool       // some field holds what does not stay clear
}

// condition demands field then when the text of field when is one of words.
type condition struct {
	when, then int
	words      []string
}

// field is one member of an object.
type field struct {
	name     string
	spec     *spec
	required bool
	secrecy  Secrecy
	ptr      string // the constant pointer of a joinable or sealed field
	ofPerson bool   // sealed only when the registered party is a natural person
	mailbox  bool   // an organisation's own mailbox or switchboard may stand here

	key string // `"name":`, filled by object
}

func req(name string, s *spec) field { return field{name: name, spec: s, required: true} }
func opt(name string, s *spec) field { return field{name: name, spec: s} }

func (f field) subject() field { f.secrecy = Subject; return f }
func (f field) actor() field   { f.secrecy = Actor; return f }

func (f field) joinable(ptr string) field { f.secrecy, f.ptr = Joinable, ptr; return f }
func (f field) sealed(ptr string) field   { f.secrecy, f.ptr = Sealed, ptr; return f }

// sealedOfPerson marks what stays clear about an organisation and is sealed about a person.
func (f field) sealedOfPerson(ptr string) field { f.ofPerson, f.ptr = true, ptr; return f }

// orMailbox lets an organisation's own address or number stand here: who processes for a controller
// must be nameable with a contact (EDPB Opinion 22/2024).
func (f field) orMailbox() field { f.mailbox = true; return f }

func object(fields ...field) *shape {
	s := &shape{fields: make([]field, len(fields))}
	for i, f := range fields {
		f.key = `"` + f.name + `":`
		s.fields[i] = f
		s.secrets = s.secrets || f.secrecy != Clear
		if f.required {
			s.required |= 1 << i
		}
	}
	return s
}

// demanding adds a condition: then is required when the text of field when is one of words.
func (s *shape) demanding(then, when string, words ...string) *shape {
	s.when = &condition{when: s.bit(when), then: s.bit(then), words: words}
	return s
}

// eitherOf adds a choice: all the fields of one of the sets are required.
func (s *shape) eitherOf(sets ...[]string) *shape {
	for _, names := range sets {
		var mask uint64
		for _, name := range names {
			mask |= 1 << s.bit(name)
		}
		s.either = append(s.either, mask)
	}
	return s
}

// with gives a shape of its own with these fields after s's.
func (s *shape) with(fields ...field) *shape {
	longer := object(append(append([]field(nil), s.fields...), fields...)...)
	longer.base, longer.either, longer.when = s, s.either, s.when
	return longer
}

// bit is the index of a field that the catalogue itself names; the comparison with the published
// schema finds a name that does not exist.
func (s *shape) bit(name string) int {
	i, _ := s.find([]byte(name), 0)
	return i
}

// find gives the index of a field, looking from index from on and then around: producers mostly
// send fields in the catalogue's order.
func (s *shape) find(name []byte, from int) (int, bool) {
	for i := from; i < len(s.fields); i++ {
		if s.fields[i].name == string(name) {
			return i, true
		}
	}
	for i := range min(from, len(s.fields)) {
		if s.fields[i].name == string(name) {
			return i, true
		}
	}
	return 0, false
}

// kindIndex finds rows by number and by type.
type kindIndex struct {
	rows   []row // by Kind; rows[0] is empty
	byType map[string]Kind
}

var catalogue = newCatalogue(dataKinds, subjectKinds, governanceKinds, breachKinds, ledgerKinds)

func newCatalogue(families ...[]row) kindIndex {
	c := kindIndex{rows: make([]row, 1), byType: map[string]Kind{}}
	for _, family := range families {
		for _, r := range family {
			r.typ = "eu.custody." + r.name + ".v1"
			r.stored = r.data.with(req("ledger", &spec{form: objectForm, shape: factsShape}))
			c.byType[r.typ] = r.kind
			c.rows = append(c.rows, r)
		}
	}
	return c
}

func (c kindIndex) row(k Kind) *row {
	if int(k) >= len(c.rows) {
		k = 0
	}
	return &c.rows[k]
}

func (c kindIndex) kinds() []Kind {
	kinds := make([]Kind, 0, len(c.rows))
	for _, r := range c.rows[1:] {
		kinds = append(kinds, r.kind)
	}
	return kinds
}
