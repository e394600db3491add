package vault

import (
	"errors"
	"strings"
	"testing"
)

// A change whose root does not reach the escrow is given up, as often as it is
// tried, and the one in force is escrowed again, whatever the escrow has.
func TestAbandoned(t *testing.T) {
	for name, f := range map[string]fault{"takes nothing": {}, "answer lost": {done: true}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, bench{escrow: &escrow{}, unsynced: true})
			before := s.answers()
			for n := range 3 {
				s.escrow.fails = []*fault{&f}
				_, err := s.Erase(t.Context(), s.rows("candidate:2", nil))
				wantErr(t, err, ErrAbandoned)
				wantErr(t, err, errFault)
				same(t, "the vault", s.answers(), before)
				s.inEscrow()
				equal(t, "next version", s.Next(), uint64(3+n))
				s.record(march, "candidate:8") // the vault goes on
				s.said = s.said[:len(s.said)-1]
				if n == 1 {
					s.crash()
					s.open()
				}
			}
			root, err := s.Erase(t.Context(), s.rows("candidate:2", nil))
			must(t, err)
			equal(t, "root version", root, 5)
			s.inEscrow()
		})
	}
}

// If the one in force cannot be escrowed again, both errors are told.
func TestAbandonedTwice(t *testing.T) {
	s := newScene(t, bench{escrow: &escrow{}, unsynced: true})
	s.escrow.fails = []*fault{{}, {}}
	_, err := s.Erase(t.Context(), s.rows("candidate:2", nil))
	wantErr(t, err, ErrAbandoned)
	if text := err.Error(); !strings.Contains(text, "root version 1") || !strings.Contains(text, "root version 2") {
		t.Error(text)
	}
}

// Open has the root in force escrowed, or fails; then the next one succeeds.
func TestEscrowAtOpen(t *testing.T) {
	s := newScene(t, bench{escrow: &escrow{}, unsynced: true})
	before := s.answers()
	equal(t, "calls", len(s.escrow.given), 1)
	for _, f := range []fault{{}, {done: true}} {
		s.crash()
		s.escrow.fails = []*fault{&f}
		v, err := Open(t.Context(), s.options())
		if err == nil {
			must(t, v.Close())
		}
		if !errors.Is(err, errFault) {
			t.Errorf("opening without the escrow: %v", err)
		}
		s.open()
		s.inEscrow()
		equal(t, "sequence that a copy must reach", s.escrow.last.Last, s.log.Last())
		same(t, "the vault", s.answers(), before)
	}
}
