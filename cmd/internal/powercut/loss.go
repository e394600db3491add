package powercut

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// A Model says what a file system promises about names and sizes.
type Model uint8

const (
	// Posix promises nothing but what was synced: an entry is safe once its
	// folder was synced, and every unsynced change is lost on its own.
	Posix Model = iota

	// Journal is what ext4 and xfs do: changes of names and truncations reach
	// the disk in order, and a sync of any file brings all that came before
	// it. Written data is lost as under Posix. An fdatasync brings the names
	// only when the file itself was new or had grown.
	Journal
)

func (m Model) String() string {
	if m == Journal {
		return "journal"
	}
	return "posix"
}

// A Cut is one way for the power to go.
type Cut struct {
	At    int // see [Log.Cuts]
	Model Model
	Seed  uint64 // decides what is lost; 0 loses all that may be lost
}

// fates decides, for one cut, what is lost.
type fates struct {
	cut     Cut
	rng     *rand.Rand
	synced  map[int]int     // by file: the start of the last sync that returned
	journal int             // Journal: name changes that ended before are there
	keep    map[int]float64 // by file: how likely an unsynced change is there
	decided map[*Op]bool
	cuts    bool // whether writes may be torn
}

func newFates(l *Log, cut Cut) *fates {
	f := &fates{cut: cut, rng: rand.New(rand.NewPCG(cut.Seed, uint64(cut.At))), synced: map[int]int{}, keep: map[int]float64{}, decided: map[*Op]bool{}}
	f.cuts = cut.Seed != 0 && f.rng.IntN(3) > 0
	changed := map[int]bool{} // files with a name or size not in the journal
	for i := range l.Ops {
		op := &l.Ops[i]
		if op.End >= cut.At {
			continue
		}
		switch op.Kind {
		case Create, Truncate:
			changed[op.File] = true
		case Write:
			if changed[op.File] = true; op.Through {
				f.journal = max(f.journal, op.Start)
			}
		case Sync, DataSync:
			f.synced[op.File] = max(f.synced[op.File], op.Start)
			if op.Kind == Sync || changed[op.File] {
				f.journal = max(f.journal, op.Start)
			}
			delete(changed, op.File)
		}
	}
	if cut.Seed != 0 && f.journal < cut.At {
		f.journal += f.rng.IntN(cut.At - f.journal + 1)
	}
	return f
}

func (f *fates) issued(op *Op) bool { return op.Start < f.cut.At }

// whole reports whether op is there entirely. What it says once, it repeats.
func (f *fates) whole(op *Op) bool {
	there, known := f.decided[op]
	if !known {
		there = f.safe(op) || f.lucky(op)
		f.decided[op] = there
	}
	return there
}

// safe reports whether a sync that returned before the cut covers op.
func (f *fates) safe(op *Op) bool {
	if op.End >= f.cut.At {
		return false
	}
	if !op.Kind.names() {
		return op.Through || op.End < f.synced[op.File]
	}
	return op.End < f.synced[op.Dir] || op.Kind == Rename && op.End < f.synced[op.ToDir]
}

// lucky reports whether op, not covered, happens to be there.
func (f *fates) lucky(op *Op) bool {
	if f.cut.Model == Journal && op.Kind != Write {
		return op.End < f.journal
	}
	if f.cut.Seed == 0 {
		return false
	}
	file := op.File
	if op.Kind.names() {
		file = op.Dir
	}
	p, ok := f.keep[file]
	if !ok {
		p = []float64{0, 0.2, 0.5, 0.8, 1}[f.rng.IntN(5)]
		f.keep[file] = p
	}
	return f.rng.Float64() < p
}

// part puts some of a write that is not there entirely into buf: a beginning,
// or sectors of 512 or 4,096 bytes. The file may have grown all the same.
func (f *fates) part(op *Op, buf []byte) []byte {
	if !f.cuts || len(op.Data) == 0 {
		return buf
	}
	end := op.Offset + int64(len(op.Data))
	switch f.rng.IntN(4) {
	case 0: // all of it lost
		return buf
	case 1: // a beginning, to the byte
		buf = put(buf, op.Offset, op.Data[:f.rng.IntN(len(op.Data))])
	default:
		sector := int64(512 << (3 * f.rng.IntN(2)))
		for at := op.Offset; at < end; {
			next := min(at/sector*sector+sector, end)
			if f.rng.IntN(2) == 0 {
				buf = put(buf, at, op.Data[at-op.Offset:next-op.Offset])
			}
			at = next
		}
	}
	if int64(len(buf)) < end && f.rng.IntN(2) == 0 {
		buf = resize(buf, end)
	}
	return buf
}

// byReturn returns the changes of names in the order they took effect.
func (l *Log) byReturn() []*Op {
	var ops []*Op
	for i := range l.Ops {
		if l.Ops[i].Kind.names() {
			ops = append(ops, &l.Ops[i])
		}
	}
	slices.SortStableFunc(ops, func(a, b *Op) int { return cmp.Compare(a.End, b.End) })
	return ops
}
