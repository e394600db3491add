package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// eventLimit is the most bytes of one event as sent.
const eventLimit = 1 << 20

// item is one event as it stands in the input, not yet judged.
type item struct {
	line int    // of the input from 1, where it begins; in a JSON array, the element from 1
	raw  []byte // on one line, never empty; nil when long or missing
	flaw flaw
	end  int64 // bytes of input read so far
}

// flaw is why an item cannot even be sent.
type flaw int

const (
	none    flaw = iota
	tooLong      // more than eventLimit bytes, skipped without keeping them
	missing      // nothing between two commas of an array
)

// opened gives the input a command reads: a file, or standard input for "-".
// The size is 0 when unknown.
func (s *session) opened(args []string) (in io.ReadCloser, size int64, err error) {
	if len(args) == 0 || args[0] == "-" {
		if terminal(s.Stdin) {
			s.note("reading events from the terminal, to the end of input (Ctrl-D)")
		}
		return io.NopCloser(s.Stdin), 0, nil
	}
	f, err := os.Open(args[0])
	if err != nil {
		return nil, 0, fmt.Errorf("opening the input: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("opening the input: %w", err)
	}
	if info.IsDir() {
		f.Close()
		return nil, 0, misuse("the input is a directory")
	}
	return f, info.Size(), nil
}

// items splits an input of any size, holding one event at a time: lines, of
// which blank ones are passed over; the elements of one JSON array if the input
// begins with a bracket; or objects laid out over several lines each if the first
// line cannot be one. It ends with an error when the input cannot be read, or an
// array or a laid out object is not closed.
func items(in io.Reader) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		s := &splitter{in: bufio.NewReaderSize(in, 1<<16)}
		next := s.line
		switch {
		case s.array():
			next = s.element
		case s.laidOut():
			next = s.object
		}
		for {
			it, err := next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

// splitter is the state of items. Its methods return io.EOF at a sound end.
type splitter struct {
	in     *bufio.Reader
	n      int   // lines or elements so far; in objects laid out, line ends
	offset int64 // bytes so far
	closed bool  // the array is
}

// array reports whether the input begins with a bracket, after white space.
func (s *splitter) array() bool {
	for size := 1; ; size++ {
		ahead, err := s.in.Peek(size)
		if err != nil {
			return false
		}
		if c := ahead[size-1]; !blank(c) {
			return c == '['
		}
	}
}

// laidOut reports whether the first line that is not blank leaves an object open:
// it ends as no whole one does.
func (s *splitter) laidOut() bool {
	for size := 1; ; size++ {
		ahead, err := s.in.Peek(size)
		if err != nil {
			return false
		}
		if ahead[size-1] != '\n' {
			continue
		}
		if line := bytes.TrimSpace(ahead); len(line) > 0 {
			return line[0] == '{' && bytes.IndexByte([]byte("{[,:"), line[len(line)-1]) >= 0
		}
	}
}

// line returns the next line that is not blank.
func (s *splitter) line() (item, error) {
	for {
		raw, long, err := s.rest()
		if err != nil {
			return item{}, err
		}
		s.n++
		it := item{line: s.n, end: s.offset}
		if long {
			it.flaw = tooLong
			return it, nil
		}
		if it.raw = bytes.Trim(raw, " \t\r\n"); len(it.raw) > 0 {
			return it, nil
		}
	}
}

// rest reads to the end of the line; long says that there was too much to keep.
func (s *splitter) rest() (raw []byte, long bool, err error) {
	for {
		part, err := s.in.ReadSlice('\n')
		s.offset += int64(len(part))
		if long = long || len(raw)+len(part) > eventLimit+2; !long { // 2: the line's own end
			raw = append(raw, part...)
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && (long || len(raw) > 0):
			return raw, long, nil
		case errors.Is(err, io.EOF):
			return nil, false, io.EOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, fmt.Errorf("reading the input after line %d: %w", s.n, err)
		}
	}
}

var (
	errOpenArray = errors.New("the array is not closed")
	errTrailing  = errors.New("something follows the array")

	errOpenObject = errors.New("the object is not closed")
)

// element returns the next element of the array, whatever stands between two
// commas outside strings and nested values.
func (s *splitter) element() (item, error) {
	if s.closed {
		return item{}, s.nothing()
	}
	if s.n == 0 {
		s.bracket()
	}
	s.n++
	raw, last, err := s.value()
	if err != nil {
		return item{}, fmt.Errorf("reading element %d of the input: %w", s.n, err)
	}
	s.closed = last
	it := item{line: s.n, end: s.offset}
	switch long := len(raw) > eventLimit; {
	case long:
		it.flaw = tooLong
	case len(raw) > 0:
		it.raw = raw
	case last && s.n == 1:
		return item{}, s.nothing() // [] holds no element
	default:
		it.flaw = missing
	}
	return it, nil
}

// bracket consumes the input up to and with the one that array saw.
func (s *splitter) bracket() {
	for {
		c, err := s.read()
		if err != nil || c == '[' {
			return
		}
	}
}

// value reads up to and with the comma or bracket that ends an element. Of a value
// that is too long it keeps only enough to show that.
func (s *splitter) value() (raw []byte, last bool, err error) {
	var in nesting
	for {
		c, err := s.read()
		if errors.Is(err, io.EOF) {
			return nil, false, errOpenArray
		}
		if err != nil {
			return nil, false, err
		}
		if in == (nesting{}) {
			if c == ',' || c == ']' {
				return bytes.TrimRight(raw, " \t"), c == ']', nil
			}
			if blank(c) && len(raw) == 0 {
				continue
			}
		}
		if c = in.take(c); len(raw) <= eventLimit {
			raw = append(raw, c)
		}
	}
}

// object returns the next object, or whatever else stands on a line between two.
func (s *splitter) object() (item, error) {
	var in nesting
	var it item
	for {
		c, err := s.read()
		if errors.Is(err, io.EOF) && len(it.raw) > 0 {
			return item{}, fmt.Errorf("reading the object that begins in line %d of the input: %w", it.line, errOpenObject)
		}
		if err != nil {
			return item{}, err
		}
		if c == '\n' {
			s.n++
		}
		if len(it.raw) == 0 {
			if blank(c) {
				continue
			}
			it.line = s.n + 1
		}
		outside := in == (nesting{})
		if kept := in.take(c); len(it.raw) <= eventLimit {
			it.raw = append(it.raw, kept)
		}
		if in == (nesting{}) && (!outside || c == '\n') {
			break
		}
	}
	it.end = s.offset
	if len(it.raw) > eventLimit {
		it.raw, it.flaw = nil, tooLong
	}
	return it, nil
}

// nesting is what is open at a byte of JSON.
type nesting struct {
	depth           int
	quoted, escaped bool
}

// take goes on by a byte, and gives what it becomes on one line: line ends become
// blanks, or, where they may not stand, a tab, which may not either.
func (n *nesting) take(c byte) byte {
	end := c == '\n' || c == '\r'
	switch {
	case n.quoted:
		n.quoted = c != '"' || n.escaped
		n.escaped = c == '\\' && !n.escaped
		if end {
			return '\t'
		}
	case c == '"':
		n.quoted = true
	case c == '[' || c == '{':
		n.depth++
	case c == ']' || c == '}':
		n.depth = max(0, n.depth-1)
	case end:
		return ' '
	}
	return c
}

// nothing returns io.EOF if only white space is left.
func (s *splitter) nothing() error {
	for {
		c, err := s.read()
		if err != nil {
			return err
		}
		if !blank(c) {
			return fmt.Errorf("reading the input: %w", errTrailing)
		}
	}
}

func (s *splitter) read() (byte, error) {
	c, err := s.in.ReadByte()
	if err == nil {
		s.offset++
	}
	return c, err
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
