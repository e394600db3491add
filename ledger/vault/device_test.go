package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

var errFault = errors.New("fault")

// A fault makes one call fail: before it did anything, or after.
type fault struct{ done bool }

// hit says whether the call fails now, given whether it has done what it does.
func (f *fault) hit(done bool) bool { return f != nil && f.done == done }

// A device is a Wrapper in memory that fails on demand.
type device struct {
	keys  map[uint64]key
	fails map[string]*fault // by method
	twist bool              // Unwrap returns another key
}

func newDevice() *device { return &device{keys: map[uint64]key{}, fails: map[string]*fault{}} }

func (d *device) Wrap(version uint64, root []byte) ([]byte, error) {
	if d.fails["Wrap"].hit(false) {
		return nil, errFault
	}
	k := newKey()
	d.keys[version] = k
	if d.fails["Wrap"].hit(true) {
		return nil, errFault
	}
	a, err := k.aead()
	return a.Seal(nil, make([]byte, 12), root, fmt.Append(nil, version)), err
}

func (d *device) Unwrap(version uint64, sealed []byte) ([]byte, error) {
	if d.fails["Unwrap"].hit(false) {
		return nil, errFault
	}
	k, ok := d.keys[version]
	if !ok {
		return nil, fmt.Errorf("no such key: %w", ErrGone)
	}
	if d.twist {
		return make([]byte, 32), nil
	}
	a, err := k.aead()
	if err != nil {
		return nil, err
	}
	return a.Open(nil, make([]byte, 12), sealed, fmt.Append(nil, version))
}

func (d *device) Keep(version uint64) error {
	if d.fails["Keep"].hit(false) {
		return errFault
	}
	maps.DeleteFunc(d.keys, func(v uint64, _ key) bool { return v != version })
	if d.fails["Keep"].hit(true) {
		return errFault
	}
	return nil
}

// An escrow keeps the last root it was given, and fails on demand.
type escrow struct {
	last  EscrowedRoot
	given []EscrowedRoot // in order
	fails []*fault       // of the calls to come
}

func (e *escrow) take(_ context.Context, r EscrowedRoot) error {
	var f *fault
	if len(e.fails) > 0 {
		f, e.fails = e.fails[0], e.fails[1:]
	}
	if f.hit(false) {
		return errFault
	}
	e.last, e.given = r, append(e.given, r)
	if f.hit(true) {
		return errFault
	}
	return nil
}

// restores checks that what is in escrow opens the stream, up to where it says,
// in another place.
func (e *escrow) restores(b *bench) {
	b.t.Helper()
	dir := b.t.TempDir()
	again := *b
	again.root, again.index, again.escrow, again.log = filepath.Join(dir, "root"), filepath.Join(dir, "vault.db"), nil, &memLog{messages: b.log.messages[:e.last.Last]}
	must(b.t, RestoreRoot(again.root, e.last.Reveal(), b.wrapper()))
	v, err := Open(b.t.Context(), again.options())
	must(b.t, err)
	must(b.t, v.Close())
	wantErr(b.t, RestoreRoot(again.root, e.last.Reveal(), b.wrapper()), ErrExists)
}

func TestDevice(t *testing.T) {
	d := newDevice()
	b := newBenchWith(t, bench{device: d})
	file := func() []byte {
		t.Helper()
		data, err := os.ReadFile(b.root)
		must(t, err)
		return data
	}
	first := file()
	b.tag(march, "candidate:1")
	for version := uint64(2); version < 5; version++ {
		live := b.Vault.root.live.key
		if bytes.Contains(file(), live[:]) {
			t.Fatal("the root is in its file")
		}
		must(t, b.Rekey(t.Context(), []uint8{1}))
		equal(t, "version", b.Vault.root.Version(), version)
		equal(t, "keys in the device", len(d.keys), 1)
		b.reopen()
	}
	must(t, b.Close())
	b.Vault = nil
	last := file()
	_, err := OpenRoot(b.root, nil)
	wantErr(t, err, ErrMissingRoot)
	must(t, os.WriteFile(b.root, first, 0o600))
	_, err = OpenRoot(b.root, d)
	wantErr(t, err, ErrGone)
	wantErr(t, err, ErrMissingRoot)
	must(t, os.WriteFile(b.root, last, 0o600))
	d.fails["Unwrap"] = &fault{}
	_, err = OpenRoot(b.root, d)
	wantErr(t, err, errFault)
	delete(d.fails, "Unwrap")
	b.open()
	b.sound()
}

// A root file made without a device goes on with one: the next root is sealed.
// What was sealed does not go back.
func TestDeviceFromNowOn(t *testing.T) {
	b := newBench(t)
	b.tag(march, "candidate:1")
	must(t, b.Close())
	b.device = newDevice()
	b.open()
	must(t, b.Rekey(t.Context(), nil))
	b.reopen()
	live := b.Vault.root.live.key
	data, err := os.ReadFile(b.root)
	must(t, err)
	equal(t, "root in its file", bytes.Contains(data, live[:]), false)
	_, err = OpenRoot(b.root, nil)
	wantErr(t, err, ErrMissingRoot)
}

// Nothing of a root file that could not be made is left, and the device is not
// asked for one that is there.
func TestDeviceFailsAtCreation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root")
	d := newDevice()
	for name, f := range map[string]*fault{"Wrap": {}, "Unwrap": {}} {
		d.fails[name] = f
		wantErr(t, CreateRoot(path, d), errFault)
		delete(d.fails, name)
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("a file is left: %v", err)
		}
	}
	d.twist = true
	wantErr(t, CreateRoot(path, d), ErrDamaged)
	d.twist = false
	must(t, CreateRoot(path, d))
	k := d.keys[1]
	wantErr(t, CreateRoot(path, d), ErrExists)
	equal(t, "key in the device", d.keys[1], k)
}

// Wherever a write of a sealed slot is cut, in whatever order its sectors were
// written, one key is in force.
func TestSealedSlotTorn(t *testing.T) {
	d := newDevice()
	one, two := rootKey{version: 1, key: key{1}}, rootKey{version: 2, key: key{2}}
	first, err := fill(one, d)
	must(t, err)
	second := slot{version: 2, sealed: make([]byte, 3000)}
	copy(second.sealed[1000:], two.key[:])
	open := func(torn []byte, want rootKey) {
		t.Helper()
		r, err := decodeRoot(append(append([]byte{}, torn...), first.padded()...), d)
		must(t, err)
		equal(t, "in force", r.live, want)
		equal(t, "rest", r.rest, true)
	}
	whole := second.padded()
	for cut := 1; cut < slotHead+3000+32; cut += 17 {
		torn := make([]byte, slotSize)
		copy(torn, whole[:cut])
		open(torn, one)
		torn = bytes.Clone(whole) // the first sectors were not written
		clear(torn[:cut])
		open(torn, one)
	}
	_, err = decodeRoot(append(whole, first.padded()...), d)
	wantErr(t, err, ErrGone) // it is whole, so it is in force, but the device never had it
}

func TestRestoreRootRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root")
	d := newDevice()
	sealed, err := fill(rootKey{version: 3, key: key{3}}, d)
	must(t, err)
	good := plain(rootKey{version: 2, key: key{2}}).append(nil)
	for name, tc := range map[string]struct {
		revealed []byte
		want     error
	}{
		"nothing": {nil, ErrDamaged}, "zeros": {make([]byte, 88), ErrDamaged}, "cut": {good[:87], ErrDamaged}, "padded": {append(bytes.Clone(good), 0), ErrDamaged},
		"too long": {make([]byte, slotSize+1), ErrDamaged}, "no device": {sealed.append(nil), ErrMissingRoot},
	} {
		if err := RestoreRoot(path, tc.revealed, nil); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := bytes.Clone(good)
	bad[30] ^= 1
	wantErr(t, RestoreRoot(path, bad, nil), ErrDamaged)
	wantErr(t, RestoreRoot(path, sealed.append(nil), newDevice()), ErrGone)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a file is left: %v", err)
	}
	must(t, RestoreRoot(path, sealed.append(nil), d))
	r, err := OpenRoot(path, d)
	must(t, err)
	equal(t, "restored", r.live, rootKey{version: 3, key: key{3}})
}
