package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// A log is a tree in memory, by x/mod.
type log struct{ hashes []tlog.Hash }

func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = l.hashes[x]
	}
	return out, nil
}

// grownLog has so many leaves.
func grownLog(t testing.TB, size int64) *log {
	t.Helper()
	l := &log{}
	for i := range size {
		more, err := tlog.StoredHashes(i, leaf(i), l)
		must(t, err)
		l.hashes = append(l.hashes, more...)
	}
	return l
}

func leaf(i int64) []byte { return fmt.Appendf(nil, "leaf %d", i) }

// at is the checkpoint of the log at a size.
func (l *log) at(t testing.TB, size int64) Checkpoint {
	t.Helper()
	root, err := tlog.TreeHash(size, l)
	must(t, err)
	return Checkpoint{Origin: origin, Size: uint64(size), Root: Hash(root)}
}

// asks is a request of the log.
func (l *log) asks(t testing.TB, all cast, old, size int64) Request {
	t.Helper()
	n, err := Sign(l.at(t, size), all.log)
	must(t, err)
	r := Request{Old: uint64(old), Note: n}
	if old > 0 {
		proof, err := tlog.ProveTree(size, old, l)
		must(t, err)
		for _, h := range proof {
			r.Proof = append(r.Proof, Hash(h))
		}
	}
	return r
}

// A witness cosigns all growth, and nothing with any hash of its proof changed, dropped, added or exchanged.
func TestWitnessGrowth(t *testing.T) {
	const most = 33
	all := everybody()
	trust, l := all.trust(t), grownLog(t, most)
	for size := int64(1); size <= most; size++ {
		for old := range size + 1 {
			var last Checkpoint
			if old > 0 {
				last = l.at(t, old)
			}
			r := l.asks(t, all, old, size)
			if a := Witness(trust, last, r); a.Status != http.StatusOK || a.Err != nil {
				t.Fatalf("%d to %d: %+v", old, size, a)
			}
			for _, proof := range wrong(r.Proof) {
				bad := r
				bad.Proof = proof
				if bad.grown(last) {
					t.Fatalf("%d to %d with a wrong proof of %d hashes", old, size, len(proof))
				}
			}
			r.Proof = append(r.Proof, Hash{})
			if a := Witness(trust, last, r); a.Status != http.StatusUnprocessableEntity || a.Err == nil {
				t.Fatalf("%d to %d with a hash too many: %+v", old, size, a)
			}
		}
	}
}

// wrong are proofs near one.
func wrong(proof []Hash) (all [][]Hash) {
	for i := range proof {
		all = append(all, slices.Delete(slices.Clone(proof), i, i+1))
		for bit := range 256 {
			changed := slices.Clone(proof)
			changed[i][bit/8] ^= 1 << (bit % 8)
			all = append(all, changed)
		}
		if i > 0 {
			exchanged := slices.Clone(proof)
			exchanged[i], exchanged[i-1] = exchanged[i-1], exchanged[i]
			all = append(all, exchanged)
		}
	}
	return append(all, append(slices.Clone(proof), Hash{}))
}

func TestWitnessRefuses(t *testing.T) {
	all := everybody()
	trust, l := all.trust(t), grownLog(t, 20)
	last := l.at(t, 10)
	good := l.asks(t, all, 10, 20)
	strange := good
	strange.Note = Note{Checkpoint: good.Note.Checkpoint}.With(signer(origin, 0x11).SignText(good.Note.Body()))
	false1 := good
	false1.Note = good.Note.With(Signature{Key: all.log.Key(), Bytes: all.log.SignText(nil).Bytes})
	half := good
	half.Note = good.Note.With(Signature{Key: all.old.Key(), Bytes: all.old.SignText(nil).Bytes})
	foreign := good
	foreign.Note.Origin = "other.example"
	fork := l.asks(t, all, 10, 10)
	fork.Note.Root = counting(0)
	fork.Note.Signatures = []Signature{all.log.SignText(fork.Note.Body())}
	gossip := good // with a false signature by somebody whom the log's witness need not know
	gossip.Note = good.Note.With(Signature{Key: all.witness.Key(), Bytes: []byte{1}})
	otherRoot := good
	otherRoot.Note.Root = counting(0)
	otherRoot.Note.Signatures = []Signature{all.log.SignText(otherRoot.Note.Body())}
	huge := Request{Old: 10, Note: all.signed(t, Checkpoint{Origin: origin, Size: MaxSize - 1}).Only(func(k Key) bool { return k == all.old.Key() })}
	unproven := Request{Old: 10, Note: all.signed(t, Checkpoint{Origin: origin, Size: MaxSize - 1})}
	empty := Request{Note: all.signed(t, (&log{}).at(t, 0))}
	emptyFork := Request{Note: all.signed(t, Checkpoint{Origin: origin})}

	for _, test := range []struct {
		name   string
		trust  *Trust
		last   Checkpoint
		asked  Request
		status int
		size   uint64
	}{
		{"growth", trust, last, good, 200, 0},
		{"the same again", trust, last, l.asks(t, all, 10, 10), 200, 0},
		{"a false signature by another witness", trust, last, gossip, 200, 0},
		{"nothing yet", trust, Checkpoint{}, empty, 200, 0},
		{"nothing yet, with a root", trust, Checkpoint{}, emptyFork, 409, 0},
		{"another origin", trust, last, foreign, 404, 0},
		{"no trust", nil, last, good, 404, 0},
		{"an unknown key", trust, last, strange, 403, 0},
		{"a false signature", trust, last, false1, 403, 0},
		{"one of two signatures false", trust, last, half, 403, 0},
		{"a key beyond its size", trust, last, huge, 403, 0},
		{"an old size beyond the new", trust, l.at(t, 20), l.backwards(t, all), 400, 0},
		{"too old", trust, last, l.asks(t, all, 5, 20), 409, 10},
		{"from the start again", trust, last, l.asks(t, all, 0, 20), 409, 10},
		{"too new", trust, last, l.asks(t, all, 15, 20), 409, 10},
		{"first with an old size", trust, Checkpoint{}, good, 409, 0},
		{"another root of the size", trust, last, fork, 409, 0},
		{"another root after it", trust, last, otherRoot, 422, 0},
		{"another root before it", trust, Checkpoint{Origin: origin, Size: 10, Root: counting(1)}, good, 422, 0},
		{"the largest size without proof", trust, last, unproven, 422, 0},
	} {
		a := Witness(test.trust, test.last, test.asked)
		if a.Status != test.status || a.Size != test.size || (a.Err == nil) != (a.Status == 200) {
			t.Errorf("%s: %+v", test.name, a)
		}
		if isFork := strings.Contains(test.name, "of the size") || strings.Contains(test.name, "with a root"); errors.Is(a.Err, ErrFork) != isFork {
			t.Errorf("%s: fork %v", test.name, a.Err)
		}
	}
}

// backwards says an old size that is larger than the new.
func (l *log) backwards(t testing.TB, all cast) Request {
	r := l.asks(t, all, 10, 10)
	r.Old = 20
	return r
}

func TestRequestSpelling(t *testing.T) {
	all := everybody()
	l := grownLog(t, 20)
	for _, r := range []Request{l.asks(t, all, 0, 1), l.asks(t, all, 7, 20), {Note: all.thousand(t)}} {
		b := r.Bytes()
		got, err := ParseRequest(b)
		if err != nil || !bytes.Equal(got.Bytes(), b) {
			t.Fatalf("%q: %v", b, err)
		}
		for changed := range changes(b) {
			got, err := ParseRequest(changed)
			if err != nil && !errors.Is(err, ErrFormat) || err == nil && !bytes.Equal(got.Bytes(), changed) {
				t.Fatalf("%q is read, %v, as %q", changed, err, got.Bytes())
			}
		}
	}
}

func TestRequestRefused(t *testing.T) {
	all := everybody()
	n := string(all.thousand(t).Bytes())
	hash := "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
	for name, bad := range map[string]string{
		"nothing": "", "a note alone": n, "no old size": "\n" + n, "no old": "7\n\n" + n, "no number": "old \n\n" + n, "no space": "old7\n\n" + n,
		"two spaces": "old  7\n\n" + n, "a leading zero": "old 07\n\n" + n, "2^53": "old 9007199254740992\n\n" + n,
		"CR": "old 7\r\n\r\n" + n, "upper case": "OLD 7\n\n" + n, "no blank line": "old 7\n" + n, "no note": "old 7\n\n",
		"64 hashes": "old 7\n" + strings.Repeat(hash, 64) + "\n" + n, "a short hash": "old 7\nAAAA\n\n" + n,
		"a hash with stray bits": "old 7\n" + hash[:42] + "9=\n\n" + n, "a space behind a hash": "old 7\n" + hash[:44] + " \n\n" + n,
		"two blank lines": "old 7\n\n\n" + n, "too large": "old 7\n\n" + n + strings.Repeat("x", MaxRequest),
	} {
		if _, err := ParseRequest([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseRequest([]byte("old 7\n" + strings.Repeat(hash, 63) + "\n" + n)); err != nil {
		t.Errorf("63 hashes: %v", err)
	}
}

func TestSizeText(t *testing.T) {
	for _, n := range []uint64{0, 7, MaxSize - 1} {
		if got, err := ParseSizeText(SizeText(n)); got != n || err != nil {
			t.Errorf("%d: %d, %v", n, got, err)
		}
	}
	for _, bad := range []string{"", "\n", "7", "07\n", "7\n\n", "7\r\n", " 7\n", "-7\n", "9007199254740992\n"} {
		if _, err := ParseSizeText([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
