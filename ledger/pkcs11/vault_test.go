//go:build cgo

package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

// A place is a vault on a real server whose root a device seals.
type place struct {
	t      *testing.T
	server *natsd.Server
	log    *stream.Stream
	dir    string
	escrow vault.EscrowedRoot
	*vault.Vault
}

const (
	placeStream  = "CUSTODY_T_VAULT"
	placeSubject = "custody.t.vault"
	class        = 1 // retention class of everything here
)

func newPlace(t *testing.T, d *Device) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	cfg := natsd.Config{Dir: filepath.Join(p.dir, "nats"), Streams: []string{placeStream}, Quarantine: filepath.Join(p.dir, "quarantine")}
	sc := stream.Config{Name: placeStream, Subjects: []string{placeSubject + ".>"}}
	must(t, natsd.Create(t.Context(), cfg, []stream.Config{sc}))
	var err error
	p.server, _, err = natsd.Start(t.Context(), cfg)
	must(t, err)
	p.log, err = stream.Open(t.Context(), p.server.Conn(), p.server.Guard(sc))
	must(t, err)
	t.Cleanup(func() { must(t, errors.Join(p.log.Close(), p.server.Stop(context.Background()))) })
	must(t, vault.CreateRoot(p.root(), d))
	root, err := vault.OpenRoot(p.root(), d)
	must(t, err)
	must(t, vault.Create(t.Context(), p.log, placeSubject, root))
	must(t, p.open(d))
	return p
}

func (p *place) root() string { return filepath.Join(p.dir, "root") }

func (p *place) open(d *Device) error {
	root, err := vault.OpenRoot(p.root(), d)
	if err != nil {
		return err
	}
	p.Vault, err = vault.Open(p.t.Context(), vault.Options{
		Log: p.log, Root: root, Subject: placeSubject, IndexPath: filepath.Join(p.dir, "vault.db"),
		Confirm: func(uint64) ([16]byte, bool, error) { return [16]byte{}, false, nil },
		Escrow:  func(_ context.Context, r vault.EscrowedRoot) error { p.escrow = r; return nil },
	})
	return err
}

func person(n int) vault.Identifier { return vault.Identifier(fmt.Sprint("candidate:", n)) }

func (p *place) record(people int) {
	p.t.Helper()
	b := p.Begin()
	c, err := b.Cell(vault.CellID{Class: class, Role: vault.Subject, Month: 24315})
	must(p.t, err)
	for n := range people {
		_, _, err := b.Tag(c, person(n))
		must(p.t, err)
	}
	must(p.t, b.Flush(p.t.Context(), 0))
	b.Commit()
}

func (p *place) erase(n int) error {
	p.t.Helper()
	rows, _, err := p.RowsOf(person(n))
	must(p.t, err)
	e := vault.Erasing{Rows: map[vault.PersonID][]vault.Chain{}}
	for _, row := range rows {
		e.Rows[row] = nil
	}
	_, err = p.Erase(p.t.Context(), e)
	return err
}

func (p *place) known(n int, want bool) {
	p.t.Helper()
	_, known, err := p.Lookup(person(n))
	must(p.t, err)
	if known != want {
		p.t.Fatalf("person %d known: %t, want %t", n, known, want)
	}
}

// TestVault erases in a vault whose root the device seals: what was copied before,
// root file and escrow, opens nothing afterwards, with the device at hand.
func TestVault(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	p := newPlace(t, d)
	p.record(50)
	copied, err := os.ReadFile(p.root())
	must(t, err)
	escrowed := p.escrow
	for n := range 3 {
		must(t, p.erase(n))
		equal(t, "keys", ids(t, d), []string{keyID(testLedger, uint64(n+2))})
	}
	must(t, p.Vault.Close())
	must(t, d.Close())

	d = s.device(testLedger) // another process
	must(t, p.open(d))
	p.known(2, false)
	p.known(3, true)
	must(t, p.Vault.Close())
	again := filepath.Join(t.TempDir(), "root")
	must(t, vault.RestoreRoot(again, p.escrow.Reveal(), d))
	must(t, os.WriteFile(p.root(), copied, 0o600))
	wantErr(t, p.open(d), vault.ErrGone)
	wantErr(t, vault.RestoreRoot(again+"-old", escrowed.Reveal(), d), vault.ErrGone)
	must(t, os.Rename(again, p.root()))
	must(t, p.open(d))
	p.known(3, true)
	must(t, p.Vault.Close())
}

// TestVaultFaults erases while the device fails at each of its calls: the next
// opening finds the vault before or after, with nobody else touched and the keys
// of one root in the device.
func TestVaultFaults(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	p := newPlace(t, s.device(testLedger))
	p.record(100)
	must(t, p.Vault.Close())
	n, passed := 0, 0
	for call, more := 1, true; more; call++ {
		d := s.device(testLedger)
		must(t, p.open(d))
		calls := 0
		fail := func(string, int) error {
			if calls++; calls >= call { // and from then on: the device is gone
				return p11.Error(p11.CKR_DEVICE_ERROR)
			}
			return nil
		}
		d.module = &faulty{cryptoki: s.raw, before: fail}
		if call%2 == 0 {
			d.module = &faulty{cryptoki: s.raw, after: fail}
		}
		err := p.erase(n)
		if more = calls >= call; (err == nil) == more {
			t.Fatalf("call %d: error %v", call, err)
		}
		d.module = s.raw
		must(t, errors.Join(p.Vault.Close(), d.Close()))

		d = s.device(testLedger) // another process
		must(t, p.open(d))
		halted := errors.Is(err, vault.ErrHalted)
		p.known(n, err != nil && !halted)
		if err != nil && !halted {
			must(t, p.erase(n)) // again: nothing stands in its way
		}
		if halted {
			passed++
		}
		p.known(n, false)
		p.known(n+1, true)
		equal(t, "number of keys", len(ids(t, d)), 1)
		must(t, errors.Join(p.Vault.Close(), d.Close()))
		n++
	}
	if passed < 4 || passed > n-4 {
		t.Fatalf("of %d erasures that the device disturbed, %d had passed the commit point", n-1, passed)
	}
}
