package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// MaxSize is how many bytes of JSON Decode reads.
const MaxSize = 64 << 20

// ErrInvalid is that something is no certificate of this version, or lacks what
// one must say.
var ErrInvalid = errors.New("no valid certificate")

// Encode writes c as JSON, indented, identifiers in clear: a disclosure. A
// certificate that is not valid wraps ErrInvalid, and nothing is written. If w
// fails, it may have had part of it; encoding again gives the same bytes.
func (c *Certificate) Encode(w io.Writer) error {
	if err := c.check(); err != nil {
		return err
	}
	raw, err := c.json()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return fmt.Errorf("writing the certificate: %w", err)
	}
	return nil
}

func (c *Certificate) json() ([]byte, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(c.opened()); err != nil {
		return nil, fmt.Errorf("encoding the certificate: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads what Encode wrote, whatever white space it has by now. It accepts
// nothing that Encode would not write: each field once, in its place, spelt as it
// is, and nothing after. Its error wraps ErrInvalid and repeats no value; an error
// of r is passed on.
func Decode(r io.Reader) (*Certificate, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	if len(raw) > MaxSize || !utf8.Valid(raw) {
		return nil, fmt.Errorf("%w: it is longer than %d bytes, or not UTF-8", ErrInvalid, MaxSize)
	}
	c := &Certificate{}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("%w: it is not JSON of the form that custody writes", ErrInvalid)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	again, err := c.json()
	if err != nil {
		return nil, err
	}
	if !SameTokens(raw, again) {
		return nil, fmt.Errorf("%w: it has a field that is not known, is given twice, or is not in its place", ErrInvalid)
	}
	return c, nil
}

// SameTokens reports whether two texts are the same JSON, written in the same
// order and with the same numbers.
func SameTokens(a, b []byte) bool {
	one, two := json.NewDecoder(bytes.NewReader(a)), json.NewDecoder(bytes.NewReader(b))
	one.UseNumber()
	two.UseNumber()
	for {
		x, errX := one.Token()
		y, errY := two.Token()
		switch {
		case errX != nil || errY != nil:
			return errX == io.EOF && errY == io.EOF
		case x != y:
			return false
		}
	}
}
