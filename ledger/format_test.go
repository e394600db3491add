package ledger

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// block returns the fenced block of FORMAT.md with a name.
func block(t testing.TB, name string) []byte {
	t.Helper()
	page, err := os.ReadFile("../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"text", "hex"} {
		_, rest, found := strings.Cut(string(page), "\n```"+kind+" "+name+"\n")
		if !found {
			continue
		}
		body, _, found := strings.Cut(rest, "```\n")
		if !found {
			t.Fatalf("block %s does not end", name)
		}
		if kind == "text" {
			return []byte(body)
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
		if err != nil {
			t.Fatalf("block %s: %v", name, err)
		}
		return b
	}
	t.Fatalf("FORMAT.md has no block %s", name)
	return nil
}

func TestManifestFormat(t *testing.T) {
	want := block(t, "manifest-1")
	path := t.TempDir() + "/ledger.json"
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := readManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := append(m.encode(), '\n'); !bytes.Equal(got, want) {
		t.Errorf("manifest\n got %s\nwant %s", got, want)
	}
	for i := range want { // any other byte is damage
		altered := bytes.Clone(want)
		altered[i] ^= 1
		if err := os.WriteFile(path, altered, 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := readManifest(path); err == nil && bytes.Equal(append(m.encode(), '\n'), want) {
			t.Errorf("byte %d altered and accepted", i)
		}
	}
}

// FuzzManifest demands that nothing passes for a manifest but what one is written as, and that it then names files and
// streams that can be.
func FuzzManifest(f *testing.F) {
	whole := block(f, "manifest-1")
	for _, seed := range []string{
		string(whole), "", "null\n", "{}\n", string(whole[:len(whole)-1]), string(whole) + "\n", string(whole) + string(whole), strings.ToUpper(string(whole)),
		`{"format":1,"name":"../a","id":"000102030405060708090a0b0c0d0e0f"}` + "\n", `{"format":1,"name":"a","id":"000102030405060708090a0b0c0d0e0F"}` + "\n",
	} {
		f.Add([]byte(seed))
	}
	path := f.TempDir() + "/ledger.json"
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := readManifest(path)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if again := append(m.encode(), '\n'); !bytes.Equal(again, b) {
			t.Errorf("accepted what it would not write: %s", b)
		}
		for _, name := range m.streams() {
			if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
				t.Errorf("a stream named %q", name)
			}
		}
		if _, err := (mark{Ledger: m.ID}).encode(); err != nil {
			t.Errorf("no mark can be written for ledger %q", m.ID)
		}
	})
}

func TestMarkFormat(t *testing.T) {
	m := mark{Ledger: "000102030405060708090a0b0c0d0e0f", Events: 1_000_000, Vault: 42, Access: 7}
	for i := range m.Digest {
		m.Digest[i] = byte(0xf0 + i%16)
	}
	got, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	if want := block(t, "durable-mark-1"); !bytes.Equal(got, want) {
		t.Fatalf("durable mark\n got %x\nwant %x", got, want)
	}
	back, err := decodeMark(got)
	if err != nil || back != m {
		t.Fatalf("decoded %+v, %v", back, err)
	}
	for i := range got {
		for bit := range 8 {
			altered := bytes.Clone(got)
			altered[i] ^= 1 << bit
			if _, err := decodeMark(altered); err == nil {
				t.Errorf("bit %d of byte %d altered and accepted", bit, i)
			}
		}
		if _, err := decodeMark(got[:i]); err == nil {
			t.Errorf("%d bytes accepted", i)
		}
	}
}

func FuzzDecodeMark(f *testing.F) {
	f.Add(block(f, "durable-mark-1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMark(b)
		if err != nil {
			return
		}
		if again, err := m.encode(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("accepted what it would not write: %v", err)
		}
	})
}

func TestStoredEventFormat(t *testing.T) {
	want := bytes.TrimSuffix(block(t, "stored-event-1"), []byte("\n"))
	st, err := events.DecodeStored(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := st.Append(nil); !bytes.Equal(got, want) {
		t.Errorf("stored event\n got %s\nwant %s", got, want)
	}
	if !st.Recorded.Equal(time.Date(2026, 3, 2, 9, 14, 5, 300e6, time.UTC)) || st.Relay != "import" || st.Facts.Party.Position != 7 || st.Facts.Reference != 12 {
		t.Errorf("decoded %v, %q, %+v", st.Recorded, st.Relay, st.Facts)
	}
}

func TestSealedFieldsFormat(t *testing.T) {
	e := decode(t, []byte(`{"specversion":"1.0","id":"x","source":"/ats","type":"eu.custody.data.accessed.v1","time":"2026-03-02T09:14:05Z","data":{`+
		`"reason":"asked by the person","reference":"vacancy:662","subjects":[{"id":"candidate:1","role":"candidate"}],`+
		`"actor":{"id":"employee:x01","role":"recruiter","session":"sess-0289"},"system":"ats","dataset":"cv","categories":["contact"],"purpose":"p","mode":"view"}}`))
	var s sealer
	e.Rewrite(func(ptr string, secrecy events.Secrecy, v events.Value) events.Value {
		if ptr != "" {
			s.add(ptr, v)
		}
		return v
	})
	if want := bytes.TrimSuffix(block(t, "sealed-fields-1"), []byte("\n")); !bytes.Equal(s.bytes(), want) {
		t.Errorf("sealed fields\n got %s\nwant %s", s.bytes(), want)
	}
}

func TestIdentityKeyFormat(t *testing.T) {
	field := map[string]string{}
	for line := range strings.Lines(string(block(t, "identity-key-1"))) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		field[name] = value
	}
	if got := identityKey(field["source"], field["id"]); hex.EncodeToString(got[:]) != field["key"] {
		t.Errorf("key %x, want %s", got, field["key"])
	}
}
