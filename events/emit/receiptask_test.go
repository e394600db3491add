package emit_test

import (
	"errors"
	"testing"

	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

func FuzzReadReceipt(f *testing.F) {
	for _, c := range evidencetest.Honest()[:3] {
		f.Add(c.Proof)
	}
	f.Fuzz(func(t *testing.T, proof []byte) {
		if r, err := emit.ReadReceipt(proof, evidencetest.Trust()); err == nil && (r.Position == 0 || r.Position > r.Checkpoint.Size) {
			t.Errorf("a receipt of position %d under %d", r.Position, r.Checkpoint.Size)
		}
	})
}

func FuzzReceiptFrames(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, answer []byte) {
		if n, err := emit.FrameCount(answer); err == nil && n*12 > len(answer) {
			t.Errorf("%d receipts in %d bytes", n, len(answer))
		}
	})
}

// TestReceiptFrames: what is no answer of many receipts.
func TestReceiptFrames(t *testing.T) {
	frame := func(position byte, rest ...byte) []byte {
		return append([]byte{0, 0, 0, 0, 0, 0, 0, position, 0, 0, 0}, rest...)
	}
	for name, test := range map[string]struct {
		answer []byte
		want   int
	}{
		"none":           {nil, 0},
		"two":            {append(frame(1, 1, 'a'), frame(2, 0)...), 2},
		"out of order":   {append(frame(2, 1, 'a'), frame(1, 0)...), -1},
		"twice":          {append(frame(1, 0), frame(1, 0)...), -1},
		"of nothing":     {frame(0, 0), -1},
		"cut off":        {frame(1, 2, 'a'), -1},
		"a head cut":     {frame(1), -1},
		"another's page": {[]byte("<html>Welcome</html>"), -1},
	} {
		n, err := emit.FrameCount(test.answer)
		if p, foreign := errors.AsType[*emit.Problem](err); err == nil && n != test.want || err != nil && (test.want >= 0 || !foreign || p.Word != "") {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}
