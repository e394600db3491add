package emit

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/imalink/custody/events"
)

// An Option says something about the event that an act becomes.
type Option func(*envelope)

// envelope is what an event says beside its data.
type envelope struct {
	id, instance                   string
	at                             time.Time
	correlation, causation, parent string
	fixed                          bool // id and time are the caller's
}

// At says when it happened, if not now. At most 5 minutes ahead.
func At(t time.Time) Option { return func(e *envelope) { e.at = t } }

// As says which event this is and when it happened, for callers that may emit the same fact twice, such as the
// consumers of a queue: with id and time from the message, the ledger knows a repeat. id is 1 to 64 of A-Z a-z
// 0-9 . _ : -. The event gets no number, for that would make the repeat another event; so a gap does not show
// when it is missing.
func As(id string, t time.Time) Option {
	return func(e *envelope) { e.id, e.at, e.fixed = id, t, true }
}

// Repeatable reports whether options say, with [As], which event it is: such an event is not to be numbered. For
// programs that keep events in a store of their own.
func Repeatable(options ...Option) bool {
	var env envelope
	for _, o := range options {
		o(&env)
	}
	return env.fixed
}

// Correlation joins the events of one course of business, such as place-2291.
func Correlation(id string) Option { return func(e *envelope) { e.correlation = id } }

// Causation names the event that led to this one.
func Causation(id string) Option { return func(e *envelope) { e.causation = id } }

// Trace gives the traceparent of W3C Trace Context.
func Trace(traceparent string) Option { return func(e *envelope) { e.parent = traceparent } }

// ahead is how far in the future the ledger lets an event lie.
const ahead = 5 * time.Minute

// room is what numbering an event may add to it.
const room = 128

// New makes the event that an act becomes, checked as the ledger checks it, without emitting it. It has neither
// instance nor number. The error wraps an [events.Error].
func New(producer string, act Act, options ...Option) (*events.Event, error) {
	return build(producer, "", time.Now(), act, options)
}

// build makes the event of an act. Its number is not known yet.
func build(producer, instance string, now time.Time, act Act, options []Option) (*events.Event, error) {
	env := envelope{instance: instance, at: now}
	for _, o := range options {
		o(&env)
	}
	if env.fixed {
		env.instance = ""
	}
	e, err := env.decode(producer, now, act)
	for range 100 {
		// An id may happen to hold a short identifier, in its random part or in its time. Another one will not.
		if fault, ok := errors.AsType[*events.Error](err); !ok || env.fixed || fault.Path != "/id" || fault.Type != events.OwnIdentifier {
			break
		}
		env.id = randomID()
		e, err = env.decode(producer, now, act)
	}
	if err != nil {
		return nil, fmt.Errorf("emit: %s: %w", act.Kind().Name(), err)
	}
	return e, nil
}

func (env *envelope) decode(producer string, now time.Time, act Act) (*events.Event, error) {
	if env.id == "" && !env.fixed {
		env.id = newID(now)
	}
	if env.at.After(now.Add(ahead)) {
		return nil, &events.Error{Path: "/time", Type: events.TimeAhead, Detail: "at most 5 minutes ahead"}
	}
	if o, ok := act.(Other); ok && !json.Valid(o.Data) {
		return nil, &events.Error{Path: "/data", Type: events.NotJSON, Detail: "expected one JSON value"}
	}
	raw := env.append(nil, producer, act)
	if len(raw) > events.MaxEvent-room {
		return nil, &events.Error{Type: events.TooLarge, Detail: fmt.Sprintf("an event has at most %d bytes here", events.MaxEvent-room)}
	}
	return events.Decode(raw)
}

func (env *envelope) append(dst []byte, producer string, act Act) []byte {
	w := writer{b: append(dst, '{')}
	text(&w, "specversion", "1.0")
	text(&w, "id", env.id)
	text(&w, "source", "/"+producer)
	text(&w, "type", act.Kind().Type())
	text(&w, "time", env.at.UTC().Format("2006-01-02T15:04:05.000Z"))
	text(&w, "datacontenttype", "application/json")
	text(&w, "producerinstance", env.instance)
	text(&w, "correlationid", env.correlation)
	text(&w, "causationid", env.causation)
	text(&w, "traceparent", env.parent)
	w.key("data")
	if o, ok := act.(Other); ok {
		return append(append(w.b, o.Data...), '}')
	}
	w.b = append(w.b, '{')
	inner := writer{b: w.b}
	act.data(&inner)
	return append(inner.b, '}', '}')
}

// newID makes a UUID of version 7 (RFC 9562): the time in milliseconds, then random bits.
func newID(now time.Time) string {
	var b [16]byte
	rand.Read(b[:])
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	return uuid(b, 7)
}

// randomID makes a UUID of version 4.
func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	return uuid(b, 4)
}

func uuid(b [16]byte, version byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// NewInstance makes the name of one copy of a producer: 12 random letters and digits in pairs, so that no
// identifier of three or more happens to be in it.
func NewInstance() string {
	const alphabet = "abcdefghijkmnpqrstuvwxyz23456789" // 32
	var b [12]byte
	rand.Read(b[:])
	var s strings.Builder
	s.WriteString("i")
	for i, c := range b {
		if i%2 == 0 {
			s.WriteByte('-')
		}
		s.WriteByte(alphabet[c&31])
	}
	return s.String()
}
