package evidence

import (
	"encoding/binary"
	"fmt"
)

// What is asked about the records that have a flag.
type What uint8

// The kinds of answers.
const (
	Count   What = iota + 1 // how many there are
	Absence                 // that there are none
	List                    // which there are
)

// A Range says what From and To of a question are.
type Range uint8

// The kinds of ranges.
const (
	Positions Range = iota + 1 // indices [From, To)
	Days                       // UTC days of the events' times [From, To], both included
	Instants                   // milliseconds of the events' times [From, To)
)

// A Question asks about the records of a range that have one of some flags.
type Question struct {
	What     What
	Flags    Flags // one; or several of [Classes], of which a record has one
	Of       Range
	From, To uint64
}

const (
	questionSize = 20
	maxInteger   = 1<<53 - 1 // the greatest that a number of JavaScript counts to
)

// Check is nil if the question can be asked of so many records; else it wraps [ErrQuestion].
func (q Question) Check(records uint64) error {
	switch {
	case q.What < Count || q.What > List:
		return fmt.Errorf("%w: what is asked is a count, an absence or a list", ErrQuestion)
	case !q.Flags.summable():
		return fmt.Errorf("%w: about one counted flag, or several of the transfer classes", ErrQuestion)
	case q.From > maxInteger || q.To > maxInteger:
		return fmt.Errorf("%w: a number of 2^53 or more", ErrQuestion)
	case q.Of == Positions && q.To > records:
		return fmt.Errorf("%w: positions that are not recorded, or not committed", ErrQuestion)
	case (q.Of == Positions || q.Of == Instants) && q.From >= q.To:
		return fmt.Errorf("%w: a range ends after it begins", ErrQuestion)
	case q.Of == Days && q.From > q.To:
		return fmt.Errorf("%w: the last day is not before the first", ErrQuestion)
	case q.Of == Days && q.To >= NoDay:
		return fmt.Errorf("%w: a day after 2149", ErrQuestion)
	case q.Of < Positions || q.Of > Instants:
		return fmt.Errorf("%w: of positions, days or instants", ErrQuestion)
	}
	return nil
}

// append appends the 20 bytes.
func (q Question) append(b []byte) []byte {
	b = append(b, byte(q.What))
	b = binary.BigEndian.AppendUint16(b, uint16(q.Flags))
	b = append(b, byte(q.Of))
	b = binary.BigEndian.AppendUint64(b, q.From)
	return binary.BigEndian.AppendUint64(b, q.To)
}

func decodeQuestion(b []byte) Question {
	return Question{
		What: What(b[0]), Flags: Flags(binary.BigEndian.Uint16(b[1:])), Of: Range(b[3]),
		From: binary.BigEndian.Uint64(b[4:]), To: binary.BigEndian.Uint64(b[12:]),
	}
}

// scope is the leaves among which the question must look for its answer.
func (q Question) scope(records uint64) Span {
	if q.Of == Positions {
		return Span{q.From, q.To}
	}
	return Span{0, records}
}

// matches reports whether the entry of a leaf is in the range; of instants, an entry does not tell.
func (q Question) matches(index uint64, e Entry) bool {
	if q.Of == Days {
		return q.From <= uint64(e.Day) && uint64(e.Day) <= q.To
	}
	return q.From <= index && index < q.To
}

// matchesRecord reports whether a record is in the range.
func (q Question) matchesRecord(index uint64, r *Record) bool {
	if q.Of == Instants {
		return q.From <= uint64(r.Time) && uint64(r.Time) < q.To
	}
	return q.matches(index, r.Entry())
}

// String is the name of what is asked.
func (w What) String() string { return nameOf([]string{"count", "absence", "list"}, uint8(w)) }

// String is the name of the range.
func (r Range) String() string { return nameOf([]string{"positions", "days", "instants"}, uint8(r)) }

func nameOf(names []string, n uint8) string {
	if n < 1 || int(n) > len(names) {
		return "unknown"
	}
	return names[n-1]
}
