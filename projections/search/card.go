package search

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/rows"
)

// A Card is what a list shows of an event. It holds no person; see [Reader.People].
type Card struct {
	Position       uint64
	Kind           events.Kind
	Source, ID     string
	Time, Recorded time.Time // UTC, whole milliseconds
	Values         []Value   // of all facets but Kind, Family and Retention, as the event has them
	Subjects       int       // how many it lists
}

// A Value is a value of a facet.
type Value struct {
	Facet Facet
	Text  string
}

// Get gives the first value of a facet, "" when there is none.
func (c *Card) Get(f Facet) string {
	if all := c.All(f); len(all) > 0 {
		return all[0]
	}
	return ""
}

// All gives all values of a facet, in the order in which the event names them.
func (c *Card) All(f Facet) (texts []string) {
	switch f {
	case Kind:
		return []string{c.Kind.Name()}
	case Family:
		return []string{c.Kind.Family()}
	case Retention:
		return []string{c.Kind.Retention().String()}
	}
	for _, v := range c.Values {
		if v.Facet == f {
			texts = append(texts, v.Text)
		}
	}
	return texts
}

// rawCard is a card as it is stored. Its slices are the transaction's.
type rawCard struct {
	kind           events.Kind
	recorded, time int64
	id             string
	values         []uint32
	subjects       int
	actor, session projections.Tag
	named          []byte // tags
	inline         []byte // tags of the subjects if they are here
}

// parseCard reads what appendCard wrote. base is the recorded time of its block.
func parseCard(b []byte, base int64) (c rawCard, err error) {
	r := fields{rest: b}
	head := r.take(2)
	if r.bad {
		return c, rows.Damaged("a card of %d bytes", len(b))
	}
	c.kind = events.Kind(head[0])
	flags := head[1]
	c.recorded = base + r.signed()
	c.time = c.recorded + r.signed()
	if flags&hasUUID != 0 {
		c.id = formatUUID(r.taken(16))
	} else {
		c.id = string(r.take(r.count()))
	}
	c.values = make([]uint32, r.count())
	for i := range c.values {
		c.values[i] = uint32(r.unsigned())
	}
	c.subjects = int(min(r.unsigned(), events.MaxSubjects+1))
	named := r.count()
	if flags&hasActor != 0 {
		c.actor = projections.Tag(r.taken(16))
	}
	if flags&hasSession != 0 {
		c.session = projections.Tag(r.taken(16))
	}
	c.named = r.take(named * 16)
	if c.subjects <= inlineTags {
		c.inline = r.take(c.subjects * 16)
	}
	if r.bad || len(r.rest) > 0 || c.subjects > events.MaxSubjects {
		return rawCard{}, rows.Damaged("a card of %d bytes", len(b))
	}
	return c, nil
}

// people gives the tags, which the cells of the kind and the time made.
func (c *rawCard) people(subjects []byte) projections.People {
	at := time.UnixMilli(c.time)
	return projections.People{
		Subjects: tags(subjects), Actor: c.actor, Named: tags(c.named), Session: c.session,
		SubjectCell: projections.CellOf(c.kind, at, projections.Subject),
		ActorCell:   projections.CellOf(c.kind, at, projections.Actor),
	}
}

func tags(b []byte) []projections.Tag {
	if len(b) == 0 {
		return nil
	}
	all := make([]projections.Tag, 0, len(b)/16)
	for ; len(b) >= 16; b = b[16:] {
		all = append(all, projections.Tag(b[:16]))
	}
	return all
}

// cardAt finds the card at an index in the value of a block.
func cardAt(block []byte, index int) (card []byte, base int64, err error) {
	r := fields{rest: block}
	base = int64(binary.BigEndian.Uint64(r.taken(8)))
	for range index {
		r.take(r.count())
	}
	card = r.take(r.count())
	if r.bad {
		return nil, 0, fmt.Errorf("card %d: %w", index, rows.Damaged("a block of %d bytes", len(block)))
	}
	return card, base, nil
}

// fields reads the fields of a value, one after another. Once it is bad it stays so, and gives nothing.
type fields struct {
	rest []byte
	bad  bool
}

// take gives the next n bytes, nil if there are fewer.
func (r *fields) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// taken is take, with zeros for what is not there.
func (r *fields) taken(n int) []byte {
	if b := r.take(n); b != nil {
		return b
	}
	return make([]byte, n)
}

func (r *fields) unsigned() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *fields) signed() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count is an unsigned number of things of at least a byte each that follow.
func (r *fields) count() int {
	n := r.unsigned()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return 0
	}
	return int(n)
}
