package evidence

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// some is a record that may stand at a place.
func some(i uint64) []byte {
	r := Record{Kind: 1, Flags: 1 << (i % 7), Time: int64(i) * dayMillis / 3, Producer: 1, Digest: Hash{byte(i), byte(i >> 8)}}
	return r.Append(nil)
}

// TestAccumulatorGoesOn writes the state down at some size, reads it, and goes on: the roots are those of one that never
// stopped, and a trail that goes on knows them from there.
func TestAccumulatorGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stop := rapid.Uint64Range(0, 3000).Draw(t, "stop")
		more := rapid.Uint64Range(0, 900).Draw(t, "more")
		window := rapid.Uint64Range(1, 700).Draw(t, "window")
		var whole Accumulator
		for i := range stop {
			if err := whole.Append(some(i)); err != nil {
				t.Fatal(err)
			}
		}
		state := whole.AppendState(nil)
		a, err := DecodeAccumulator(state)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.AppendState(nil), state) {
			t.Fatal("the state comes back as another")
		}
		trail := ResumeTrail(a, window)
		stops := []*Accumulator{whole.Clone()}
		for i := range more {
			if err := errors.Join(whole.Append(some(stop+i)), trail.Append(some(stop+i))); err != nil {
				t.Fatal(err)
			}
			stops = append(stops, whole.Clone())
		}
		for n := stop; n <= stop+more; n += 1 + n%41 {
			got, err := trail.At(n)
			if err != nil {
				if stop+more-n <= window || !errors.Is(err, ErrQuestion) {
					t.Fatalf("%d of %d, from %d, window %d: %v", n, stop+more, stop, window, err)
				}
				continue
			}
			want := stops[n-stop]
			node, _ := got.Annotated()
			wantNode, _ := want.Annotated()
			if got.Root() != want.Root() || node != wantNode {
				t.Fatalf("the roots at %d, going on from %d, are others", n, stop)
			}
		}
		if _, err := trail.At(stop - 1); stop > 0 && !errors.Is(err, ErrQuestion) {
			t.Fatalf("a trail knows what was before it: %v", err)
		}
	})
}

// TestAccumulatorRefuses refuses states that no records leave behind.
func TestAccumulatorRefuses(t *testing.T) {
	var a Accumulator
	for i := range uint64(300) {
		if err := a.Append(some(i)); err != nil {
			t.Fatal(err)
		}
	}
	good := a.AppendState(nil)
	changed := func(at int, to ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[(at+len(b))%len(b):], to)
		return b
	}
	for name, c := range map[string]struct {
		state []byte
		want  error
	}{
		"nothing": {nil, ErrFormat}, "another version": {changed(0, 2), ErrFormat}, "cut short": {good[:len(good)-1], ErrFormat},
		"longer": {append(bytes.Clone(good), 0), ErrFormat}, "another size": {changed(8, 45), ErrFalse}, "far too many": {changed(1, 1), ErrFormat},
		"two classes": {changed(-3, 0x03), ErrFalse}, "no day": {changed(-2, 0xFF, 0xFF), ErrFalse}, "a count of more": {changed(9+4*32+1, 1), ErrFalse},
	} {
		if _, err := DecodeAccumulator(c.state); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzAccumulator demands that what passes for a state is what would be written, and can be gone on from.
func FuzzAccumulator(f *testing.F) {
	var a Accumulator
	f.Add(a.AppendState(nil))
	for i := range uint64(1100) {
		if err := a.Append(some(i)); err != nil {
			f.Fatal(err)
		}
		if i%250 == 5 {
			f.Add(a.AppendState(nil))
		}
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		a, err := DecodeAccumulator(state)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrFalse) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(a.AppendState(nil), state) {
			t.Fatal("another spelling")
		}
		a.Root()
		if _, some := a.Annotated(); some != (a.Size() > 0) {
			t.Fatal("a root of nothing, or none of something")
		}
		if err := a.Append((&Record{Producer: 1}).Append(nil)); err != nil {
			t.Fatal(err)
		}
	})
}
