package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/stream"
)

// TestCheckFinds appends events that the ledger would never write, with every
// checksum right, and sees that a check names each.
func TestCheckFinds(t *testing.T) {
	for name, forge := range map[string]struct {
		want  string
		alter func(st *events.Stored)
	}{
		"identity twice":    {"identity stands at an earlier position", func(*events.Stored) {}},
		"class altered":     {"facts are not what the register said", func(st *events.Stored) { st.Facts.Class = "T5" }},
		"class removed":     {"facts are not what the register said", func(st *events.Stored) { st.Facts.Class, st.Facts.Tables = "", "" }},
		"region altered":    {"facts are not what the register said", func(st *events.Stored) { st.Facts.Region = "IN" }},
		"party's facts":     {"facts are not what the register said", func(st *events.Stored) { st.Facts.Party.Country = "NL" }},
		"reference ahead":   {"refers to an event that was not recorded yet", func(st *events.Stored) { st.Facts.BasisRef = 999 }},
		"unknown tables":    {"legal tables that were never published", func(st *events.Stored) { st.Facts.Tables, st.Facts.Class = "1999-01-01-000000", "T5" }},
		"said forgotten":    {"it says that its keys' month was forgotten", func(st *events.Stored) { st.Facts.Forgotten, st.Sealed = true, nil }},
		"recorded earlier":  {"recorded before the event that precedes it", func(st *events.Stored) { st.Recorded = st.Recorded.Add(-time.Hour) }},
		"session's tag":     {"its tag at /data/actor/session", func(st *events.Stored) { swapTag(st, events.Joinable, "/data/actor/session") }},
		"reference's tag":   {"its tag at /data/reference", func(st *events.Stored) { swapTag(st, events.Joinable, "/data/reference") }},
		"seal altered":      {"its seal", func(st *events.Stored) { st.Sealed[len(st.Sealed)-1] ^= 1 }},
		"seal of another":   {"its seal", func(st *events.Stored) { st.Salt[0] ^= 1 }},
		"special in clear":  {"special categories", func(st *events.Stored) { st.Facts.Special = true }},
		"subject's tag":     {"tags that no longer resolve", func(st *events.Stored) { swapTag(st, events.Subject, "") }},
		"not one spelling":  {"not an event in its one spelling", nil},
		"under another key": {"stored under another subject", func(st *events.Stored) { st.Event.Source = "/crm" }},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := newConfig(t)
			l, err := Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			record(t, l, registered(t, "p", "acme", "BE"), forgeable(t))
			rec, err := l.Event(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			raw := rec.Raw
			if forge.alter == nil {
				raw = append([]byte{' '}, raw...)
			} else {
				st, err := events.DecodeStored(raw)
				if err != nil {
					t.Fatal(err)
				}
				if name != "identity twice" {
					st.Event.ID = "forged"
				}
				forge.alter(st)
				raw = st.Append(nil)
			}
			msg := stream.Message{Subject: "custody.ledger.ats.data.shared", Data: raw}
			if _, err := l.events.Append(t.Context(), []stream.Message{msg}); err != nil {
				t.Fatal(err)
			}
			closeLedger(t, l)
			r, err := Check(t.Context(), cfg, nil)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, f := range r.Findings {
				if f.Position == 3 {
					found = append(found, f.Text)
				}
			}
			if said := strings.Join(append(found, r.Notes...), "; "); !strings.Contains(said, forge.want) {
				t.Errorf("check said %q, want %q", said, forge.want)
			}
			if wantNote := name == "subject's tag"; r.Sound() && !wantNote {
				t.Error("check calls the ledger sound")
			}
		})
	}
}

// forgeable is an event with a class, a seal, a session and a reference.
func forgeable(t *testing.T) *events.Event {
	return decode(t, []byte(`{"specversion":"1.0","id":"real","source":"/ats","type":"eu.custody.data.shared.v1","time":"2026-03-02T09:14:05.120Z",`+
		`"data":{"subjects":[{"id":"candidate:20001","role":"candidate"}],"actor":{"id":"employee:x01","role":"recruiter","kind":"human","session":"sess-4711"},`+
		`"system":"ats","dataset":"career_cv","categories":["contact"],"purpose":"service_provision","reference":"vacancy:662","recipient":{"party":"acme","role":"client"}}}`))
}

func swapTag(st *events.Stored, secrecy events.Secrecy, pointer string) {
	st.Event = st.Event.Rewrite(func(ptr string, s events.Secrecy, v events.Value) events.Value {
		if s == secrecy && ptr == pointer {
			return events.TextOf(strings.Repeat("ab", 16))
		}
		return v
	})
}

// TestCheckFiles damages each file outside the store.
func TestCheckFiles(t *testing.T) {
	for _, name := range []string{"data/ledger.json", "keys/root", "keys/durable"} {
		for _, how := range []string{"bit", "removed", "short"} {
			t.Run(name+" "+how, func(t *testing.T) {
				cfg := newConfig(t)
				l, err := Open(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				record(t, l, view(t, "a", "candidate:1"))
				closeLedger(t, l)
				path := filepath.Join(filepath.Dir(cfg.Data), name)
				damage(t, path, how)
				r, err := Check(t.Context(), cfg, nil)
				noted := err == nil && name == "keys/durable" && how == "removed" && len(r.Notes) > 0
				if err == nil && r.Sound() && !noted {
					t.Error("check calls the ledger sound")
				}
				if l, err := Open(t.Context(), cfg); err == nil && !noted {
					l.Close(context.Background())
					t.Error("the ledger opens")
				} else if err == nil {
					closeLedger(t, l)
				} else if !strings.Contains(err.Error(), filepath.Base(name)) {
					t.Errorf("the error does not name the file: %v", err)
				}
			})
		}
	}
}

func damage(t *testing.T, path, how string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	switch how {
	case "bit":
		b[len(b)/3%50] ^= 4
		err = os.WriteFile(path, b, 0o600)
	case "short":
		err = os.WriteFile(path, b[:len(b)-1], 0o600)
	case "removed":
		err = os.Remove(path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestOlderCopy puts an older data directory back beside newer keys.
func TestOlderCopy(t *testing.T) {
	cfg := newConfig(t)
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	record(t, l, view(t, "a", "candidate:1"))
	closeLedger(t, l)
	older := filepath.Join(t.TempDir(), "older")
	if err := os.CopyFS(older, os.DirFS(cfg.Data)); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	record(t, l, view(t, "b", "candidate:1"))
	closeLedger(t, l)
	cfg.Data, cfg.Index = older, newMemoryIndex().at
	if l, err := Open(t.Context(), cfg); err == nil {
		closeLedger(t, l)
		t.Error("an older copy opens")
	}
	if r, err := Check(t.Context(), cfg, nil); err != nil || r.Sound() {
		t.Errorf("check of an older copy: %+v, %v", r, err)
	}
}

// TestOneProcess: a second opening, and a check, are refused while it is open.
func TestOneProcess(t *testing.T) {
	cfg := newConfig(t)
	open(t, cfg)
	for name, try := range map[string]func() error{
		"open":   func() error { _, err := Open(t.Context(), cfg); return err },
		"check":  func() error { _, err := Check(t.Context(), cfg, nil); return err },
		"create": func() error { return Create(t.Context(), cfg) },
	} {
		if err := try(); err == nil {
			t.Errorf("%s beside an open ledger succeeded", name)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	for name, alter := range map[string]func(dir string, cfg *Config){
		"keys inside data":    func(_ string, cfg *Config) { cfg.Keys = filepath.Join(cfg.Data, "keys") },
		"data inside keys":    func(_ string, cfg *Config) { cfg.Data = filepath.Join(cfg.Keys, "data") },
		"the same":            func(_ string, cfg *Config) { cfg.Keys = cfg.Data },
		"no keys":             func(_ string, cfg *Config) { cfg.Keys = "" },
		"a name with a slash": func(_ string, cfg *Config) { cfg.Name = "a/b" },
		"a long name":         func(_ string, cfg *Config) { cfg.Name = strings.Repeat("a", 33) },
		"data that is not empty": func(_ string, cfg *Config) {
			os.MkdirAll(cfg.Data, 0o700)
			os.WriteFile(filepath.Join(cfg.Data, "x"), nil, 0o600)
		},
		"keys through a link": func(dir string, cfg *Config) {
			os.MkdirAll(cfg.Data, 0o700)
			os.Symlink(cfg.Data, filepath.Join(dir, "link"))
			cfg.Keys = filepath.Join(dir, "link", "keys")
		},
	} {
		dir := t.TempDir()
		cfg := Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys")}
		alter(dir, &cfg)
		if err := Create(t.Context(), cfg); err == nil {
			t.Errorf("%s: created", name)
		}
	}
	dir := t.TempDir()
	if _, err := Open(t.Context(), Config{Data: dir, Keys: t.TempDir(), Index: newMemoryIndex().at}); err == nil {
		t.Error("opened where no ledger is")
	} else if want := fmt.Sprint(ErrNoLedger); !strings.Contains(err.Error(), want) {
		t.Errorf("opened where no ledger is: %v", err)
	}
}
