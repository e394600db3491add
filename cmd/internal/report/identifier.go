package report

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
)

// An Identifier is what somebody is called in some system: personal data. It
// gives "[redacted]" to whatever prints it, encoding/json included. Only
// [Certificate.Encode] and [Certificate.PDF] write it out. The zero Identifier is
// none.
type Identifier struct {
	text string
	open bool // on its way into a document
}

// Named makes an Identifier of a text.
func Named(text string) Identifier { return Identifier{text: text} }

const redacted = "[redacted]"

// IsZero reports whether it is none.
func (i Identifier) IsZero() bool { return i.text == "" }

// String, GoString, Format and LogValue give nothing of it.
func (Identifier) String() string             { return redacted }
func (Identifier) GoString() string           { return redacted }
func (Identifier) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }
func (Identifier) LogValue() slog.Value       { return slog.StringValue(redacted) }

// MarshalText implements [encoding.TextMarshaler]: it gives nothing of an
// identifier either, unless Encode opened it.
func (i Identifier) MarshalText() ([]byte, error) {
	if i.open {
		return []byte(i.text), nil
	}
	return []byte(redacted), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (i *Identifier) UnmarshalText(text []byte) error {
	*i = Named(string(text))
	return nil
}

// opened is a copy of c whose identifiers can be written.
func (c *Certificate) opened() *Certificate {
	if c.Identifiers == nil {
		return c
	}
	own, ids := *c, *c.Identifiers
	ids.List = slices.Clone(ids.List)
	for i := range ids.List {
		one := &ids.List[i]
		one.Identifier.open = true
		one.Links = slices.Clone(one.Links)
		for j := range one.Links {
			one.Links[j].By.open = true
		}
	}
	own.Identifiers = &ids
	return &own
}
