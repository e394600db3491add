package demo

import (
	"bytes"
	"container/heap"
	"encoding/hex"
	"iter"
	"math/rand/v2"
	"strconv"
	"time"
)

// A Line is one event as its producer sends it.
type Line struct {
	Raw     []byte    // valid until the next line
	Source  string    // with ID its identity
	ID      string    // valid for ever
	Arrives time.Time // at the ledger; never before the line that precedes it
	Again   bool      // a retry of an earlier line, byte for byte
}

// latency is how long an event that is not late takes to arrive.
const latency = 400 * time.Millisecond

// Lines yields the year in order of arrival.
func (y *Year) Lines() iter.Seq[Line] {
	return func(yield func(Line) bool) {
		o := &output{yield: yield, ids: rand.New(rand.NewPCG(y.Seed, forIDs)), end: y.end.Add(time.Second)}
		script := y.script
		d := newDraw(y)
		for at, h := range y.moments() {
			for len(script) > 0 && !script[0].at.After(at) {
				o.act(&script[0])
				script = script[1:]
			}
			habit := d.habit(h)
			d.data = d.fill(d.data[:0], habit.data)
			o.event(&event{from: habit.from, kind: habit.kind, at: at, delay: d.delay(habit), again: d.again()}, d.data)
			if o.stopped {
				return
			}
		}
		for i := range script {
			o.act(&script[i])
		}
		o.release(o.end)
	}
}

// moments yields when each event of the background happens, and in which hour.
// Hours get their exact share by how busy they are, so that no count is by chance.
func (y *Year) moments() iter.Seq2[time.Time, hour] {
	return func(yield func(time.Time, hour) bool) {
		hours := y.hours()
		all, before := 0, 0
		for _, h := range hours {
			all += h.busy
		}
		rng := rand.New(rand.NewPCG(y.Seed, forBackground+100))
		for _, h := range hours {
			n := y.background*(before+h.busy)/all - y.background*before/all
			before += h.busy
			for i := range n {
				ms := (int64(i)*hourMS + rng.Int64N(hourMS)) / int64(n)
				if !yield(h.begins.Add(time.Duration(ms)*time.Millisecond), h) {
					return
				}
			}
		}
	}
}

const hourMS = int64(time.Hour / time.Millisecond)

// An event is what a line says besides its data.
type event struct {
	from  producer
	kind  string
	at    time.Time
	delay time.Duration // beyond the latency
	again time.Duration // after which it is sent a second time; 0 is never
	lost  uint64        // events numbered before it that never arrived
}

// output writes lines and gives them in order of arrival.
type output struct {
	yield   func(Line) bool
	stopped bool
	ids     *rand.Rand
	numbers [producers]uint64 // producerseq of each
	end     time.Time         // everything has arrived by then
	held    heldLines
	kept    int // lines ever held
	buf     []byte
}

func (o *output) act(a *act) {
	if a.beat {
		o.event(&a.event, []byte(`{"state":"running","last":`+strconv.FormatUint(o.numbers[a.from]+a.lost+1, 10)+`}`))
		return
	}
	o.event(&a.event, []byte(a.data))
}

// event writes a line with this data, and gives it when it is its turn.
func (o *output) event(e *event, data []byte) {
	o.numbers[e.from] += e.lost + 1
	line := Line{Source: e.from.source(), ID: o.id(), Arrives: e.at.Add(latency + e.delay)}
	o.buf = append(o.buf[:0], `{"specversion":"1.0","id":"`...)
	o.buf = append(o.buf, line.ID...)
	o.buf = append(o.buf, `","source":"`...)
	o.buf = append(o.buf, line.Source...)
	o.buf = append(o.buf, `","type":"eu.custody.`...)
	o.buf = append(o.buf, e.kind...)
	o.buf = append(o.buf, `.v1","time":"`...)
	o.buf = e.at.UTC().AppendFormat(o.buf, "2006-01-02T15:04:05.000Z")
	o.buf = append(o.buf, `","datacontenttype":"application/json"`...)
	if instance := e.from.instance(); instance != "" {
		o.buf = append(o.buf, `,"producerinstance":"`...)
		o.buf = append(append(o.buf, instance...), '"')
	}
	o.buf = append(o.buf, `,"producerseq":"`...)
	o.buf = strconv.AppendUint(o.buf, o.numbers[e.from], 10)
	o.buf = append(append(append(o.buf, `","data":`...), data...), '}')
	line.Raw = o.buf

	if e.delay > 0 {
		o.hold(line)
		return
	}
	o.release(line.Arrives)
	o.give(line)
	if e.again > 0 {
		line.Arrives, line.Again = line.Arrives.Add(e.again), true
		o.hold(line)
	}
}

// id is an identity that looks like a UUID of version 4. It ends in a letter, so
// that it never ends in the number of one of the event's own identifiers.
func (o *output) id() string {
	var raw [16]byte
	for i, n := range [2]uint64{o.ids.Uint64(), o.ids.Uint64()} {
		for j := range 8 {
			raw[8*i+j] = byte(n >> (8 * j))
		}
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	raw[15] = raw[15]&0xf0 | (10 + raw[15]&0x0f%6)
	var text [36]byte
	hex.Encode(text[:8], raw[:4])
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:], raw[10:])
	for _, i := range [4]int{8, 13, 18, 23} {
		text[i] = '-'
	}
	return string(text[:])
}

func (o *output) give(l Line) { o.stopped = o.stopped || !o.yield(l) }

// hold keeps a line until it arrives.
func (o *output) hold(l Line) {
	if l.Arrives.After(o.end) {
		l.Arrives = o.end
	}
	l.Raw = bytes.Clone(l.Raw)
	o.kept++
	heap.Push(&o.held, heldLine{l, o.kept})
}

// release gives what has arrived by a moment.
func (o *output) release(by time.Time) {
	for len(o.held) > 0 && !o.held[0].Arrives.After(by) {
		o.give(heap.Pop(&o.held).(heldLine).Line)
	}
}

// A heldLine waits for its time; of two with the same, the one held first comes first.
type heldLine struct {
	Line
	n int
}

// heldLines is a heap by arrival.
type heldLines []heldLine

func (h heldLines) Len() int { return len(h) }
func (h heldLines) Less(i, j int) bool {
	if c := h[i].Arrives.Compare(h[j].Arrives); c != 0 {
		return c < 0
	}
	return h[i].n < h[j].n
}
func (h heldLines) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heldLines) Push(x any)   { *h = append(*h, x.(heldLine)) }
func (h *heldLines) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
