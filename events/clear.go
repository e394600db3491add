package events

import (
	"unicode"
	"unicode/utf8"
)

// screen looks at every string of a whole event, the envelope's too. It refuses one that looks like
// personal data (identifiers excepted, which are replaced before anything is stored), and one that
// will stay clear although it contains an identifier of a subject or an actor, or the session. It
// gives the pointers of clear strings that merely end in the number an identifier ends in.
//
// What says nothing of the sender's own choice is left alone: closed vocabularies, dates, times,
// countries, sequence numbers and the producer's own name.
func screen(o Object) ([]string, *Error) {
	buf := make([]byte, 128+512) // enough for most events
	s := screening{identifiers: buf[:0:128], clear: buf[128:128], wanted: -1}
	s.object(o)
	if s.err != nil {
		return nil, s.err
	}
	found := ownIdentifiers(s.identifiers, s.clear)
	if found.contains >= 0 {
		return nil, &Error{Path: clearPointer(o, found.contains), Type: OwnIdentifier,
			Detail: "a string that stays clear may not contain an identifier or the session of the same event"}
	}
	var warnings []string
	for _, i := range found.sameNumber {
		warnings = append(warnings, clearPointer(o, i))
	}
	return warnings, nil
}

// clearPointer finds again where the i-th clear string is.
func clearPointer(o Object, i int) string {
	s := screening{wanted: i}
	s.object(o)
	return s.pointer
}

// screening is one pass over an event.
type screening struct {
	trail       trail
	identifiers []byte // of subjects, actors and the session, folded, each followed by separator
	clear       []byte // likewise what stays clear, in the catalogue's order
	count       int    // clear strings so far
	err         *Error // the first string that looks like personal data

	wanted  int    // in a second pass: which clear string is looked for, else -1
	pointer string // where it is
}

func (s *screening) object(o Object) {
	person := o.Get("natural_person").Bool()
	for _, v := range o.members() {
		f := &o.shape.fields[v.field]
		if f.spec.closed {
			continue
		}
		s.trail.into(f.name)
		secrecy := f.secrecy
		if f.ofPerson && person {
			secrecy = Sealed
		}
		s.value(v, f, f.spec, secrecy)
		s.trail.out()
	}
}

func (s *screening) value(v Value, f *field, spec *spec, secrecy Secrecy) {
	switch v.form {
	case objectValue:
		s.object(v.Object())
	case listValue:
		if spec.items.closed {
			return
		}
		for i, e := range v.List() {
			s.trail.at(i)
			s.value(e, f, spec.items, secrecy)
			s.trail.out()
		}
	case documentValue:
		in := []byte(v.Text())
		w := documentWalk{lexer: lexer{in: in, valid: len(in), owned: true}, screening: s, field: f, spec: spec}
		w.value()
	case textValue:
		s.text(v.Text(), f, spec, secrecy)
	}
}

func (s *screening) text(text string, f *field, spec *spec, secrecy Secrecy) {
	if secrecy == Subject || secrecy == Actor {
		s.identifiers = appendFolded(s.identifiers, text)
		return
	}
	if s.wanted < 0 && s.err == nil && !spec.digest {
		s.err = s.personal(text, f, secrecy)
	}
	switch {
	case f.name == "session":
		s.identifiers = appendFolded(s.identifiers, text)
	case secrecy == Clear:
		if s.wanted == s.count {
			s.pointer = s.trail.pointer()
		}
		s.clear = appendFolded(s.clear, text)
		s.count++
	}
}

// personal refuses a text that looks like personal data. The mailbox and the telephone of an
// organisation are not: who processes for a controller must be nameable with a contact.
func (s *screening) personal(text string, f *field, secrecy Secrecy) *Error {
	what := screenText(text)
	if what == "" || f.mailbox && secrecy == Clear && (what == anEmail || what == aPhone) {
		return nil
	}
	return &Error{Path: s.trail.pointer(), Type: PersonalData, Detail: "looks like personal data (" + what + ")"}
}

// separator ends each string among others. A folded string does not contain it.
const separator = 0

// appendFolded appends s, with the differences of upper and lower case removed, and a separator.
func appendFolded(dst []byte, s string) []byte {
	for i := range len(s) {
		b := s[i]
		switch {
		case b >= utf8.RuneSelf:
			return append(appendFoldedRunes(dst, s[i:]), separator)
		case atoms[b]&capitals != 0:
			b |= 0x20
		case b == separator:
			b = ' '
		}
		dst = append(dst, b)
	}
	return append(dst, separator)
}

func appendFoldedRunes(dst []byte, s string) []byte {
	for _, r := range s {
		if r == separator {
			r = ' '
		}
		dst = utf8.AppendRune(dst, unicode.ToLower(unicode.ToUpper(r)))
	}
	return dst
}
