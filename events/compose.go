package events

import "time"

// Compose makes an event of a kind that only the ledger writes. data is the event's data as JSON; it is
// held against the catalogue as a producer's would be, but not screened: it names nobody.
func Compose(kind Kind, id, source string, at time.Time, data []byte) (*Event, error) {
	if !kind.ByLedger() {
		return nil, &Error{Path: "/type", Type: UnknownKind, Detail: "not a kind that the ledger writes"}
	}
	d := decoder{lexer: lexer{in: data, valid: validPrefix(data)}, st: new(store), kind: kind}
	o, err := d.whole(catalogue.row(kind).data)
	if err != nil {
		return nil, err
	}
	at = at.UTC().Truncate(time.Millisecond)
	return &Event{Kind: kind, ID: id, Source: source, Time: at.Format("2006-01-02T15:04:05.000Z"), At: at, Data: o}, nil
}

// AppendJSON appends the value as JSON, in the one way it is spelt. Every call is a disclosure of what
// the value holds.
func (v Value) AppendJSON(dst []byte) []byte { return appendValue(dst, v) }
