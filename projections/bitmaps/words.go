package bitmaps

import (
	"encoding/binary"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

// The words are a [rows.Table]: that a text has no number is an answer.
//
//	't' | group | text -> number, 4 bytes
//	'n' | number       -> group | text

// Words numbers texts, each of a group, from 0 in the order in which they first appear. It keeps all of them in memory:
// they are a vocabulary, which does not grow with what is said.
type Words struct {
	bucket  string
	numbers [256]map[string]uint32 // by group
	next    uint32
	fresh   []word // not yet written, in order of number
}

type word struct {
	group uint8
	text  string
}

// OpenWords reads the words of a bucket, which need not be there.
func OpenWords(tx *bolt.Tx, bucket string) (*Words, error) {
	w := &Words{bucket: bucket}
	r, err := ReadWords(tx, bucket)
	if err != nil {
		return nil, err
	}
	for {
		known, err := r.lookup(w.next)
		if err != nil {
			return nil, err
		}
		if known == nil {
			return w, nil
		}
		w.add(*known)
	}
}

func (w *Words) add(known word) uint32 {
	group := &w.numbers[known.group]
	if *group == nil {
		*group = map[string]uint32{}
	}
	number := w.next
	(*group)[known.text] = number
	w.next++
	return number
}

// Number gives the number of a text, a new one if it has none yet.
func (w *Words) Number(group uint8, text string) uint32 {
	if number, ok := w.numbers[group][text]; ok {
		return number
	}
	fresh := word{group, strings.Clone(text)} // text may be a small part of something large
	w.fresh = append(w.fresh, fresh)
	return w.add(fresh)
}

// Has reports whether a text has a number.
func (w *Words) Has(group uint8, text string) bool {
	_, ok := w.numbers[group][text]
	return ok
}

// Flush writes the words that are new since the last Flush.
func (w *Words) Flush(tx *bolt.Tx) error {
	table, err := rows.Make(tx, w.bucket)
	if err != nil {
		return err
	}
	first := w.next - uint32(len(w.fresh))
	for i, fresh := range w.fresh {
		number := binary.BigEndian.AppendUint32(nil, first+uint32(i))
		if err := table.Put(append([]byte{'n'}, number...), append([]byte{fresh.group}, fresh.text...)); err != nil {
			return fmt.Errorf("writing a word: %w", err)
		}
		if err := table.Put(textKey(fresh.group, fresh.text), number); err != nil {
			return fmt.Errorf("writing a word's number: %w", err)
		}
	}
	w.fresh = nil
	return nil
}

func textKey(group uint8, text string) []byte { return append([]byte{'t', group}, text...) }

// A WordsReader reads words in one transaction, each from the file once.
type WordsReader struct {
	table *rows.Table // nil if there is no such bucket yet
	known map[uint32]*word
}

// ReadWords gives the words of a bucket.
func ReadWords(tx *bolt.Tx, bucket string) (*WordsReader, error) {
	table, err := rows.Open(tx, bucket)
	return &WordsReader{table: table, known: map[uint32]*word{}}, err
}

// Number finds the number of a text.
func (r *WordsReader) Number(group uint8, text string) (number uint32, ok bool, err error) {
	if len(text) > bolt.MaxKeySize-2 {
		return 0, false, nil
	}
	b, err := r.table.Get(textKey(group, text))
	if b == nil || err != nil {
		return 0, false, err
	}
	if len(b) != 4 {
		return 0, false, rows.Damaged("the number of a word")
	}
	return binary.BigEndian.Uint32(b), true, nil
}

// Word gives the text that has a number, and its group. A number that nothing has is damage.
func (r *WordsReader) Word(number uint32) (group uint8, text string, err error) {
	known, err := r.lookup(number)
	if err != nil {
		return 0, "", err
	}
	if known == nil {
		return 0, "", rows.Damaged("there is no word %d", number)
	}
	return known.group, known.text, nil
}

// lookup gives nil when nothing has the number.
func (r *WordsReader) lookup(number uint32) (*word, error) {
	if known := r.known[number]; known != nil {
		return known, nil
	}
	b, err := r.table.Get(binary.BigEndian.AppendUint32([]byte{'n'}, number))
	if b == nil || err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, rows.Damaged("word %d", number)
	}
	known := &word{b[0], string(b[1:])}
	r.known[number] = known
	return known, nil
}
