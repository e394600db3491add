package events

import (
	"slices"
	"strings"
)

// document reads any object and keeps it as canonical JSON: no white space, names in order of their
// bytes, numbers as sent. That is never longer than its source, and so takes its place.
func (d *decoder) document() (Value, *Error) {
	if d.next() != '{' {
		return Value{}, d.wrong("an object")
	}
	from := d.i
	canonical, err := d.canonical(nil)
	if err != nil {
		return Value{}, err
	}
	d.own()
	copy(d.in[from:d.i], canonical)
	return Value{form: documentValue, st: d.st, off: uint32(from), n: uint32(len(canonical))}, nil
}

// canonical appends the canonical form of any value.
func (d *decoder) canonical(dst []byte) ([]byte, *Error) {
	switch b := d.next(); {
	case b == '{':
		return d.canonicalObject(dst)
	case b == '[':
		return d.canonicalList(dst)
	case b == '"':
		at, fault := d.str()
		if fault != "" {
			return nil, d.fault(fault, "expected a string of valid UTF-8")
		}
		return appendString(dst, string(d.in[at.from:at.to])), nil
	case b == '-' || '0' <= b && b <= '9':
		if source, ok := d.number(); ok {
			return append(dst, source...), nil
		}
	default:
		for _, word := range []string{"true", "false", "null"} {
			if d.literal(word) {
				return append(dst, word...), nil
			}
		}
	}
	return nil, d.fault(NotJSON, "expected a value")
}

type documentMember struct {
	name  string
	value []byte
}

func (d *decoder) canonicalObject(dst []byte) ([]byte, *Error) {
	if err := d.open('{', "an object"); err != nil {
		return nil, err
	}
	var members []documentMember
	for first := true; !d.take('}'); first = false {
		if !first && !d.take(',') {
			return nil, d.fault(NotJSON, "expected , or }")
		}
		key, fault := d.str()
		if fault != "" {
			return nil, d.fault(fault, "expected a name")
		}
		name := string(d.in[key.from:key.to])
		if !d.take(':') {
			return nil, d.fault(NotJSON, "expected : after a name")
		}
		d.intoForeign(name)
		value, err := d.canonical(nil)
		if err != nil {
			return nil, err
		}
		d.out()
		members = append(members, documentMember{name, value})
	}
	d.depth--
	slices.SortFunc(members, func(a, b documentMember) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			if members[i-1].name == m.name {
				d.intoForeign(m.name)
				return nil, d.fault(DuplicateKey, "a name may stand once only")
			}
			dst = append(dst, ',')
		}
		dst = append(append(appendString(dst, m.name), ':'), m.value...)
	}
	return append(dst, '}'), nil
}

func (d *decoder) canonicalList(dst []byte) ([]byte, *Error) {
	if err := d.open('[', "a list"); err != nil {
		return nil, err
	}
	dst = append(dst, '[')
	for n := 0; !d.take(']'); n++ {
		if n > 0 {
			if !d.take(',') {
				return nil, d.fault(NotJSON, "expected , or ]")
			}
			dst = append(dst, ',')
		}
		d.at(n)
		var err *Error
		if dst, err = d.canonical(dst); err != nil {
			return nil, err
		}
		d.out()
	}
	d.depth--
	return append(dst, ']'), nil
}

// documentWalk passes every string of canonical JSON to a screening, names and long numbers included.
type documentWalk struct {
	lexer
	*screening
	field *field
	spec  *spec
}

// longNumber is from how many digits on a number could be one that identifies somebody.
const longNumber = 9

func (w *documentWalk) see(text string) { w.text(text, w.field, w.spec, Clear) }

func (w *documentWalk) value() {
	switch b := w.next(); {
	case w.take('{'):
		w.members()
	case w.take('['):
		for n := 0; !w.take(']'); n++ {
			w.take(',')
			w.trail.at(n)
			w.value()
			w.trail.out()
		}
	case b == '"':
		at, _ := w.str()
		w.see(string(w.in[at.from:at.to]))
	default:
		from := w.i
		if w.scalar(); w.i-from >= longNumber {
			w.see(string(w.in[from:w.i]))
		}
	}
}

func (w *documentWalk) members() {
	for !w.take('}') {
		w.take(',')
		at, _ := w.str()
		name := string(w.in[at.from:at.to])
		w.see(name) // at the object's own pointer
		w.take(':')
		w.trail.intoForeign(name)
		w.value()
		w.trail.out()
	}
}
