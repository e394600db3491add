package evidencetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"github.com/imalink/custody/ledger/evidence"
)

// FalseFacts are bytes of a proof that the facts of an event are false, and of others that do not hold together. Who can
// judge facts is to judge them.
func FalseFacts() (holds []byte, broken map[string][]byte) {
	l := New(9)
	given := Shared{Time: SignedAt.Add(time.Hour)} // without the class that it must have
	more := func() uint64 {
		given.Delay += time.Minute
		return l.AddEvent(given.Stored())
	}
	more()
	party := l.AddEvent(Registered("BE", SignedAt))
	more()
	end := l.AddEvent(ended(SignedAt))
	more()
	more()
	at := more()
	more()
	told := []uint64{party, end, at - 1, at}
	write := func(l *Ledger, index uint64, told []uint64, change func(b []byte)) []byte {
		b := AppendNote([]byte("CUSTODYP\x01\x16"), l.Note(l.Size(), Log))
		b = binary.BigEndian.AppendUint64(b, index)
		from := len(b)
		b = append(b, must(l.Records(evidence.Span{To: index + 1}))...)
		if change != nil {
			change(b[from:])
		}
		for _, i := range told {
			b = AppendEvent(b, l.Event(i))
		}
		return l.AppendPruned(b, l.Size(), func(i uint64) bool { return i < index+1 }, 0)
	}
	empty := l.Record(at - 1)
	empty.Digest = sha256.Sum256(nil)
	emptied := l.Altered(at-1, empty.Append(nil)) // of which no event is there to be told
	holds = write(l, at, told, nil)
	return holds, map[string][]byte{
		"leaves out an event of the register": write(l, at, told[1:], nil),
		"leaves out the event before":         write(l, at, []uint64{party, end, at}, nil),
		"leaves out the event":                write(l, at, []uint64{party, end, at - 1}, nil),
		"tells another":                       write(l, at, []uint64{party, end, at - 2, at}, nil),
		"tells one twice":                     write(l, at, []uint64{party, end, end, at - 1, at}, nil),
		"tells one more":                      write(l, at, []uint64{party, end, at - 2, at - 1, at}, nil),
		"tells out of order":                  write(l, at, []uint64{end, party, at - 1, at}, nil),
		"does not tell one":                   bytes.Replace(holds, binary.BigEndian.AppendUint32(nil, uint32(len(l.Event(end)))), make([]byte, 4), 1),
		"changes a record":                    write(l, at, told, func(b []byte) { b[15] ^= 2 }),
		"hides a kind":                        write(l, at, []uint64{end, at - 1, at}, func(b []byte) { b[party*evidence.RecordSize+1] = 1 }),
		"lies beyond the checkpoint":          write(l, l.Size(), told, nil),
		"is about no leaf":                    write(l, math.MaxUint64, nil, nil),
		"tells nothing of nothing":            bytes.Replace(write(emptied, at, told, nil), AppendEvent(nil, l.Event(at-1)), make([]byte, 4), 1),
	}
}
