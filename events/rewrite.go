package events

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
	r.Data = w.object(e.Data, e.Data.Get("natural_person").Bool()).Object()
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

func (w *rewriter) object(o Object, person bool) Value {
	base := len(w.stack)
	for _, v := range o.members() {
		f := &o.shape.fields[v.field]
		secrecy := f.secrecy
		if f.ofPerson && person {
			secrecy = Sealed
		}
		if r := w.value(v, f, secrecy); !r.IsZero() {
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
		return w.object(v.Object(), false)
	}
	return v
}

func (w *rewriter) list(v Value, f *field, secrecy Secrecy) Value {
	base := len(w.stack)
	for _, e := range v.List() {
		var r Value
		if e.form == objectValue {
			r = w.object(e.Object(), false)
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
