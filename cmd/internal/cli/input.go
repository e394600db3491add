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
	line int    // of the input from 1; in a JSON array, the element from 1
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
// which blank ones are passed over, or the elements of one JSON array if the
// input begins with a bracket. It ends with an error when the input cannot be
// read, or an array is not closed.
func items(in io.Reader) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		s := &splitter{in: bufio.NewReaderSize(in, 1<<16)}
		next := s.line
		if s.array() {
			next = s.element
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
	n      int   // lines or elements so far
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

// value reads up to and with the comma or bracket that ends an element. Line
// ends become blanks, or, where they may not stand, a tab, which may not
// either. Of a value that is too long it keeps only enough to show that.
func (s *splitter) value() (raw []byte, last bool, err error) {
	depth, quoted, escaped := 0, false, false
	for {
		c, err := s.read()
		if errors.Is(err, io.EOF) {
			return nil, false, errOpenArray
		}
		if err != nil {
			return nil, false, err
		}
		switch {
		case quoted:
			quoted = c != '"' || escaped
			escaped = c == '\\' && !escaped
			if c == '\n' || c == '\r' {
				c = '\t'
			}
		case depth == 0 && (c == ',' || c == ']'):
			return bytes.TrimRight(raw, " \t"), c == ']', nil
		case c == '"':
			quoted = true
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth = max(0, depth-1)
		case blank(c) && len(raw) == 0:
			continue
		case c == '\n' || c == '\r':
			c = ' '
		}
		if len(raw) <= eventLimit {
			raw = append(raw, c)
		}
	}
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
