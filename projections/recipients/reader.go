package recipients

import (
	"fmt"
	"iter"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/postings"
	"github.com/imalink/custody/projections/rows"
)

// A Reader answers as of one transaction, and shows nothing beyond the position it was opened for. It belongs to one
// goroutine and must not outlive the transaction.
type Reader struct {
	codes  *rows.Table
	people *postings.Reader
}

// A Person is a subject's tag in a cell, and some positions of events that gave the person's data to a party.
type Person struct {
	Cell      projections.Cell
	Tag       projections.Tag
	Positions []uint64 // ascending
}

// Read returns a reader of what is at positions up to until. Its error, and that of People, wraps [projections.ErrDamaged].
func Read(tx *bolt.Tx, until uint64) (*Reader, error) {
	people, err := postings.Read(tx, bucket, until)
	if err != nil {
		return nil, fmt.Errorf("reading recipients: %w", err)
	}
	codes, err := rows.Open(tx, codesBucket)
	if err != nil {
		return nil, fmt.Errorf("reading recipients: %w", err)
	}
	return &Reader{codes, people}, nil
}

// People yields the subjects of what a party received, in order of cell, then tag. A person with many positions comes in
// several parts, one after another. Each is valid until the next; the last may come with an error. It costs a step for each
// person and month, and a few nanoseconds for each position.
func (r *Reader) People(party string) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		number, err := r.codes.Get([]byte(party))
		if err != nil {
			yield(Person{}, fmt.Errorf("reading recipients: %w", err))
		}
		if number == nil {
			return
		}
		for p, err := range r.people.Prefix(number, nil) {
			if err != nil {
				yield(Person{}, fmt.Errorf("reading recipients: %w", err))
				return
			}
			rest := p.Key[numberSize:]
			if !yield(Person{projections.CellIn(rest), projections.Tag(rest[projections.CellSize:]), p.Positions}, nil) {
				return
			}
		}
	}
}
