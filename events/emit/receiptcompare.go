package emit

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/imalink/custody/events"
)

// A Difference says where the ledger recorded something else than was sent. It wraps [ErrReceiptDiffers].
type Difference struct {
	Position uint64
	Paths    []string // RFC 6901 pointers into the stored event, at most 16 of them; never values
}

// Error names the places.
func (d *Difference) Error() string {
	return fmt.Sprintf("%v: position %d: %s", ErrReceiptDiffers, d.Position, strings.Join(d.Paths, ", "))
}

// Unwrap is [ErrReceiptDiffers].
func (d *Difference) Unwrap() error { return ErrReceiptDiffers }

// Compare is nil if the receipt is of the event as it was sent, or a [*Difference]: everything that stays clear is
// stored as it was sent; there are as many people, and where one stood twice, one stands twice; what the ledger
// filled in is what a registered activity may fill in, where nothing was sent; and what it added follows, as far as
// the receipt shows, from the event. Whose tags they are, and what is sealed, no receipt shows.
func (r *SignedReceipt) Compare(sent *events.Event) error { return r.compare(expect(sent)) }

func (r *SignedReceipt) compare(want *events.Stored) error {
	got := r.stored
	d := differences{}
	if len(got.Sealed) > 0 != (len(want.Sealed) > 0 && !got.Facts.Forgotten) {
		d.add("/sealed")
	}
	d.facts(want, got, r.Position)
	e := blanked(d.withoutDefaults(got), got.Facts.Forgotten)
	w := want.Event
	if got.Facts.Forgotten { // every tag is random, even those of one person
		w = blanked(w, true)
	}
	if !bytes.Equal(w.AppendJSON(nil), e.AppendJSON(nil)) {
		d.event(w, e)
	}
	if len(d.paths) == 0 {
		return nil
	}
	return &Difference{Position: r.Position, Paths: d.paths}
}

// expect is what must be stored of an event, as far as that is known before: with a number for each person in place
// of a tag, a byte in place of a seal, and the facts that follow from the event alone. It names nobody.
func expect(sent *events.Event) *events.Stored {
	b := blanks{numbers: map[string]int{}}
	want := &events.Stored{Event: sent.Rewrite(b.of), Recorded: sent.At}
	want.Facts.Special = len(sent.Data.Get("special").List()) > 0
	want.Facts.A9 = !sent.Data.Get("a9").IsZero()
	want.Facts.Art10 = sent.Data.Get("art10").Bool()
	if b.sealed {
		want.Sealed = []byte{0}
	}
	return want
}

// blanked is a stored event with its tags replaced as those of [expect] are; flat if all of them are alike.
func blanked(e *events.Event, flat bool) *events.Event {
	b := blanks{}
	if !flat {
		b.numbers = map[string]int{}
	}
	return e.Rewrite(b.of)
}

// blanks are what takes the place of what does not stay clear.
type blanks struct {
	numbers map[string]int // of people, by role and identifier or tag, as they first occur; nil: none
	sealed  bool           // there was something that goes into the seal
}

func (b *blanks) of(ptr string, s events.Secrecy, v events.Value) events.Value {
	b.sealed = b.sealed || ptr != ""
	n := 0
	switch s {
	case events.Sealed:
		return events.Value{}
	case events.Subject, events.Actor:
		if b.numbers == nil {
			break
		}
		key := strconv.Itoa(int(s)) + v.Text()
		if b.numbers[key] == 0 {
			b.numbers[key] = len(b.numbers) + 1
		}
		n = b.numbers[key]
	}
	return events.TextOf(fmt.Sprintf("%032x", n))
}

// maxPaths is how many differences are named.
const maxPaths = 16

// differences are pointers to what is not as it should be.
type differences struct{ paths []string }

func (d *differences) add(path string) {
	if len(d.paths) < maxPaths {
		d.paths = append(d.paths, path)
	}
}

func (d *differences) event(want, got *events.Event) {
	for _, a := range [...]struct {
		path string
		same bool
	}{
		{"/id", want.ID == got.ID}, {"/source", want.Source == got.Source}, {"/type", want.Kind == got.Kind}, {"/time", want.Time == got.Time},
		{"/producerinstance", want.Instance == got.Instance}, {"/producerseq", want.Seq == got.Seq},
		{"/correlationid", want.Correlation == got.Correlation}, {"/causationid", want.Causation == got.Causation},
		{"/traceparent", want.Trace == got.Trace},
	} {
		if !a.same {
			d.add(a.path)
		}
	}
	if want.Kind == got.Kind {
		d.object("/data", want.Data, got.Data)
	}
}

// object compares two objects of one shape.
func (d *differences) object(path string, want, got events.Object) {
	for name, v := range want.All() {
		d.value(path+"/"+name, v, got.Get(name))
	}
	for name := range got.All() {
		if want.Get(name).IsZero() {
			d.add(path + "/" + name)
		}
	}
}

func (d *differences) value(path string, want, got events.Value) {
	switch w, g := want.List(), got.List(); {
	case want.IsZero() || got.IsZero():
		d.add(path)
	case bytes.Equal(want.AppendJSON(nil), got.AppendJSON(nil)):
	case w != nil && g != nil:
		for i := range max(len(w), len(g)) {
			if here := path + "/" + strconv.Itoa(i); i < min(len(w), len(g)) {
				d.value(here, w[i], g[i])
			} else {
				d.add(here)
			}
		}
	case hasFields(want.Object()) && hasFields(got.Object()):
		d.object(path, want.Object(), got.Object())
	default:
		d.add(path)
	}
}

func hasFields(o events.Object) bool {
	for range o.All() {
		return true
	}
	return false
}
