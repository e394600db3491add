package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

var formats = []string{"table", "json", "ndjson", "csv"}

// answer is where a command writes what it was asked for: standard output, or
// the file of --out. It is buffered; close says whether all of it arrived.
type answer struct {
	*bufio.Writer
	format string
	file   *os.File // nil on standard output
	paint  func(colour, string) string
}

// answer opens the place for the answer before anything is done, so that work
// is not lost for want of a file. An existing file is overwritten.
func (s *session) answer() (*answer, error) {
	if !slices.Contains(formats, s.format) {
		return nil, misuse("--output is one of %s", strings.Join(formats, ", "))
	}
	a := &answer{format: s.format, paint: func(_ colour, text string) string { return text }}
	if s.outFile == "" {
		a.Writer = bufio.NewWriter(s.Stdout)
		a.paint = func(c colour, text string) string { return paint(s.Stdout, s.Getenv, c, text) }
		return a, nil
	}
	f, err := os.OpenFile(s.outFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening --out: %w", err)
	}
	a.Writer, a.file = bufio.NewWriter(f), f
	return a, nil
}

// close completes the answer. It is called once, with the error so far, and
// returns that error, or why the answer did not arrive.
func (a *answer) close(err error) error {
	if flushErr := a.Flush(); err == nil && flushErr != nil {
		err = fmt.Errorf("writing the answer: %w", flushErr)
	}
	if a.file != nil {
		if closeErr := a.file.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("writing the answer: %w", closeErr)
		}
	}
	return err
}

// column is one column of a table. A negative width aligns to the right. A cell
// longer than the width is not cut; it pushes the rest of its line to the right.
type column struct {
	name  string
	width int
}

// listing writes rows one by one, in the format that was asked for: nothing is
// held back, so it can be as long as the ledger.
type listing struct {
	*answer
	columns []column
	csv     *csv.Writer
	rows    int
	closing string                          // of an array
	tint    func(i int, cell string) colour // of the cells in column i of a table; "" is none
}

// listing begins a list. A table shows its heads with its first row.
func (a *answer) listing(columns ...column) *listing {
	l := &listing{answer: a, columns: columns, csv: csv.NewWriter(a), closing: "]\n", tint: func(int, string) colour { return "" }}
	switch a.format {
	case "csv":
		l.csv.Write(l.names())
	case "json":
		a.WriteString("[")
	}
	return l
}

func (l *listing) names() []string {
	names := make([]string, len(l.columns))
	for i, c := range l.columns {
		names[i] = c.name
	}
	return names
}

// row adds one row: value as JSON (as it is, if it is JSON already), or its cells
// in a table and in CSV.
func (l *listing) row(value any, cells ...string) error {
	l.rows++
	switch l.format {
	case "table":
		if l.rows == 1 {
			fmt.Fprintln(l, l.paint(bold, strings.ToUpper(l.line(l.names(), nil))))
		}
		fmt.Fprintln(l, l.line(cells, l.tint))
	case "csv":
		for i := range cells {
			cells[i] = guarded(cells[i])
		}
		l.csv.Write(cells)
	default:
		encoded, ready := value.(json.RawMessage)
		if !ready {
			var err error
			if encoded, err = encode(value); err != nil {
				return err
			}
		}
		l.raw(encoded)
	}
	return nil
}

// raw adds one row to a JSON format, byte for byte.
func (l *listing) raw(value []byte) {
	switch {
	case l.format == "ndjson":
		l.Write(value)
		l.WriteByte('\n')
	case l.rows > 1:
		l.WriteString(",\n ")
		l.Write(value)
	default:
		l.Write(value)
	}
}

// flush shows what there is so far.
func (l *listing) flush() error {
	l.csv.Flush()
	if err := l.Flush(); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// end completes the list, and with it the answer. After an error an array is
// left open, so that nothing takes a part for the whole.
func (l *listing) end(err error) error {
	l.csv.Flush()
	if l.format == "json" && err == nil {
		l.WriteString(l.closing)
	}
	return l.close(err)
}

// line is cells beside each other, coloured by tint unless that is nil.
func (l *listing) line(cells []string, tint func(int, string) colour) string {
	var b strings.Builder
	for i, cell := range cells {
		cell = oneLine(cell)
		width := l.columns[i].width
		blank := strings.Repeat(" ", max(0, max(width, -width)-utf8.RuneCountInString(cell)))
		if tint != nil && tint(i, cell) != "" {
			cell = l.paint(tint(i, cell), cell)
		}
		if width < 0 {
			cell, blank = blank+cell, ""
		}
		b.WriteString(cell)
		if i < len(cells)-1 {
			b.WriteString(blank + "  ")
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// guarded keeps a spreadsheet from taking a cell for a formula
// (OWASP, CSV injection).
func guarded(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// field is one line of a description.
type field struct{ name, value string }

// describe writes one thing: as JSON, or as its fields. A table leaves out those
// without a value.
func (a *answer) describe(value any, fields ...field) error {
	switch a.format {
	case "table":
		for _, f := range fields {
			if f.value != "" {
				fmt.Fprintf(a, "%s%s\n", a.paint(bold, fmt.Sprintf("%-18s", f.name)), oneLine(f.value))
			}
		}
	case "csv":
		w := csv.NewWriter(a)
		w.Write([]string{"name", "value"})
		for _, f := range fields {
			w.Write([]string{f.name, guarded(f.value)})
		}
		w.Flush()
	default:
		encoded, err := encode(value)
		if err != nil {
			return err
		}
		if a.format == "json" {
			var indented bytes.Buffer
			if err := json.Indent(&indented, encoded, "", "  "); err != nil {
				return fmt.Errorf("writing the answer: %w", err)
			}
			encoded = indented.Bytes()
		}
		a.Write(append(encoded, '\n'))
	}
	return nil
}

// encode is JSON on one line, without the escapes meant for HTML.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, fmt.Errorf("writing the answer: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
