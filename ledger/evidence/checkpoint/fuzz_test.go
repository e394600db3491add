package checkpoint

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzNote(f *testing.F) {
	all := everybody()
	trust := all.trust(f)
	n := all.thousand(f)
	f.Add(n.Bytes())
	f.Add(n.Only(func(k Key) bool { return k == all.witness.Key() }).Bytes())
	f.Add([]byte("o\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— é AAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if signatures, err := ParseSignatures(b); err == nil && !bytes.Equal(Join(nil, signatures)[1:], b) {
			t.Fatalf("signatures in two spellings: %q", b)
		}
		got, err := Open(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(got.Bytes(), b) {
			t.Fatalf("a note in two spellings: %q", b)
		}
		agreeWithModule(t, b, got)
		if j := trust.Judge(got); got.Checkpoint != n.Checkpoint && len(j.Log)+len(j.Witnesses)+len(j.Replays) > 0 {
			t.Fatalf("a forged signature: %q", b)
		}
	})
}

func FuzzTrust(f *testing.F) {
	all := everybody()
	n := all.thousand(f)
	f.Add([]byte(all.trustFile()))
	f.Add([]byte("log " + all.log.Verifier() + " upto 7\nquorum witness 2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		trust, err := ParseTrust(b)
		if err != nil {
			if !errors.Is(err, ErrTrust) || trust != nil {
				t.Fatalf("%v, %v", trust, err)
			}
			return
		}
		if trust.Origin() == "" {
			t.Fatal("a trust of nobody")
		}
		trust.Judge(n).Lacks(NeedReplays)
	})
}

func FuzzRequest(f *testing.F) {
	all := everybody()
	trust, l := all.trust(f), grownLog(f, 9)
	last := l.at(f, 5)
	f.Add(l.asks(f, all, 5, 9).Bytes())
	f.Add(l.asks(f, all, 0, 9).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseSizeText(b)
		r, err := ParseRequest(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(r.Bytes(), b) {
			t.Fatalf("a request in two spellings: %q", b)
		}
		if a := Witness(trust, last, r); a.Status == 200 && r.Note.Checkpoint != l.at(t, 9) && r.Note.Checkpoint != last {
			t.Fatalf("cosigned: %q", b)
		}
	})
}

func FuzzSigners(f *testing.F) {
	all := everybody()
	f.Add([]byte(all.old.Reveal() + "\n" + all.log.Reveal() + "\n"))
	f.Add([]byte(all.witness.Reveal()))
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseCosigner(string(b))
		keys, err := ParseSigners(b, 2)
		if err != nil {
			if !errors.Is(err, ErrKey) {
				t.Fatal(err)
			}
			return
		}
		var again []byte
		for _, k := range keys {
			again = append(append(again, k.Reveal()...), '\n')
		}
		if !bytes.Equal(again, b) {
			t.Fatal("keys in two spellings")
		}
	})
}
