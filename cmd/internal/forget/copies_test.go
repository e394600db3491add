package forget

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/vault"
)

// escrowTo is the public key of the identity in docs/FORMAT.md.
const escrowTo = "age1jzas5x333e59u7y8tspkr5q8sstt7q36tck7s7jhdhfnmsdsgcnszzhywr"

// shipped is small, with a backup and an escrow.
func shipped(t *testing.T) *rig {
	r := small(t)
	r.close()
	dir := t.TempDir()
	r.cfg.Ship = ledger.Shipper{Backup: filepath.Join(dir, "backup"), Escrow: filepath.Join(dir, "escrow"), Recipients: []string{escrowTo}}
	r.open()
	r.Office.Ship = r.cfg.Ship
	return r
}

// copies is what a certificate says of copies, each as "kind state former root".
func (r *rig) copies(c *report.Certificate) string {
	r.t.Helper()
	var list []string
	for _, x := range c.Copies {
		if found := !x.Found.IsZero(); found != (x.Root != 0) {
			r.t.Errorf("%s: found is %t", x.Kind, found)
		}
		list = append(list, fmt.Sprint(x.Kind, " ", x.State, " ", x.Former, " ", x.Root))
	}
	return strings.Join(list, ", ")
}

func (r *rig) wantCopies(what, want string, c *report.Certificate) {
	r.t.Helper()
	if got := r.copies(c); got != want {
		r.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func nowOf(id string) Request {
	q := asked(id)
	q.Now = true
	return q
}

// TestNoCopies: where there is neither escrow nor backup that is said, and that
// nobody knows what somebody copied.
func TestNoCopies(t *testing.T) {
	r := small(t)
	const want = "escrow none 0 0, backup none 0 0, other unknown 1 0"
	r.wantCopies("planned", want, r.paper(r.Plan(t.Context(), dpo(), asked(zulu))))
	opened := r.erase(asked(zulu))
	r.wantCopies("opened", want, opened)
	r.wantCopies("carried out", want, r.paper(r.Shred(t.Context(), dpo(), opened.Erasure.Position, "")))
	r.wantCopies("another", strings.Replace(want, "1", "2", 1), r.paper(r.Plan(t.Context(), dpo(), asked(yankee))))
	r.wantCopies("issued again", want, r.paper(r.Certificate(t.Context(), dpo(), opened.Erasure.Position, "")))
}

// TestCopies: an escrow and a backup are due until keys are destroyed, and done once
// they were found to have what followed; whatever is found otherwise is due.
func TestCopies(t *testing.T) {
	r := shipped(t)
	const due, done = "escrow due 1 0, backup due 1 0, other unknown 1 0", "escrow done 1 2, backup done 1 2, other unknown 1 0"
	former, err := os.ReadFile(r.cfg.Ship.Escrow)
	r.must(err)
	state := filepath.Join(r.cfg.Ship.Backup, "state.json")
	before, err := os.ReadFile(state)
	r.must(err)
	r.wantCopies("planned", due, r.paper(r.Plan(t.Context(), dpo(), asked(zulu))))
	r.wantCopies("opened", due, r.erase(asked(zulu)))
	c := r.erase(nowOf(zulu))
	r.wantCopies("carried out", done, c)
	again := func() *report.Certificate {
		return r.unnamed(r.Certificate(t.Context(), dpo(), c.Erasure.Position, ""))
	}
	r.wantCopies("issued again", done, again())
	for _, spoil := range []struct{ name, path, want, with string }{
		{"the former root is in escrow", r.cfg.Ship.Escrow, "escrow due 1 1, backup done 1 2, other unknown 1 0", string(former)},
		{"no escrow", r.cfg.Ship.Escrow, "escrow due 1 0, backup done 1 2, other unknown 1 0", ""},
		{"the escrow of another ledger", r.cfg.Ship.Escrow, "escrow due 1 0, backup done 1 2, other unknown 1 0", escrowOf},
		{"a backup from before", state, "escrow done 1 2, backup due 1 0, other unknown 1 0", string(before)},
		{"no backup", state, "escrow done 1 2, backup due 1 0, other unknown 1 0", ""},
	} {
		kept, err := os.ReadFile(spoil.path)
		r.must(err)
		r.must(os.WriteFile(spoil.path, []byte(spoil.with), 0o600))
		r.wantCopies(spoil.name, spoil.want, again())
		r.must(os.WriteFile(spoil.path, kept, 0o600))
	}
	r.wantCopies("another", "escrow done 2 3, backup done 2 3, other unknown 2 0", r.erase(nowOf(yankee)))
	r.wantCopies("of the first, later", strings.Replace(done, "done 1 2", "done 1 3", 1), again())
	r.wantCopies("after a retention", "escrow done 3 4, backup done 3 4, other unknown 3 0",
		r.unnamed(r.Retain(t.Context(), dpo(), Period{events.Access, mustMonth(t, "2025-02")}, "", "")))
}

// escrowOf is the sample of docs/FORMAT.md, of root version 3 of a ledger that this is
// not.
const escrowOf = `{"format":1,"ledger":"000102030405060708090a0b0c0d0e0f","root":3,"sealed":"YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBuYkJmR0NjNTA3cS92eVdFNWtNSFc4RWs2S2hzaDA1NVBjdVhHN1RxdlhNCjE4NHVHM0NyTStQU2RGTUN1K1ZHWnZ6Sm93TVBVZ3JZQW9ucEQxTzVmalEKLS0tIHUxdHFmVElyUll6V2pUODhuZHVtd05pNWtlTkVERHhOaWZLK2NEalBwVnMKcYeXr3nLGSLlrOUQmHXe5mXvteMedWwOUAtgHFO/LgbQOnWKsSTgP1vkxmf/L9Ff2Q+Vv0vE2mRD4K2ntihqqfA1OyCmZBzt9CDPRgDATSzhqAc+tGy6Ypw3mUxdtpU4NMp69ENKJiybOvKjM1ZP6QNp5INfJBVaeZT1Sz82D9A=","sum":"c421d5b3eef1fcdbb45ae5b7d535997c99f33af69c0a2ffe4643ef7b1b242e32"}
`

// keyRing is a device in memory. It has a key of each version, which it hides the
// root with.
type keyRing map[uint64][]byte

func (k keyRing) Wrap(version uint64, root []byte) ([]byte, error) {
	k[version] = bytes.Repeat([]byte{byte(version) + 7}, len(root))
	return k.Unwrap(version, root)
}

func (k keyRing) Unwrap(version uint64, sealed []byte) ([]byte, error) {
	if k[version] == nil {
		return nil, vault.ErrGone
	}
	out := bytes.Clone(sealed)
	for i := range out {
		out[i] ^= k[version][i]
	}
	return out, nil
}

func (k keyRing) Keep(version uint64) error {
	maps.DeleteFunc(k, func(other uint64, _ []byte) bool { return other != version })
	return nil
}

// TestDevice: that a device has no key of before is said by who destroyed it, and not
// by who has not looked.
func TestDevice(t *testing.T) {
	r := newRig(t)
	r.close()
	dir, device := t.TempDir(), keyRing{}
	r.cfg.Data, r.cfg.Keys, r.folder = filepath.Join(dir, "data"), filepath.Join(dir, "keys"), filepath.Join(dir, "views")
	r.cfg.Device = func(string) (vault.Wrapper, error) { return device, nil }
	r.must(os.Mkdir(r.folder, 0o700))
	r.must(ledger.Create(t.Context(), r.cfg))
	r.open()
	r.Office.Device = true
	r.looked(january, whiskey, zulu)
	opened := r.erase(asked(zulu))
	r.wantCopies("opened", "escrow none 0 0, backup none 0 0, device due 1 0, other unknown 1 0", opened)
	r.wantCopies("carried out", "escrow none 0 0, backup none 0 0, device done 1 2, other unknown 1 0", r.erase(nowOf(zulu)))
	if len(device) != 1 || device[2] == nil {
		t.Errorf("the device has %d keys", len(device))
	}
	r.wantCopies("issued again", "escrow none 0 0, backup none 0 0, device unknown 1 0, other unknown 1 0",
		r.unnamed(r.Certificate(t.Context(), dpo(), opened.Erasure.Position, "")))
}

// TestBackupTakesItsTurn: no backup is made while keys change, which takes rows to it, and no key changes while one is made.
func TestBackupTakesItsTurn(t *testing.T) {
	r := small(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	changes := 0
	r.Before = func(context.Context) error {
		changes++
		if len(r.copying) != 1 {
			t.Error("a backup could begin")
		}
		if _, err := r.Backup(gone, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a backup does not wait: %v", err)
		}
		return nil
	}
	q := asked(alias)
	q.Now = true
	r.must(failure(r.Erase(t.Context(), dpo(), q)))
	r.must(failure(r.retainedBefore(events.Access, "2025-02")))
	if changes != 2 {
		t.Errorf("keys changed %d times", changes)
	}
	end, err := r.alone(t.Context())
	r.must(err)
	defer end()
	r.fails(failure(r.Retain(gone, dpo(), Period{events.Access, mustMonth(t, "2025-03")}, "", "")), context.Canceled)
}
