package events

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// lexer reads JSON tokens (RFC 8259) from in. It never copies, but for a string with escapes, which
// it decodes in place in a copy of its own: decoded text is never longer than its source.
type lexer struct {
	in    []byte
	i     int  // the next byte
	valid int  // bytes of in before the first that is not UTF-8
	owned bool // in may be written to
}

// span is a decoded string: in[from:to].
type span struct{ from, to int }

// plain tells the bytes a string may hold as they are.
var plain = func() (t [256]bool) {
	for b := 0x20; b < 0x100; b++ {
		t[b] = b != '"' && b != '\\'
	}
	return t
}()

// next skips white space and gives the next byte without taking it, 0 at the end.
func (l *lexer) next() byte {
	for l.i < len(l.in) {
		switch b := l.in[l.i]; b {
		case ' ', '\t', '\n', '\r':
			l.i++
		default:
			return b
		}
	}
	return 0
}

// take takes the next byte if it is b.
func (l *lexer) take(b byte) bool {
	if l.next() != b || l.i == len(l.in) {
		return false
	}
	l.i++
	return true
}

// str reads a string. The fault it returns, "" when there is none, is NotJSON or BadUTF8.
func (l *lexer) str() (span, string) {
	if !l.take('"') {
		return span{}, NotJSON
	}
	from := l.i
	i := from
	for i < len(l.in) && plain[l.in[i]] {
		i++
	}
	switch {
	case i >= len(l.in):
		return span{}, NotJSON
	case i > l.valid:
		return span{}, BadUTF8
	case l.in[i] == '"':
		l.i = i + 1
		return span{from, i}, ""
	}
	l.i = i
	return l.escaped(from)
}

// own makes in the lexer's own, to be written to.
func (l *lexer) own() {
	if !l.owned {
		l.in, l.owned = bytes.Clone(l.in), true
	}
}

// escaped reads the rest of a string, from the first escape or control character on.
func (l *lexer) escaped(from int) (span, string) {
	l.own()
	to := l.i
	for l.i < len(l.in) {
		b := l.in[l.i]
		switch {
		case b == '"':
			if l.i > l.valid {
				return span{}, BadUTF8
			}
			l.i++
			return span{from, to}, ""
		case b == '\\':
			r, fault := l.escape()
			if fault != "" {
				return span{}, fault
			}
			to = len(utf8.AppendRune(l.in[:to], r)) // within what was read
		case b < 0x20:
			return span{}, NotJSON
		default:
			l.in[to] = b
			to++
			l.i++
		}
	}
	return span{}, NotJSON
}

// escape reads one escape. An escape takes at least as many bytes as the rune it stands for.
func (l *lexer) escape() (rune, string) {
	if l.i+1 >= len(l.in) {
		return 0, NotJSON
	}
	b := l.in[l.i+1]
	if b == 'u' {
		return l.unicode()
	}
	i := strings.IndexByte(`"\/bfnrt`, b)
	if i < 0 {
		return 0, NotJSON
	}
	l.i += 2
	return rune("\"\\/\b\f\n\r\t"[i]), ""
}

// unicode reads \uXXXX, or two of them that are a surrogate pair. A lone surrogate is no character.
func (l *lexer) unicode() (rune, string) {
	r, ok := l.hex4()
	if !ok {
		return 0, NotJSON
	}
	if !utf16.IsSurrogate(r) {
		return r, ""
	}
	low, ok := l.hex4()
	if !ok {
		return 0, BadUTF8
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, BadUTF8
	}
	return r, ""
}

// hex4 reads \uXXXX.
func (l *lexer) hex4() (rune, bool) {
	if l.i+6 > len(l.in) || l.in[l.i] != '\\' || l.in[l.i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, b := range l.in[l.i+2 : l.i+6] {
		switch {
		case atoms[b]&d09 != 0:
			r = r<<4 | rune(b-'0')
		case 'a' <= b|0x20 && b|0x20 <= 'f':
			r = r<<4 | rune(b|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	l.i += 6
	return r, true
}

// literal takes true, false or null.
func (l *lexer) literal(word string) bool {
	if len(l.in)-l.i < len(word) || string(l.in[l.i:l.i+len(word)]) != word {
		return false
	}
	l.i += len(word)
	return true
}

// digits takes digits and counts them.
func (l *lexer) digits() int {
	from := l.i
	for l.i < len(l.in) && atoms[l.in[l.i]]&d09 != 0 {
		l.i++
	}
	return l.i - from
}

// number takes a number and gives its source.
func (l *lexer) number() ([]byte, bool) {
	from := l.i
	l.takeNow('-')
	if zero := l.takeNow('0'); !zero && l.digits() == 0 {
		return nil, false
	}
	if l.takeNow('.') && l.digits() == 0 {
		return nil, false
	}
	if l.takeNow('e') || l.takeNow('E') {
		if !l.takeNow('+') {
			l.takeNow('-')
		}
		if l.digits() == 0 {
			return nil, false
		}
	}
	return l.in[from:l.i], true
}

// takeNow takes the byte b if it comes next, white space not skipped.
func (l *lexer) takeNow(b byte) bool {
	if l.i >= len(l.in) || l.in[l.i] != b {
		return false
	}
	l.i++
	return true
}

// beginsValue reports that a JSON value could begin with b.
func beginsValue(b byte) bool {
	return b == '{' || b == '[' || b == '"' || b == '-' || b == 't' || b == 'f' || b == 'n' || '0' <= b && b <= '9'
}

// validPrefix is the number of bytes before the first that is not UTF-8.
func validPrefix(b []byte) int {
	if utf8.Valid(b) {
		return len(b)
	}
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}
