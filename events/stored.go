package events

import (
	"bytes"
	"encoding/base64"
	"slices"
	"time"
)

// Stored is an event as the ledger keeps it: tags for people, what is delicate sealed, and the facts
// that were known when it was recorded. The SHA-256 of its stored form is its digest.
type Stored struct {
	Event    *Event    // as it is stored; for AppendRewritten, as its producer sent it
	Recorded time.Time // when the ledger recorded it: UTC, whole milliseconds
	Relay    string    // the code of who sent it on behalf of its source; "" when the producer did
	Salt     [16]byte  // random, one per event
	Sealed   []byte    // the sealed blob; empty when nothing was sealed
	Facts    Facts
}

const recordedLayout = "2006-01-02T15:04:05.000Z"

// Append appends the stored form, docs/FORMAT.md "Stored event": one JSON object without white space,
// its keys in a fixed order, the facts last in the data. What Append emits is readable again if the
// event has tags of 32 hex digits for identifiers and references, and nothing that is sealed.
func (s *Stored) Append(dst []byte) []byte {
	return s.AppendRewritten(dst, nil, func() []byte { return s.Sealed })
}

// AppendRewritten appends the stored form of an event as its producer sent it: with every value
// replaced that does not stay clear, and what seal gives once all of them have been, in place of Sealed.
func (s *Stored) AppendRewritten(dst []byte, replace Replace, seal func() []byte) []byte {
	dst = append(dst, `{"custodyformat":"1",`...)
	dst = replace.attributes(dst, s.Event)
	dst = append(dst, `,"recordedtime":"`...)
	dst = s.Recorded.UTC().AppendFormat(dst, recordedLayout)
	dst = append(dst, '"')
	dst = appendOptional(dst, `,"relay":`, s.Relay)
	dst = appendBytes(append(dst, `,"salt":"`...), s.Salt[:])
	beforeData := len(dst)
	dst = append(dst, `,"data":`...)
	dst = replace.members(dst, s.Event.Data)
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = insertSealed(dst, beforeData, seal())
	dst = append(dst, `"ledger":`...)
	dst = s.Facts.append(dst)
	return append(dst, '}', '}')
}

// insertSealed makes room for the sealed blob at i: it stands before the data, and is known after them.
func insertSealed(dst []byte, i int, sealed []byte) []byte {
	if len(sealed) == 0 {
		return dst
	}
	const key = `,"sealed":"`
	n, end := len(key)+base64.RawURLEncoding.EncodedLen(len(sealed))+len(`"`), len(dst)
	dst = slices.Grow(dst, n)[:end+n]
	copy(dst[i+n:], dst[i:end])
	appendBytes(append(dst[:i], key...), sealed)
	return dst
}

// appendBytes appends bytes and the closing quote.
func appendBytes(dst, b []byte) []byte {
	return append(base64.RawURLEncoding.AppendEncode(dst, b), '"')
}

// DecodeStored reads the stored form and accepts exactly the bytes that Append emits. The error is
// always an *Error. b is not kept.
func DecodeStored(b []byte) (*Stored, error) {
	s, err := decodeStored(b)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func decodeStored(b []byte) (*Stored, *Error) {
	if len(b) > MaxStored {
		return nil, &Error{Type: TooLarge, Detail: "a stored event has at most 8 MiB"}
	}
	d := decoder{lexer: lexer{in: b, valid: validPrefix(b)}, st: newStore("", nil), stored: true}
	o, err := d.whole(storedEnvelope)
	if err != nil {
		return nil, err
	}
	e := eventOf(o, d.kind)
	s := &Stored{Event: &e, Relay: o.Get("relay").Text()}
	s.Facts = factsOf(s.Event.Data.Get("ledger").Object())
	s.Event.Data = s.Event.Data.withoutFacts()
	s.Recorded, _ = parseInstant(o.Get("recordedtime").Text())
	salt, saltErr := base64.RawURLEncoding.DecodeString(o.Get("salt").Text())
	sealed, sealedErr := base64.RawURLEncoding.DecodeString(o.Get("sealed").Text())
	if saltErr != nil || len(salt) != len(s.Salt) {
		return nil, &Error{Path: "/salt", Type: BadFormat, Detail: "expected 16 bytes in unpadded base64url"}
	}
	if sealedErr != nil {
		return nil, &Error{Path: "/sealed", Type: BadFormat, Detail: "expected unpadded base64url"}
	}
	copy(s.Salt[:], salt)
	if len(sealed) > 0 {
		s.Sealed = sealed
	}
	if path := s.Event.Data.openSecret(); path != "" {
		return nil, &Error{Path: path, Type: UnknownField, Detail: "what is sealed is not stored in clear"}
	}
	if !bytes.Equal(s.Append(make([]byte, 0, len(b))), b) {
		return nil, &Error{Type: BadFormat, Detail: "expected the one form in which this event is stored"}
	}
	return s, nil
}

// withoutFacts gives the data as the producer's catalogue has them: the facts are the last field.
func (o Object) withoutFacts() Object {
	o.n--
	o.shape = o.shape.base
	return o
}

// openSecret gives the pointer of a field that is sealed about a person and stands in clear.
func (o Object) openSecret() string {
	if !o.Get("natural_person").Bool() {
		return ""
	}
	for _, v := range o.members() {
		if f := o.shape.fields[v.field]; f.ofPerson {
			return f.ptr
		}
	}
	return ""
}
