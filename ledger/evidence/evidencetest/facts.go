package evidencetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// FactsProof are the bytes of a proof that the facts of an event are false, whether it is one or not: under a note, with the
// records up to a commit and these events.
func (l *Ledger) FactsProof(n checkpoint.Note, index, commit uint64, told [][]byte) []byte {
	return l.factsProof(n, index, commit, told, nil)
}

func (l *Ledger) factsProof(n checkpoint.Note, index, commit uint64, told [][]byte, change func(records []byte)) []byte {
	b := AppendNote([]byte("CUSTODYP\x01\x16"), n)
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, index), commit)
	from := len(b)
	b = append(b, must(l.Records(evidence.Span{To: commit + 1}))...)
	if change != nil {
		change(b[from:])
	}
	for _, event := range told {
		b = AppendEvent(b, event)
	}
	return l.AppendPruned(b, n.Size, func(i uint64) bool { return i < commit+1 }, 0)
}

// FalseFacts are bytes of a proof that the facts of an event are false, by commits of these rules, and of others that do
// not hold together. Who can judge facts is to judge them.
func FalseFacts(rules evidence.Hash) (holds []byte, broken map[string][]byte) {
	l := New(9)
	given := Shared{Time: SignedAt().Add(time.Hour)} // without the class that it must have
	more := func() uint64 {
		given.Delay += time.Minute
		return l.AddEvent(given.Stored())
	}
	commit := func() uint64 {
		c := l.Truth()
		c.Rules = rules
		return l.CommitTo(c).Index
	}
	more()
	party := l.AddEvent(Registered("BE", SignedAt()))
	early := commit()
	end := l.AddEvent(ended(SignedAt()))
	before := commit()
	more()
	at := more()
	more()
	after := commit()
	later := commit()
	told := []uint64{party, end, before, at, after}
	empty := l.Record(at)
	empty.Digest = sha256.Sum256(nil)
	emptied := l.Altered(at, empty.Append(nil)) // of which no event is there to be told
	unsound := func(i uint64) func([]byte) { return func(b []byte) { b[i*evidence.RecordSize+15] ^= 2 } }
	kind := func(i uint64, k byte) func([]byte) { return func(b []byte) { b[i*evidence.RecordSize+1] = k } }
	write := func(of *Ledger, index, commit uint64, told []uint64, change func(records []byte)) []byte {
		var events [][]byte
		for _, i := range told {
			events = append(events, l.Event(i))
		}
		return of.factsProof(of.Note(of.Size(), Log), index, commit, events, change)
	}
	holds = write(l, at, after, told, nil)
	return holds, map[string][]byte{
		"leaves out an event of the register": write(l, at, after, told[1:], nil),
		"leaves out the commit before":        write(l, at, after, []uint64{party, end, at, after}, nil),
		"leaves out the event":                write(l, at, after, []uint64{party, end, before, after}, nil),
		"leaves out the commit after":         write(l, at, after, []uint64{party, end, before, at}, nil),
		"tells an earlier commit":             write(l, at, after, []uint64{party, early, end, at, after}, nil),
		"tells both commits before":           write(l, at, after, []uint64{party, early, end, before, at, after}, nil),
		"ends at a later commit":              write(l, at, later, []uint64{party, end, before, at, later}, nil),
		"ends at what is no commit":           write(l, at, at+1, []uint64{party, end, before, at, at + 1}, nil),
		"ends at itself":                      write(l, after, after, []uint64{party, end, before, after, after}, nil),
		"ends before itself":                  write(l, at, before, []uint64{party, end, before, at}, nil),
		"tells another":                       write(l, at, after, []uint64{party, end, before, at - 1, after}, nil),
		"tells one twice":                     write(l, at, after, []uint64{party, end, end, before, at, after}, nil),
		"tells one more":                      write(l, at, after, []uint64{party, end, before, at - 1, at, after}, nil),
		"tells out of order":                  write(l, at, after, []uint64{end, party, before, at, after}, nil),
		"does not tell one":                   bytes.Replace(holds, AppendEvent(nil, l.Event(end)), make([]byte, 4), 1),
		"changes a record":                    write(l, at, after, told, unsound(0)),
		"changes the record before the last":  write(l, at, after, told, unsound(after-1)),
		"hides a kind":                        write(l, at, after, told[1:], kind(party, 1)),
		"hides a commit":                      write(l, at, after, []uint64{party, early, end, at, after}, kind(before, 1)),
		"lies beyond the checkpoint":          write(l, at, l.Size(), append(told[:4:4], l.Size()), nil),
		"is about no leaf":                    write(l, math.MaxUint64, math.MaxUint64, nil, nil),
		"ends nowhere":                        write(l, at, math.MaxUint64, nil, nil),
		"tells nothing of nothing":            bytes.Replace(write(emptied, at, after, told, nil), AppendEvent(nil, l.Event(at)), make([]byte, 4), 1),
	}
}
