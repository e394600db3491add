package events

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strconv"
)

// maxBatchNested bounds the brackets open at once inside one element. [Decode] allows only [MaxDepth];
// what lies between is cut out whole, so that Decode names the place.
const maxBatchNested = 64

// SplitBatch cuts a JSON batch (CloudEvents JSON format 1.0.2, section 4:
// application/cloudevents-batch+json) into the raw JSON of its elements, in order. It only finds where
// each element ends; [Decode] judges what is in it, so an element that is wrong inside does not stop
// the ones after it. A batch may be empty.
//
// What cannot be cut (no array, a missing comma, brackets that do not match, an end that never comes,
// bytes after the array) is the last thing yielded, as an [*Error] whose Path is the element ("/3") or
// the whole (""). Every element before it has been yielded by then. The slices alias b.
// Counting the elements is the caller's: stop at the limit.
func SplitBatch(b []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		i := skipSpace(b, 0)
		if at(b, i) != '[' {
			yield(nil, notJSON("a batch is one JSON array"))
			return
		}
		i = skipSpace(b, i+1)
		if at(b, i) == ']' {
			endBatch(b, i+1, yield)
			return
		}
		for n := 0; ; n++ {
			end, fault := elementEnd(b, i)
			if fault != nil {
				fault.Path = element(n)
				yield(nil, fault)
				return
			}
			if !yield(b[i:end:end], nil) {
				return
			}
			i = skipSpace(b, end)
			switch at(b, i) {
			case ',':
				i = skipSpace(b, i+1)
			case ']':
				endBatch(b, i+1, yield)
				return
			default:
				yield(nil, &Error{element(n + 1), NotJSON, "a comma or the end of the array was expected"})
				return
			}
		}
	}
}

// endBatch refuses anything but white space from i on.
func endBatch(b []byte, i int, yield func([]byte, error) bool) {
	if skipSpace(b, i) != len(b) {
		yield(nil, &Error{Type: TrailingBytes, Detail: "nothing may follow the array"})
	}
}

// elementEnd returns the offset after the element that starts at i, or what is wrong.
func elementEnd(b []byte, i int) (end int, fault *Error) {
	switch at(b, i) {
	case '{', '[':
		return nestedEnd(b, i)
	case '"':
		if end := stringEnd(b, i); end > 0 {
			return end, nil
		}
		return 0, notJSON("a string has no end")
	}
	end = i
	for end < len(b) && !delimits(b[end]) {
		end++
	}
	if end == i {
		return 0, notJSON("an element is missing")
	}
	return end, nil
}

// nestedEnd returns the offset after the object or array that opens at i.
func nestedEnd(b []byte, i int) (end int, fault *Error) {
	var open [maxBatchNested]byte // the bracket that closes each open one
	depth := 0
	for ; i < len(b); i++ {
		switch c := b[i]; c {
		case '"':
			end := stringEnd(b, i)
			if end == 0 {
				return 0, notJSON("a string has no end")
			}
			i = end - 1
		case '{', '[':
			if depth == maxBatchNested {
				return 0, &Error{Type: TooDeep, Detail: "nested deeper than " + strconv.Itoa(MaxDepth)}
			}
			open[depth] = c + 2 // '{'+2 is '}', '['+2 is ']'
			depth++
		case '}', ']':
			depth--
			if open[depth] != c {
				return 0, notJSON("brackets do not match")
			}
			if depth == 0 {
				return i + 1, nil
			}
		}
	}
	return 0, notJSON("the end is missing")
}

// stringEnd returns the offset after the string that opens at i, 0 if it has no end.
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

func delimits(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', '"', '{', '}', '[', ']':
		return true
	}
	return false
}

// at returns b[i], 0 past the end.
func at(b []byte, i int) byte {
	if i < len(b) {
		return b[i]
	}
	return 0
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

func element(n int) string { return "/" + strconv.Itoa(n) }

func notJSON(detail string) *Error { return &Error{Type: NotJSON, Detail: detail} }

// Line is one line of NDJSON. It does not print what it holds.
type Line struct {
	Number int    // from 1, blank lines counted
	Raw    []byte // without the line's end; the caller's to keep
}

// SplitLines reads NDJSON (application/x-ndjson) and yields its lines in order, each with its number.
// LF or CRLF ends a line; the last may have neither. A line of nothing but white space is no event: it
// is counted and not yielded. [Decode] judges what is in a line.
//
// A line over 1 MiB, or a first line that starts with a byte order mark, is yielded with its number, no
// bytes and an [*Error]; the lines after it go on. When reading fails, the error is the last thing
// yielded (wrapped, not an [*Error]) with the number of the line it struck, of which nothing is yielded.
// Memory is bounded by one line.
func SplitLines(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		br := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			raw, fits, err := readLine(br)
			if err != nil && err != io.EOF {
				yield(Line{Number: n}, fmt.Errorf("reading line %d: %w", n, err))
				return
			}
			if !yieldLine(yield, n, raw, fits) || err == io.EOF {
				return
			}
		}
	}
}

func yieldLine(yield func(Line, error) bool, n int, raw []byte, fits bool) bool {
	switch {
	case !fits:
		return yield(Line{Number: n}, &Error{Type: TooLarge, Detail: "a line is at most 1 MiB"})
	case n == 1 && bytes.HasPrefix(raw, []byte("\ufeff")):
		return yield(Line{Number: n}, notJSON("starts with a byte order mark"))
	case skipSpace(raw, 0) == len(raw):
		return true
	}
	return yield(Line{Number: n, Raw: raw}, nil)
}

// readLine reads up to and with the next LF and returns a copy without the line's end. fits is false,
// and the line nil, when it is longer than MaxEvent; its bytes are consumed all the same.
func readLine(br *bufio.Reader) (line []byte, fits bool, err error) {
	fits = true
	for {
		part, err := br.ReadSlice('\n')
		if fits && len(line)+len(part) > MaxEvent+len("\r\n") {
			line, fits = nil, false
		}
		if fits {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) > MaxEvent {
			line, fits = nil, false
		}
		return line, fits, err
	}
}

// Format writes the number and the size of the line, whatever the verb.
func (l Line) Format(w fmt.State, _ rune) {
	fmt.Fprintf(w, "line %d (%d bytes)", l.Number, len(l.Raw))
}

// MarshalText gives what Format writes.
func (l Line) MarshalText() ([]byte, error) { return fmt.Append(nil, l), nil }

// LogValue gives what Format writes.
func (l Line) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(l)) }
