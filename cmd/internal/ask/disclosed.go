package ask

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/imalink/custody/ledger/vault"
)

// Disclosed is an identifier that an answer shows because it was asked for, and
// that was recorded. It writes itself as JSON, which is what answers are sent as,
// and as nothing else.
type Disclosed string

func disclosed(id vault.Identifier) Disclosed { return Disclosed(id.Reveal()) }

// MarshalJSON implements [encoding/json.Marshaler].
func (d Disclosed) MarshalJSON() ([]byte, error) { return json.Marshal(string(d)) }

// String, GoString, Format and LogValue give nothing of it.
func (Disclosed) String() string             { return "[redacted]" }
func (Disclosed) GoString() string           { return "[redacted]" }
func (Disclosed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }
func (Disclosed) LogValue() slog.Value       { return slog.StringValue("[redacted]") }
