package vault

import (
	"fmt"
	"iter"
	"slices"

	"github.com/imalink/custody/ledger/stream"
)

// resolvedTags bounds the tags that a Resolver keeps, about 60 bytes each; it lets
// go of whole cells, the one asked for longest ago first. Events come about in the
// order of their months, so few cells are made twice.
const resolvedTags = 16 << 20

// A Resolver goes from tags back to people, of a vault read from its messages.
// It is for a check of everything; it holds every person. Not for concurrent use.
type Resolver struct {
	people map[rid]*person
	cells  map[CellID]*cell
	tags   map[CellID]map[Tag]*person
	order  []CellID // of tags, the one asked for longest ago first
	kept   int      // tags in all
}

// NewResolver reads all rows of a vault. It ranges over messages twice. The error
// is that of [Inspect], or a message that is not as it was written.
func NewResolver(messages iter.Seq2[stream.Message, error], root *Root) (*Resolver, error) {
	in := inspection{scanner: scanner{root: root.Version()}}
	table, err := in.follow(messages)
	if err != nil {
		return nil, fmt.Errorf("reading the vault: %w", err)
	}
	keys, cells, err := openTable(root.live, table)
	if err != nil {
		return nil, fmt.Errorf("reading the vault: table at %d: %w", in.scanner.tail.table, err)
	}
	r := &Resolver{people: map[rid]*person{}, cells: cells, tags: map[CellID]map[Tag]*person{}}
	for m, err := range messages {
		if err != nil {
			return nil, fmt.Errorf("reading the vault: %w", err)
		}
		if err := r.take(keys, m.Data); err != nil {
			return nil, fmt.Errorf("reading the vault: message %d: %w", m.Sequence, err)
		}
	}
	return r, nil
}

// take keeps the live rows of a message; a later row of the same person wins.
func (r *Resolver) take(keys *keyring, data []byte) error {
	h, err := decodeHeader(data)
	if err != nil || h.kind != kindRows {
		return err
	}
	records, err := decodeRows(&keys.rows, data)
	if err != nil {
		return err
	}
	for _, rec := range records {
		s := &keys.shards[rec.shard]
		if rec.key != s.id {
			continue // sealed under a key that is no more
		}
		w, err := keys.openRow(rec)
		if err != nil {
			return err
		}
		r.people[w.rid] = &person{row: w}
	}
	return nil
}

// Who is the person behind a tag; false if the vault knows nobody of that tag in
// that cell: the person or the cell was erased, or the tag is not ours.
func (r *Resolver) Who(id CellID, tag Tag) (Person, bool) {
	p := r.in(id)[tag]
	return Person{p: p}, p != nil
}

// Live reports whether a cell's keys exist.
func (r *Resolver) Live(id CellID) bool { return r.cells[id] != nil }

// RefOf is the tag of a joinable reference in a live cell.
func (r *Resolver) RefOf(id CellID, value Identifier) (Tag, bool) {
	c := r.cells[id]
	if c == nil {
		return Tag{}, false
	}
	return c.reference(value), true
}

// Open opens what was sealed about an event for its subjects. The error wraps
// [ErrGone] if none of their keys opens it.
func (r *Resolver) Open(id CellID, salt [16]byte, subjects []Person, sealed []byte) ([]byte, error) {
	b, err := decodeBlob(sealed)
	if err != nil {
		return nil, err
	}
	c := r.cells[id]
	var keys []key
	for _, s := range subjects {
		if s.IsZero() {
			continue
		}
		if _, k, ok := s.p.in(id, c); ok {
			keys = append(keys, k)
		}
	}
	var all *key
	if c != nil {
		all = &c.all
	}
	return b.open(keys, all, salt)
}

// in is the map of a cell's tags, made when first asked for.
func (r *Resolver) in(id CellID) map[Tag]*person {
	if tags, ok := r.tags[id]; ok {
		if last := len(r.order) - 1; r.order[last] != id {
			i := slices.Index(r.order, id)
			r.order = append(slices.Delete(r.order, i, i+1), id)
		}
		return tags
	}
	for len(r.order) > 0 && r.kept+len(r.people) > resolvedTags {
		r.kept -= len(r.tags[r.order[0]])
		delete(r.tags, r.order[0])
		r.order = r.order[1:]
	}
	tags := make(map[Tag]*person, len(r.people))
	for _, p := range r.people {
		if tag, _, ok := p.in(id, r.cells[id]); ok {
			tags[tag] = p
		}
		p.chains = nil // else every class and role would stay
	}
	r.tags[id], r.order = tags, append(r.order, id)
	r.kept += len(tags)
	return tags
}
