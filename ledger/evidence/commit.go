package evidence

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
)

// A Commit is what an event of kind ledger.committed says (docs/FORMAT.md, "Commit").
type Commit struct {
	Size      uint64     // records that it covers
	Root      Hash       // of the record log over them
	Annotated Hash       // of the annotated tree over them
	Totals    Annotation // over them
	Rules     Hash       // of what the flags mean
}

// MaxSize is the most records that a commit covers: a tally counts no further.
const MaxSize = maxCount

// Commit is what the ledger commits to: the roots over the records appended so far. There is none over no records.
func (a *Accumulator) Commit(rules Hash) (c Commit, some bool) {
	root, some := a.Annotated()
	return Commit{Size: a.size, Root: a.Root(), Annotated: root.Hash, Totals: root.Annotation, Rules: rules}, some
}

// What a stored event that commits begins with, and what stands between its values.
const (
	storedBegin     = `{"custodyformat":"1",`
	beforeSize      = `"data":{"size":`
	beforeRoot      = `,"root":"`
	beforeAnnotated = `","annotated":"`
	beforeTotals    = `","totals":"`
	beforeRules     = `","rules":"`
	storedEnd       = `","ledger":{}}}`
)

// Append appends what the stored form of the event ends in, from its data on.
func (c *Commit) Append(b []byte) []byte {
	b = strconv.AppendUint(append(b, beforeSize...), c.Size, 10)
	b = hex.AppendEncode(append(b, beforeRoot...), c.Root[:])
	b = hex.AppendEncode(append(b, beforeAnnotated...), c.Annotated[:])
	b = hex.AppendEncode(append(b, beforeTotals...), c.Totals.Append(nil))
	b = hex.AppendEncode(append(b, beforeRules...), c.Rules[:])
	return append(b, storedEnd...)
}

// ParseCommit reads the stored form of the event. The error wraps [ErrFormat] if it is not what the ledger writes.
// Whether what it says is true, or its totals can be at all, is another question.
func ParseCommit(stored []byte) (Commit, error) {
	var c Commit
	var totals [AnnotationSize]byte
	from := bytes.LastIndex(stored, []byte(beforeSize))
	if from < 0 || !bytes.HasPrefix(stored, []byte(storedBegin)) {
		return Commit{}, errCommit()
	}
	rest := stored[from+len(beforeSize):]
	digits := len(rest) - len(bytes.TrimLeft(rest, "0123456789"))
	var err error
	if c.Size, err = strconv.ParseUint(string(rest[:digits]), 10, 64); err != nil || c.Size < 1 || c.Size > MaxSize {
		return Commit{}, fmt.Errorf("%w: a commit covers 1 to 2^40 - 1 records", ErrFormat)
	}
	rest = rest[digits:]
	for _, v := range []struct {
		before string
		into   []byte
	}{{beforeRoot, c.Root[:]}, {beforeAnnotated, c.Annotated[:]}, {beforeTotals, totals[:]}, {beforeRules, c.Rules[:]}} {
		text, found := bytes.CutPrefix(rest, []byte(v.before))
		if n := hex.EncodedLen(len(v.into)); !found || len(text) < n {
			return Commit{}, errCommit()
		} else if _, err := hex.Decode(v.into, text[:n]); err != nil {
			return Commit{}, errCommit()
		} else {
			rest = text[n:]
		}
	}
	c.Totals = decodeAnnotation(totals[:])
	if !bytes.Equal(c.Append(nil), stored[from:]) { // in the one spelling, and nothing after it
		return Commit{}, errCommit()
	}
	return c, nil
}

func errCommit() error {
	return fmt.Errorf("%w: not an event that commits to roots", ErrFormat)
}
