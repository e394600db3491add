package transfers

import (
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/bitmaps"
)

// The file's buckets: the paths by their numbers, and the parties that were registered; and for each event with a class,
// in order, its position, its time in milliseconds since 1970, and the number of its path.
const (
	wordsBucket     = "words"
	positionsBucket = "positions"
	timesBucket     = "times"
	pathsBucket     = "paths"
)

// Groups of words.
const (
	pathGroup uint8 = iota
	partyGroup
)

// View is the view "transfers".
func View() projections.View {
	return projections.View{Name: "transfers", Version: 2, Open: open}
}

type model struct {
	words                   *bitmaps.Words
	positions, times, paths *bitmaps.Column

	text []byte // of the path in hand
}

func open(tx *bolt.Tx) (projections.Model, error) {
	m := &model{}
	var err error
	if m.words, err = bitmaps.OpenWords(tx, wordsBucket); err != nil {
		return nil, fmt.Errorf("opening words: %w", err)
	}
	for name, column := range m.columns() {
		if *column, err = bitmaps.OpenColumn(tx, name); err != nil {
			return nil, fmt.Errorf("opening %s: %w", name, err)
		}
	}
	return m, nil
}

func (m *model) columns() map[string]**bitmaps.Column {
	return map[string]**bitmaps.Column{positionsBucket: &m.positions, timesBucket: &m.times, pathsBucket: &m.paths}
}

// Fold notes the event if it has a class, and a party that it registers.
func (m *model) Fold(e *projections.Event) {
	st := e.Stored
	if st.Facts.Class != "" {
		p := pathOf(st, func(party string) bool { return m.words.Has(partyGroup, party) })
		m.text = p.append(m.text[:0])
		m.positions.Append(int64(e.Position))
		m.times.Append(st.Event.At.UnixMilli())
		m.paths.Append(int64(m.words.Number(pathGroup, string(m.text))))
	}
	if st.Event.Kind == events.GovernancePartyRegistered {
		m.words.Number(partyGroup, st.Event.Data.Get("party").Text())
	}
}

// Flush writes what was noted. After an error nothing of it has happened.
func (m *model) Flush(tx *bolt.Tx) error {
	if err := m.words.Flush(tx); err != nil {
		return err
	}
	for name, column := range m.columns() {
		if err := (*column).Flush(tx); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}
