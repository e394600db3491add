package events

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// text reads a string of one of the text forms.
func (d *decoder) text(s *spec) (Value, *Error) {
	if d.next() != '"' {
		return Value{}, d.wrong("a string")
	}
	at, fault := d.str()
	if fault != "" {
		return Value{}, d.fault(fault, "expected a string of valid UTF-8")
	}
	if err := d.check(d.in[at.from:at.to], s); err != nil {
		return Value{}, err
	}
	return Value{form: textValue, st: d.st, off: uint32(at.from), n: uint32(at.to - at.from)}, nil
}

// check holds a text against its spec.
func (d *decoder) check(b []byte, s *spec) *Error {
	ok := true
	switch s.form {
	case wordForm:
		ok = isWord(b, s)
	case patternForm:
		ok = s.match(b)
	case timeForm:
		_, ok = parseInstant(b)
	case dateForm:
		ok = isDate(b)
	case textForm:
		return d.checkLength(b, s)
	case enumForm:
		return d.checkVocabulary(b, s)
	case kindForm:
		return d.checkKind(b)
	}
	if !ok {
		return d.fault(BadFormat, "expected "+s.expected)
	}
	return nil
}

func (d *decoder) checkLength(b []byte, s *spec) *Error {
	n := int64(len(b))
	if n > s.max {
		n = int64(utf8.RuneCount(b))
	}
	if n < s.min || n > s.max {
		return d.fault(OutOfRange, decimal(s.min)+" to "+decimal(s.max)+" characters")
	}
	return nil
}

func (d *decoder) checkVocabulary(b []byte, s *spec) *Error {
	for _, w := range s.words {
		if w == string(b) {
			return nil
		}
	}
	return d.fault(NotInVocabulary, "one of "+strings.Join(s.words, ", "))
}

func (d *decoder) checkKind(b []byte) *Error {
	kind, ok := catalogue.byType[string(b)]
	if !ok || kind.ByLedger() && !d.stored {
		return d.fault(UnknownKind, "expected the type of a kind in the catalogue")
	}
	d.kind = kind
	return nil
}

// kindAhead finds the kind when the data come before the type, or 0. It leaves the decoder where it is.
func (d *decoder) kindAhead() Kind {
	ahead := d.lexer
	ahead.owned = false
	for ahead.skip() && ahead.take(',') {
		name, fault := ahead.str()
		if fault != "" || !ahead.take(':') {
			return 0
		}
		if string(ahead.in[name.from:name.to]) != "type" {
			continue
		}
		typ, fault := ahead.str()
		if fault != "" {
			return 0
		}
		kind := catalogue.byType[string(ahead.in[typ.from:typ.to])]
		if kind.ByLedger() && !d.stored {
			return 0
		}
		return kind
	}
	return 0
}

// skip passes over one value, and does not care whether it is well-formed inside.
func (l *lexer) skip() bool {
	for depth := 0; ; {
		switch b := l.next(); {
		case b == '"':
			if _, fault := l.str(); fault != "" {
				return false
			}
		case b == '{' || b == '[':
			depth++
			l.i++
		case (b == '}' || b == ']') && depth > 0:
			depth--
			l.i++
		case depth == 0 || l.i >= len(l.in):
			return l.scalar()
		default:
			l.i++
			continue
		}
		if depth == 0 {
			return true
		}
	}
}

// scalar passes over what a number or a literal is made of.
func (l *lexer) scalar() bool {
	from := l.i
	for l.i < len(l.in) && (atoms[l.in[l.i]]&(az|capitals|d09|dot|dash) != 0 || l.in[l.i] == '+') {
		l.i++
	}
	return l.i > from
}

func (d *decoder) boolean() (Value, *Error) {
	switch d.next() {
	case 't':
		if d.literal("true") {
			return BoolOf(true), nil
		}
	case 'f':
		if d.literal("false") {
			return BoolOf(false), nil
		}
	}
	return Value{}, d.wrong("true or false")
}

// integer reads a number that is an integer, in whatever way it is written: 1, 1.0 and 10e-1 are one.
func (d *decoder) integer(s *spec) (Value, *Error) {
	if b := d.next(); b != '-' && (b < '0' || b > '9') {
		return Value{}, d.wrong("an integer")
	}
	source, ok := d.number()
	if !ok {
		return Value{}, d.fault(NotJSON, "expected a number")
	}
	n, whole, small := parseInteger(source)
	if !whole {
		return Value{}, d.fault(WrongType, "expected an integer")
	}
	if !small || n < s.min || n > s.max {
		return Value{}, d.fault(OutOfRange, "an integer of "+decimal(s.min)+" to "+decimal(s.max))
	}
	return IntOf(n), nil
}

// parseInteger gives the value of a JSON number, whether it is whole, and whether it fits.
func parseInteger(source []byte) (n int64, whole, small bool) {
	mantissa, exponent := string(source), 0
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		e, err := strconv.Atoi(strings.TrimPrefix(mantissa[i+1:], "+"))
		if err != nil || e > len(source)+20 || e < -len(source) {
			e = clampedExponent(mantissa[i+1:], len(source)+20)
		}
		mantissa, exponent = mantissa[:i], e
	}
	if i := strings.IndexByte(mantissa, '.'); i >= 0 {
		exponent -= len(mantissa) - i - 1
		mantissa = mantissa[:i] + mantissa[i+1:]
	}
	for exponent < 0 && strings.HasSuffix(mantissa, "0") {
		mantissa, exponent = mantissa[:len(mantissa)-1], exponent+1
	}
	if digits := strings.Trim(mantissa, "-0"); digits == "" {
		return 0, true, true
	}
	if exponent < 0 {
		return 0, false, false
	}
	if exponent > 20 {
		return 0, true, false
	}
	n, err := strconv.ParseInt(mantissa+strings.Repeat("0", exponent), 10, 64)
	return n, true, err == nil
}

// clampedExponent stands for an exponent too far from zero to matter by how much.
func clampedExponent(source string, limit int) int {
	if strings.HasPrefix(source, "-") {
		return -limit
	}
	return limit
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
