package events

import "strconv"

// objectWriter appends an object's members, leaving out what is empty.
type objectWriter struct {
	dst   []byte
	begun bool
}

func (w *objectWriter) key(name string) {
	if w.begun {
		w.dst = append(w.dst, ',')
	}
	w.begun = true
	w.dst = append(append(append(w.dst, '"'), name...), '"', ':')
}

func (w *objectWriter) text(name, s string) {
	if s != "" {
		w.key(name)
		w.dst = appendString(w.dst, s)
	}
}

func (w *objectWriter) texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	w.key(name)
	w.dst = append(w.dst, '[')
	for i, s := range list {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = appendString(w.dst, s)
	}
	w.dst = append(w.dst, ']')
}

func (w *objectWriter) flag(name string, b bool) {
	if b {
		w.key(name)
		w.dst = append(w.dst, "true"...)
	}
}

func (w *objectWriter) boolean(name string, b bool) {
	w.key(name)
	w.dst = strconv.AppendBool(w.dst, b)
}

func (w *objectWriter) number(name string, n uint64) {
	if n != 0 {
		w.key(name)
		w.dst = strconv.AppendUint(w.dst, n, 10)
	}
}

func (w *objectWriter) end() []byte { return append(w.dst, '}') }
