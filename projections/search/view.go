package search

import (
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/bitmaps"
)

// The file's buckets. The slot of a position is the position less one.
//
//	words   each value of each facet, by facet
//	sets    the slots that have a value, by facet
//	times   the event time of each slot, in milliseconds since 1970
//	cards   see cards.go
//	people  see cards.go
const (
	wordsBucket  = "words"
	setsBucket   = "sets"
	timesBucket  = "times"
	cardsBucket  = "cards"
	peopleBucket = "people"
)

// View is the view "search".
func View() projections.View {
	return projections.View{Name: "search", Version: 2, Open: open}
}

type model struct {
	words *bitmaps.Words
	sets  *bitmaps.Sets
	times *bitmaps.Column
	cards *cardWriter

	next   uint64   // position of the next event
	gap    error    // an event came out of order
	values []uint32 // of the event in hand
}

func open(tx *bolt.Tx) (projections.Model, error) {
	m := &model{}
	if _, err := Read(tx); err != nil { // nothing is written to what has lost its end
		return nil, err
	}
	var err error
	if m.words, err = bitmaps.OpenWords(tx, wordsBucket); err != nil {
		return nil, fmt.Errorf("opening words: %w", err)
	}
	if m.sets, err = bitmaps.OpenSets(tx, setsBucket); err != nil {
		return nil, fmt.Errorf("opening sets: %w", err)
	}
	if m.times, err = bitmaps.OpenColumn(tx, timesBucket); err != nil {
		return nil, fmt.Errorf("opening times: %w", err)
	}
	m.next = m.times.Len() + 1
	if m.cards, err = openCards(tx, m.next); err != nil {
		return nil, fmt.Errorf("opening cards: %w", err)
	}
	return m, nil
}

// Fold notes the event's facets, time and card.
func (m *model) Fold(e *projections.Event) {
	if e.Position != m.next {
		m.gap = fmt.Errorf("position %d where %d was due", e.Position, m.next)
	}
	if m.gap != nil {
		return
	}
	m.next++
	slot := e.Position - 1
	m.values = m.values[:0]
	facets(e, func(f Facet, text string) {
		if f == 0 || text == "" {
			return
		}
		value := m.words.Number(uint8(f), text)
		if slices.Contains(m.values, value) {
			return
		}
		m.values = append(m.values, value)
		m.sets.Add(uint8(f), value, slot)
	})
	m.times.Append(millis(e.Stored.Event.At))
	m.cards.append(e, m.values)
}

// millis is an instant in whole milliseconds since 1970, rounded down.
func millis(t time.Time) int64 { return t.UnixMilli() }

// Flush writes what was noted. After an error nothing of it has happened.
func (m *model) Flush(tx *bolt.Tx) error {
	if m.gap != nil {
		return m.gap
	}
	if err := m.words.Flush(tx); err != nil {
		return err
	}
	if err := m.sets.Flush(tx); err != nil {
		return err
	}
	if err := m.times.Flush(tx); err != nil {
		return err
	}
	return m.cards.flush(tx)
}
