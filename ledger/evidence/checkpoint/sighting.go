package checkpoint

import (
	"fmt"
	"slices"
	"time"
)

// sightingText is what a sighting is signed over. It has seven lines and no root on the third, so it passes for no
// checkpoint.
func sightingText(signed, shown Checkpoint) []byte {
	return slices.Concat([]byte("custody-shown-less/v1\n"), signed.Body(), shown.Body())
}

// Saw says that at this time, in whole seconds, a log showed a checkpoint as its newest, after it had signed a larger one
// (docs/FORMAT.md, "Proof", type 21). Whoever calls it has seen both. The error wraps [ErrFormat].
func (s Cosigner) Saw(signed, shown Checkpoint, at time.Time) (Signature, error) {
	for _, c := range []Checkpoint{signed, shown} {
		if err := c.Check(); err != nil {
			return Signature{}, err
		}
	}
	return s.cosign(sightingText(signed, shown), at)
}

// A Sighting is who says that they saw it.
type Sighting struct {
	Judgement
}

// JudgeSighting says whose signatures say that a log showed less than it had signed for. Those of witnesses count. A nil
// trust knows no key.
func (t *Trust) JudgeSighting(signed, shown Checkpoint, signatures []Signature) Sighting {
	return Sighting{t.judge(sightingText(signed, shown), Note{Checkpoint: signed, Signatures: signatures})}
}

// Lacks is nil if as many witnesses saw it as the trust asks for. Else it wraps [ErrSignature] if a signature is false, or
// [ErrUnsigned].
func (s Sighting) Lacks() error {
	switch {
	case s.Bad != nil:
		return s.Bad
	case s.trust == nil:
		return fmt.Errorf("%w: no trust file says whose word it is that it was shown", ErrUnsigned)
	case len(s.Witnesses) < s.trust.quorum[roleWitness]:
		return fmt.Errorf("%w: that it was shown is the word of %d of the %d witnesses asked for", ErrUnsigned, len(s.Witnesses), s.trust.quorum[roleWitness])
	}
	return nil
}
