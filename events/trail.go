package events

import "strconv"

// trail is where in an event a reader is. It is written out only for a refusal or a warning.
type trail struct {
	steps [MaxDepth]step
	n     int
}

// step is a member's name, or, when name is "", an element's index.
type step struct {
	name  string
	index int
}

func (t *trail) into(name string) { t.steps[t.n] = step{name: name}; t.n++ }
func (t *trail) at(index int)     { t.steps[t.n] = step{index: index}; t.n++ }

// intoForeign enters a member whose name the catalogue does not have: a name that is not safe to
// show ends the pointer.
func (t *trail) intoForeign(name string) {
	if safeName([]byte(name)) {
		t.into(name)
		return
	}
	t.at(unnamed)
}

func (t *trail) out() { t.n-- }

// unnamed is the index of a step that pointers do not show, nor what is below it.
const unnamed = -1

// pointer is the RFC 6901 pointer. The names are the catalogue's, or were found safe, and need no escape.
func (t *trail) pointer() string {
	var p []byte
	for _, s := range t.steps[:t.n] {
		if s.index == unnamed {
			break
		}
		p = append(p, '/')
		if s.name != "" {
			p = append(p, s.name...)
		} else {
			p = strconv.AppendInt(p, int64(s.index), 10)
		}
	}
	return string(p)
}

// safeName reports that a name the catalogue does not have may stand in a pointer.
func safeName(name []byte) bool { return isWord(name, cookieName) && screenText(string(name)) == "" }
