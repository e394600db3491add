package events

import "encoding/base64"

// alphabet is a set of bytes, as a union of the atoms below. Membership is one table look-up.
type alphabet uint16

const (
	af alphabet = 1 << iota
	gz
	capitals
	d0
	d19
	under
	dot
	dash
	colon
	slash

	az  = af | gz
	d09 = d0 | d19
	hex = af | d09
)

// atoms gives the atom that each byte belongs to.
var atoms = func() (t [256]alphabet) {
	for _, r := range []struct {
		from, to byte
		atom     alphabet
	}{
		{'a', 'f', af}, {'g', 'z', gz}, {'A', 'Z', capitals}, {'0', '0', d0}, {'1', '9', d19},
		{'_', '_', under}, {'.', '.', dot}, {'-', '-', dash}, {':', ':', colon}, {'/', '/', slash},
	} {
		for b := int(r.from); b <= int(r.to); b++ {
			t[b] = r.atom
		}
	}
	return t
}()

// within reports that every byte is in the alphabet.
func within(s []byte, a alphabet) bool {
	for _, b := range s {
		if atoms[b]&a == 0 {
			return false
		}
	}
	return true
}

// isWord reports that s has the form of a word spec.
func isWord(s []byte, w *spec) bool {
	if w.prefix != "" {
		if len(s) < len(w.prefix) || string(s[:len(w.prefix)]) != w.prefix {
			return false
		}
		s = s[len(w.prefix):]
	}
	return int64(len(s)) >= w.min && int64(len(s)) <= w.max && atoms[s[0]]&w.first != 0 && within(s[1:], w.rest)
}

// isMonth: four digits, a hyphen, 01 to 12.
func isMonth(s []byte) bool {
	if len(s) != 7 || s[4] != '-' {
		return false
	}
	for i, c := range s {
		if i != 4 && atoms[c]&d09 == 0 {
			return false
		}
	}
	n := (s[5]-'0')*10 + s[6] - '0'
	return n >= 1 && n <= 12
}

// isPeriod: P, then one to three times one to four digits and Y, M or D.
func isPeriod(s []byte) bool {
	if len(s) == 0 || s[0] != 'P' {
		return false
	}
	s = s[1:]
	parts := 0
	for ; len(s) > 0; parts++ {
		n := 0
		for n < len(s) && n < 4 && atoms[s[n]]&d09 != 0 {
			n++
		}
		if n == 0 || n == len(s) || (s[n] != 'Y' && s[n] != 'M' && s[n] != 'D') {
			return false
		}
		s = s[n+1:]
	}
	return parts >= 1 && parts <= 3
}

// isTraceparent: version, trace, parent and flags in lower-case hex (W3C Trace Context, 3.2).
func isTraceparent(s []byte) bool {
	return len(s) == 55 && s[2] == '-' && s[35] == '-' && s[52] == '-' &&
		within(s[:2], hex) && within(s[3:35], hex) && within(s[36:52], hex) && within(s[53:], hex)
}

// isOrigin: the name of a key that signs notes: visible ASCII without + (C2SP signed-note, here without what is not ASCII).
func isOrigin(s []byte) bool {
	for _, c := range s {
		if c <= ' ' || c > '~' || c == '+' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 80
}

// isVerifierKey: name, key id in hex, type and public key in base64, joined by + (C2SP signed-note).
func isVerifierKey(s []byte) bool {
	const tail = 1 + 8 + 1 + 44
	if len(s) <= tail {
		return false
	}
	name, rest := s[:len(s)-tail], s[len(s)-tail:]
	if rest[0] != '+' || rest[9] != '+' || !isOrigin(name) || !within(rest[1:9], hex) {
		return false
	}
	key, err := base64.StdEncoding.Strict().DecodeString(string(rest[10:]))
	return err == nil && len(key) == 33
}
