package evidence

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// A Type is what a proof proves (docs/FORMAT.md, "Proof").
type Type uint8

// The types of proofs: of what a ledger recorded, and of faults of whoever runs it.
const (
	TypeEvent       Type = 1 // that an event is in the log
	TypeGrowth      Type = 2 // that one checkpoint continues another
	TypeReplay      Type = 3 // an answer, with all records that it is about
	TypeLight       Type = 4 // an answer, under roots that an auditor recomputed
	TypeFork        Type = 17
	TypeRewritten   Type = 18
	TypeFalseCommit Type = 19
	TypeFalseRecord Type = 20
	TypeShownLess   Type = 21
	TypeFalseFacts  Type = 22
)

// String is the name of the type.
func (t Type) String() string {
	switch t {
	case TypeEvent:
		return "event"
	case TypeGrowth:
		return "growth"
	case TypeReplay:
		return "REPLAY"
	case TypeLight:
		return "LIGHT"
	case TypeFork:
		return "fork"
	case TypeRewritten:
		return "rewritten"
	case TypeFalseCommit:
		return "false commit"
	case TypeFalseRecord:
		return "false record"
	case TypeShownLess:
		return "shown less"
	case TypeFalseFacts:
		return "false facts"
	}
	return "unknown"
}

// Fault reports whether the proof is of a fault of the log.
func (t Type) Fault() bool { return t >= TypeFork }

const (
	proofMagic   = "CUSTODYP"
	proofVersion = 1
	maxEvent     = 1 << 23
)

// A writer writes a proof.
type writer struct{ b []byte }

func newWriter(t Type) *writer { return &writer{append([]byte(proofMagic), proofVersion, byte(t))} }

func (w *writer) number(n uint64) { w.b = binary.BigEndian.AppendUint64(w.b, n) }
func (w *writer) bytes(b []byte)  { w.b = append(w.b, b...) }

func (w *writer) question(q Question) { w.b = q.append(w.b) }

func (w *writer) note(n checkpoint.Note) { w.text(n.Bytes()) }

func (w *writer) text(b []byte) {
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(b)))
	w.bytes(b)
}

func (w *writer) event(b []byte) {
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(len(b)))
	w.bytes(b)
}

// tree writes a pruned record tree of what the reader has.
func (w *writer) tree(r Reader, t prunedTree) error {
	found, err := hashes(r, t.closed())
	for _, h := range found {
		w.bytes(h[:])
	}
	return err
}

// How many records are read at once, and the room that the hashes behind them take.
const (
	atOnce   = 1 << 14
	treeRoom = 1 << 12 // bytes: two hashes a level of the largest log
)

// records writes the records of leaves. They are in memory once, however many they are.
func (w *writer) records(r Reader, s Span) error {
	w.b = slices.Grow(w.b, int(s.Len()*RecordSize)+treeRoom)
	for s.From < s.To {
		some := Span{s.From, min(s.From+atOnce, s.To)}
		b, err := records(r, some)
		if err != nil {
			return err
		}
		w.bytes(b)
		s.From = some.To
	}
	return nil
}

// An input is what of a proof is not yet read.
type input struct{ rest []byte }

func (in *input) take(n uint64) ([]byte, error) {
	if uint64(len(in.rest)) < n {
		return nil, fmt.Errorf("%w: a proof that ends too early", ErrFormat)
	}
	b := in.rest[:n]
	in.rest = in.rest[n:]
	return b, nil
}

// number reads an index. It may be of no leaf.
func (in *input) number() (uint64, error) {
	b, err := in.take(8)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(b), nil
}

func (in *input) hash() (Hash, error) {
	b, err := in.take(uint64(len(Hash{})))
	if err != nil {
		return Hash{}, err
	}
	return Hash(b), nil
}

func (in *input) question() (Question, error) {
	b, err := in.take(questionSize)
	if err != nil {
		return Question{}, err
	}
	return decodeQuestion(b), nil
}

// note reads a note of a log that has records.
func (in *input) note() (checkpoint.Note, error) {
	n, err := in.anyNote()
	if err == nil && n.Size == 0 {
		return checkpoint.Note{}, fmt.Errorf("%w: a checkpoint of no records", ErrFormat)
	}
	return n, err
}

// anyNote reads a note of a log that may have none.
func (in *input) anyNote() (checkpoint.Note, error) {
	b, err := in.text()
	if err != nil {
		return checkpoint.Note{}, err
	}
	return checkpoint.Open(b)
}

// text reads two bytes of length, and so many.
func (in *input) text() ([]byte, error) {
	length, err := in.take(2)
	if err != nil {
		return nil, err
	}
	return in.take(uint64(binary.BigEndian.Uint16(length)))
}

// event reads a stored event; nil if it is not told.
func (in *input) event() ([]byte, error) {
	length, err := in.take(4)
	if err != nil {
		return nil, err
	}
	switch n := binary.BigEndian.Uint32(length); {
	case n == 0:
		return nil, nil
	case n > maxEvent:
		return nil, fmt.Errorf("%w: an event of more than 8 MiB", ErrFormat)
	default:
		return in.take(uint64(n))
	}
}

// records reads so many records.
func (in *input) records(n uint64) ([]byte, error) {
	if n > uint64(len(in.rest))/RecordSize {
		return nil, fmt.Errorf("%w: a proof that ends too early", ErrFormat)
	}
	return in.take(n * RecordSize)
}

// roots reads a pruned record tree, whose opened leaves have these records, one after another.
func (in *input) roots(t prunedTree, records []byte) (whole, cut Hash, err error) {
	leaf := func() Hash {
		h := LeafHash(records[:RecordSize])
		records = records[RecordSize:]
		return h
	}
	return t.roots(leaf, in.hash)
}
