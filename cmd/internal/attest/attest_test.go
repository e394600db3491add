package attest_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/attest"
	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/bundle"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// yearly is a ledger with a year of events that were all recorded later.
func yearly(t *testing.T) *ledger.Ledger {
	t.Helper()
	dir := t.TempDir()
	cfg := ledger.Config{Data: filepath.Join(dir, "d"), Keys: filepath.Join(dir, "k"), Index: views.Identities(nil), Pace: time.Millisecond}
	if err := ledger.Create(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if r, err := ledger.Check(context.Background(), cfg, nil); err != nil || !r.Sound() {
			t.Errorf("check: %v, %+v", err, r)
		}
	})
	f, err := os.Open("../../../events/testdata/events.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	var subs []ledger.Submission
	for lines.Scan() {
		e, err := events.Decode(bytes.Clone(lines.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		subs = append(subs, ledger.Submission{Event: e})
	}
	if _, err := l.Record(t.Context(), subs); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.Evidence().Await(ctx, l.Head().Position); err != nil {
		t.Fatal(err)
	}
	return l
}

func day(t *testing.T, text string) law.Day {
	t.Helper()
	d, err := law.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func made(t *testing.T, l *ledger.Ledger, from, to string) []byte {
	t.Helper()
	var b bytes.Buffer
	err := attest.NonTransfer(t.Context(), &b, l, attest.Request{From: day(t, from), To: day(t, to), Lang: "nl", Issued: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestNonTransfer makes the bundle of a quarter, which lists transfers, and of days without any, which proves absence.
func TestNonTransfer(t *testing.T) {
	l := yearly(t)
	quarter := made(t, l, "2025-07-01", "2025-09-30")
	v, err := attest.Verify(quarter, nil)
	if err != nil || v.Outcome != evidence.Unsigned || !v.Own {
		t.Fatalf("a quarter: %v, %+v", err, v)
	}
	var answers struct {
		Quarters map[string]map[string]uint64 `json:"transfer_quarters"`
	}
	b := gunzip(t, "../ask/testdata/answers.json.gz")
	if err := json.Unmarshal(b, &answers); err != nil {
		t.Fatal(err)
	}
	want := answers.Quarters["Q3"]
	for i, name := range evidence.FlagNames()[:7] {
		n := want[name]
		if name == "T1" {
			n += want["T1f"]
		}
		if v.Proofs[1].Counts[i] != n {
			t.Errorf("%s: %d, want %d", name, v.Proofs[1].Counts[i], n)
		}
	}
	if outside := want["T2"] + want["T3"] + want["T4"] + want["T5"] + want["U"]; uint64(len(v.Statement.Transfers)) != outside || v.Statement.Result.Grade != "F" {
		t.Errorf("%d transfers listed of %d, grade %s", len(v.Statement.Transfers), outside, v.Statement.Result.Grade)
	}
	empty, err := attest.Verify(made(t, l, "2019-01-01", "2019-01-31"), nil)
	if err != nil || empty.Proofs[0].Question.What != evidence.Absence || empty.Statement.Result.Grade == "F" || empty.Statement.Result.Grade == "A" {
		t.Errorf("days without events: %v, %+v", err, empty)
	}
	signedBy(t, l, quarter)
	mixed(t, quarter, made(t, l, "2025-07-01", "2025-08-31"))
}

// signedBy finds the bundle signed by the ledger's own key, and refuses it of a trust that knows another key of that name.
func signedBy(t *testing.T, l *ledger.Ledger, b []byte) {
	t.Helper()
	s := l.Evidence().Status()
	trust, err := checkpoint.ParseTrust([]byte("log " + s.Keys[0] + "\nbundle " + s.Bundle + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := attest.Verify(b, trust); err != nil || len(v.Signed) != 1 || !errors.Is(v.Lacks, checkpoint.ErrUnsigned) {
		t.Errorf("of the ledger's own keys: %v, %+v", err, v)
	}
	for i := 0; i < len(b); i += len(b)/97 + 1 {
		b[i] ^= 4
		if _, err := attest.Verify(b, trust); err == nil {
			t.Errorf("a changed byte at %d of %d is not seen", i, len(b))
		}
		b[i] ^= 4
	}
}

// mixed puts members of one bundle into another: each is refused, whoever signed the manifest.
func mixed(t *testing.T, one, other []byte) {
	t.Helper()
	a, b := members(t, one), members(t, other)
	for name, theirs := range b {
		if bytes.Equal(a[name], theirs) {
			continue
		}
		if name == "manifest" {
			continue
		}
		ours := a[name]
		a[name] = theirs
		if err := repack(t, a); err == nil {
			t.Errorf("%s of another bundle is not seen", name)
		}
		a[name] = ours
	}
	if err := repack(t, a); err != nil {
		t.Errorf("packed again as it was: %v", err)
	}
}

func members(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func gunzip(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// repack signs a manifest of these members with a key of somebody, and verifies the bundle.
func repack(t *testing.T, all map[string][]byte) error {
	t.Helper()
	note, err := checkpoint.Open(all[bundle.Checkpoint])
	if err != nil {
		t.Fatal(err)
	}
	key, err := checkpoint.NewSigner(note.Origin + "/bundle")
	if err != nil {
		t.Fatal(err)
	}
	files := bundle.Files{}
	for name, b := range all {
		if name != "manifest" {
			files[name] = b
		}
	}
	var b bytes.Buffer
	if err := bundle.Write(&b, note.Origin, files, key); err != nil {
		t.Fatal(err)
	}
	_, err = attest.Verify(b.Bytes(), nil)
	return err
}
