package emit

import "strconv"

// A writer appends an object's members as JSON, leaving out what is not there. What is not UTF-8 stays as it is:
// decoding refuses it.
type writer struct {
	b     []byte
	begun bool
}

func (w *writer) key(name string) {
	if w.begun {
		w.b = append(w.b, ',')
	}
	w.begun = true
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
}

func (w *writer) string(s string) {
	const digits = "0123456789abcdef"
	w.b = append(w.b, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			w.b = append(w.b, '\\', c)
		case c < ' ':
			w.b = append(w.b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			w.b = append(w.b, c)
		}
	}
	w.b = append(w.b, '"')
}

// text writes a text unless it is empty.
func text[S ~string](w *writer, name string, s S) {
	if s != "" {
		w.key(name)
		w.string(string(s))
	}
}

// texts writes a list of texts unless it is empty.
func texts[S ~string](w *writer, name string, list []S) {
	if len(list) == 0 {
		return
	}
	w.key(name)
	w.b = append(w.b, '[')
	for i, s := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.string(string(s))
	}
	w.b = append(w.b, ']')
}

// yes writes a boolean if it is true: not said and false are the same in every field it is used for.
func (w *writer) yes(name string, b bool) {
	if b {
		w.key(name)
		w.b = append(w.b, "true"...)
	}
}

func (w *writer) number(name string, n Number) {
	if n.said {
		w.key(name)
		w.b = strconv.AppendInt(w.b, n.n, 10)
	}
}

// object writes an object unless it would be empty.
func (w *writer) object(name string, members func(w *writer)) {
	before := *w
	w.key(name)
	w.b = append(w.b, '{')
	start := len(w.b)
	w.begun = false
	members(w)
	if len(w.b) == start {
		*w = before
		return
	}
	w.b, w.begun = append(w.b, '}'), true
}

// Number is a count that may be said or not: 0 said is not the same as nothing said. The zero Number is not
// said.
type Number struct {
	n    int64
	said bool
}

// Count says a number.
func Count[N ~int | ~int32 | ~int64](n N) Number { return Number{int64(n), true} }
