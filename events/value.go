package events

import (
	"fmt"
	"iter"
	"log/slog"
)

// hidden is what every attempt to print a value, an object or an event gives.
const hidden = "[hidden]"

// Value is one JSON value of an event: text, integer, boolean, list or object. The zero Value is
// "not there". A Value never prints itself, not even from inside another struct: its bytes lie
// behind a pointer. Values are immutable and safe for concurrent use.
type Value struct {
	st    *store
	shape *shape // of an object
	off   uint32 // first byte of a text, or first element of a list or object
	n     uint32 // bytes of a text, or elements; an integer's 64 bits are off and n together
	form  valueForm
	field uint8 // which field of its object's shape this is
}

// store leads to the texts and the elements of many values. It is a pointer and no more because of
// fmt, which shows what a pointer points to, one level deep, when the verb is wrong for it, even in an
// unexported field of another package's struct.
type store struct{ *storage }

type storage struct {
	text   string
	values []Value
}

func newStore(text string, values []Value) *store {
	s := &struct {
		store   store
		storage storage
	}{storage: storage{text, values}}
	s.store.storage = &s.storage
	return &s.store
}

type valueForm uint8

const (
	noValue valueForm = iota
	textValue
	intValue
	boolValue
	listValue
	objectValue
	documentValue // an object without a shape, kept as canonical JSON text
)

// TextOf makes a text.
func TextOf(s string) Value {
	return Value{form: textValue, st: newStore(s, nil), n: uint32(len(s))}
}

// IntOf makes an integer.
func IntOf(i int64) Value { return Value{}.withInt(i) }

// BoolOf makes a boolean.
func BoolOf(b bool) Value {
	v := Value{form: boolValue}
	if b {
		v.n = 1
	}
	return v
}

// ListOf makes a list of the given values, which it copies.
func ListOf(values ...Value) Value {
	st := newStore("", append([]Value(nil), values...))
	return Value{form: listValue, st: st, n: uint32(len(values))}
}

// TextsOf makes a list of texts.
func TextsOf(texts ...string) Value {
	values := make([]Value, len(texts))
	for i, s := range texts {
		values[i] = TextOf(s)
	}
	return ListOf(values...)
}

func (v Value) withInt(i int64) Value {
	v.form, v.off, v.n = intValue, uint32(uint64(i)>>32), uint32(uint64(i))
	return v
}

// IsZero reports that there is no value.
func (v Value) IsZero() bool { return v.form == noValue }

// Text is the text, the canonical JSON of a document, or "" for any other value.
func (v Value) Text() string {
	if v.form != textValue && v.form != documentValue {
		return ""
	}
	return v.st.text[v.off : v.off+v.n]
}

// Int is the integer, or 0 for any other value.
func (v Value) Int() int64 {
	if v.form != intValue {
		return 0
	}
	return int64(uint64(v.off)<<32 | uint64(v.n))
}

// Bool is the boolean, or false for any other value.
func (v Value) Bool() bool { return v.form == boolValue && v.n == 1 }

// List gives the elements of a list, nil for any other value. The slice must not be changed.
func (v Value) List() []Value {
	if v.form != listValue {
		return nil
	}
	return v.elements()
}

// Texts gives the elements of a list of texts.
func (v Value) Texts() []string {
	if v.form != listValue || v.n == 0 {
		return nil
	}
	texts := make([]string, 0, v.n)
	for _, e := range v.elements() {
		texts = append(texts, e.Text())
	}
	return texts
}

// Object gives the object, or an empty one for any other value.
func (v Value) Object() Object {
	if v.form != objectValue {
		return Object{}
	}
	return Object{st: v.st, shape: v.shape, off: v.off, n: v.n}
}

func (v Value) elements() []Value { return v.st.values[v.off : v.off+v.n : v.off+v.n] }

// Object is a JSON object whose fields the catalogue knows. The zero Object is empty.
type Object struct {
	st     *store
	shape  *shape
	off, n uint32
}

// Get gives the value of a field, zero when it is not there.
func (o Object) Get(name string) Value {
	for _, v := range o.members() {
		if o.shape.fields[v.field].name == name {
			return v
		}
	}
	return Value{}
}

// All yields the fields that are there, in the catalogue's order.
func (o Object) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for _, v := range o.members() {
			if !yield(o.shape.fields[v.field].name, v) {
				return
			}
		}
	}
}

// With gives a copy in which the field has this value; the zero Value removes it. It reports false,
// and gives the object as it was, when the catalogue has no such field here.
func (o Object) With(name string, v Value) (Object, bool) {
	if o.shape == nil {
		return o, false
	}
	i, ok := o.shape.find([]byte(name), 0)
	if !ok {
		return o, false
	}
	v.field = uint8(i)
	return o.with(v), true
}

func (o Object) with(v Value) Object {
	members := make([]Value, 0, o.n+1)
	placed := v.IsZero()
	for _, m := range o.members() {
		if !placed && m.field > v.field {
			members, placed = append(members, v), true
		}
		if m.field != v.field {
			members = append(members, m)
		}
	}
	if !placed {
		members = append(members, v)
	}
	return Object{st: newStore("", members), shape: o.shape, n: uint32(len(members))}
}

func (o Object) value() Value {
	return Value{form: objectValue, st: o.st, shape: o.shape, off: o.off, n: o.n}
}

func (o Object) members() []Value {
	if o.st == nil {
		return nil
	}
	return o.st.values[o.off : o.off+o.n : o.off+o.n]
}

// String, GoString, Format, MarshalText and LogValue give no part of the value.
func (Value) String() string               { return hidden }
func (Value) GoString() string             { return hidden }
func (Value) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(hidden)) }
func (Value) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (Value) LogValue() slog.Value         { return slog.StringValue(hidden) }

// String, GoString, Format, MarshalText and LogValue give no part of the object.
func (Object) String() string               { return hidden }
func (Object) GoString() string             { return hidden }
func (Object) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(hidden)) }
func (Object) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (Object) LogValue() slog.Value         { return slog.StringValue(hidden) }
