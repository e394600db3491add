package bitmaps

import (
	"encoding/binary"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// A bucket of words holds
//
//	't' | group | text -> number, 4 bytes; checksum
//	'n' | number       -> group | text; checksum

// Words numbers texts, each of a group, from 0 in the order in which they first appear. It keeps all of them in memory:
// they are a vocabulary, which does not grow with what is said.
type Words struct {
	bucket  []byte
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
	w := &Words{bucket: []byte(bucket)}
	r := ReadWords(tx, bucket)
	if r == nil {
		return w, nil
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
	b, err := tx.CreateBucketIfNotExists(w.bucket)
	if err != nil {
		return fmt.Errorf("creating bucket %s: %w", w.bucket, err)
	}
	first := w.next - uint32(len(w.fresh))
	for i, fresh := range w.fresh {
		number := binary.BigEndian.AppendUint32(nil, first+uint32(i))
		if err := put(b, append([]byte{'n'}, number...), append([]byte{fresh.group}, fresh.text...)); err != nil {
			return fmt.Errorf("writing a word: %w", err)
		}
		if err := put(b, textKey(fresh.group, fresh.text), number); err != nil {
			return fmt.Errorf("writing a word's number: %w", err)
		}
	}
	w.fresh = nil
	return nil
}

func textKey(group uint8, text string) []byte { return append([]byte{'t', group}, text...) }

// A WordsReader reads words in one transaction, each from the file once. The nil WordsReader has none.
type WordsReader struct {
	bucket *bolt.Bucket
	known  map[uint32]*word
}

// ReadWords gives the words of a bucket; nil if there is no such bucket yet.
func ReadWords(tx *bolt.Tx, bucket string) *WordsReader {
	b := tx.Bucket([]byte(bucket))
	if b == nil {
		return nil
	}
	return &WordsReader{bucket: b, known: map[uint32]*word{}}
}

// Number finds the number of a text.
func (r *WordsReader) Number(group uint8, text string) (number uint32, ok bool, err error) {
	if r == nil || len(text) > bolt.MaxKeySize-2 {
		return 0, false, nil
	}
	key := textKey(group, text)
	sealed := r.bucket.Get(key)
	if sealed == nil {
		return 0, false, nil
	}
	b, err := Unseal(key, sealed)
	if err != nil {
		return 0, false, err
	}
	if len(b) != 4 {
		return 0, false, Damaged("the number of a word")
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
		return 0, "", Damaged("there is no word %d", number)
	}
	return known.group, known.text, nil
}

// lookup gives nil when nothing has the number.
func (r *WordsReader) lookup(number uint32) (*word, error) {
	if r == nil {
		return nil, nil
	}
	if known := r.known[number]; known != nil {
		return known, nil
	}
	key := binary.BigEndian.AppendUint32([]byte{'n'}, number)
	sealed := r.bucket.Get(key)
	if sealed == nil {
		return nil, nil
	}
	b, err := Unseal(key, sealed)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, Damaged("word %d", number)
	}
	known := &word{b[0], string(b[1:])}
	r.known[number] = known
	return known, nil
}
