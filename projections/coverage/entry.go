package coverage

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// An entry is what a track keeps of one event.
type entry struct {
	position uint64
	recorded int64  // milliseconds since 1970
	time     int64  // of the event, likewise, rounded down
	seq      uint64 // 0: not numbered
	beat     beat   // 0: no heartbeat
	last     uint64 // the number that a heartbeat says it is at; 0: it says none
}

// A beat is the state that a heartbeat tells.
type beat byte

const (
	started beat = 1
	running beat = 2
	stopped beat = 3
)

// String is the word in the event; "" for no heartbeat.
func (b beat) String() string {
	switch b {
	case started:
		return "started"
	case running:
		return "running"
	case stopped:
		return "stopped"
	}
	return ""
}

// entryOf is what the track of a producer keeps of its event.
func entryOf(e *projections.Event) entry {
	ev := e.Stored.Event
	n := entry{position: e.Position, recorded: e.Stored.Recorded.UnixMilli(), time: ev.At.UnixMilli(), seq: ev.Seq}
	if ev.Kind == events.LedgerHeartbeat {
		switch ev.Data.Get("state").Text() {
		case "started":
			n.beat = started
		case "stopped":
			n.beat = stopped
		default:
			n.beat = running
		}
		n.last = uint64(ev.Data.Get("last").Int())
	}
	return n
}

// blockEntries is how many entries a block has at most. A flush reads and writes the last block of each track
// that grew, and an answer reads half a block more than its tally.
const blockEntries = 256

// A block holds entries that follow each other in a track.
type block struct {
	before  uint64 // entries of the track before it
	entries []entry
}

// A block is written as the number of entries before it, of its entries, and each entry as the difference to the
// one before it, in varints:
//
//	position   the difference, above 0; the first of a block has its own
//	head       the number's distance from the next one expected, zigzag, times 4; +2 if numbered; +1 if a heartbeat
//	recorded   the difference in milliseconds, signed; so is time
//	beat, last of a heartbeat
func (b *block) encode() []byte {
	dst := binary.AppendUvarint(nil, b.before)
	dst = binary.AppendUvarint(dst, uint64(len(b.entries)))
	var prev entry
	for _, n := range b.entries {
		var head uint64
		if n.seq != 0 {
			head = zigzag(int64(n.seq-prev.seq-1))<<2 | 2
		}
		if n.beat != 0 {
			head |= 1
		}
		dst = binary.AppendUvarint(dst, n.position-prev.position)
		dst = binary.AppendUvarint(dst, head)
		dst = binary.AppendVarint(dst, n.recorded-prev.recorded)
		dst = binary.AppendVarint(dst, n.time-prev.time)
		if n.beat != 0 {
			dst = binary.AppendUvarint(append(dst, byte(n.beat)), n.last)
		}
		if n.seq == 0 {
			n.seq = prev.seq // what is not numbered does not count
		}
		prev = n
	}
	return dst
}

// errBlock reports what is not as this package writes it.
var errBlock = fmt.Errorf("coverage: a row is not as it was written: %w", projections.ErrDamaged)

// decodeBlock reads what encode made, and accepts nothing else.
func decodeBlock(b []byte) (block, error) {
	r := reader{rest: b}
	k := block{before: r.uvarint()}
	n := r.uvarint()
	if n == 0 || n > blockEntries {
		return block{}, errBlock
	}
	k.entries = make([]entry, 0, n)
	var prev entry
	for range n {
		var e entry
		e, prev.seq = r.entry(prev)
		k.entries = append(k.entries, e)
		prev = entry{position: e.position, recorded: e.recorded, time: e.time, seq: prev.seq}
	}
	if r.bad || len(r.rest) > 0 {
		return block{}, errBlock
	}
	return k, nil
}

// entry reads one entry, and gives the newest number up to it.
func (r *reader) entry(prev entry) (n entry, newest uint64) {
	n.position = r.sum(prev.position)
	head := r.uvarint()
	n.recorded = prev.recorded + r.varint()
	n.time = prev.time + r.varint()
	if head&1 != 0 {
		n.beat, n.last = beat(r.byte()), r.uvarint()
		r.bad = r.bad || n.beat.String() == ""
	}
	if head&2 == 0 {
		r.bad = r.bad || head>>2 != 0
		return n, prev.seq
	}
	n.seq = prev.seq + 1 + uint64(unzigzag(head>>2))
	r.bad = r.bad || n.seq == 0 || n.seq > maxSeq
	return n, n.seq
}

// maxSeq is beyond every number that an event can have, which is of 14 digits.
const maxSeq = 1 << 47

// zigzag makes small numbers of small differences of either sign.
func zigzag(i int64) uint64   { return uint64(i<<1) ^ uint64(i>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// moment is a kept time as answers have it.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
