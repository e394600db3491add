package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// A bodyFault says what is wrong with a body before anything of it is understood,
// and where (RFC 6901). huma passes on its text only: [faultOf] reads it.
type bodyFault struct{ detail, path string }

func (f *bodyFault) Error() string { return f.detail + "\n" + f.path }

// faultOf reads the text of a bodyFault; ok is false if it is of another error.
func faultOf(text string) (f bodyFault, ok bool) {
	f.detail, f.path, ok = strings.Cut(text, "\n")
	return f, ok && strings.HasPrefix(f.detail, "expected ")
}

// strictFormat is JSON in UTF-8 whose objects have each field once, by its own
// name: nobody else who reads the same body finds something else in it. known are
// the names that may be repeated in an answer.
func strictFormat(known func() map[string]bool) huma.Format {
	format := huma.DefaultJSONFormat
	lenient := format.Unmarshal
	format.Unmarshal = func(body []byte, v any) error {
		if !utf8.Valid(body) {
			return &bodyFault{detail: "expected UTF-8 (RFC 8259, section 8.1)"}
		}
		if err := lenient(body, v); err != nil {
			if _, is := errors.AsType[*json.SyntaxError](err); is {
				return &bodyFault{detail: "expected JSON (RFC 8259)"} // what it says may repeat what was sent
			}
			return err
		}
		return checkFields(body, known)
	}
	return format
}

// A container is an object or a list that is being read.
type container struct {
	fields map[string]bool // the names it has; nil is a list
	at     string          // name of the field being read
	index  int             // of the element being read, in a list
}

// checkFields reads one value, which is well formed, to its end.
func checkFields(body []byte, known func() map[string]bool) error {
	in := json.NewDecoder(bytes.NewReader(body))
	var open []container
	name := false // whether a name comes next
	for {
		token, err := in.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		top := len(open) - 1
		if text, is := token.(string); is && name {
			fields := open[top].fields
			open[top].at = strings.ToLower(text)
			if fields[text] || text != open[top].at {
				return &bodyFault{"expected each field once, by its name in lower case", pointerTo(open, known())}
			}
			fields[text], name = true, false
			continue
		}
		if delim, is := token.(json.Delim); !is || delim == '{' || delim == '[' {
			if top >= 0 && open[top].fields == nil {
				open[top].index++
			}
			if is {
				open = append(open, begun(delim))
			}
		} else {
			open = open[:top]
		}
		name = len(open) > 0 && open[len(open)-1].fields != nil
	}
}

func begun(delim json.Delim) container {
	if delim == '[' {
		return container{index: -1}
	}
	return container{fields: map[string]bool{}}
}

// pointerTo is where in a body it is, as far as the names may be repeated.
func pointerTo(open []container, known map[string]bool) string {
	path := ""
	for _, c := range open {
		switch {
		case c.fields == nil:
			path += "/" + strconv.Itoa(c.index)
		case known[c.at] || harmless(c.at):
			path += "/" + c.at
		default:
			return path
		}
	}
	return path
}

// harmless reports whether a name that there is not may be repeated all the same:
// it has the form of one, and no digits.
func harmless(name string) bool {
	return len(name) > 0 && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}
