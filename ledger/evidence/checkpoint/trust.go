package checkpoint

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxTrust is the most bytes of a trust file.
const MaxTrust = 1 << 16

// A role is what a key of a trust file is trusted with: the word that its line begins with.
type role string

const (
	roleLog     role = "log"
	roleWitness role = "witness"
	roleReplay  role = "replay"
	roleBundle  role = "bundle"
)

// algorithm is what keys of the role sign with; suffix is what their names end in.
func (r role) algorithm() algorithm {
	if r == roleWitness || r == roleReplay {
		return cosigns
	}
	return signs
}

func (r role) suffix() string {
	if r == roleLog || r == roleWitness {
		return ""
	}
	return "/" + string(r)
}

// A trusted is a line of a trust file that names a key.
type trusted struct {
	verifier
	role role
	upto uint64 // of a log's key: the largest size at which it counts
}

// A Trust says whose signatures count, and how many it takes (docs/FORMAT.md, "Trust file"). It does not change;
// it is safe for concurrent use. A nil Trust trusts nobody.
type Trust struct {
	origin   string
	keys     []trusted
	quorum   map[role]int // how many must have signed
	declared map[role]bool
}

// ParseTrust reads a trust file. The error wraps [ErrTrust] and names the line by its number.
func ParseTrust(file []byte) (*Trust, error) {
	if len(file) > MaxTrust || !utf8.Valid(file) {
		return nil, fmt.Errorf("%w: it must be UTF-8, of at most %d bytes", ErrTrust, MaxTrust)
	}
	t := &Trust{quorum: map[role]int{roleWitness: 1, roleReplay: 1}, declared: map[role]bool{}}
	number := 0
	for line := range strings.Lines(string(file)) {
		number++
		text, ended := strings.CutSuffix(line, "\n")
		if !ended {
			return nil, fmt.Errorf("%w: line %d has no end", ErrTrust, number)
		}
		if text == "" || text[0] == '#' {
			continue
		}
		if err := t.line(strings.Split(text, " ")); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrTrust, number, err)
		}
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	return t, nil
}

// line reads a line that says something.
func (t *Trust) line(words []string) error {
	switch r := role(words[0]); {
	case r == roleLog && len(words) == 4 && words[2] == "upto":
		upto, err := parseSize(words[3])
		if err != nil {
			return err
		}
		return t.add(r, words[1], upto)
	case r == roleLog && len(words) == 2:
		return t.add(r, words[1], MaxSize)
	case (r == roleWitness || r == roleReplay || r == roleBundle) && len(words) == 2:
		return t.add(r, words[1], 0)
	case r == "quorum" && len(words) == 3:
		return t.setQuorum(role(words[1]), words[2])
	}
	return fmt.Errorf("%w: a line is log, witness, replay or bundle with a key, or quorum", ErrFormat)
}

// add trusts a key in a role.
func (t *Trust) add(r role, text string, upto uint64) error {
	v, err := parseVerifier(text)
	if err != nil {
		return err
	}
	twice := func(k trusted) bool { return k.Key == v.Key || k.public == v.public }
	switch {
	case v.algorithm != r.algorithm():
		return fmt.Errorf("%w: the type of a %s key must be %d", ErrKey, r, r.algorithm())
	case r == roleWitness && strings.HasSuffix(v.Name, roleReplay.suffix()):
		return fmt.Errorf("%w: the name of a %s key must not end in %s", ErrKey, r, roleReplay.suffix())
	case !strings.HasSuffix(v.Name, r.suffix()) || v.Name == r.suffix():
		return fmt.Errorf("%w: the name of a %s key must end in %s", ErrKey, r, r.suffix())
	case slices.ContainsFunc(t.keys, twice):
		return fmt.Errorf("%w: a public key is named twice", ErrKey)
	case r == roleLog && t.origin != "" && t.origin != v.Name:
		return fmt.Errorf("%w: all log keys have one name, the origin", ErrKey)
	case r == roleLog:
		t.origin = v.Name
	}
	t.keys = append(t.keys, trusted{verifier: v, role: r, upto: upto})
	return nil
}

func (t *Trust) setQuorum(r role, text string) error {
	k, err := parseSize(text)
	switch {
	case r != roleWitness && r != roleReplay:
		return fmt.Errorf("%w: a quorum is one of witness or replay", ErrFormat)
	case err != nil || k < 1 || k > MaxTrust:
		return fmt.Errorf("%w: a quorum is a number from 1", ErrFormat)
	case t.declared[r]:
		return fmt.Errorf("%w: this quorum was said before", ErrFormat)
	}
	t.quorum[r], t.declared[r] = int(k), true
	return nil
}

// check refuses what no line alone shows.
func (t *Trust) check() error {
	if t.origin == "" {
		return fmt.Errorf("%w: no log line", ErrTrust)
	}
	for r, k := range t.quorum {
		if have := len(t.named(r)); have > 0 && k > have {
			return fmt.Errorf("%w: the %s quorum is greater than the number of such keys", ErrTrust, r)
		}
	}
	return nil
}

func (t *Trust) named(r role) []Key {
	var keys []Key
	for _, k := range t.keys {
		if k.role == r {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

// Origin is the ledger that the trust is about; "" of nobody's.
func (t *Trust) Origin() string {
	if t == nil {
		return ""
	}
	return t.origin
}

// Knows reports whether the trust names this key, so that it can judge its signatures.
func (t *Trust) Knows(k Key) bool { return t.find(k) != nil }

func (t *Trust) find(k Key) *trusted {
	if t == nil {
		return nil
	}
	if i := slices.IndexFunc(t.keys, func(have trusted) bool { return have.Key == k }); i >= 0 {
		return &t.keys[i]
	}
	return nil
}
