package evidence

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// TestTrail holds a trail against accumulators that were stopped on the way.
func TestTrail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.Uint64Range(1, 700).Draw(t, "window")
		n := rapid.Uint64Range(1, 3000).Draw(t, "records")
		trail := NewTrail(window)
		var a Accumulator
		var stops []*Accumulator
		for i := range n {
			stops = append(stops, a.Clone())
			r := Record{Kind: 1, Flags: 1 << (i % 7), Time: int64(i) * dayMillis / 3, Producer: 1, Digest: Hash{byte(i), byte(i >> 8)}}
			if r.Flags == T0 {
				r.Flags |= Late
			}
			b := r.Append(nil)
			if err := errors.Join(trail.Append(b), a.Append(b)); err != nil {
				t.Fatal(err)
			}
		}
		stops = append(stops, &a)
		for at := rapid.Uint64Range(0, n).Draw(t, "at"); at <= n; at += 97 {
			got, err := trail.At(at)
			if err != nil {
				if n-at <= window || !errors.Is(err, ErrQuestion) {
					t.Fatalf("%d of %d, window %d: %v", at, n, window, err)
				}
				continue
			}
			want, _ := stops[at].Annotated()
			node, _ := got.Annotated()
			if got.Root() != stops[at].Root() || node != want {
				t.Fatalf("roots at %d of %d are others", at, n)
			}
			c, some := got.Commit(Hash{})
			if !some {
				continue
			}
			if why, err := trail.Contradicts(c); why != "" || err != nil {
				t.Fatalf("a true commit at %d: %s, %v", at, why, err)
			}
			for _, change := range []func(*Commit){
				func(c *Commit) { c.Root[0] ^= 1 }, func(c *Commit) { c.Annotated[0] ^= 1 },
				func(c *Commit) { c.Totals[3].Last++ }, func(c *Commit) { c.Size = n + 1 },
			} {
				false := c
				change(&false)
				if why, _ := trail.Contradicts(false); why == "" {
					t.Fatal("a false commit is taken for a true one")
				}
			}
		}
	})
}
