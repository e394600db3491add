// Package access is the view of who acted: by the tag of an actor, of a person an event names besides its actor, or of
// a session, which events have it. It has the events of every kind; which of them are accesses their kind says.
package access

import (
	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/postings"
)

// A Relation is what a tag is to an event. The tags of all relations are in the actors' cell.
type Relation byte

const (
	Actor   Relation = 'a' // acted
	Named   Relation = 'n' // is named in the role of an actor: for whom it was done, which employee it concerns, who handled it
	Session Relation = 's' // the session it was done in
)

const (
	bucket  = "actors"
	keySize = 1 + projections.CellSize + len(projections.Tag{})
)

// View returns the view: the position of every event under each tag that is in a [Relation] to it.
func View() projections.View {
	return projections.View{Name: "access", Version: 2, Open: func(tx *bolt.Tx) (projections.Model, error) {
		w, err := postings.Open(tx, bucket, keySize)
		return &model{Writer: w}, err
	}}
}

// Key is the key of a tag in a relation and a cell.
func Key(r Relation, c projections.Cell, t projections.Tag) []byte {
	return append(c.Append(append(make([]byte, 0, keySize), byte(r))), t[:]...)
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
	m.note(e, Actor, e.People.Actor)
	m.note(e, Session, e.People.Session)
	for _, tag := range e.People.Named {
		m.note(e, Named, tag)
	}
}

func (m *model) note(e *projections.Event, r Relation, t projections.Tag) {
	if !t.IsZero() {
		m.key = append(e.People.ActorCell.Append(append(m.key[:0], byte(r))), t[:]...)
		m.Add(m.key, e.Position)
	}
}
