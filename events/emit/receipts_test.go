package emit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// A told is what was told of positions.
type told map[uint64]error

func (m told) of(position uint64, err error) { m[position] = err }

// wrong are the positions that are not as they should be.
func (m told) wrong() (positions []uint64) {
	for p, err := range m {
		if err != nil {
			positions = append(positions, p)
		}
	}
	slices.Sort(positions)
	return positions
}

// expected has the receipts of some events awaited, from position 1 on.
func (l *notarised) expected(t testing.TB, s *emit.Receipts, n int) (sent []emit.Sent) {
	t.Helper()
	for i := range n {
		sent = append(sent, l.record(shared(t, i)))
	}
	if err := s.Expect(sent...); err != nil {
		t.Fatal(err)
	}
	return sent
}

func collect(t testing.TB, s *emit.Receipts) told {
	t.Helper()
	m := told{}
	if err := s.Collect(t.Context(), m.of); err != nil {
		t.Fatal(err)
	}
	return m
}

func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestCollect awaits many receipts in few requests, keeps each as a file of its own, and asks for none twice.
func TestCollect(t *testing.T) {
	t.Parallel()
	l, dir := newNotarised(t), t.TempDir()
	s := l.receipts(t, dir, evidencetest.Trust())
	l.log.Grow(990) // of others
	sent := l.expected(t, s, 25)
	l.log.Grow(3000)
	if err := s.Expect(l.record(shared(t, 99))); err != nil {
		t.Fatal(err)
	}
	l.change(func() { l.faults = []int{503, 0, 503} }) // not proven yet
	if m := collect(t, s); len(m) != 26 || m.wrong() != nil {
		t.Errorf("collected %v", m)
	}
	if len(l.asked) != 4 {
		t.Errorf("asked %q", l.asked)
	}
	names := files(t, dir)
	if len(names) != 26 || names[0] != "0/991.receipt" || !slices.Contains(names, "1/1000.receipt") || names[25] != "4/4016.receipt" {
		t.Errorf("kept %q", names)
	}
	for _, e := range sent {
		r, err := l.receipts(t, dir, evidencetest.Trust()).Load(e.Position)
		if err != nil || r.Compare(e.Event) != nil || r.Position != e.Position {
			t.Errorf("position %d: %v", e.Position, err)
		}
		if info, err := os.Stat(filepath.Join(dir, fmt.Sprintf("%d/%d.receipt", e.Position/1000, e.Position))); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
	}
	if err := s.Expect(sent...); err != nil { // sent again, and duplicates
		t.Fatal(err)
	}
	if m := collect(t, s); len(m) != 25 || m.wrong() != nil || len(l.asked) != 4 {
		t.Errorf("collected again %v, asked %q", m, l.asked)
	}
}

// TestCollectTheYear: what is awaited of the whole year names nobody, and all of it is as it was sent.
func TestCollectTheYear(t *testing.T) {
	t.Parallel()
	l, dir := newNotarised(t), t.TempDir()
	s := l.receipts(t, dir, nil)
	var sent []emit.Sent
	people := map[string]bool{}
	for _, line := range year(t)[:2000] {
		e := decoded(t, line)
		sent = append(sent, l.record(e))
		e.Rewrite(func(_ string, _ events.Secrecy, v events.Value) events.Value {
			for _, text := range append(v.Texts(), v.Text()) {
				people[text] = true
			}
			return v
		})
	}
	if err := s.Expect(sent...); err != nil {
		t.Fatal(err)
	}
	awaited, err := os.ReadFile(filepath.Join(dir, files(t, dir)[0]))
	if err != nil {
		t.Fatal(err)
	}
	for text := range people {
		if len(text) > 5 && bytes.Contains(awaited, []byte(`"`+text+`"`)) {
			t.Fatal("what is awaited holds something that does not stay clear")
		}
	}
	l.room = 64 << 10 // so that answers end early
	if m := collect(t, s); len(m) != len(sent) || m.wrong() != nil {
		t.Errorf("%d collected, wrong %v", len(m), m.wrong())
	}
}

// TestCollectLies: what is not as it was sent is disputed, and kept as evidence; what is missing stays awaited.
func TestCollectLies(t *testing.T) {
	t.Parallel()
	l, dir := newNotarised(t), t.TempDir()
	s := l.receipts(t, dir, evidencetest.Trust())
	sent := []emit.Sent{l.record(shared(t, 0))}
	sent = append(sent, emit.Sent{Position: l.store(otherwise(t, shared(t, 1), "service_provision", "marketing").Append(nil)), Event: shared(t, 1)})
	sent = append(sent, l.record(shared(t, 2)), l.record(shared(t, 3)))
	l.change(func() {
		delete(l.stored, 3)
	})
	if err := s.Expect(sent...); err != nil {
		t.Fatal(err)
	}
	m := collect(t, s)
	if !slices.Equal(m.wrong(), []uint64{2, 3}) || !errors.Is(m[2], emit.ErrReceiptDiffers) || !errors.Is(m[3], emit.ErrReceiptMissing) {
		t.Errorf("told %v", m)
	}
	names := files(t, dir)
	if len(names) != 5 || !slices.Contains(names, "disputed/2.receipt") || !slices.Contains(names, "disputed/2.json") || slices.Contains(names, "0/2.receipt") {
		t.Errorf("files %q", names)
	}
	proof, err := os.ReadFile(filepath.Join(dir, "disputed/2.receipt"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := emit.ReadReceipt(proof, evidencetest.Trust()); err != nil || !errors.Is(r.Compare(sent[1].Event), emit.ErrReceiptDiffers) {
		t.Errorf("what is disputed is no evidence: %v", err)
	}
	if m := collect(t, s); len(m) != 1 || !errors.Is(m[3], emit.ErrReceiptMissing) { // nothing is told twice
		t.Errorf("told %v again", m)
	}
	l.change(func() { l.stored[3] = storedOf(shared(t, 2)).Append(nil) })
	if m := collect(t, s); len(m) != 1 || m[3] != nil {
		t.Errorf("told %v once it is there", m)
	}
	if names := files(t, dir); slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "awaited/") }) {
		t.Errorf("still awaited: %q", names)
	}
}

// TestReceiptOfAnother: a ledger that answers with the receipt of another position, alone or among many.
func TestReceiptOfAnother(t *testing.T) {
	t.Parallel()
	l := newNotarised(t)
	s := l.receipts(t, t.TempDir(), evidencetest.Trust())
	l.expected(t, s, 3)
	proxy := swapping(t, l, "/v1/receipts/1", "/v1/receipts/2")
	if _, err := proxy.Receipt(t.Context(), 1, evidencetest.Trust()); !errors.Is(err, emit.ErrReceiptPosition) {
		t.Error(err)
	}
	if r, err := l.to().Receipt(t.Context(), 1, evidencetest.Trust()); err != nil || r.Compare(shared(t, 0)) != nil {
		t.Error(err)
	}
	if p, ok := errors.AsType[*emit.Problem](second(l.to().Receipt(t.Context(), 9, nil))); !ok || p.Word != "not-found" {
		t.Errorf("of nothing: %v", p)
	}
	many := swapping(t, l, "", "")
	other, err := emit.OpenReceipts(t.TempDir(), many, evidencetest.Trust())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Expect(emit.Sent{Position: 1, Event: shared(t, 0)}, emit.Sent{Position: 2, Event: shared(t, 1)}); err != nil {
		t.Fatal(err)
	}
	if m := collect(t, other); !errors.Is(m[1], emit.ErrReceiptPosition) || !errors.Is(m[2], emit.ErrReceiptPosition) {
		t.Errorf("told %v", m)
	}
}

func second[A any](_ A, err error) error { return err }

// TestCollectInterrupted: collecting ends with its context, and goes on another time from where it was.
func TestCollectInterrupted(t *testing.T) {
	t.Parallel()
	l, dir := newNotarised(t), t.TempDir()
	s := l.receipts(t, dir, evidencetest.Trust())
	sent := l.expected(t, s, 30)
	l.room = 1 // one an answer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	err := s.Collect(ctx, func(uint64, error) {
		if n++; n == 7 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || n != 7 { // those of an answer are kept together
		t.Errorf("%d: %v", n, err)
	}
	if kept, err := s.Positions(); err != nil || len(kept) != 7 {
		t.Errorf("kept %v, %v", kept, err)
	}
	l.change(func() { l.faults = []int{403} })
	if err := s.Collect(t.Context(), func(uint64, error) {}); err == nil {
		t.Error("a token that may not")
	}
	l.room = 0
	if m := collect(t, s); len(m) != len(sent)-7 || m.wrong() != nil {
		t.Errorf("told %v", m)
	}
}

// TestKeep: a receipt is never replaced, and one that says something else is refused.
func TestKeep(t *testing.T) {
	t.Parallel()
	l := newNotarised(t)
	s := l.receipts(t, t.TempDir(), evidencetest.Trust())
	l.record(shared(t, 0))
	first, err := l.to().Receipt(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Keep(first); err != nil {
			t.Fatal(err)
		}
		l.log.Grow(1)
	}
	later, err := l.to().Receipt(t.Context(), 1, nil)
	if err != nil || later.Checkpoint.Size == first.Checkpoint.Size || s.Keep(later) != nil {
		t.Fatal(err)
	}
	if kept, err := s.Load(1); err != nil || !bytes.Equal(kept.Proof, first.Proof) {
		t.Errorf("%v: another is kept", err)
	}
	other := newNotarised(t)
	other.record(shared(t, 1))
	changed, err := other.to().Receipt(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(changed); !errors.Is(err, emit.ErrReceiptChanged) {
		t.Error(err)
	}
	if _, err := s.Load(2); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestReceiptsAreKeptElsewhere: not in a ledger's data directory.
func TestReceiptsAreKeptElsewhere(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "ledger.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{data, filepath.Join(data, "a", "b")} {
		if _, err := emit.OpenReceipts(dir, &emit.HTTP{URL: "http://127.0.0.1:1"}, nil); err == nil {
			t.Error("in a data directory")
		}
	}
	if _, err := emit.OpenReceipts(t.TempDir(), &emit.HTTP{URL: "http://ledger.example"}, nil); err == nil {
		t.Error("a token over plain http")
	}
	if _, err := emit.OpenReceipts(t.TempDir(), nil, nil); err == nil {
		t.Error("from nowhere")
	}
}
