package events

import "strconv"

// A Replace appends to dst, as JSON, what takes the place of a value that does not stay clear. Only a
// Sealed value may be left out, by giving dst back as it is. Joinable and Sealed values come with their
// constant pointer ("/data/reference"), a sealed list as one value; identifiers of people with "".
// The nil Replace replaces nothing.
type Replace func(dst []byte, ptr string, s Secrecy, v Value) []byte

// AppendRewritten appends the event as AppendJSON does, with every value replaced that does not stay
// clear, in the catalogue's order. The event stays as it is.
func (e *Event) AppendRewritten(dst []byte, replace Replace) []byte {
	dst = append(dst, '{')
	dst = replace.attributes(dst, e)
	dst = append(dst, `,"data":`...)
	dst = replace.members(dst, e.Data)
	return append(dst, '}', '}')
}

// attributes appends the CloudEvents attributes and the extensions that a producer sets.
func (r Replace) attributes(dst []byte, e *Event) []byte {
	dst = append(dst, `"specversion":"1.0","id":`...)
	dst = appendString(dst, e.ID)
	dst = append(dst, `,"source":`...)
	dst = appendString(dst, e.Source)
	dst = append(dst, `,"type":"`...)
	dst = append(dst, e.Kind.Type()...)
	dst = append(dst, `","time":`...)
	dst = appendString(dst, e.Time)
	dst = append(dst, `,"datacontenttype":"application/json"`...)
	dst = appendOptional(dst, `,"producerinstance":`, e.Instance)
	if e.Seq != 0 {
		dst = append(dst, `,"producerseq":"`...)
		dst = strconv.AppendUint(dst, e.Seq, 10)
		dst = append(dst, '"')
	}
	dst = r.joinable(dst, `,"correlationid":`, "/correlationid", e.Correlation)
	dst = r.joinable(dst, `,"causationid":`, "/causationid", e.Causation)
	return appendOptional(dst, `,"traceparent":`, e.Trace)
}

func (r Replace) joinable(dst []byte, key, ptr, s string) []byte {
	if r == nil || s == "" {
		return appendOptional(dst, key, s)
	}
	return r(append(dst, key...), ptr, Joinable, TextOf(s))
}

// members appends an object but for its closing brace. What a Replace leaves out takes its name along.
func (r Replace) members(dst []byte, o Object) []byte {
	dst = append(dst, '{')
	first := len(dst)
	for _, v := range o.members() {
		f := &o.shape.fields[v.field]
		end := len(dst)
		if end > first {
			dst = append(dst, ',')
		}
		dst = append(dst, f.key...)
		begin := len(dst)
		if dst = r.member(dst, v, f, o.secrecy(f)); len(dst) == begin {
			dst = dst[:end]
		}
	}
	return dst
}

func (r Replace) member(dst []byte, v Value, f *field, s Secrecy) []byte {
	switch {
	case r == nil || s == Clear && !f.spec.namesPeople():
		return appendValue(dst, v)
	case s == Joinable || s == Sealed:
		return r(dst, f.ptr, s, v)
	}
	return r.people(dst, v, s)
}

// people appends an identifier, or a list or an object that has some.
func (r Replace) people(dst []byte, v Value, s Secrecy) []byte {
	switch v.form {
	case objectValue:
		return append(r.members(dst, v.Object()), '}')
	case listValue:
		dst = append(dst, '[')
		for i, e := range v.List() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = r.people(dst, e, s)
		}
		return append(dst, ']')
	}
	return r(dst, "", s, v)
}

// namesPeople tells the objects, and the lists of objects, that have a field that does not stay clear.
func (s *spec) namesPeople() bool {
	return s.holdsSecrets() || s.form == listForm && s.items.holdsSecrets()
}

// secrecy is what becomes of a field of this object: what describes an organisation stays clear, and
// is sealed when it describes a person.
func (o Object) secrecy(f *field) Secrecy {
	if f.ofPerson && o.Get("natural_person").Bool() {
		return Sealed
	}
	return f.secrecy
}

// Rewrite gives a copy of the event in which every value that does not stay clear is what fn returns
// for it; the zero Value removes it. fn sees Joinable and Sealed values with their constant pointer
// ("/data/reference"), identifiers of people with "". A sealed list is one value. Clear values are
// shared with e, which stays as it was.
func (e *Event) Rewrite(fn func(ptr string, s Secrecy, v Value) Value) *Event {
	r := *e
	r.Correlation = rewriteAttribute(fn, "/correlationid", e.Correlation)
	r.Causation = rewriteAttribute(fn, "/causationid", e.Causation)
	var scratch [32]Value
	w := rewriter{fn: fn, st: newStore("", make([]Value, 0, 24)), stack: scratch[:0]}
	r.Data = w.object(e.Data).Object()
	return &r
}

func rewriteAttribute(fn func(string, Secrecy, Value) Value, ptr, s string) string {
	if s == "" {
		return ""
	}
	return fn(ptr, Joinable, TextOf(s)).Text()
}

// rewriter copies the objects and lists that hold what is rewritten, and shares all others.
type rewriter struct {
	fn    func(ptr string, s Secrecy, v Value) Value
	st    *store
	stack []Value
}

func (w *rewriter) object(o Object) Value {
	base := len(w.stack)
	for _, v := range o.members() {
		f := &o.shape.fields[v.field]
		if r := w.value(v, f, o.secrecy(f)); !r.IsZero() {
			r.field = v.field
			w.stack = append(w.stack, r)
		}
	}
	v := w.close(objectValue, base)
	v.shape = o.shape
	return v
}

func (w *rewriter) value(v Value, f *field, secrecy Secrecy) Value {
	switch {
	case secrecy == Sealed || secrecy == Joinable:
		return w.fn(f.ptr, secrecy, v)
	case v.form == listValue && (secrecy != Clear || f.spec.items.holdsSecrets()):
		return w.list(v, f, secrecy)
	case secrecy != Clear:
		return w.fn("", secrecy, v)
	case f.spec.holdsSecrets():
		return w.object(v.Object())
	}
	return v
}

func (w *rewriter) list(v Value, f *field, secrecy Secrecy) Value {
	base := len(w.stack)
	for _, e := range v.List() {
		var r Value
		if e.form == objectValue {
			r = w.object(e.Object())
		} else {
			r = w.fn("", secrecy, e)
		}
		if !r.IsZero() {
			w.stack = append(w.stack, r)
		}
	}
	return w.close(listValue, base)
}

func (w *rewriter) close(form valueForm, base int) Value {
	v := Value{form: form, st: w.st, off: uint32(len(w.st.values)), n: uint32(len(w.stack) - base)}
	w.st.values = append(w.st.values, w.stack[base:]...)
	w.stack = w.stack[:base]
	return v
}
