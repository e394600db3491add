package recordlog

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestProducers numbers pairs in the order in which they first occur, and as before after an Open.
func TestProducers(t *testing.T) {
	l := made(t, 0)
	for position, want := range []struct {
		source, instance string
		number           uint16
	}{{"a", "", 1}, {"b", "", 2}, {"a", "", 1}, {"a", "b", 3}, {"ab", "", 4}, {"", "", 5}, {"", "ab", 6}, {"b", "", 2}} {
		if n := l.Number(uint64(position+1), want.source, want.instance); n != want.number {
			t.Errorf("%q, %q has number %d", want.source, want.instance, n)
		}
	}
	one := history(func(uint64, string, string) uint16 { return 1 }, 0, 1)
	must(t, l.Append(slices.Repeat(one, 6)))
	must(t, l.Sync())
	again := mustOpen(t, fill(t, bytesOf(t, l.dir)))
	if n := again.Number(7, "c", ""); n != 6 {
		t.Error("a producer of a record that was not appended was kept: the next number is", n)
	}
	if a, b := again.Number(8, "a", "b"), again.Number(8, "", ""); a != 3 || b != 5 {
		t.Error("producers have other numbers after an open:", a, b)
	}
}

// TestProducerOverflow: pairs beyond 65,534 have 65,535, also after an Open, and are not kept.
func TestProducerOverflow(t *testing.T) {
	l := made(t, 0)
	number := func(l *Log, i int) uint16 { return l.Number(uint64(i), fmt.Sprint(i), "") }
	for i := 1; i <= 65_534; i++ {
		if n := number(l, i); int(n) != i {
			t.Fatal(i, n)
		}
	}
	one := history(func(uint64, string, string) uint16 { return 1 }, 0, 1)
	must(t, l.Append(slices.Repeat(one, 66_000)))
	must(t, l.Close())
	for _, l := range []*Log{l, mustOpen(t, l.dir)} {
		if number(l, 65_535) != 65_535 || number(l, 70_000) != 65_535 || number(l, 65_534) != 65_534 || number(l, 1) != 1 {
			t.Error("numbers beyond the last")
		}
		if len(l.state.producers.waiting) > 0 || len(l.state.producers.numbers) != 65_534 {
			t.Error("pairs without a number are kept")
		}
	}
}

// TestProducersAgain: with what is written read back, the numbers are the same, up to any position.
func TestProducersAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`[ab\x00]{0,3}`)
		type asked struct {
			position         uint64
			source, instance string
			number           uint16
		}
		var p Producers
		var all []asked
		for position := uint64(1); position <= rapid.Uint64Range(1, 40).Draw(rt, "positions"); position++ {
			a := asked{position: position, source: name.Draw(rt, "source"), instance: name.Draw(rt, "instance")}
			a.number = p.Number(position, a.source, a.instance)
			all = append(all, a)
		}
		file, _ := p.upTo(100, nil)
		upTo := rapid.Uint64Range(0, 40).Draw(rt, "up to")
		part, _ := p.upTo(upTo, nil)
		again, length, err := decodeProducers(file, upTo)
		if err != nil || length != uint64(len(part)) {
			rt.Fatal(length, err)
		}
		for _, a := range all {
			if n := again.Number(a.position, a.source, a.instance); n != a.number {
				rt.Errorf("%q, %q has number %d, not %d", a.source, a.instance, n, a.number)
			}
		}
	})
}

func FuzzDecodeProducers(f *testing.F) {
	var p Producers
	p.Number(1, "/a", "")
	p.Number(7, "/a", "b")
	good, _ := p.upTo(9, nil)
	f.Add(good, uint64(9))
	f.Add(good, uint64(3))
	f.Add(good[:len(good)-1], uint64(9))
	f.Add(append(slices.Clone(good), good...), uint64(9))
	f.Fuzz(func(t *testing.T, b []byte, n uint64) {
		p, length, err := decodeProducers(b, n)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
			return
		}
		var again Producers
		for rest := b[:length]; len(rest) > 0; {
			f, size, _ := decodeFirst(rest)
			if again.Number(f.position, f.source, f.instance) != p.numbers[f.producer] {
				t.Fatal("another number")
			}
			rest = rest[size:]
		}
		if written, _ := again.upTo(n, nil); string(written) != string(b[:length]) {
			t.Error("two spellings")
		}
	})
}

func FuzzDecodeMarker(f *testing.F) {
	m := marker{size: 7, producers: 9}
	f.Add(m.encode())
	f.Add(m.encode()[1:])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMarker(b)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
		if err == nil && string(m.encode()) != string(b) {
			t.Error("two spellings")
		}
	})
}
