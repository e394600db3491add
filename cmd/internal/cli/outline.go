package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// outline shows one thing of many parts: as JSON, or part by part, indented. It
// leaves out, in a table, what the answer says of itself.
func (e *exchange) outline(raw json.RawMessage) error {
	if e.format != "table" && e.format != "csv" {
		return e.describe(raw)
	}
	o := &outliner{exchange: e}
	d := decoderOf(raw)
	token, err := d.Token()
	if err != nil || token != json.Delim('{') {
		return errForeign
	}
	if e.format == "csv" {
		o.csv = csv.NewWriter(e)
		o.csv.Write([]string{"name", "value"})
		defer o.csv.Flush()
	}
	return o.object(d, nil)
}

// decoderOf decodes numbers as they are written.
func decoderOf(raw []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d
}

// outliner walks through JSON in the order in which it came.
type outliner struct {
	*exchange
	csv   *csv.Writer // nil in a table
	begun bool        // something is shown already
}

// object shows the members of an object whose "{" has been read.
func (o *outliner) object(d *json.Decoder, path []string) error {
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return errForeign
		}
		if err := o.member(d, append(path, fmt.Sprint(name))); err != nil {
			return err
		}
	}
	return closed(d)
}

// array shows the elements of an array of objects, or of arrays, whose "[" has
// been read.
func (o *outliner) array(elements []json.RawMessage, path []string) error {
	for i, element := range elements {
		if err := o.member(decoderOf(element), append(path, strconv.Itoa(i+1))); err != nil {
			return err
		}
	}
	return nil
}

// member shows the value that comes next.
func (o *outliner) member(d *json.Decoder, path []string) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return errForeign
	}
	if o.csv == nil && len(path) == 1 && (path[0] == "as_of" || path[0] == "window") {
		return nil // said on standard error
	}
	var elements []json.RawMessage
	var proof []byte
	switch {
	case o.csv == nil && len(path) == 1 && path[0] == "proof" && json.Unmarshal(raw, &proof) == nil:
		o.value(path, fmt.Sprintf("%s bytes: custody prove event writes it to a file", count(len(proof))))
		return nil
	case raw[0] == '{':
		o.part(path)
		inner := decoderOf(raw)
		inner.Token() // "{", as seen
		return o.object(inner, path)
	case raw[0] == '[' && json.Unmarshal(raw, &elements) == nil && len(elements) > 0 && strings.IndexByte("{[", elements[0][0]) >= 0:
		o.part(path)
		return o.array(elements, path)
	}
	var value any
	if err := decoderOf(raw).Decode(&value); err != nil {
		return errForeign
	}
	o.value(path, value)
	return nil
}

// part begins a part that has parts.
func (o *outliner) part(path []string) {
	if o.csv != nil {
		return
	}
	if len(path) == 1 && o.begun {
		fmt.Fprintln(o)
	}
	o.begun = true
	fmt.Fprintf(o, "%s%s\n", indent(path), o.paint(bold, oneLine(path[len(path)-1])))
}

func (o *outliner) value(path []string, value any) {
	if o.csv != nil {
		o.csv.Write([]string{strings.Join(path, "."), guarded(text(value, nil))})
		return
	}
	shown := oneLine(text(value, o.zone))
	if shown == "" {
		return
	}
	o.begun = true
	name := indent(path) + oneLine(path[len(path)-1])
	if path[len(path)-1] == "class" && classColour(shown) != "" {
		shown = o.paint(classColour(shown), shown)
	}
	fmt.Fprintf(o, "%-24s  %s\n", name, shown)
}

func indent(path []string) string { return strings.Repeat("  ", len(path)-1) }

// closed reads the end of what was begun.
func closed(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errForeign
	}
	return nil
}
