package checkpoint

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"
)

// lacks says how a need is met: ok, unsigned or false.
func lacks(t *testing.T, j Judgement, need Need) string {
	t.Helper()
	switch err := j.Lacks(need); {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrSignature):
		return "false"
	case errors.Is(err, ErrUnsigned):
		return "unsigned"
	default:
		t.Fatal(err)
		return ""
	}
}

func TestJudge(t *testing.T) {
	all := everybody()
	trust := all.trust(t)
	n := all.thousand(t)
	large := all.signed(t, Checkpoint{Origin: origin, Size: 4097, Root: counting(0)})
	edge := all.signed(t, Checkpoint{Origin: origin, Size: 4096, Root: counting(0)})
	without := func(n Note, keys ...Key) Note { return n.Only(func(k Key) bool { return !slices.Contains(keys, k) }) }
	foreign := func(n Note) Note { n.Origin = "other.example"; return n.resigned(t, all) }
	stranger := signer("stranger.example", 0x11).SignText([]byte("else"))
	namesake := cosigner(all.witness.Key().Name, 0x13) // the name of a known key, not its id
	spoken, err := namesake.Cosign(n.Checkpoint, newYear)
	must(t, err)
	disguised := func(change func(*Key)) Note {
		changed := without(n)
		for i := range changed.Signatures {
			if changed.Signatures[i].Key == all.witness.Key() {
				change(&changed.Signatures[i].Key)
			}
		}
		return changed
	}

	for _, test := range []struct {
		name                      string
		trust                     *Trust
		note                      Note
		log, witnesses, replays   string
		logs, witnessed, replayed int
		unknown, void             int
	}{
		{"everybody", trust, n, "ok", "ok", "ok", 2, 1, 1, 0, 0},
		{"no trust", nil, n, "unsigned", "unsigned", "unsigned", 0, 0, 0, 4, 0},
		{"the log alone", trust, without(n, all.witness.Key(), all.replay.Key()), "ok", "unsigned", "unsigned", 2, 0, 0, 0, 0},
		{"one key of the log", trust, without(n, all.old.Key()), "ok", "ok", "ok", 1, 1, 1, 0, 0},
		{"no key of the log", trust, without(n, all.old.Key(), all.log.Key()), "unsigned", "unsigned", "unsigned", 0, 1, 1, 0, 0},
		{"no witness", trust, without(n, all.witness.Key()), "ok", "unsigned", "unsigned", 2, 0, 1, 0, 0},
		{"no auditor", trust, without(n, all.replay.Key()), "ok", "ok", "unsigned", 2, 1, 0, 0, 0},
		{"as large as the old key may", trust, edge, "ok", "ok", "ok", 2, 1, 1, 0, 0},
		{"larger than the old key may", trust, large, "ok", "ok", "ok", 1, 1, 1, 0, 1},
		{"larger, the old key alone", trust, without(large, all.log.Key()), "unsigned", "unsigned", "unsigned", 0, 1, 1, 0, 1},
		{"strangers too", trust, n.With(stranger, spoken), "ok", "ok", "ok", 2, 1, 1, 2, 0},
		{"the witness's under another name", trust, disguised(func(k *Key) { k.Name = "x" + k.Name }), "false", "false", "false", 2, 0, 1, 0, 0},
		{"the witness's under another id", trust, disguised(func(k *Key) { k.ID++ }), "false", "false", "false", 2, 0, 1, 0, 0},
		{"the witness's under neither", trust, disguised(func(k *Key) { k.ID++; k.Name = "x" + k.Name }), "ok", "unsigned", "unsigned", 2, 0, 1, 1, 0},
		{"a bundle's key too", trust, n.With(all.bundle.SignText(n.Body())), "ok", "ok", "ok", 2, 1, 1, 0, 1},
		{"of another origin", trust, foreign(n), "unsigned", "unsigned", "unsigned", 0, 0, 0, 0, 4},
	} {
		j := test.trust.Judge(test.note)
		if got := [3]string{lacks(t, j, NeedLog), lacks(t, j, NeedWitnesses), lacks(t, j, NeedReplays)}; got != [3]string{test.log, test.witnesses, test.replays} {
			t.Errorf("%s: %v", test.name, got)
		}
		got := [5]int{len(j.Log), len(j.Witnesses), len(j.Replays), j.Unknown, j.Void}
		if got != [5]int{test.logs, test.witnessed, test.replayed, test.unknown, test.void} {
			t.Errorf("%s: %v: %+v", test.name, got, j)
		}
	}
	j := trust.Judge(n)
	if !j.Witnesses[0].Time.Equal(newYear) || j.Witnesses[0].Key != all.witness.Key() || !j.Replays[0].Time.Equal(newYear.Add(time.Minute)) {
		t.Errorf("%+v", j)
	}
}

// resigned has every signature made again over what n says now.
func (n Note) resigned(t *testing.T, all cast) Note {
	t.Helper()
	body := n.Body()
	witnessed, err := all.witness.Cosign(n.Checkpoint, newYear)
	must(t, err)
	replayed, err := all.replay.Cosign(n.Checkpoint, newYear)
	must(t, err)
	return Note{Checkpoint: n.Checkpoint}.With(all.old.SignText(body), all.log.SignText(body), witnessed, replayed)
}

// A signature of a known key that is not its own is false, whatever else is good, and whether the key counts or not.
func TestJudgeFalse(t *testing.T) {
	all := everybody()
	trust := all.trust(t)
	n := all.thousand(t).With(all.bundle.SignText(all.thousand(t).Body()))
	other := all.signed(t, Checkpoint{Origin: origin, Size: 1000, Root: counting(0)}).With(all.bundle.SignText(nil))
	for i, s := range n.Signatures {
		bad := map[string][]byte{"of another root": other.Signatures[i].Bytes, "cut": s.Bytes[:len(s.Bytes)-1], "longer": append(slices.Clone(s.Bytes), 0), "empty": {}}
		for name, b := range bad {
			m := n.With(Signature{Key: s.Key, Bytes: b})
			if j := trust.Judge(m); !errors.Is(j.Bad, ErrSignature) || lacks(t, j, NeedLog) != "false" {
				t.Errorf("%s %s: %+v", s.Key, name, j)
			}
		}
	}
	capped := all.signed(t, Checkpoint{Origin: origin, Size: 5000, Root: counting(0)})
	capped = capped.With(Signature{Key: all.old.Key(), Bytes: n.Signatures[0].Bytes})
	if j := trust.Judge(capped); !errors.Is(j.Bad, ErrSignature) {
		t.Errorf("a false signature by a key beyond its size: %+v", j)
	}
}

// A cosignature says its time: another time is a false signature, and one after 9999 too, even if it is signed.
func TestJudgeTime(t *testing.T) {
	all := everybody()
	trust := all.trust(t)
	n := all.thousand(t)
	if last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix(); last != maxTime {
		t.Errorf("the last second is %d", last)
	}
	cosignedAt := func(seconds uint64, says uint64) Signature {
		b := binary.BigEndian.AppendUint64(nil, says)
		return Signature{Key: all.witness.Key(), Bytes: append(b, all.witness.sign(cosigned(int64(seconds), n.Body()))...)}
	}
	for _, seconds := range []uint64{0, 1, maxTime} {
		if j := trust.Judge(n.With(cosignedAt(seconds, seconds))); j.Bad != nil || j.Witnesses[0].Time.Unix() != int64(seconds) {
			t.Errorf("at %d: %+v", seconds, j)
		}
	}
	for _, times := range [][2]uint64{{1, 2}, {maxTime + 1, maxTime + 1}, {1<<63 - 1, 1<<63 - 1}, {1 << 63, 1 << 63}} {
		if j := trust.Judge(n.With(cosignedAt(times[0], times[1]))); j.Bad == nil {
			t.Errorf("at %d, said %d: %+v", times[0], times[1], j)
		}
	}
}

func TestJudgeQuorum(t *testing.T) {
	all := everybody()
	second := cosigner("other.example/witness", 0x15)
	trust, err := ParseTrust([]byte("log " + all.log.Verifier() + "\nwitness " + all.witness.Verifier() +
		"\nwitness " + second.Verifier() + "\nquorum witness 2\n"))
	must(t, err)
	n := all.thousand(t)
	if got := lacks(t, trust.Judge(n), NeedWitnesses); got != "unsigned" {
		t.Errorf("one of two: %s", got)
	}
	twice := n
	twice.Signatures = append(slices.Clone(n.Signatures), n.Signatures...)
	if got := lacks(t, trust.Judge(twice), NeedWitnesses); got != "unsigned" {
		t.Errorf("one of two, twice: %s", got)
	}
	also, err := second.Cosign(n.Checkpoint, newYear)
	must(t, err)
	if got := lacks(t, trust.Judge(n.With(also)), NeedWitnesses); got != "ok" {
		t.Errorf("two of two: %s", got)
	}
	if got := lacks(t, trust.Judge(n.With(also)), NeedReplays); got != "unsigned" {
		t.Errorf("a quorum of auditors that nobody can meet: %s", got)
	}
}

func TestJudgeManifest(t *testing.T) {
	all := everybody()
	trust := all.trust(t)
	text := []byte("custody bundle 1\n")
	good, bad := all.bundle.SignText(text), all.bundle.SignText(nil)
	stranger := signer("stranger.example/bundle", 0x11).SignText(nil)
	for _, test := range []struct {
		name       string
		trust      *Trust
		origin     string
		signatures []Signature
		signed     int
		unknown    int
		bad        bool
	}{
		{"signed", trust, origin, []Signature{good, stranger}, 1, 1, false},
		{"no trust", nil, origin, []Signature{good, stranger}, 0, 2, false},
		{"another origin", trust, "other.example", []Signature{good}, 0, 0, false},
		{"false", trust, origin, []Signature{bad}, 0, 0, true},
		{"a stranger alone", trust, origin, []Signature{stranger}, 0, 1, false},
		{"the log's key", trust, origin, []Signature{all.log.SignText(text)}, 0, 0, false},
		{"a false one of the log", trust, origin, []Signature{good, all.log.SignText(nil)}, 0, 0, true},
	} {
		signed, unknown, err := test.trust.JudgeManifest(test.origin, text, test.signatures)
		if len(signed) != test.signed || unknown != test.unknown || errors.Is(err, ErrSignature) != test.bad || (err == nil) == test.bad {
			t.Errorf("%s: %v, %d, %v", test.name, signed, unknown, err)
		}
	}
}
