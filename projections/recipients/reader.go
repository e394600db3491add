package recipients

import (
	"encoding/binary"
	"fmt"
	"iter"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/postings"
)

// A Reader answers as of one transaction, and shows nothing beyond the position it was opened for. It belongs to one
// goroutine and must not outlive the transaction.
type Reader struct {
	tx     *bolt.Tx
	people *postings.Reader
	until  uint64
}

// A Party is one that received something.
type Party struct {
	Code  string
	First uint64 // position of the first event here that has it for a recipient
}

// A Person is a subject's tag in a cell, and some positions of events that gave the person's data to a party.
type Person struct {
	Cell      projections.Cell
	Tag       projections.Tag
	Positions []uint64 // ascending
}

// Read returns a reader of what is at positions up to until.
func Read(tx *bolt.Tx, until uint64) (*Reader, error) {
	people, err := postings.Read(tx, bucket, until)
	if err != nil {
		return nil, fmt.Errorf("reading recipients: %w", err)
	}
	return &Reader{tx: tx, people: people, until: until}, nil
}

// Parties yields the parties in order of first appearance. The last may come with an error.
func (r *Reader) Parties() iter.Seq2[Party, error] {
	return func(yield func(Party, error) bool) {
		parties := r.tx.Bucket([]byte(partiesBucket))
		if parties == nil {
			return
		}
		c := parties.Cursor()
		for number, value := c.First(); number != nil; number, value = c.Next() {
			if len(number) != numberSize || len(value) < 8 {
				yield(Party{}, fmt.Errorf("reading parties: %w", projections.ErrDamaged))
				return
			}
			p := Party{Code: string(value[8:]), First: binary.BigEndian.Uint64(value)}
			if p.First > r.until || !yield(p, nil) {
				return
			}
		}
	}
}

// People yields the subjects of what a party received, in order of cell, then tag, beginning with the tag after the given
// one of its cell (the zero Tag: with all of that cell and those after it; the zero Cell is the first). A person with many
// positions comes in several parts, one after another. Each is valid until the next; the last may come with an error.
func (r *Reader) People(party string, c projections.Cell, after projections.Tag) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		number := r.number(party)
		if number == nil {
			return
		}
		from := []byte(nil)
		if !after.IsZero() || c != (projections.Cell{}) {
			from = append(append(c.Append(append(from, number...)), after[:]...), 0) // longer than any key
		}
		for p, err := range r.people.Prefix(number, from) {
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

func (r *Reader) number(party string) []byte {
	codes := r.tx.Bucket([]byte(codesBucket))
	if codes == nil {
		return nil
	}
	return codes.Get([]byte(party))
}
