package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

var (
	// errFields says that a body names a field twice, or in a way that only a lenient
	// reader takes for its name.
	errFields = errors.New("each field is given once, by its name in lower case")
	errUTF8   = errors.New("JSON is UTF-8 (RFC 8259, section 8.1)")
)

// strictFormat is JSON in UTF-8 whose objects have each field once, by its own
// name: nobody else who reads the same body finds something else in it.
func strictFormat() huma.Format {
	format := huma.DefaultJSONFormat
	lenient := format.Unmarshal
	format.Unmarshal = func(body []byte, v any) error {
		if !utf8.Valid(body) {
			return errUTF8
		}
		if err := lenient(body, v); err != nil {
			return err
		}
		return checkFields(json.NewDecoder(bytes.NewReader(body)))
	}
	return format
}

// checkFields reads one value, which is well formed, to its end.
func checkFields(in *json.Decoder) error {
	type object map[string]bool // the names it has; nil is an array
	var open []object
	name := false // whether a name comes next
	for {
		token, err := in.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'):
			open = append(open, object{})
		case json.Delim('['):
			open = append(open, nil)
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		default:
			if text, ok := token.(string); ok && name {
				fields := open[len(open)-1]
				if fields[text] || text != strings.ToLower(text) {
					return errFields
				}
				fields[text] = true
				name = false
				continue
			}
		}
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}
