package witness

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/notary"
)

// patience bounds what a test waits for; it is never waited for in a test that passes.
const patience = time.Minute

// An xwitness is a witness of x/mod alone, made after https://c2sp.org/tlog-witness.
type xwitness struct {
	url      *url.URL
	verifier string
	sign     ed25519.PrivateKey
	id       [4]byte
	name     string
	log      note.Verifier

	mu       sync.Mutex
	tree     tlog.Tree
	requests int
	refuse   int                        // status to refuse with; 0 cosigns
	answer   func(signed string) string // changes an answer that cosigns
	held     chan struct{}              // is waited for before anything is answered; nil is nothing
}

func newXWitness(t *testing.T, name, logKey string) *xwitness {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	material := base64.StdEncoding.EncodeToString(append([]byte{4}, public...))
	id := newCosignature(name + "+0+" + material).id
	w := &xwitness{name: name, sign: private, log: must(note.NewVerifier(logKey)), verifier: fmt.Sprintf("%s+%08x+%s", name, id, material)}
	binary.BigEndian.PutUint32(w.id[:], id)
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.url = must(url.Parse(server.URL + "/some/prefix"))
	return w
}

func (x *xwitness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := string(must(io.ReadAll(r.Body)))
	x.mu.Lock()
	held := x.held
	x.requests++
	x.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-r.Context().Done():
			return
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.refuse != 0 || r.URL.Path != "/some/prefix/add-checkpoint" || r.Method != http.MethodPost {
		http.Error(w, "no", max(x.refuse, http.StatusNotFound))
		return
	}
	head, text, _ := strings.Cut(body, "\n\n")
	lines := strings.Split(head, "\n")
	n, err := note.Open([]byte(text), note.VerifierList(x.log))
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	said := strings.Split(n.Text, "\n")
	next := tlog.Tree{N: must(strconv.ParseInt(said[1], 10, 64)), Hash: must(tlog.ParseHash(said[2]))}
	if lines[0] != fmt.Sprintf("old %d", x.tree.N) {
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, "%d\n", x.tree.N)
		return
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		proof = append(proof, must(tlog.ParseHash(line)))
	}
	if x.tree.N > 0 && tlog.CheckTree(proof, next.N, next.Hash, x.tree.N, x.tree.Hash) != nil {
		http.Error(w, "no proof", http.StatusUnprocessableEntity)
		return
	}
	x.tree = next
	blob := binary.BigEndian.AppendUint64(x.id[:4:4], uint64(1_800_000_000))
	blob = append(blob, ed25519.Sign(x.sign, fmt.Appendf(nil, "cosignature/v1\ntime 1800000000\n%s", n.Text))...)
	signed := fmt.Sprintf("— %s %s\n", x.name, base64.StdEncoding.EncodeToString(blob))
	if x.answer != nil {
		signed = x.answer(signed)
	}
	io.WriteString(w, signed)
}

func (x *xwitness) asked() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.requests
}

func (x *xwitness) set(change func(*xwitness)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change(x)
}

// A desk is a ledger that keeps evidence.
type desk struct {
	t      *testing.T
	ledger *ledger.Ledger
	sent   int
}

type noIndex struct{ ledger.Index }

func (noIndex) Position() (uint64, [32]byte)                             { return 0, [32]byte{} }
func (noIndex) Register() ([]byte, error)                                { return nil, nil }
func (noIndex) Close() error                                             { return nil }
func (noIndex) Reset() error                                             { return nil }
func (noIndex) Lookup([][16]byte, []uint64) error                        { return nil }
func (noIndex) Add([][16]byte, []uint64, uint64, [32]byte, []byte) error { return nil }

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	cfg := ledger.Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Origin: testOrigin, Pace: time.Millisecond,
		Index: func(string) (ledger.Index, error) { return noIndex{}, nil }}
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
	})
	return &desk{t: t, ledger: l}
}

func (d *desk) notary() *notary.Notary { return d.ledger.Evidence() }

func (d *desk) key() string { return d.notary().Status().Keys[0] }

// record records an event, and waits until a checkpoint covers it.
func (d *desk) record() (size uint64) {
	d.t.Helper()
	d.sent++
	e, err := events.Decode(fmt.Appendf(nil, `{"specversion":"1.0","id":"e-%d","source":"/ats","type":"eu.custody.ledger.heartbeat.v1","time":"2026-03-02T09:14:05.120Z","data":{"state":"running"}}`, d.sent))
	if err != nil {
		d.t.Fatal(err)
	}
	results, err := d.ledger.Record(d.t.Context(), []ledger.Submission{{Event: e}})
	if err != nil || results[0].Err != nil {
		d.t.Fatal(err, results)
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	if err := d.notary().Await(ctx, results[0].Position); err != nil {
		d.t.Fatal(err)
	}
	return results[0].Position
}

func (d *desk) announce(keys ...string) {
	d.t.Helper()
	for _, k := range keys {
		role, _ := checkpoint.CosignerRole(k)
		if _, err := d.ledger.RecordKey(d.t.Context(), events.KeyAnnouncement{Who: events.Who{Role: "operator", Token: "first"}, What: role, Key: k}); err != nil {
			d.t.Fatal(err)
		}
	}
}

// until waits until something is so, or fails the test.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	again, deadline := time.NewTicker(time.Millisecond), time.After(patience)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("never %s", what)
		}
	}
}

// cosigned reports whether a checkpoint from a size on has the cosignature of a key.
func (d *desk) cosigned(size uint64, key string) bool {
	n, err := d.notary().Witnessed()
	name, _, _ := strings.Cut(key, "+")
	for _, s := range n.Signatures {
		if s.Name == name && err == nil && n.Size >= size {
			return true
		}
	}
	return false
}

// TestAsk has a ledger ask witnesses that are not ours, while one of them never answers, one is not announced, and one does
// not cosign at first.
func TestAsk(t *testing.T) {
	d, log := newDesk(t), &lockedBuffer{}
	good, slow, strange, late := newXWitness(t, "good.example/w", d.key()), newXWitness(t, "slow.example/w", d.key()),
		newXWitness(t, "strange.example/w", d.key()), newXWitness(t, "late.example/w", d.key())
	slow.held = make(chan struct{})
	late.refuse = http.StatusServiceUnavailable
	d.announce(good.verifier, slow.verifier, late.verifier)
	ctx, cancel := context.WithCancel(t.Context())
	wait := Ask(ctx, d.notary(), []*url.URL{good.url, slow.url, strange.url, late.url}, time.Millisecond, log.logger())
	defer wait()
	defer cancel()
	for range 5 {
		size := d.record()
		until(t, "cosigned by the good witness", func() bool { return d.cosigned(size, good.verifier) })
	}
	until(t, "asked twice by the late witness", func() bool { return late.asked() > 2 })
	late.set(func(x *xwitness) { x.refuse = 0 })
	size := d.record()
	until(t, "cosigned by the late witness", func() bool { return d.cosigned(size, late.verifier) })
	until(t, "said", func() bool { return strings.Contains(log.String(), "cosigns again") })
	if d.cosigned(0, strange.verifier) || d.cosigned(0, slow.verifier) {
		t.Error("a witness that was not announced, or did not answer, cosigned")
	}
	said := log.String()
	if n := strings.Count(said, "it answers 503"); n != 1 {
		t.Errorf("it is said %d times that a witness is away:\n%s", n, said)
	}
	if !strings.Contains(said, "announced") || strings.Contains(said, "some/prefix") {
		t.Errorf("the log says\n%s", said)
	}
	d.announce(strange.verifier)
	size = d.record()
	until(t, "cosigned by the witness announced late", func() bool { return d.cosigned(size, strange.verifier) })
}

// TestAskAgain has a ledger ask a witness that knows more or less than it should, and lose its answers.
func TestAskAgain(t *testing.T) {
	d, log := newDesk(t), &lockedBuffer{}
	w := newXWitness(t, "good.example/w", d.key())
	d.announce(w.verifier)
	d.record()
	for name, c := range map[string]struct {
		answer func(string) string
		says   string
	}{
		"nothing":           {func(string) string { return "" }, "signatures"},
		"no signature":      {func(string) string { return "hello\n" }, "signature"},
		"a false signature": {func(s string) string { return s[:len(s)-12] + "AAAAAAAAAA=\n" }, "false signature"},
		"too much":          {func(s string) string { return strings.Repeat(s, 1000) }, "signatures"},
	} {
		w.set(func(x *xwitness) { x.answer = c.answer })
		one := &counterpart{notary: d.notary(), url: w.url.JoinPath(addPath), http: http.DefaultClient, log: log.logger()}
		if err := one.turn(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		d.record() // the witness has cosigned, and nobody knows: it is asked from the beginning again
		w.set(func(x *xwitness) { x.answer = nil })
		if err := one.turn(t.Context()); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		if err := one.turn(t.Context()); err != nil || one.kept != one.size {
			t.Errorf("after %s, once more: %v", name, err)
		}
	}
	one := &counterpart{notary: d.notary(), url: w.url.JoinPath(addPath), http: http.DefaultClient, log: log.logger()}
	for _, c := range []struct {
		size int64
		says string
	}{{1 << 40, "a larger checkpoint"}, {1, "422"}} {
		w.set(func(x *xwitness) { x.tree.N, x.tree.Hash = c.size, tlog.Hash{1} })
		if err := one.turn(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("a witness of another history at %d: %v", c.size, err)
		}
	}
}
