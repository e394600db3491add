package witness

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

func (b *lockedBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// TestAddCheckpoint has a witness follow a log of x/mod, by requests that are made as the specification says and not by
// our code.
func TestAddCheckpoint(t *testing.T) {
	l := newLog().grow(40)
	b := newBench(t, l)
	old := int64(0)
	for _, size := range []int64{1, 1, 2, 7, 8, 31, 40, 40} {
		b.cosigned(l, old, size)
		old = size
	}
	if last, err := b.witness.Last(); err != nil || last.Size != 40 {
		t.Errorf("it remembers %d: %v", last.Size, err)
	}
}

// TestAddCheckpointRefused goes through the answers that are no cosignature: nothing is remembered of what they answer.
func TestAddCheckpointRefused(t *testing.T) {
	l, fork, stranger := newLog().grow(40), newLog("fork").grow(40), newLog().grow(40)
	fork.signer, fork.public = l.signer, l.public
	b := newBench(t, l)
	b.cosigned(l, 0, 20)
	swapped := strings.Split(l.request(20, 30), "\n")
	swapped[1], swapped[2] = swapped[2], swapped[1]
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"nothing":               {"", http.StatusBadRequest},
		"not a request":         {"hello\n\n" + string(l.note(30)), http.StatusBadRequest},
		"no checkpoint":         {"old 20\n\n", http.StatusBadRequest},
		"an old size too large": {"old 35\n\n" + string(l.note(30)), http.StatusBadRequest},
		"far too long":          {"old 20\n" + strings.Repeat("A", checkpoint.MaxRequest) + "\n\n" + string(l.note(30)), http.StatusBadRequest},
		"too many hashes":       {"old 20\n" + strings.Repeat(strings.Repeat("A", 43)+"=\n", 64) + "\n" + string(l.note(30)), http.StatusBadRequest},
		"another key":           {stranger.request(20, 30), http.StatusForbidden},
		"another origin":        {strings.ReplaceAll(l.request(20, 30), testOrigin, "custody.example/other"), http.StatusNotFound},
		"another old size":      {l.request(10, 30), http.StatusConflict},
		"an older checkpoint":   {l.request(10, 15), http.StatusConflict},
		"nothing known":         {l.request(0, 30), http.StatusConflict},
		"a fork":                {fork.request(20, 20), http.StatusConflict},
		"rewritten":             {fork.request(20, 30), http.StatusUnprocessableEntity},
		"hashes swapped":        {strings.Join(swapped, "\n"), http.StatusUnprocessableEntity},
		"no proof":              {"old 20\n\n" + string(l.note(30)), http.StatusUnprocessableEntity},
	} {
		status, mediaType, answer := b.post(c.body)
		if status != c.want || strings.Contains(answer, "—") {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		if size := status == http.StatusConflict && name != "a fork"; size != (mediaType == checkpoint.SizeType) || size && answer != "20\n" {
			t.Errorf("%s: %s %q", name, mediaType, answer)
		}
	}
	if last, err := b.witness.Last(); err != nil || last.Size != 20 || len(last.Signatures) != 1 {
		t.Errorf("it remembers %+v: %v", last, err)
	}
	forks := b.forks()
	if len(forks) != 1 {
		t.Fatalf("proofs of forks: %v", forks)
	}
	v, err := evidence.Verify(must(os.ReadFile(forks[0])), b.witness.Trust)
	if err != nil || v.Outcome != evidence.Proven || v.Type != evidence.TypeFork {
		t.Errorf("the proof of the fork: %v, %+v", err, v)
	}
	b.cosigned(l, 20, 40)
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		request := must(http.NewRequest(method, b.url+"/add-checkpoint", nil))
		if response, err := http.DefaultClient.Do(request); err != nil || response.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %v", method, err)
		}
	}
	for _, said := range []string{"127.0.0.1", "hello", testOrigin} {
		if strings.Contains(b.logged.String(), said) {
			t.Errorf("the log says %q", said)
		}
	}
}

// TestForkAnyhow has a fork sent with another old size than the witness has, or with a strange signature: it is proven from
// the two checkpoints all the same. What the log did not sign is no fork.
func TestForkAnyhow(t *testing.T) {
	l, fork, stranger := newLog().grow(40), newLog("fork").grow(40), newLog("fork").grow(40)
	fork.signer = l.signer
	theirs := string(must(checkpoint.Open(stranger.note(20))).Signatures[0].Line())
	for name, c := range map[string]struct {
		body  string
		forks int
	}{"from 0": {fork.request(0, 20), 1}, "from 10": {fork.request(10, 20), 1}, "signed by others, too": {fork.request(20, 20) + theirs, 1}, "signed by others": {stranger.request(20, 20), 0}} {
		b := newBench(t, l)
		b.cosigned(l, 0, 20)
		if status, _, answer := b.post(c.body); status == http.StatusOK || len(b.forks()) != c.forks {
			t.Errorf("%s: %d %s, %d proofs", name, status, answer, len(b.forks()))
		}
		for _, path := range b.forks() {
			if v, err := evidence.Verify(must(os.ReadFile(path)), b.witness.Trust); err != nil || v.Outcome != evidence.Proven {
				t.Errorf("%s: the proof: %v, %+v", name, err, v)
			}
		}
	}
}

// TestSignaturesOfOthers has strangers sign beside the log: what is remembered has the log's signature alone.
func TestSignaturesOfOthers(t *testing.T) {
	l, stranger := newLog().grow(9), newLog().grow(9)
	b := newBench(t, l)
	theirs := must(checkpoint.Open(stranger.note(9))).Signatures[0].Line()
	if status, _, answer := b.post(l.request(0, 9) + string(theirs)); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	if last, err := b.witness.Last(); err != nil || len(last.Signatures) != 1 || last.Signatures[0].Key == must(checkpoint.Open(stranger.note(9))).Signatures[0].Key {
		t.Errorf("it remembers %+v: %v", last, err)
	}
}

// TestAtOnce asks a witness for many sizes at the same time, and through another with the same folder: each is cosigned
// after a smaller one or refused.
func TestAtOnce(t *testing.T) {
	l := newLog().grow(60)
	b := newBench(t, l)
	other := &Witness{Key: b.witness.Key, Trust: b.witness.Trust, Memory: b.witness.Memory, Now: b.witness.Now}
	var all sync.WaitGroup
	for size := int64(1); size <= 60; size++ {
		all.Go(func() {
			w := b.witness
			if size%2 == 0 {
				w = other
			}
			for {
				last, err := w.Last()
				if err != nil || int64(last.Size) >= size {
					if err != nil {
						t.Error(err)
					}
					return
				}
				a, err := w.Add(must(checkpoint.ParseRequest([]byte(l.request(int64(last.Size), size)))))
				if err != nil || a.Err != nil && a.Status != http.StatusConflict {
					t.Error(err, a.Err)
					return
				}
			}
		})
	}
	all.Wait()
	if last, err := b.witness.Last(); err != nil || last.Size != 60 || len(b.forks()) > 0 {
		t.Errorf("in the end it remembers %d: %v", last.Size, err)
	}
}

// TestMemoryFails finds that no cosignature leaves when it cannot be remembered, and that what is lost is not begun anew.
func TestMemoryFails(t *testing.T) {
	l := newLog().grow(20)
	b := newBench(t, l)
	m := b.witness.Memory
	blocked := m.path(testOrigin) + ".tmp"
	if err := os.Mkdir(blocked, 0o700); err != nil { // in the way of what is to be written
		t.Fatal(err)
	}
	if status, _, answer := b.post(l.request(0, 5)); status != http.StatusInternalServerError || strings.Contains(answer, "—") {
		t.Errorf("%d %s", status, answer)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	b.cosigned(l, 0, 5)
	if err := os.Remove(m.path(testOrigin)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.witness.Last(); !errors.Is(err, ErrLost) {
		t.Errorf("what is lost: %v", err)
	}
	if status, _, answer := b.post(l.request(0, 5)); status != http.StatusInternalServerError || strings.Contains(answer, "—") {
		t.Errorf("after it is lost: %d %s", status, answer)
	}
	if err := os.WriteFile(m.path(testOrigin), []byte("no note"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.witness.Last(); !errors.Is(err, checkpoint.ErrFormat) {
		t.Errorf("what is damaged: %v", err)
	}
}

// TestMemoryDamaged changes every byte of what is remembered: the witness finds the damage, or remembers the same. It never
// takes it for a fork.
func TestMemoryDamaged(t *testing.T) {
	l := newLog().grow(20)
	b := newBench(t, l)
	b.cosigned(l, 0, 5)
	path := b.witness.Memory.path(testOrigin)
	whole := must(os.ReadFile(path))
	for i := range whole {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1 << (i % 7)
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		last, err := b.witness.Last()
		if err == nil && last.Checkpoint != must(checkpoint.Open(whole)).Checkpoint {
			t.Fatalf("byte %d: it remembers %+v", i, last.Checkpoint)
		}
		for _, old := range []int64{4, 5, 6} {
			b.post(l.request(old, 5+max(old-5, 0)))
		}
	}
	if forks := b.forks(); len(forks) > 0 {
		t.Errorf("damage was taken for a fork: %v", forks)
	}
	other := checkpoint.Checkpoint{Origin: "custody.example/other", Size: 5}
	note := must(checkpoint.Sign(other, must(checkpoint.NewSigner(other.Origin))))
	if err := os.WriteFile(path, note.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if last, err := b.witness.Last(); err == nil {
		t.Errorf("what is of another log: %+v", last)
	}
}

// TestWrittenInPart has remembering fail in the middle, and the same checkpoint sent again: no cosignature leaves before it
// and the list of logs are durable.
func TestWrittenInPart(t *testing.T) {
	l := newLog().grow(20)
	b := newBench(t, l)
	m := b.witness.Memory
	blocked := m.listPath() + ".tmp"
	if err := os.Mkdir(blocked, 0o700); err != nil { // in the way of the list: the checkpoint is written by then
		t.Fatal(err)
	}
	for _, old := range []int64{0, 5} {
		if status, _, answer := b.post(l.request(old, 5)); status != http.StatusInternalServerError || strings.Contains(answer, "—") {
			t.Errorf("after %d: %d %s", old, status, answer)
		}
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	b.cosigned(l, 5, 5)
	if err := os.Remove(m.path(testOrigin)); err != nil {
		t.Fatal(err)
	}
	if last, err := b.witness.Last(); !errors.Is(err, ErrLost) {
		t.Errorf("what was cosigned is lost: %+v, %v", last, err)
	}
}

// TestManyWait has requests wait for a folder that another process uses: they do not take a thread each.
func TestManyWait(t *testing.T) {
	l := newLog().grow(20)
	b := newBench(t, l)
	const many = 400
	request := must(checkpoint.ParseRequest([]byte(l.request(0, 5))))
	threads := func() int { return pprof.Lookup("threadcreate").Count() }
	var all sync.WaitGroup
	before := threads()
	err := b.witness.Memory.Alone(func() error {
		var begun atomic.Int64
		for range many {
			all.Go(func() {
				begun.Add(1)
				if _, err := b.witness.Add(request); err != nil {
					t.Error(err)
				}
			})
		}
		until(t, "begun", func() bool { return begun.Load() == many })
		for range 100 {
			runtime.Gosched()
		}
		if grown := threads() - before; grown > many/4 {
			t.Errorf("%d requests that wait took %d threads", many, grown)
		}
		return nil
	})
	if all.Wait(); err != nil {
		t.Error(err)
	}
}

// TestMemory keeps what is remembered of two logs and by two roles apart.
func TestMemory(t *testing.T) {
	dir := t.TempDir()
	one, two := Memory{dir, "replay"}, Memory{dir, "witness"}
	for i, m := range []Memory{one, two} {
		for _, origin := range []string{"a", "b/../c"} {
			if b, err := m.Read(origin); b != nil || err != nil {
				t.Errorf("before anything: %q, %v", b, err)
			}
			for range 2 {
				if err := m.Write(origin, []byte(m.Role+origin)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if logs, err := m.logs(); err != nil || len(logs) != 2 {
			t.Errorf("%d: logs %q, %v", i, logs, err)
		}
	}
	for _, m := range []Memory{one, two} {
		if b, err := m.Read("b/../c"); string(b) != m.Role+"b/../c" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
	}
	if names := must(filepath.Glob(filepath.Join(dir, "*"))); len(names) != 6 {
		t.Errorf("files: %v", names)
	}
}
