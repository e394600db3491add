package events

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestKindNumbers pins the stored numbers: 1 to 63 in the order of the published schema, then the
// ledger's own.
func TestKindNumbers(t *testing.T) {
	raw, err := os.ReadFile("testdata/event.v1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Type struct{ Enum []string }
		}
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	sent := len(schema.Properties.Type.Enum)
	types := append(schema.Properties.Type.Enum, "eu.custody.ledger.refused.v1", "eu.custody.ledger.queried.v1", "eu.custody.ledger.identity-revealed.v1",
		"eu.custody.ledger.erasure-opened.v1", "eu.custody.ledger.erasure-cancelled.v1", "eu.custody.ledger.key-shredded.v1", "eu.custody.ledger.gap-found.v1",
		"eu.custody.ledger.committed.v1", "eu.custody.ledger.key-announced.v1")
	if len(Kinds()) != len(types) {
		t.Fatalf("%d kinds, want %d", len(Kinds()), len(types))
	}
	for i, typ := range types {
		k := Kinds()[i]
		if int(k) != i+1 || k.Type() != typ {
			t.Errorf("kind %d is %s, want %d %s", k, k.Type(), i+1, typ)
		}
		if found, ok := ParseType(typ); !ok || found != k {
			t.Errorf("ParseType(%s) = %d, %t", typ, found, ok)
		}
		if k.ByLedger() != (i >= sent) {
			t.Errorf("%s: ByLedger is %t", typ, k.ByLedger())
		}
	}
}

func TestKindOfNothing(t *testing.T) {
	for _, k := range []Kind{0, 73, 255} {
		if k.Type() != "" || k.Name() != "" || k.Family() != "" || k.Retention() != 0 || k.ByLedger() {
			t.Errorf("kind %d is something", k)
		}
	}
	if _, ok := ParseType("eu.custody.data.peeked.v1"); ok {
		t.Error("ParseType knows a kind that is none")
	}
}

func TestFamiliesAndRetention(t *testing.T) {
	classes := map[string]string{
		"data": "access disclosure legal-state", "subject": "disclosure legal-state",
		"governance": "governance", "breach": "breach", "ledger": "access legal-state operation",
	}
	for _, k := range Kinds() {
		if allowed := strings.Fields(classes[k.Family()]); !slices.Contains(allowed, k.Retention().String()) {
			t.Errorf("%s is kept as %s", k, k.Retention())
		}
	}
	for k, want := range map[Kind]Retention{DataAccessed: Access, DataShared: Disclosure, DataExported: Disclosure,
		DataHosted: Disclosure, DataTransferred: Disclosure, SubjectRecipientNotified: Disclosure, DataCollected: LegalState, LedgerHeartbeat: Operation, LedgerRefused: Operation, LedgerQueried: Access, LedgerIdentityRevealed: Access,
		LedgerErasureOpened: LegalState, LedgerErasureCancelled: Operation, LedgerKeyShredded: Operation, LedgerGapFound: Operation,
		LedgerCommitted: Operation, LedgerKeyAnnounced: Operation} {
		if k.Retention() != want {
			t.Errorf("%s is kept as %s, want %s", k, k.Retention(), want)
		}
	}
}

// eachShape visits every shape in the catalogue.
func eachShape(visit func(where string, s *shape)) {
	var walk func(where string, s *shape)
	walk = func(where string, s *shape) {
		visit(where, s)
		for _, f := range s.fields {
			spec := f.spec
			if spec.items != nil {
				spec = spec.items
			}
			if spec.shape != nil {
				walk(where+"/"+f.name, spec.shape)
			}
		}
	}
	walk("", envelope)
	walk("", storedEnvelope)
	for _, r := range catalogue.rows[1:] {
		walk(r.name, r.data)
		walk(r.name, r.stored)
	}
}

// TestShapes holds what the decoder takes for granted about shapes.
func TestShapes(t *testing.T) {
	eachShape(func(where string, s *shape) {
		if len(s.fields) > maxFields {
			t.Errorf("%s: %d fields, of at most %d", where, len(s.fields), maxFields)
		}
		names := map[string]bool{}
		for _, f := range s.fields {
			if names[f.name] {
				t.Errorf("%s: field %s twice", where, f.name)
			}
			names[f.name] = true
			if !isWord([]byte(f.name), cookieName) {
				t.Errorf("%s: field %s would need an escape in a pointer", where, f.name)
			}
			if hasPtr := f.ptr != ""; hasPtr != (f.secrecy == Joinable || f.secrecy == Sealed || f.ofPerson) {
				t.Errorf("%s/%s: pointer %q, secrecy %d", where, f.name, f.ptr, f.secrecy)
			}
			if f.ptr != "" && !strings.HasSuffix(f.ptr, "/"+f.name) {
				t.Errorf("%s/%s: pointer %q", where, f.name, f.ptr)
			}
			if f.spec == identifier && f.secrecy != Subject && f.secrecy != Actor {
				t.Errorf("%s/%s: an identifier that would stay clear", where, f.name)
			}
		}
	})
}

// TestPatterns holds each hand-written form against the regular expression it stands for.
func TestPatterns(t *testing.T) {
	specs := map[string]*spec{}
	eachShape(func(_ string, s *shape) {
		for _, f := range s.fields {
			for spec := f.spec; spec != nil; spec = spec.items {
				if spec.pattern != "" {
					specs[spec.pattern] = spec
				}
			}
		}
	})
	if len(specs) < 12 {
		t.Fatalf("only %d patterns", len(specs))
	}
	for pattern, s := range specs {
		if pattern == base64url.pattern {
			continue // its length is limited by the size of the event
		}
		re := regexp.MustCompile(pattern)
		rapid.Check(t, func(t *rapid.T) {
			text := rapid.OneOf(rapid.StringMatching(pattern), rapid.StringMatching(`[A-Za-z0-9._:/é -]{0,70}`)).Draw(t, "text")
			if rapid.Bool().Draw(t, "changed") && text != "" {
				i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
				text = text[:i] + rapid.SampledFrom([]string{"", "x", "X", "0", "-", "\n", "aa", "_", "/"}).Draw(t, "instead") + text[i+1:]
			}
			got := s.form == wordForm && isWord([]byte(text), s) || s.form == patternForm && s.match([]byte(text))
			if want := re.MatchString(text); got != want {
				t.Fatalf("%s: %q is %t, want %t", pattern, text, got, want)
			}
		})
	}
}
