package events

import (
	"fmt"
	"log/slog"
	"time"
)

// Limits of what a producer may send.
const (
	MaxEvent    = 1 << 20 // bytes of one event as sent
	MaxStored   = 8 << 20 // bytes of one event as stored
	MaxDepth    = 8       // nested objects and lists, the event itself included
	MaxSubjects = 5000    // subjects of one event
)

// Event is one event, checked against the catalogue. As Decode gives it, it holds the identifiers
// of people; as Rewrite gives it to be stored, tags. It never prints itself.
type Event struct {
	Kind     Kind
	ID       string    // with Source the event's identity
	Source   string    // "/" and the producer's name
	Time     string    // when it happened, as sent (RFC 3339)
	At       time.Time // the same instant in UTC
	Instance string    // producerinstance: which copy of the producer counts in Seq; may be ""
	Seq      uint64    // producerseq: counts the events of (Source, Instance) from 1; 0 is none

	Correlation string // correlationid, joinable; may be ""
	Causation   string // causationid, joinable; may be ""
	Trace       string // traceparent (W3C Trace Context); may be ""

	Data Object

	Warnings []string // pointers of clear strings that end in the number of one of its identifiers
}

// String, GoString, Format, MarshalText and LogValue give the kind and nothing else.
func (e Event) String() string               { return e.Kind.Name() + " " + hidden }
func (e Event) GoString() string             { return e.String() }
func (e Event) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(e.String())) }
func (e Event) MarshalText() ([]byte, error) { return []byte(e.String()), nil }
func (e Event) LogValue() slog.Value         { return slog.StringValue(e.String()) }
