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
)

// The file holds two buckets besides the postings.
//
//	codes    code of a party -> its number
//	parties  number of a party (4 bytes, from 1, in order of first appearance) -> position of its first event (8 bytes), code
const (
	bucket        = "people"
	codesBucket   = "codes"
	partiesBucket = "parties"
	numberSize    = 4
	keySize       = numberSize + projections.CellSize + len(projections.Tag{})
)

// View returns the view: the position of every event that has a recipient and subjects, under the party and each subject.
func View() projections.View {
	return projections.View{Name: "recipients", Version: 1, Open: func(tx *bolt.Tx) (projections.Model, error) {
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
	if len(m.notes) == 0 {
		return nil
	}
	numbers, err := openNumbers(tx)
	if err != nil {
		return err
	}
	var key []byte
	for _, n := range m.notes {
		if key, err = numbers.of(key[:0], n.party, n.position); err != nil {
			return fmt.Errorf("numbering a party: %w", err)
		}
		key = n.cell.Append(key)
		for _, tag := range n.subjects {
			m.people.Add(append(key, tag[:]...), n.position)
		}
	}
	clear(m.notes)
	m.notes = m.notes[:0]
	clear(m.codes)
	return m.people.Flush(tx)
}

// numbers gives parties their numbers.
type numbers struct {
	codes, parties *bolt.Bucket
	last           uint32
}

func openNumbers(tx *bolt.Tx) (n numbers, err error) {
	if n.codes, err = tx.CreateBucketIfNotExists([]byte(codesBucket)); err != nil {
		return n, err
	}
	if n.parties, err = tx.CreateBucketIfNotExists([]byte(partiesBucket)); err != nil {
		return n, err
	}
	if last, _ := n.parties.Cursor().Last(); len(last) == numberSize {
		n.last = binary.BigEndian.Uint32(last)
	}
	return n, nil
}

// of appends the number of a party, a new one if it has none.
func (n *numbers) of(dst []byte, party string, at uint64) ([]byte, error) {
	if number := n.codes.Get([]byte(party)); number != nil {
		return append(dst, number...), nil
	}
	n.last++
	number := binary.BigEndian.AppendUint32(nil, n.last)
	if err := n.codes.Put([]byte(party), number); err != nil {
		return nil, err
	}
	return append(dst, number...), n.parties.Put(number, append(binary.BigEndian.AppendUint64(nil, at), party...))
}
