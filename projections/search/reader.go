package search

import (
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/bitmaps"
	"github.com/imalink/custody/projections/rows"
)

var (
	// ErrNoEvent reports a position beyond what the snapshot holds, or zero.
	ErrNoEvent = errors.New("search: there is no event at this position")
	// ErrFacet reports a facet that there is not.
	ErrFacet = errors.New("search: no such facet")
)

// A Reader answers from one snapshot. It belongs to one goroutine, and is of no use after its transaction.
// The error of any method may wrap [projections.ErrDamaged], and of those that take a filter [projections.ErrBehind] if
// the snapshot does not reach the position as of which it asks, or [ErrFacet].
type Reader struct {
	words  *bitmaps.WordsReader
	sets   *bitmaps.SetsReader
	times  *bitmaps.ColumnReader
	cards  *bolt.Bucket
	people *bolt.Bucket

	block  []byte // of cards, the last that was read
	number uint64 // its number and one, 0 if none was
}

// Read opens the view in a snapshot of its file. A file in which nothing was folded yet has no events.
func Read(tx *bolt.Tx) (*Reader, error) {
	r := &Reader{}
	var err error
	if r.times, err = bitmaps.ReadColumn(tx, timesBucket); err != nil {
		return nil, fmt.Errorf("reading times: %w", err)
	}
	if at, err := projections.Position(tx); err == nil && at != r.Position() {
		return nil, rows.Damaged("there are %d times at position %d", r.Position(), at)
	}
	if r.words, err = bitmaps.ReadWords(tx, wordsBucket); err != nil {
		return nil, fmt.Errorf("reading words: %w", err)
	}
	if r.sets, err = bitmaps.ReadSets(tx, setsBucket); err != nil {
		return nil, fmt.Errorf("reading sets: %w", err)
	}
	if r.cards, err = rows.Bucket(tx, cardsBucket); err != nil {
		return nil, err
	}
	if r.people, err = rows.Bucket(tx, peopleBucket); err != nil {
		return nil, err
	}
	return r, r.hasSets(r.Position())
}

// hasSets returns an error if the chunk of a position has no sets: each event has values.
func (r *Reader) hasSets(position uint64) error {
	if position == 0 {
		return nil
	}
	chunk := uint32((position - 1) / bitmaps.ChunkSlots)
	counts, err := r.sets.Counts(chunk)
	if err == nil && len(counts) == 0 {
		err = rows.Damaged("chunk %d has no sets", chunk)
	}
	return err
}

// Position is the last position that the snapshot holds, 0 when there is none.
func (r *Reader) Position() uint64 { return r.times.Len() }

// Card gives the card of a position. The error is [ErrNoEvent] if the snapshot has none there.
func (r *Reader) Card(position uint64) (Card, error) {
	raw, err := r.raw(position)
	if err != nil {
		return Card{}, err
	}
	c := Card{
		Position: position, Kind: raw.kind, ID: raw.id, Subjects: raw.subjects,
		Time: time.UnixMilli(raw.time).UTC(), Recorded: time.UnixMilli(raw.recorded).UTC(),
		Values: make([]Value, 0, len(raw.values)),
	}
	for _, number := range raw.values {
		facet, text, err := r.words.Word(number)
		if err != nil {
			return Card{}, fmt.Errorf("card %d: %w", position, err)
		}
		if Facet(facet) == Producer {
			c.Source = "/" + text
		}
		c.Values = append(c.Values, Value{Facet(facet), text})
	}
	return c, nil
}

// Time gives the event time of a position in milliseconds since 1970. The error is [ErrNoEvent] if the snapshot has none there.
func (r *Reader) Time(position uint64) (int64, error) {
	if position == 0 || position > r.Position() {
		return 0, fmt.Errorf("position %d: %w", position, ErrNoEvent)
	}
	return r.times.At(position - 1)
}

// People gives the tags of the event at a position, as it was folded. The error is [ErrNoEvent] if the snapshot has none there.
func (r *Reader) People(position uint64) (projections.People, error) {
	raw, err := r.raw(position)
	if err != nil {
		return projections.People{}, err
	}
	if raw.subjects <= inlineTags {
		return raw.people(raw.inline), nil
	}
	if r.people == nil {
		return projections.People{}, rows.Damaged("there are no people")
	}
	key := blockKey(position)
	subjects, err := rows.Unseal(peopleBucket, key, r.people.Get(key))
	if err != nil || len(subjects) != raw.subjects*16 {
		return projections.People{}, rows.Damaged("people of position %d", position)
	}
	return raw.people(subjects), nil
}

func (r *Reader) raw(position uint64) (rawCard, error) {
	if position == 0 || position > r.Position() {
		return rawCard{}, fmt.Errorf("position %d: %w", position, ErrNoEvent)
	}
	number := (position - 1) / blockCards
	if r.number != number+1 {
		if r.cards == nil {
			return rawCard{}, rows.Damaged("there are no cards")
		}
		key := blockKey(number)
		block, err := rows.Unseal(cardsBucket, key, r.cards.Get(key))
		if err != nil {
			return rawCard{}, fmt.Errorf("cards of block %d: %w", number, err)
		}
		r.block, r.number = block, number+1
	}
	b, base, err := cardAt(r.block, int((position-1)%blockCards))
	if err != nil {
		return rawCard{}, err
	}
	return parseCard(b, base)
}
