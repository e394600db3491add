// Package recipients is the view of who received whose data: by party, the tags of the subjects of every event with that
// party for a recipient. A recipient in the role of the subject is the person's own, and no party.
package recipients

import (
	"encoding/binary"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/postings"
	"github.com/imalink/custody/projections/rows"
)

// The file holds one bucket besides the postings, a [rows.Table].
//
//	codes  code of a party -> its number, of 4 bytes, from 1 in order of first appearance; 0 -> the last number
const (
	bucket      = "people"
	codesBucket = "codes"
	numberSize  = 4
	keySize     = numberSize + projections.CellSize + len(projections.Tag{})
)

// View returns the view: the position of every event that has a recipient and subjects, under the party and each subject.
func View() projections.View {
	return projections.View{Name: "recipients", Version: 2, Open: func(tx *bolt.Tx) (projections.Model, error) {
		w, err := postings.Open(tx, bucket, keySize)
		return &model{people: w, codes: map[string]string{}}, err
	}}
}

// A model keeps notes until a flush, which alone can number the parties.
type model struct {
	people *postings.Writer
	notes  []note
	codes  map[string]string // of the notes
}

type note struct {
	party    string
	cell     projections.Cell
	subjects []projections.Tag
	position uint64
}

func (m *model) Fold(e *projections.Event) {
	recipient := e.Stored.Event.Data.Get("recipient").Object()
	party := recipient.Get("party").Text()
	if party == "" || recipient.Get("role").Text() == "subject" || len(e.People.Subjects) == 0 {
		return
	}
	code, ok := m.codes[party]
	if !ok {
		code = strings.Clone(party) // or the whole event would stay
		m.codes[code] = code
	}
	m.notes = append(m.notes, note{code, e.People.SubjectCell, e.People.Subjects, e.Position})
}

func (m *model) Flush(tx *bolt.Tx) error {
	codes, err := rows.Make(tx, codesBucket)
	if err != nil {
		return err
	}
	var key []byte
	for _, n := range m.notes {
		number, err := numberOf(codes, n.party)
		if err != nil {
			return fmt.Errorf("numbering a party: %w", err)
		}
		key = n.cell.Append(append(key[:0], number...))
		for _, tag := range n.subjects {
			m.people.Add(append(key, tag[:]...), n.position)
		}
	}
	clear(m.notes)
	m.notes = m.notes[:0]
	clear(m.codes)
	return m.people.Flush(tx)
}

// numberOf gives the number of a party, a new one if it has none.
func numberOf(codes *rows.Table, party string) ([]byte, error) {
	number, err := codes.Get([]byte(party))
	if number != nil || err != nil {
		return number, err
	}
	lastKey := []byte{0} // no party's code
	last, err := codes.Get(lastKey)
	if err != nil {
		return nil, err
	}
	next := uint32(1)
	if len(last) == numberSize {
		next = binary.BigEndian.Uint32(last) + 1
	}
	number = binary.BigEndian.AppendUint32(nil, next)
	if err := codes.Put(lastKey, number); err != nil {
		return nil, err
	}
	return number, codes.Put([]byte(party), number)
}
