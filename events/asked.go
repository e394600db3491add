package events

import (
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Query is one question that the ledger is about to answer: who asked, what, and how many people the
// answer is about, but not what the answer was, nor the value of any filter. The people asked about are
// tagged like those of any event, so that a person's own record shows who read it. It never prints itself.
type Query struct {
	Role  string // of the token that asked, a code
	Token string // its name, a code
	Case  string // the case it asked for, a code; "" is none

	Query    string    // which question: a code, such as "person.accesses"
	Filters  []string  // names of the filters used, codes, at most 64 different ones; never their values
	From, To time.Time // the window of event time asked for: From included, To excluded; zero is open
	AsOf     uint64    // position up to which the answer looks
	Persons  int64     // how many people the answer is about

	Subjects []string // identifiers of the people asked about, at most MaxSubjects, none twice
	Actors   []string // identifiers of people asked about as those who acted, at most MaxSubjects, none twice
}

// Event makes the ledger's own event of kind ledger.queried. The error is an *Error that points into it.
func (q Query) Event(id, source string, at time.Time) (*Event, error) {
	return ownEvent(LedgerQueried, id, source, at,
		member{"role", TextOf(q.Role)},
		member{"token", TextOf(q.Token)},
		member{"case", textOrNone(q.Case)},
		member{"query", TextOf(q.Query)},
		member{"filter", listOrNone(slices.Compact(slices.Sorted(slices.Values(q.Filters))), TextOf)},
		member{"from", instantOrNone(q.From)},
		member{"to", instantOrNone(q.To)},
		member{"as_of", IntOf(int64(q.AsOf))},
		member{"persons", IntOf(q.Persons)},
		member{"subjects", listOrNone(q.Subjects, askedAbout)},
		member{"handlers", listOrNone(q.Actors, TextOf)})
}

// Reveal is identifiers of people that the ledger is about to show. It never prints itself.
type Reveal struct {
	Role  string // of the token that asked, a code
	Token string // its name, a code
	Case  string // the case it asked for, a code; "" is none

	Approved   string // the name of the token that approved, a code; "" if nobody had to
	ReasonCode string // why, a code
	Reason     string // why in words, at most 200 characters, "" for none; it is sealed

	Subjects []string // identifiers of data subjects shown, at most MaxSubjects, none twice
	Actors   []string // identifiers shown of people who acted, at most MaxSubjects, none twice

	// Bulk joins the events of one act that shows more than one event holds: a reference, "" for an act of
	// one event. Part counts them from 1; the last one says in Parts how many they are.
	Bulk        string
	Part, Parts uint64
}

// Event makes the ledger's own event of kind ledger.identity-revealed. The error is an *Error that points
// into it.
func (r Reveal) Event(id, source string, at time.Time) (*Event, error) {
	return ownEvent(LedgerIdentityRevealed, id, source, at,
		member{"role", TextOf(r.Role)},
		member{"token", TextOf(r.Token)},
		member{"case", textOrNone(r.Case)},
		member{"approved_by", textOrNone(r.Approved)},
		member{"reason_code", TextOf(r.ReasonCode)},
		member{"bulk", r.bulk()},
		member{"reason", textOrNone(r.Reason)},
		member{"subjects", listOrNone(r.Subjects, askedAbout)},
		member{"handlers", listOrNone(r.Actors, TextOf)})
}

func (r Reveal) bulk() Value {
	if r.Bulk == "" {
		return Value{}
	}
	o := newObject(bulk.shape, member{"id", TextOf(r.Bulk)}, member{"part", IntOf(int64(r.Part))})
	if r.Parts != 0 {
		o, _ = o.With("parts", IntOf(int64(r.Parts)))
	}
	return o.value()
}

// String, GoString, Format, MarshalText and LogValue give nothing of what was asked.
func (Query) String() string               { return hidden }
func (Query) GoString() string             { return hidden }
func (Query) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(hidden)) }
func (Query) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (Query) LogValue() slog.Value         { return slog.StringValue(hidden) }

// String, GoString, Format, MarshalText and LogValue give nothing of what was shown.
func (Reveal) String() string               { return hidden }
func (Reveal) GoString() string             { return hidden }
func (Reveal) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(hidden)) }
func (Reveal) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (Reveal) LogValue() slog.Value         { return slog.StringValue(hidden) }

// CheckCode says why a text that somebody chose, and that will stand in clear, cannot be the code at path:
// it has another form, or looks like personal data. Nil means that it can.
func CheckCode(path, text string) *Error {
	if !isWord([]byte(text), code) {
		return &Error{Path: path, Type: BadFormat, Detail: "expected " + code.expected}
	}
	if what := screenText(text); what != "" {
		return &Error{Path: path, Type: PersonalData, Detail: "looks like personal data (" + what + ")"}
	}
	return nil
}

// ownEvent makes an event of the ledger's own out of what people chose in part, and checks it as strictly
// as Decode checks a producer's: what is stored must be readable for ever.
func ownEvent(k Kind, id, source string, at time.Time, members ...member) (*Event, error) {
	shape := catalogue.row(k).data
	sent := newObject(shape, members...)
	in := append(appendMembers([]byte(`{"data":`), sent), '}', '}')
	d := decoder{lexer: lexer{in: in, valid: validPrefix(in)}, st: newStore("", nil)}
	o, err := d.whole(object(req("data", &spec{form: objectForm, shape: shape})))
	if err == nil {
		err = screenChosen(o)
	}
	if err != nil {
		return nil, err
	}
	return &Event{Kind: k, ID: id, Source: source, Time: timeText(at), At: at.UTC().Truncate(time.Millisecond),
		Data: o.Get("data").Object()}, nil
}

// screenChosen screens the clear texts that whoever asks chooses. Nothing else is held against the
// identifiers: somebody may be called what a role or a question is called.
func screenChosen(o Object) *Error {
	data := o.Get("data").Object()
	for name := range data.All() {
		switch name {
		case "case", "reason_code", "request", "ground", "subjects", "handlers":
		default:
			data, _ = data.With(name, Value{})
		}
	}
	o, _ = o.With("data", data.value())
	_, err := screen(o)
	return err
}

// askedAbout is a person in a list of those asked about.
func askedAbout(identifier string) Value {
	return newObject(asked.items.shape, member{"id", TextOf(identifier)}).value()
}

func textOrNone(s string) Value {
	if s == "" {
		return Value{}
	}
	return TextOf(s)
}

func instantOrNone(t time.Time) Value {
	if t.IsZero() {
		return Value{}
	}
	return TextOf(timeText(t))
}

func listOrNone(items []string, value func(string) Value) Value {
	if len(items) == 0 {
		return Value{}
	}
	values := make([]Value, len(items))
	for i, s := range items {
		values[i] = value(s)
	}
	return ListOf(values...)
}
