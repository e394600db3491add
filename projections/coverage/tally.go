package coverage

import (
	"encoding/binary"
	"slices"
)

// A Range is numbers that follow each other, both ends included.
type Range struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// Count is how many numbers the range has.
func (r Range) Count() uint64 { return r.To - r.From + 1 }

// A tally is what the entries of a track up to some position add up to. The zero tally is that of none.
type tally struct {
	received     uint64
	firstAt      uint64 // positions
	lastAt       uint64
	firstSeen    int64 // recorded times
	lastSeen     int64
	earliest     int64 // event times
	latest       int64
	longest      int64 // the longest time between two recorded times that follow each other
	longestSince int64 // when it began

	highest    uint64 // number
	unnumbered uint64 // entries without one
	repeated   uint64 // entries with one that had come
	late       uint64 // entries with one that had been missing
	missing    []Range
	filled     map[uint64]bool // of the missing, those that came since settle

	beats     uint64
	beat      beat // the last heartbeat's, and when it was recorded
	beatSeen  int64
	announced uint64 // the highest number that a heartbeat said it was at
	stopped   bool   // the last entry is a heartbeat that says so
}

// add counts the next entry.
func (t *tally) add(n entry) {
	if t.received == 0 {
		t.firstAt, t.firstSeen, t.earliest, t.latest = n.position, n.recorded, n.time, n.time
		t.lastSeen = n.recorded
	}
	t.received++
	if pause := n.recorded - t.lastSeen; pause > t.longest {
		t.longest, t.longestSince = pause, t.lastSeen
	}
	t.lastAt, t.lastSeen = n.position, n.recorded
	t.earliest, t.latest = min(t.earliest, n.time), max(t.latest, n.time)
	if n.beat != 0 {
		t.beats++
		t.beat, t.beatSeen = n.beat, n.recorded
		t.announced = max(t.announced, n.last)
	}
	t.stopped = n.beat == stopped
	t.number(n.seq)
}

func (t *tally) number(seq uint64) {
	switch {
	case seq == 0:
		t.unnumbered++
	case seq > t.highest:
		if seq > t.highest+1 {
			t.missing = append(t.missing, Range{t.highest + 1, seq - 1})
		}
		t.highest = seq
	case t.lacks(seq):
		t.late++
		if t.filled == nil {
			t.filled = map[uint64]bool{}
		}
		t.filled[seq] = true
	default:
		t.repeated++
	}
}

// lacks reports that a number below the highest has not come.
func (t *tally) lacks(seq uint64) bool {
	_, found := slices.BinarySearchFunc(t.missing, seq, func(r Range, seq uint64) int {
		switch {
		case r.To < seq:
			return -1
		case r.From > seq:
			return 1
		}
		return 0
	})
	return found && !t.filled[seq]
}

// settle takes what came late out of what is missing. Doing it once for many is what keeps a producer that sends
// out of order from costing more than one that does not.
func (t *tally) settle() {
	if len(t.filled) == 0 {
		return
	}
	came := make([]uint64, 0, len(t.filled))
	for seq := range t.filled {
		came = append(came, seq)
	}
	slices.Sort(came)
	var rest []Range
	for _, r := range t.missing {
		for len(came) > 0 && came[0] <= r.To {
			if r.From < came[0] {
				rest = append(rest, Range{r.From, came[0] - 1})
			}
			r.From, came = came[0]+1, came[1:]
		}
		if r.From <= r.To {
			rest = append(rest, r)
		}
	}
	t.missing, t.filled = rest, nil
}

// words are the tally's numbers as they are written, before the missing ranges. The first two say when the next
// tally is due, see tracks.tallyBefore.
func (t *tally) words() []uint64 {
	end := uint64(0)
	if t.stopped {
		end = 1
	}
	return []uint64{
		t.received, uint64(len(t.missing)), t.firstAt, t.lastAt,
		zigzag(t.firstSeen), zigzag(t.lastSeen), zigzag(t.earliest), zigzag(t.latest),
		zigzag(t.longest), zigzag(t.longestSince),
		t.highest, t.unnumbered, t.repeated, t.late,
		t.beats, uint64(t.beat), zigzag(t.beatSeen), t.announced, end,
	}
}

// encode writes a settled tally: its numbers, then of each range how far it begins behind the one before it, and
// its length; all as varints.
func (t *tally) encode() []byte {
	var dst []byte
	for _, w := range t.words() {
		dst = binary.AppendUvarint(dst, w)
	}
	var end uint64
	for _, r := range t.missing {
		dst = binary.AppendUvarint(dst, r.From-end)
		dst = binary.AppendUvarint(dst, r.Count())
		end = r.To
	}
	return dst
}

// decodeTally reads what encode wrote, and accepts nothing else.
func decodeTally(b []byte) (t tally, err error) {
	r := reader{rest: b}
	t.received = r.uvarint()
	ranges := r.uvarint()
	t.firstAt, t.lastAt = r.uvarint(), r.uvarint()
	for _, to := range []*int64{&t.firstSeen, &t.lastSeen, &t.earliest, &t.latest, &t.longest, &t.longestSince} {
		*to = r.varint()
	}
	t.highest, t.unnumbered, t.repeated, t.late = r.uvarint(), r.uvarint(), r.uvarint(), r.uvarint()
	t.beats = r.uvarint()
	state := r.uvarint()
	t.beatSeen = r.varint()
	t.announced = r.uvarint()
	end := r.uvarint()
	if r.bad || ranges > uint64(len(r.rest)) || state > uint64(stopped) || end > 1 {
		return tally{}, errBlock
	}
	t.beat, t.stopped = beat(state), end == 1
	t.missing = make([]Range, 0, ranges)
	var last uint64
	for range ranges {
		from := r.sum(last)
		to := r.sum(from - 1)
		t.missing, last = append(t.missing, Range{from, to}), to
	}
	if r.bad || len(r.rest) > 0 || last > t.highest {
		return tally{}, errBlock
	}
	return t, nil
}
