package events

import "math/bits"

// Decode reads one event as a producer sends it (CloudEvents 1.0, JSON format) and checks all of it:
// the JSON, the catalogue, and that no personal data stands in clear. b is not kept. The error is
// always an *Error: the first fault in the order of the document, or else the first missing field
// in the order of the catalogue, or else the first clear string that looks like personal data or
// holds one of the event's own identifiers.
func Decode(b []byte) (*Event, error) {
	if len(b) > MaxEvent {
		return nil, &Error{Type: TooLarge, Detail: "an event has at most 1 MiB"}
	}
	whole := new(decoded)
	whole.store.storage = &whole.storage
	d := decoder{lexer: lexer{in: b, valid: validPrefix(b)}, st: &whole.store}
	o, err := d.whole(envelope)
	if err != nil {
		return nil, err
	}
	warnings, err := screen(o)
	if err != nil {
		return nil, err
	}
	whole.event = eventOf(o, d.kind)
	whole.event.Warnings = warnings
	return &whole.event, nil
}

// decoded is an event and what its values point to, allocated at once.
type decoded struct {
	event   Event
	store   store
	storage storage
}

// decoder builds values from JSON as a shape has them.
type decoder struct {
	lexer
	trail
	st         *store
	kind       Kind // of the event, once its type has been read
	depth      int
	stored     bool // reading what the ledger stored: tags for identifiers, nothing that is sealed
	incomplete bool // a required field may be missing somewhere
	unchecked  bool // the data came before the type, and the type was not found ahead
}

// whole reads an object that is all there is.
func (d *decoder) whole(s *shape) (Object, *Error) {
	d.st.values = make([]Value, 0, 8+len(d.in)/20)
	v, err := d.object(s)
	if err != nil {
		return Object{}, err
	}
	if d.next(); d.i < len(d.in) {
		return Object{}, d.fault(TrailingBytes, "nothing may follow the event")
	}
	if d.unchecked && d.kind != 0 {
		return Object{}, &Error{Path: "/type", Type: UnknownKind, Detail: "expected the type before the data"}
	}
	d.st.text = string(d.in)
	o := v.Object()
	if d.incomplete {
		if path, missing := missingIn(o, "", d.stored); missing {
			return Object{}, &Error{Path: path, Type: MissingField, Detail: "this field is required here"}
		}
	}
	return o, nil
}

// eventOf takes the event out of its envelope.
func eventOf(o Object, kind Kind) Event {
	e := Event{Kind: kind}
	for name, v := range o.All() {
		switch name {
		case "id":
			e.ID = v.Text()
		case "source":
			e.Source = v.Text()
		case "time":
			e.Time = v.Text()
			e.At, _ = parseInstant(e.Time)
		case "producerinstance":
			e.Instance = v.Text()
		case "producerseq":
			e.Seq = parseSequence(v.Text())
		case "correlationid":
			e.Correlation = v.Text()
		case "causationid":
			e.Causation = v.Text()
		case "traceparent":
			e.Trace = v.Text()
		case "data":
			e.Data = v.Object()
		}
	}
	return e
}

// parseSequence reads at most 14 digits.
func parseSequence(s string) uint64 {
	var n uint64
	for _, b := range []byte(s) {
		n = n*10 + uint64(b-'0')
	}
	return n
}

// fewFields is what most objects do with; maxFields is what the largest kind does with.
const (
	fewFields = 8
	maxFields = 40
)

// object reads an object of a shape, its members in whatever order they come.
func (d *decoder) object(s *shape) (Value, *Error) {
	if len(s.fields) <= fewFields {
		var slots [fewFields]Value
		return d.members(s, slots[:])
	}
	var slots [maxFields]Value
	return d.members(s, slots[:])
}

// members reads an object into slots, one a field, and then packs them in the catalogue's order.
func (d *decoder) members(s *shape, slots []Value) (Value, *Error) {
	if err := d.open('{', "an object"); err != nil {
		return Value{}, err
	}
	seen, next := uint64(0), 0
	for first := true; !d.take('}'); first = false {
		if !first && !d.take(',') {
			return Value{}, d.fault(NotJSON, "expected , or }")
		}
		i, err := d.name(s, next)
		if err != nil {
			return Value{}, err
		}
		f := &s.fields[i]
		d.into(f.name)
		if seen&(1<<i) != 0 {
			return Value{}, d.fault(DuplicateKey, "a field may stand once only")
		}
		v, err := d.member(f)
		if err != nil {
			return Value{}, err
		}
		d.out()
		v.field = uint8(i)
		slots[i], seen, next = v, seen|1<<i, i+1
	}
	d.depth--
	if !s.complete(seen, slots, d.in) {
		d.incomplete = true
	}
	v := Value{form: objectValue, st: d.st, shape: s, off: uint32(len(d.st.values)), n: uint32(bits.OnesCount64(seen))}
	for rest := seen; rest != 0; rest &= rest - 1 {
		d.st.values = append(d.st.values, slots[bits.TrailingZeros64(rest)])
	}
	return v, nil
}

// name reads a member's name and its colon and finds the field, trying from index next on first.
func (d *decoder) name(s *shape, next int) (int, *Error) {
	key, fault := d.str()
	if fault != "" {
		return 0, d.fault(fault, "expected a field's name")
	}
	name := d.in[key.from:key.to]
	i, ok := s.find(name, next)
	if !ok {
		return 0, d.unknown(name)
	}
	if !d.take(':') {
		return 0, d.fault(NotJSON, "expected : after a field's name")
	}
	return i, nil
}

// unknown refuses a field that the shape does not have.
func (d *decoder) unknown(name []byte) *Error {
	if safeName(name) {
		d.into(string(name))
	}
	if _, ok := storedEnvelope.find(name, 0); ok && d.n == 1 || d.n == 2 && string(name) == "ledger" {
		return d.fault(LedgerField, "only the ledger sets this field")
	}
	return d.fault(UnknownField, "the catalogue has no such field here")
}

// member reads a field's value.
func (d *decoder) member(f *field) (Value, *Error) {
	if d.stored && f.secrecy == Sealed {
		return Value{}, d.fault(UnknownField, "what is sealed is not stored in clear")
	}
	return d.value(f.spec, f.secrecy)
}

func (d *decoder) value(s *spec, secrecy Secrecy) (Value, *Error) {
	switch s.form {
	case objectForm:
		return d.object(s.shape)
	case listForm:
		return d.list(s, secrecy)
	case dataForm:
		return d.data()
	case documentForm:
		return d.document()
	case intForm:
		return d.integer(s)
	case boolForm:
		return d.boolean()
	}
	if d.stored && secrecy != Clear {
		s = tag
	}
	return d.text(s)
}

// data reads the event's data, of the shape that its kind has.
func (d *decoder) data() (Value, *Error) {
	kind := d.kind
	if kind == 0 {
		kind = d.kindAhead()
	}
	switch row := catalogue.row(kind); {
	case kind == 0:
		d.unchecked = true
		return d.document()
	case d.stored:
		return d.object(row.stored)
	default:
		return d.object(row.data)
	}
}

// list reads a list whose items are all different.
func (d *decoder) list(s *spec, secrecy Secrecy) (Value, *Error) {
	if err := d.open('[', "a list"); err != nil {
		return Value{}, err
	}
	var few [fewItems]Value
	items := few[:0]
	for n := 0; !d.take(']'); n++ {
		if n > 0 && !d.take(',') {
			return Value{}, d.fault(NotJSON, "expected , or ]")
		}
		if int64(n) == s.max {
			return Value{}, d.fault(OutOfRange, "at most "+decimal(s.max)+" elements")
		}
		d.at(n)
		v, err := d.value(s.items, secrecy)
		if err != nil {
			return Value{}, err
		}
		d.out()
		items = append(items, v)
	}
	d.depth--
	if int64(len(items)) < s.min {
		return Value{}, d.fault(OutOfRange, "at least "+decimal(s.min)+" elements")
	}
	if !d.stored && !d.distinct(items) {
		return Value{}, d.fault(NotUnique, "every element once")
	}
	v := Value{form: listValue, st: d.st, off: uint32(len(d.st.values)), n: uint32(len(items))}
	d.st.values = append(d.st.values, items...)
	return v, nil
}

// open takes the bracket that begins a container.
func (d *decoder) open(bracket byte, expected string) *Error {
	if !d.take(bracket) {
		return d.wrong(expected)
	}
	if d.depth++; d.depth > MaxDepth {
		return d.fault(TooDeep, "at most "+decimal(MaxDepth)+" levels")
	}
	return nil
}

// fault is a fault at the place where the decoder is.
func (d *decoder) fault(word, detail string) *Error {
	return &Error{Path: d.pointer(), Type: word, Detail: detail}
}

// wrong is the fault of finding something else than what was expected.
func (d *decoder) wrong(expected string) *Error {
	if b := d.next(); d.i == len(d.in) || !beginsValue(b) {
		return d.fault(NotJSON, "expected "+expected)
	}
	return d.fault(WrongType, "expected "+expected)
}
