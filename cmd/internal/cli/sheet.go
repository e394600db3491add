package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// cell is one column of a list: where in the JSON of a row its value stands, and
// how wide it is; see [column] for the width.
type cell struct {
	head  string
	path  string // names with dots between
	width int
}

// sheet is how a list is shown.
type sheet []cell

func (s sheet) columns() []column {
	columns := make([]column, len(s))
	for i, c := range s {
		columns[i] = column{c.head, c.width}
	}
	return columns
}

// plain is a sheet whose columns are named as the JSON is, for CSV.
func plain(paths ...string) sheet {
	s := make(sheet, len(paths))
	for i, path := range paths {
		s[i] = cell{head: strings.ReplaceAll(path, ".", "_"), path: path}
	}
	return s
}

// cells are the values of a row. Zone is the one in which to show times; nil
// leaves them as they came.
func (s sheet) cells(raw []byte, zone *time.Location) ([]string, error) {
	row, err := objectOf(raw)
	if err != nil {
		return nil, err
	}
	cells := make([]string, len(s))
	for i, c := range s {
		cells[i] = textAt(row, c.path, zone)
	}
	return cells, nil
}

// objectOf decodes a JSON object with its numbers as they are written.
func objectOf(raw []byte) (map[string]any, error) {
	var object map[string]any
	if err := decoderOf(raw).Decode(&object); err != nil || object == nil {
		return nil, errForeign
	}
	return object, nil
}

// textAt is the value at a path of an object; "" if there is none.
func textAt(object map[string]any, path string, zone *time.Location) string {
	name, rest, deeper := strings.Cut(path, ".")
	value := object[name]
	if !deeper {
		return text(value, zone)
	}
	inner, ok := value.(map[string]any)
	if !ok {
		return ""
	}
	return textAt(inner, rest, zone)
}

// text is a value on one line: a list with commas, an object as name=value with blanks.
func text(value any, zone *time.Location) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		if zone != nil && isInstant(v) {
			return shown(v, zone)
		}
		return v
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = text(v[i], zone)
		}
		return strings.Join(parts, ",")
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			part := text(v[name], zone)
			if _, nested := v[name].(map[string]any); nested {
				part = "{" + part + "}"
			}
			parts = append(parts, name+"="+part)
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(value)
}

// isInstant reports whether text has the form of an RFC 3339 instant.
func isInstant(text string) bool {
	if len(text) < len("2006-01-02T15:04:05Z") || text[10] != 'T' {
		return false
	}
	_, err := time.Parse(time.RFC3339Nano, text)
	return err == nil
}

// classColour is the colour in which a terminal shows the class of a transfer.
func classColour(class string) colour {
	switch class {
	case "T0":
		return green
	case "T5", "U":
		return red
	case "":
		return ""
	}
	return yellow
}

// tinted colours, on a terminal, the classes of transfers, the states of views,
// and what is not registered.
func (s sheet) tinted(i int, cell string) colour {
	switch s[i].head {
	case "class":
		return classColour(cell)
	case "state":
		return stateColour(cell)
	case "registered":
		if cell == "false" {
			return red
		}
	}
	return ""
}

func stateColour(state string) colour {
	switch state {
	case "live":
		return green
	case "failed":
		return red
	}
	return yellow
}
