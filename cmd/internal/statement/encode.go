package statement

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/imalink/custody/cmd/internal/report"
)

// MaxSize is how many bytes of JSON Decode reads.
const MaxSize = 256 << 20

// ErrInvalid is that something is no statement of this version, contradicts itself,
// or lacks what one must say.
var ErrInvalid = errors.New("no valid statement")

// Encode writes s as JSON, indented. A statement that is not valid wraps
// [ErrInvalid], and nothing is written. If w fails, it may have had part of it;
// encoding again gives the same bytes.
func (s *Statement) Encode(w io.Writer) error {
	if err := s.check(); err != nil {
		return err
	}
	raw, err := s.json()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return fmt.Errorf("writing the statement: %w", err)
	}
	return nil
}

func (s *Statement) json() ([]byte, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(s); err != nil {
		return nil, fmt.Errorf("encoding the statement: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads what Encode wrote, whatever white space it has by now. It accepts
// nothing that Encode would not write: each member once, in its place, spelt as it
// is, the result that follows from the rest, and nothing after. Its error wraps
// [ErrInvalid] and repeats no value; an error of r is passed on.
func Decode(r io.Reader) (*Statement, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the statement: %w", err)
	}
	if len(raw) > MaxSize || !utf8.Valid(raw) {
		return nil, fmt.Errorf("%w: it is longer than %d bytes, or not UTF-8", ErrInvalid, MaxSize)
	}
	s := &Statement{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("%w: it is not JSON of the form that custody writes", ErrInvalid)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	again, err := s.json()
	if err != nil {
		return nil, err
	}
	if !report.SameTokens(raw, again) {
		return nil, fmt.Errorf("%w: it has a member that is not known, is given twice, or is not in its place", ErrInvalid)
	}
	return s, nil
}
