package escrow

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
)

const (
	ledgerID = "000102030405060708090a0b0c0d0e0f"
	otherID  = "ffffffffffffffffffffffffffffffff"
)

// root is a root whose slot says its version.
func root(version uint64) Root {
	return NewRoot(ledgerID, version, bytes.Repeat([]byte(fmt.Sprintf("slot %03d ", version)), 11))
}

// person is somebody a root is sealed to.
func person(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func newFile(t testing.TB, path string, to ...*age.X25519Identity) *File {
	t.Helper()
	var text []string
	for _, id := range to {
		text = append(text, id.Recipient().String())
	}
	recipients, err := ParseRecipients(text)
	if err != nil {
		t.Fatal(err)
	}
	return NewFile(path, recipients)
}

func mustPut(t testing.TB, f *File, version uint64) {
	t.Helper()
	if err := f.Put(root(version)); err != nil {
		t.Fatal(err)
	}
}

func mustHold(t testing.TB, path string, id age.Identity, versions ...uint64) uint64 {
	t.Helper()
	r, err := Read(path, []age.Identity{id})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(versions, r.Version) || r.Ledger != ledgerID || !bytes.Equal(r.Reveal(), root(r.Version).Reveal()) {
		t.Fatalf("root %d in escrow, want one of %d", r.Version, versions)
	}
	if ledger, version, err := Held(path); err != nil || ledger != ledgerID || version != r.Version {
		t.Fatalf("it says %s, %d: %v", ledger, version, err)
	}
	return r.Version
}

// TestPut: each of the recipients opens it, nobody else does; another takes its place.
func TestPut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "escrow")
	one, two := person(t), person(t)
	f := newFile(t, path, one, two)
	for version := uint64(1); version < 4; version++ {
		mustPut(t, f, version)
		mustHold(t, path, one, version)
		mustHold(t, path, two, version)
	}
	if _, err := Read(path, []age.Identity{person(t)}); !errors.Is(err, ErrIdentity) {
		t.Errorf("another identity: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.Contains(b, root(3).slot) || bytes.Contains(b, []byte(hex.EncodeToString(root(3).slot))) ||
		bytes.Contains(b, []byte(base64.StdEncoding.EncodeToString(root(3).slot))) {
		t.Errorf("the slot stands in the file: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files: %v", len(entries), err)
	}
}

// TestHybrid seals to a recipient that no quantum computer opens.
func TestHybrid(t *testing.T) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	to, err := ParseRecipients([]string{id.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "escrow")
	if err := NewFile(path, to).Put(root(7)); err != nil {
		t.Fatal(err)
	}
	mustHold(t, path, id, 7)
	mixed := []string{id.Recipient().String(), person(t).Recipient().String()}
	for _, bad := range [][]string{nil, {""}, {"age1"}, {mixed[0] + "\n" + mixed[0]}, mixed, {"-----BEGIN"}} {
		if _, err := ParseRecipients(bad); !errors.Is(err, ErrRecipients) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// TestIdentities reads them as age-keygen writes them; an error never holds a key.
func TestIdentities(t *testing.T) {
	dir := t.TempDir()
	id := person(t)
	good, bad := filepath.Join(dir, "good"), filepath.Join(dir, "bad")
	err := errors.Join(os.WriteFile(good, []byte("# created: today\n# public key: "+id.Recipient().String()+"\n"+id.String()+"\n"), 0o600),
		os.WriteFile(bad, []byte(strings.Replace(id.String(), "AGE-", "AGF-", 1)+"\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseIdentities([]string{good})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d identities: %v", len(list), err)
	}
	for _, paths := range [][]string{nil, {bad}, {good, bad}, {filepath.Join(dir, "none")}} {
		if _, err := ParseIdentities(paths); err == nil || strings.Contains(err.Error(), id.String()[20:40]) {
			t.Errorf("%q: %v", paths, err)
		}
	}
}

// TestFormerIsDestroyed looks at the file that held the former root, through a
// second name for it.
func TestFormerIsDestroyed(t *testing.T) {
	dir := t.TempDir()
	path, second := filepath.Join(dir, "escrow"), filepath.Join(dir, "second")
	f := newFile(t, path, person(t))
	mustPut(t, f, 1)
	if err := os.Link(path, second); err != nil {
		t.Fatal(err)
	}
	mustPut(t, f, 2)
	b, err := os.ReadFile(second)
	if err != nil || len(b) == 0 || len(bytes.Trim(b, "\x00")) != 0 {
		t.Errorf("the former escrow is still there: %v", err)
	}
}

// TestEveryByte flips every byte of a file, and cuts it at every byte.
func TestEveryByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "escrow")
	id := person(t)
	mustPut(t, newFile(t, path, id), 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 4
		for _, b := range [][]byte{flipped, whole[:at]} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path, []age.Identity{id})
			if want := ErrDamaged; !errors.Is(err, want) && !(len(b) == 0 && errors.Is(err, ErrNone)) {
				t.Fatalf("byte %d: %v", at, err)
			}
		}
	}
	// What is sealed is not what the file says of it.
	c, err := decode(whole)
	if err != nil {
		t.Fatal(err)
	}
	c.Root = 2
	if err := os.WriteFile(path, c.encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, []age.Identity{id}); !errors.Is(err, ErrDamaged) {
		t.Errorf("another version: %v", err)
	}
}

// TestNotOurs: what is another ledger's, or no escrow, is refused and left as it is.
func TestNotOurs(t *testing.T) {
	for _, name := range []string{"escrow", "escrow" + successor} {
		dir := t.TempDir()
		f := newFile(t, filepath.Join(dir, "escrow"), person(t))
		foreign := newFile(t, filepath.Join(dir, name), person(t))
		if err := foreign.Put(NewRoot(otherID, 4, []byte("slot"))); err != nil {
			t.Fatal(err)
		}
		letter := []byte("dear reader, this is not an escrow")
		for i, want := range []error{ErrForeign, ErrDamaged} {
			before, err := os.ReadFile(foreign.path)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Put(root(1)); !errors.Is(err, want) {
				t.Errorf("%s, %d: %v", name, i, err)
			}
			if after, err := os.ReadFile(foreign.path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("%s, %d: it was touched: %v", name, i, err)
			}
			if err := os.WriteFile(foreign.path, letter, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestNeverPrints(t *testing.T) {
	r := root(3)
	text, _ := r.MarshalText()
	for _, s := range []string{fmt.Sprint(r), fmt.Sprintf("%v %+v %#v %s %q %x", r, r, r, r, r, r), string(text), r.LogValue().String()} {
		if strings.Contains(s, "slot") || strings.Contains(s, hex.EncodeToString([]byte("slot"))) {
			t.Errorf("it prints itself: %s", s)
		}
	}
}
