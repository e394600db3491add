// Package person is the view of the events that list a person: by the tag of a subject, which events have it. The tags of
// one person are another in every cell; whoever knows them all reads one person's events with [postings.Reader.Union].
package person

import (
	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/postings"
)

const (
	bucket  = "subjects"
	keySize = projections.CellSize + len(projections.Tag{})
)

// View returns the view: the position of every event under each of its subjects.
func View() projections.View {
	return projections.View{Name: "person", Version: 2, Open: func(tx *bolt.Tx) (projections.Model, error) {
		w, err := postings.Open(tx, bucket, keySize)
		return &model{Writer: w}, err
	}}
}

// Key is the key of a subject's tag in a cell.
func Key(c projections.Cell, t projections.Tag) []byte {
	return append(c.Append(make([]byte, 0, keySize)), t[:]...)
}

// Read returns a reader by [Key], which shows no position beyond until.
func Read(tx *bolt.Tx, until uint64) (*postings.Reader, error) {
	return postings.Read(tx, bucket, until)
}

type model struct {
	*postings.Writer
	key []byte
}

func (m *model) Fold(e *projections.Event) {
	m.key = e.People.SubjectCell.Append(m.key[:0])
	for _, tag := range e.People.Subjects {
		if !tag.IsZero() {
			m.Add(append(m.key, tag[:]...), e.Position)
		}
	}
}
