package events

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// farthest is how many letters a suggestion may be away: put in, left out, changed, or swapped with
// the next one. Letter case makes no difference.
const farthest = 2

// Suggest says which word of the catalogue the sender of event may have meant, where [Decode] refused
// it for fault: a field's name, a word of a closed vocabulary, or a type. It is "" when none is near,
// or two are equally near. It never is anything but a word of the catalogue, so it may be printed.
func Suggest(event []byte, fault *Error) string {
	var sent any
	if err := json.Unmarshal(event, &sent); err != nil {
		return ""
	}
	path := strings.Split(fault.Path, "/")[1:]
	if len(path) == 0 {
		return ""
	}
	last := len(path) - 1
	switch fault.Type {
	case UnknownField:
		if at := specAt(sent, path[:last]); at != nil && at.shape != nil {
			return nearest(path[last], at.shape.names())
		}
	case NotInVocabulary:
		if at := specAt(sent, path); at != nil {
			return nearest(textAt(sent, path), at.words)
		}
	case UnknownKind:
		return nearestKind(textAt(sent, path))
	}
	return ""
}

// specAt finds what the catalogue has at a place of an event, nil if nothing.
func specAt(event any, path []string) *spec {
	at := &spec{form: objectForm, shape: envelope}
	for _, step := range path {
		switch at.form {
		case listForm:
			at = at.items
			continue
		case objectForm:
		default:
			return nil
		}
		i, ok := at.shape.find([]byte(step), 0)
		if !ok {
			return nil
		}
		at = at.shape.fields[i].spec
		if at.form == dataForm {
			kind, _ := ParseType(textAt(event, []string{"type"}))
			data := catalogue.row(kind).data
			if data == nil {
				return nil
			}
			at = &spec{form: objectForm, shape: data}
		}
	}
	return at
}

// textAt gives the text at a place of an event, "" if there is none.
func textAt(v any, path []string) string {
	for _, step := range path {
		switch container := v.(type) {
		case map[string]any:
			v = container[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(container) {
				return ""
			}
			v = container[i]
		default:
			return ""
		}
	}
	text, _ := v.(string)
	return text
}

func (s *shape) names() []string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.name
	}
	return names
}

// nearestKind compares with types, and with names: "data.shared" means "eu.custody.data.shared.v1".
func nearestKind(sent string) string {
	const prefix, version = "eu.custody.", ".v1"
	var types []string
	for _, k := range Kinds() {
		if !k.ByLedger() {
			types = append(types, k.Type())
		}
	}
	if full := prefix + sent + version; slices.Contains(types, full) {
		return full
	}
	if typ := nearest(sent, types); typ != "" {
		return typ
	}
	return nearest(prefix+sent+version, types)
}

// nearest gives the one word nearest to sent, "" if that is sent itself or too far away: a third of the
// word's letters, rounded down, or [farthest].
func nearest(sent string, words []string) string {
	best, least, ties := "", farthest+1, 0
	for _, word := range words {
		if word == sent {
			return ""
		}
		limit := min(farthest, len(word)/3)
		switch d := distance(strings.ToLower(sent), strings.ToLower(word)); {
		case d > limit || d > least:
		case d < least:
			best, least, ties = word, d, 0
		default:
			ties++
		}
	}
	if ties > 0 {
		return ""
	}
	return best
}

// distance counts the edits that turn a into b, swaps of neighbours included (optimal string
// alignment), and stops counting beyond [farthest].
func distance(a, b string) int {
	if len(a) > len(b)+farthest || len(b) > len(a)+farthest {
		return farthest + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
