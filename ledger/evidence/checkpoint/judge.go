package checkpoint

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Need is whose signatures something takes.
type Need uint8

const (
	// NeedLog takes the log's signature: proofs of its faults, the older checkpoint of growth.
	NeedLog Need = iota + 1
	// NeedWitnesses takes the log's signature and the quorum of witnesses.
	NeedWitnesses
	// NeedReplays takes all that and the quorum of auditors that replayed: LIGHT.
	NeedReplays
)

// A Cosignature is that of a key which the trust names, and it verifies.
type Cosignature struct {
	Key
	Time time.Time // when its maker says it was made, whole seconds, UTC
}

// A Judgement is what a trust says of the signatures of a note.
type Judgement struct {
	Log       []Key         // keys of the log that signed and count at this size
	Witnesses []Cosignature // by keys of witnesses
	Replays   []Cosignature // by keys of auditors that replay
	Unknown   int           // signatures by keys that the trust does not name: they say nothing
	Void      int           // good signatures that count for nothing: beyond the key's size, of another origin, of a bundle's key
	Bad       error         // wraps ErrSignature if a key that the trust names did not make its signature, or made one under another name

	trust *Trust
}

// Judge says who signed a note. It changes nothing and asks nobody. A nil trust knows no key.
func (t *Trust) Judge(n Note) Judgement { return t.judge(n.Body(), n) }

// judge says who signed a text with the signatures of a note.
func (t *Trust) judge(text []byte, n Note) Judgement {
	j := Judgement{trust: t}
	for i, s := range n.Signatures {
		if slices.ContainsFunc(n.Signatures[:i], s.same) {
			continue // Open refuses it; whoever made the note by hand gets nobody counted twice
		}
		k := t.find(s.Key)
		if k == nil {
			if k = t.disguised(s, text); k != nil {
				j.Bad = errDisguised(k)
				continue
			}
			j.Unknown++
			continue
		}
		at, ok := k.verify(text, s.Bytes)
		if !ok {
			j.Bad = fmt.Errorf("%w: that of %s", ErrSignature, k.Key)
			continue
		}
		j.count(k, n.Checkpoint, at)
	}
	return j
}

// disguised is the key of the trust that made a signature which has its name or its id, and not the other: somebody
// changed that, so that it would pass for a stranger's. Nil if there is none.
func (t *Trust) disguised(s Signature, text []byte) *trusted {
	if t == nil {
		return nil
	}
	for i := range t.keys {
		k := &t.keys[i]
		if (k.Name == s.Name) == (k.ID == s.ID) {
			continue
		}
		if _, made := k.verify(text, s.Bytes); made {
			return k
		}
	}
	return nil
}

func errDisguised(k *trusted) error {
	return fmt.Errorf("%w: that of %s is under another name", ErrSignature, k.Key)
}

// count counts a good signature.
func (j *Judgement) count(k *trusted, c Checkpoint, at time.Time) {
	switch {
	case c.Origin != j.trust.origin:
		j.Void++
	case k.role == roleLog && c.Size <= k.upto:
		j.Log = append(j.Log, k.Key)
	case k.role == roleWitness:
		j.Witnesses = append(j.Witnesses, Cosignature{k.Key, at})
	case k.role == roleReplay:
		j.Replays = append(j.Replays, Cosignature{k.Key, at})
	default:
		j.Void++
	}
}

// Lacks is nil if those signed that are needed. Else it wraps [ErrSignature] if a signature is false, or
// [ErrUnsigned], and says who did not sign.
func (j Judgement) Lacks(need Need) error {
	if j.Bad != nil {
		return j.Bad
	}
	if j.trust == nil {
		return fmt.Errorf("%w: no trust file says who that is", ErrUnsigned)
	}
	var lacks []string
	if len(j.Log) == 0 {
		lacks = append(lacks, "no key of the log")
	}
	if k := j.trust.quorum[roleWitness]; need >= NeedWitnesses && len(j.Witnesses) < k {
		lacks = append(lacks, fmt.Sprintf("%d of the %d witnesses asked for", len(j.Witnesses), k))
	}
	if k := j.trust.quorum[roleReplay]; need >= NeedReplays && len(j.Replays) < k {
		lacks = append(lacks, fmt.Sprintf("%d of the %d auditors asked for", len(j.Replays), k))
	}
	if lacks == nil {
		return nil
	}
	return fmt.Errorf("%w, but by %s", ErrUnsigned, strings.Join(lacks, ", "))
}

// WitnessedAt is when the quorum of witnesses had cosigned, by their clocks: as many of them as the trust asks for say
// this time or a later one. The zero time if fewer cosigned.
func (j Judgement) WitnessedAt() time.Time {
	if j.trust == nil || len(j.Witnesses) < j.trust.quorum[roleWitness] {
		return time.Time{}
	}
	latest := slices.SortedFunc(slices.Values(j.Witnesses), func(a, b Cosignature) int { return b.Time.Compare(a.Time) })
	return latest[j.trust.quorum[roleWitness]-1].Time
}

// JudgeManifest says which keys for manifests signed a text about this origin, and how many signatures are by keys
// that the trust does not name. The error is nil, or wraps [ErrSignature] if a key that the trust names did not
// make its signature.
func (t *Trust) JudgeManifest(origin string, text []byte, signatures []Signature) (signed []Key, unknown int, err error) {
	for _, s := range signatures {
		k := t.find(s.Key)
		if k == nil {
			if k = t.disguised(s, text); k != nil {
				return nil, unknown, errDisguised(k)
			}
			unknown++
			continue
		}
		if _, ok := k.verify(text, s.Bytes); !ok {
			return nil, unknown, fmt.Errorf("%w: that of %s", ErrSignature, k.Key)
		}
		if k.role == roleBundle && origin == t.origin {
			signed = append(signed, k.Key)
		}
	}
	return signed, unknown, nil
}
