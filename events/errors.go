package events

// Error types: stable words, part of the outside contract (docs/API.md). Decode reports the first
// group; the second is reported by the ledger, which alone knows what was recorded before.
const (
	NotJSON         = "not-json"          // the bytes are not one JSON value
	BadUTF8         = "bad-utf8"          // invalid UTF-8, or a lone surrogate escape
	DuplicateKey    = "duplicate-key"     // the same member name twice in one object
	TrailingBytes   = "trailing-bytes"    // something after the event
	TooDeep         = "too-deep"          // nested beyond MaxDepth
	TooLarge        = "too-large"         // longer than MaxEvent
	UnknownField    = "unknown-field"     // a field the catalogue does not have for this kind
	MissingField    = "missing-field"     // a required field that is not there
	WrongType       = "wrong-type"        // another JSON type than the catalogue's
	NotInVocabulary = "not-in-vocabulary" // outside a closed vocabulary
	BadFormat       = "bad-format"        // a string of another form than the catalogue's
	OutOfRange      = "out-of-range"      // a number, a length or a count beyond its limits
	NotUnique       = "not-unique"        // the same element twice in a list
	UnknownKind     = "unknown-kind"      // a type no producer may send
	PersonalData    = "personal-data"     // looks like personal data in clear
	OwnIdentifier   = "own-identifier"    // a clear string holds one of the event's own identifiers

	LedgerField = "ledger-field" // a field that only the ledger sets
	Conflict    = "conflict"     // the identity is recorded already, with other content
	WrongSource = "source"       // the source belongs to another producer
	WrongFamily = "family"       // the producer may not send this family
	TimeAhead   = "time-ahead"   // the event's time lies too far in the future
	TimeBefore  = "time-before"  // the event's time lies before what the ledger accepts
)

// Error is why an event is refused. It never holds the offending value, and Path never a name that
// could be personal data, so an Error may be logged, counted and sent back as it is.
type Error struct {
	Path   string // RFC 6901 pointer into the event; "" is the event as a whole
	Type   string // one of the words above
	Detail string // what was expected, or the limit
}

// Error gives path, type and detail on one line.
func (e *Error) Error() string {
	path := e.Path
	if path == "" {
		path = "event"
	}
	return path + ": " + e.Type + ": " + e.Detail
}
