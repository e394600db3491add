package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func encoded(t interface{ Fatal(...any) }, c *Certificate) []byte {
	var b bytes.Buffer
	if err := c.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRoundTrip: what was encoded is read back as it was, and encodes to the
// same bytes, with any white space.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCertificate(t)
		raw := encoded(t, c)
		var tightened bytes.Buffer
		if err := json.Compact(&tightened, raw); err != nil {
			t.Fatal(err)
		}
		for _, form := range [][]byte{raw, tightened.Bytes()} {
			again, err := Decode(bytes.NewReader(form))
			if err != nil {
				t.Fatalf("%v\n%s", err, form)
			}
			if !reflect.DeepEqual(again, c) || !bytes.Equal(encoded(t, again), raw) {
				t.Fatalf("another certificate came back from\n%s", form)
			}
		}
	})
}

// TestAllRoundTrip does the same for one of each sort.
func TestAllRoundTrip(t *testing.T) {
	for name, c := range every() {
		if again, err := Decode(bytes.NewReader(encoded(t, c))); err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStrict: whatever Encode would not have written is refused, and the error
// repeats nothing of it.
func TestStrict(t *testing.T) {
	good := string(encoded(t, erased()))
	for name, change := range map[string][2]string{
		"unknown field":     {`"kind": "erased"`, `"kind": "erased", "zulu": 1`},
		"field twice":       {`"kind": "erased"`, `"kind": "erased", "kind": "erased"`},
		"other order":       {`"name": "imalink-be",`, ``},
		"other case":        {`"kind": "erased"`, `"Kind": "erased"`},
		"other version":     {`"version": 1`, `"version": 2`},
		"number with zeros": {`"rows": 107`, `"rows": 107.0`},
		"number as text":    {`"rows": 107`, `"rows": "107"`},
		"null":              {`"rows": 107`, `"rows": null`},
		"empty list":        {`"cells": [`, `"links": [], "cells": [`},
		"time with zone":    {`"opened": "2026-11-02T09:15:05.000Z"`, `"opened": "2026-11-02T10:15:05.000+01:00"`},
		"time with comma":   {`"opened": "2026-11-02T09:15:05.000Z"`, `"opened": "2026-11-02T09:15:05,000Z"`},
		"time without ms":   {`"opened": "2026-11-02T09:15:05.000Z"`, `"opened": "2026-11-02T09:15:05Z"`},
		"day that is none":  {`"2026-12-06"`, `"2026-02-30"`},
		"unknown word":      {`"consent_withdrawn"`, `"zulu"`},
		"more after":        {`"verify": [`, `"verify": [`},
		"not UTF-8":         {`candidate:10412`, "candidate:\xff"},
		"fewer identifiers": {`"count": 3`, `"count": 4`},
		"no second person":  {`"approved_by": "officer-two"`, `"approved_by": ""`},
		"less to learn":     {`"pattern",`, ``},
		"hash too short":    {`"digest": "d19e57`, `"digest": "`},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		switch {
		case name == "more after":
			text += "{}"
		case name == "other order":
			text = strings.Replace(text, `"id": "1ed9`, `"name": "imalink-be", "id": "1ed9`, 1)
			text = strings.Replace(text, `"name": "imalink-be", "id": "`+hexed("1ed9e2", 32)+`"`, `"id": "`+hexed("1ed9e2", 32)+`", "name": "imalink-be"`, 1)
		case text == good:
			t.Fatalf("%s: nothing to change", name)
		}
		c, err := Decode(strings.NewReader(text))
		if c != nil || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), "zulu") || strings.Contains(err.Error(), "10412") {
			t.Errorf("%s: the error repeats what was sent: %v", name, err)
		}
	}
	if _, err := Decode(failing{}); err == nil || errors.Is(err, ErrInvalid) {
		t.Errorf("a reader that fails: %v", err)
	}
}

func (failing) Read([]byte) (int, error) { return 0, errors.New("gone") }

// TestKinds: each kind has its parts and no other.
func TestKinds(t *testing.T) {
	for name, spoil := range map[string]func(c *Certificate){
		"erasure":        func(c *Certificate) { c.Erasure = nil },
		"both":           func(c *Certificate) { c.Retention = ofKind(Retained, true).Retention },
		"shredding":      func(c *Certificate) { c.Shredding = nil },
		"restricted":     func(c *Certificate) { c.Kind = Restricted },
		"dry run":        func(c *Certificate) { c.Kind, c.Shredding = DryRun, nil },
		"retention":      func(c *Certificate) { c.Kind = Retained },
		"unknown kind":   func(c *Certificate) { c.Kind = "erasure" },
		"no identifiers": func(c *Certificate) { c.Identifiers = nil },
		"not named":      func(c *Certificate) { c.Identifiers.Shown = false },
		"root":           func(c *Certificate) { c.Shredding.RootAfter = c.Shredding.RootBefore },
		"below ms":       func(c *Certificate) { c.Issued.Time = c.Issued.Add(1) },
		"no commands":    func(c *Certificate) { c.Evidence.Verify = nil },
		"long name":      func(c *Certificate) { c.Identifiers.List[0].Identifier = Named(strings.Repeat("é", 257)) },
		"told, not when": func(c *Certificate) { c.Recipients[0].State = "sent" },
		"from after to":  func(c *Certificate) { c.Cells[0].From = "2026-03" },
	} {
		c := erased()
		spoil(c)
		if err := c.Encode(&bytes.Buffer{}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCopies: a certificate says of each kind of copy how it stands, and that
// something is done only if it was looked at, and after keys were destroyed.
func TestCopies(t *testing.T) {
	for name, spoil := range map[string]func(c *Certificate){
		"none at all":                   func(c *Certificate) { c.Copies = nil },
		"no escrow":                     func(c *Certificate) { c.Copies = c.Copies[1:] },
		"nothing of what others copied": func(c *Certificate) { c.Copies = c.Copies[:3] },
		"one twice":                     func(c *Certificate) { c.Copies = append(c.Copies, c.Copies[3]) },
		"in another order":              func(c *Certificate) { c.Copies[0], c.Copies[1] = c.Copies[1], c.Copies[0] },
		"a device that is none":         func(c *Certificate) { c.Copies[2] = Copy{Kind: Device, State: None} },
		"others are done":               func(c *Certificate) { c.Copies[3] = Copy{Other, Done, 41, 42, at(1)} },
		"a state that is none":          func(c *Certificate) { c.Copies[1].State = "zulu" },
		"done, not looked at":           func(c *Certificate) { c.Copies[0].Found = Instant{} },
		"done, nothing found":           func(c *Certificate) { c.Copies[0].Root, c.Copies[0].Found = 0, Instant{} },
		"done, the former found":        func(c *Certificate) { c.Copies[0].Root = 41 },
		"found, not when":               func(c *Certificate) { c.Copies[1].Root = 41 },
		"when, nothing found":           func(c *Certificate) { c.Copies[1].Found = at(1) },
		"none, and something found":     func(c *Certificate) { c.Copies[0] = Copy{Escrow, None, 0, 42, at(1)} },
		"none, of a version":            func(c *Certificate) { c.Copies[0] = Copy{Escrow, None, 41, 0, Instant{}} },
		"of no version":                 func(c *Certificate) { c.Copies[1].Former = 0 },
		"of another version":            func(c *Certificate) { c.Copies[1].Former = 40 },
		"done before keys were destroyed": func(c *Certificate) {
			c.Kind, c.Shredding = Restricted, nil
		},
	} {
		c := erased()
		spoil(c)
		if err := c.Encode(&bytes.Buffer{}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "copies.") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNotPrinted: only Encode and PDF write an identifier; encoding one by other
// means, before or after, gives none.
func TestNotPrinted(t *testing.T) {
	c := erased()
	mustPDF(t, c, English)
	raw := encoded(t, c)
	for _, secret := range []string{"candidate:10412", "ilse.d’hondt", "yüksel"} {
		if !bytes.Contains(raw, []byte(secret)) {
			t.Errorf("Encode left out %q", secret)
		}
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(handler).Info("x", "c", c, "ids", c.Identifiers, "one", c.Identifiers.List[1].Identifier)
	}
	other, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	marked, err := xml.Marshal(c.Identifiers.List)
	if err != nil {
		t.Fatal(err)
	}
	id := c.Identifiers.List[1].Identifier
	printed := log.String() + string(other) + string(marked) + id.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed += fmt.Sprintf(verb+verb+verb, c.Identifiers, c.Identifiers.List, id)
	}
	for _, secret := range []string{"candidate:10412", "ilse", "yüksel", "63616e646964617465"} {
		if strings.Contains(printed, secret) {
			t.Errorf("%q was printed", secret)
		}
	}
	if c.Identifiers.List[0].Identifier != Named("candidate:10412") {
		t.Error("encoding left the identifier open")
	}
}

// FuzzDecode: what is accepted is written again as it came.
func FuzzDecode(f *testing.F) {
	for _, c := range every() {
		f.Add(encoded(f, c))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := Decode(bytes.NewReader(raw))
		if err != nil {
			if c != nil || !errors.Is(err, ErrInvalid) {
				t.Fatalf("%v with a certificate %t", err, c != nil)
			}
			return
		}
		if !SameTokens(raw, encoded(t, c)) {
			t.Fatal("written otherwise than it came")
		}
	})
}
