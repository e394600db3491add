package events

import (
	"fmt"
	"log/slog"
	"time"
)

// Who is behind something the ledger did: a token, and where two people must agree, the one who approved.
type Who struct {
	Role     string // of the token, a code
	Token    string // its name, a code
	Approved string // the name of the token that approved, a code; "" if nobody had to
}

func (w Who) members() []member {
	return []member{{"role", TextOf(w.Role)}, {"token", TextOf(w.Token)}, {"approved_by", textOrNone(w.Approved)}}
}

// ErasureReasons are why an erasure may be opened: each is a ground of Art. 17(1) GDPR, in its order, and last
// that the person asked and named none.
func ErasureReasons() []string { return append([]string(nil), erasureReason.words...) }

// KeepGrounds are why part of what is recorded of a person may stay: Art. 17(3) GDPR.
func KeepGrounds() []string { return append([]string(nil), keepGround.words...) }

// A Keeping is a class of which a person's keys stay at an erasure, and the ground of Art. 17(3) for it.
type Keeping struct {
	Class  Retention
	Ground string // one of KeepGrounds
}

// Opening is an erasure that begins: from then on the person's data are restricted. It never prints itself.
type Opening struct {
	Who
	Reason  string    // one of ErasureReasons
	Request string    // reference of the request for it, "" if there is none
	Due     time.Time // when the keys are destroyed at the latest
	Actor   bool      // also what the person did as an actor
	Ground  string    // why that may go, a code; "" unless Actor
	Keep    []Keeping // what stays, none twice

	Subjects []string // every identifier of the person, at most MaxSubjects, none twice
}

// Event makes the ledger's own event of kind ledger.erasure-opened. The error is an *Error that points into it.
func (o Opening) Event(id, source string, at time.Time) (*Event, error) {
	var keep []Value
	for _, k := range o.Keep {
		keep = append(keep, newObject(keeping.shape, member{"class", TextOf(k.Class.String())}, member{"ground", TextOf(k.Ground)}).value())
	}
	members := append(o.Who.members(),
		member{"reason_code", TextOf(o.Reason)},
		member{"request", textOrNone(o.Request)},
		member{"due", TextOf(timeText(o.Due))})
	if o.Actor {
		members = append(members, member{"actor_too", BoolOf(true)}, member{"ground", textOrNone(o.Ground)})
	}
	if len(keep) > 0 {
		members = append(members, member{"keep", ListOf(keep...)})
	}
	return ownEvent(LedgerErasureOpened, id, source, at, append(members, member{"subjects", listOrNone(o.Subjects, askedAbout)})...)
}

// Cancelling is an erasure that was opened and will not be carried out.
type Cancelling struct {
	Who
	Erasure uint64 // position of its opening
	Reason  string // a code
}

// Event makes the ledger's own event of kind ledger.erasure-cancelled.
func (c Cancelling) Event(id, source string, at time.Time) (*Event, error) {
	return ownEvent(LedgerErasureCancelled, id, source, at, append(c.Who.members(),
		member{"erasure", IntOf(int64(c.Erasure))}, member{"reason_code", TextOf(c.Reason)})...)
}

// Shredding is that keys were destroyed for good. It identifies nobody.
type Shredding struct {
	Who
	Erasure uint64    // position of the erasure that it ends; 0 if it is none of a person
	Class   Retention // class whose cells were destroyed; 0 if it is none of a class
	Before  string    // the first month, as 2025-07, whose cells of that class were not
	Former  uint64    // version of the root key that was destroyed with them
	Root    uint64    // version in force since
}

// Event makes the ledger's own event of kind ledger.key-shredded. With neither an erasure nor a class all keys
// were replaced.
func (s Shredding) Event(id, source string, at time.Time) (*Event, error) {
	members := s.Who.members()
	what := "root"
	switch {
	case s.Erasure != 0:
		what = "person"
	case s.Class != 0:
		what = "cells"
	}
	members = append(members, member{"what", TextOf(what)})
	if s.Erasure != 0 {
		members = append(members, member{"erasure", IntOf(int64(s.Erasure))})
	}
	if s.Class != 0 {
		members = append(members, member{"class", TextOf(s.Class.String())}, member{"before", TextOf(s.Before)})
	}
	return ownEvent(LedgerKeyShredded, id, source, at, append(members,
		member{"former", IntOf(int64(s.Former))}, member{"root", IntOf(int64(s.Root))})...)
}

// Gap is positions that were acknowledged and are lost: what came after the backup that a ledger was restored from.
type Gap struct {
	Cause    string // a code, such as restore
	From, To uint64 // the positions, both included
}

// Event makes the ledger's own event of kind ledger.gap-found.
func (g Gap) Event(id, source string, at time.Time) (*Event, error) {
	return ownEvent(LedgerGapFound, id, source, at,
		member{"cause", TextOf(g.Cause)}, member{"from", IntOf(int64(g.From))}, member{"to", IntOf(int64(g.To))})
}

// String, GoString, Format, MarshalText and LogValue give nothing of whom it is about.
func (Opening) String() string               { return hidden }
func (Opening) GoString() string             { return hidden }
func (Opening) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(hidden)) }
func (Opening) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (Opening) LogValue() slog.Value         { return slog.StringValue(hidden) }
