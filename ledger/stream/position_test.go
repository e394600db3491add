package stream

import (
	"testing"
	"time"
)

func TestPosition(t *testing.T) {
	for subject, want := range map[string]uint64{
		"$JS.ACK.S.c.1.7.3.1700000000000000000.9":             7,
		"$JS.ACK.dom.hash.S.c.1.7.3.1700000000000000000.9.tk": 7,
		"":                                    0,
		"$JS.ACK.S.c.1.7.3.1.9.10":            0,
		"$JS.ACK.S.c.1.x.3.1.9":               0,
		"$JS.ACK.S.c.1.7.3.x.9":               0,
		"$JS.ACK.a.b.c.d.e.f.g.h.i.j.k.l.m.n": 0,
	} {
		seq, at, err := position(subject)
		if seq != want || (err == nil) != (want != 0) || want != 0 && !at.Equal(time.Unix(1_700_000_000, 0)) {
			t.Errorf("%q: %d, %v, %v", subject, seq, at, err)
		}
	}
}

func FuzzPosition(f *testing.F) {
	f.Add("$JS.ACK.S.c.1.7.3.1700000000000000000.9")
	f.Fuzz(func(t *testing.T, subject string) {
		if _, at, err := position(subject); err == nil && at.Location() != time.UTC {
			t.Fatal(at)
		}
	})
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, subject string
		want             bool
	}{
		{"a.>", "a.b", true}, {"a.>", "a.b.c", true}, {"a.>", "a", false}, {">", "a", true}, {"a", "a", true}, {"a", "b", false},
		{"a.*", "a.b", true}, {"a.*", "a.b.c", false}, {"a.*.c", "a.b.c", true}, {"*", "a", true}, {"*", "", false}, {"a.b", "a", false},
		{"a", "a.b", false}, {"a.>", "a..b", false}, {"a.>", "b.c", false},
	} {
		if got := matches(c.pattern, c.subject); got != c.want {
			t.Errorf("%s, %s: %v", c.pattern, c.subject, got)
		}
	}
}
