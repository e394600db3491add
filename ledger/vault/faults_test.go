package vault

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/imalink/custody/ledger/stream"
)

// A mishap is something that goes wrong at one step of a change of keys.
type mishap struct {
	name   string
	device bool // only where there is a device
	arm    func(s *scene)
	want   error // nil: whatever halts
	after  bool  // whether the change has happened, once the vault is opened again
}

// mishaps are one of every step, not done and done but the answer lost.
func mishaps() []mishap {
	device := func(method string, f fault) func(*scene) {
		return func(s *scene) { s.device.fails[method] = &f }
	}
	log := func(stored int, err error) func(*scene) {
		return func(s *scene) {
			s.log.fail = func(_, messages int) (int, error) { return min(stored, messages), err }
		}
	}
	escrow := func(fails ...*fault) func(*scene) { return func(s *scene) { s.escrow.fails = fails } }
	return []mishap{
		{"device seals nothing", true, device("Wrap", fault{}), stream.ErrRejected, false},
		{"device's answer is lost", true, device("Wrap", fault{done: true}), stream.ErrRejected, false},
		{"device seals another key", true, func(s *scene) { s.device.twist = true }, stream.ErrRejected, false},
		{"stream rejects", false, log(0, errRejected), stream.ErrRejected, false},
		{"stream stores nothing", false, log(0, errLost), nil, false},
		{"stream stores a part", false, log(1, errLost), nil, false},
		{"stream stores all, answer lost", false, log(99, errLost), nil, false},
		{"escrow takes nothing", false, escrow(&fault{}), ErrAbandoned, false},
		{"escrow's answer is lost", false, escrow(&fault{done: true}), ErrAbandoned, false},
		{"escrow takes nothing, twice", false, escrow(&fault{}, &fault{}), ErrAbandoned, false},
		{"escrow's answer is lost, then it takes nothing", false, escrow(&fault{done: true}, &fault{}), ErrAbandoned, false},
		{"root is not written", false, rootWrite(1, 0), nil, false},
		{"root is half written", false, rootWrite(1, 60), nil, false},
		{"root is written, answer lost", false, rootWrite(1, slotSize), nil, true},
		{"device keeps all", true, device("Keep", fault{}), nil, true},
		{"device keeps one, answer lost", true, device("Keep", fault{done: true}), nil, true},
		{"old root is not zeroed", false, rootWrite(2, 0), nil, true},
		{"old root is half zeroed", false, rootWrite(2, 40), nil, true},
		{"old root is zeroed, answer lost", false, rootWrite(2, slotSize), nil, true},
		{"index is not written", false, indexWrite, nil, true},
	}
}

// rootWrite fails the n-th write of a slot, after so many bytes of it.
func rootWrite(n, written int) func(*scene) {
	return func(s *scene) {
		writes := 0
		s.Vault.root.write = func(path string, at int, b []byte) error {
			if writes++; writes != n {
				return overwrite(path, at, b)
			}
			file, err := os.ReadFile(path)
			must(s.t, err)
			copy(file[at*slotSize:], b[:written])
			must(s.t, os.WriteFile(path, file, 0o600))
			return errFault
		}
	}
}

// indexWrite takes the index away once the old root is destroyed.
func indexWrite(s *scene) {
	n := 0
	s.Vault.root.write = func(path string, at int, b []byte) error {
		if n++; n == 2 {
			s.Vault.index.db = new(bbolt.DB) // not open
		}
		return overwrite(path, at, b)
	}
}

// A changing plans a change of keys to be interrupted. done is what making it
// again returns once it has happened.
type changing struct {
	before func(s *scene) // nil: nothing
	plan   func(s *scene) (do func() error)
	done   error
}

func changings() map[string]changing {
	erase := func(stays map[Identifier][]Chain) func(*scene) func() error {
		return func(s *scene) func() error {
			e := s.rows("candidate:2", stays)
			return func() error { _, err := s.Erase(s.t.Context(), e); return err }
		}
	}
	forget := func(before Month) func(s *scene) func() error {
		return func(s *scene) func() error {
			f := Forgetting{Class: march.Class, Before: before, Pending: []byte("forgotten")}
			for _, id := range []Identifier{"candidate:5", "candidate:6"} {
				row, err := s.RowOf(id)
				must(s.t, err)
				f.Held = append(f.Held, row)
			}
			return func() error { _, _, err := s.Forget(s.t.Context(), f); return err }
		}
	}
	once := func(s *scene) { must(s.t, forget(april.Month)(s)()) }
	partly := map[Identifier][]Chain{"candidate:2": {{march.Class, Actor}}, "candidate:3": {{legal.Class, Subject}}}
	return map[string]changing{
		"erase":        {nil, erase(nil), ErrGone},
		"erase partly": {once, erase(partly), ErrGone},
		"forget":       {nil, forget(april.Month), nil},
		"forget more":  {once, forget(april.Month + 1), nil},
	}
}

// Whatever goes wrong, at whatever step, the vault is exactly as before the change
// or exactly as after, at once and when it is opened again; so is what is in
// escrow; and the change can be made again.
func TestChangeFaults(t *testing.T) {
	for name, c := range changings() {
		for _, device := range []bool{false, true} {
			if !device && name != "erase" {
				continue // no step differs for what is changed
			}
			with := func() bench {
				b := bench{escrow: &escrow{}, unsynced: true}
				if device {
					b.device = newDevice()
				}
				return b
			}
			begin := func(t *testing.T) *scene {
				s := newScene(t, with())
				if c.before != nil {
					c.before(s)
				}
				return s
			}
			s := begin(t)
			before := s.answers()
			must(t, c.plan(s)())
			after := s.answers()
			if before == after {
				t.Fatal("the change changes nothing")
			}
			for _, m := range mishaps() {
				if m.device && !device {
					continue
				}
				for _, crash := range []bool{false, true} {
					if !crash && m.want == nil {
						continue // it halts
					}
					t.Run(fmt.Sprintf("%s/%s/device=%t,crash=%t", name, m.name, device, crash), func(t *testing.T) {
						meet(t, begin(t), c, m, crash, before, after)
					})
				}
			}
		}
	}
}

func meet(t *testing.T, s *scene, c changing, m mishap, crash bool, before, after string) {
	do, index := c.plan(s), s.Vault.index.db
	m.arm(s)
	err := do()
	if m.want == nil {
		m.want = ErrHalted
	}
	wantErr(t, err, m.want)
	s.disarm()
	s.Vault.index.db = index
	same(t, "what readers are told before it is opened again", s.answers(), before)
	if crash {
		s.crash()
		s.open()
		s.inEscrow()
	}
	if crash || m.want != ErrHalted {
		s.sound()
	}
	want := before
	if m.after {
		want = after
	}
	same(t, "the vault", s.answers(), want)
	equal(t, "a root is left to be destroyed", s.Vault.root.rest, false)
	if err = do(); m.after {
		wantErr(t, err, c.done)
	} else {
		must(t, err)
	}
	for range 2 {
		same(t, "the vault in the end", s.answers(), after)
		s.inEscrow()
		if s.device != nil {
			equal(t, "keys in the device", len(s.device.keys), 1)
		}
		s.sound()
		s.crash()
		s.open()
	}
}

// inEscrow checks that the root in force is in escrow, and opens the vault.
func (s *scene) inEscrow() {
	s.t.Helper()
	equal(s.t, "version in escrow", s.escrow.last.Version, s.Vault.root.Version())
	s.escrow.restores(s.bench)
}

// same compares two lists of answers.
func same(t testing.TB, what, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s is not as it should be, in line %d:\n got %s\nwant %s", what, i, g[i], w[min(i, len(w)-1)])
		}
	}
	equal(t, what+": lines", len(g), len(w))
}

// disarm lets everything succeed again.
func (s *scene) disarm() {
	s.log.fail, s.escrow.fails = nil, nil
	if s.device != nil {
		s.device.fails, s.device.twist = map[string]*fault{}, false
	}
}
