package vault

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

const testSubject = "custody.test.vault"

// memLog is a Log in memory that fails on demand: before it stores anything, or
// after it stored a first part of the messages and the answer was lost.
type memLog struct {
	mu       sync.Mutex
	messages []stream.Message
	appends  int
	// fail says what becomes of the n-th Append (from 1): how many messages are
	// stored, and the error. nil stores all.
	fail func(n, messages int) (stored int, err error)
}

var (
	errRejected = fmt.Errorf("no room: %w", stream.ErrRejected)
	errLost     = fmt.Errorf("answer lost: %w", stream.ErrUnknown)
)

func (l *memLog) Append(ctx context.Context, messages []stream.Message) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.appends++
	stored, err := len(messages), error(nil)
	if l.fail != nil {
		stored, err = l.fail(l.appends, len(messages))
	}
	if err == nil && ctx.Err() != nil {
		err = errLost // as stream.Stream does if it is cancelled meanwhile
	}
	for _, m := range messages[:stored] {
		m.Sequence = uint64(len(l.messages) + 1)
		m.Data = slices.Clone(m.Data)
		l.messages = append(l.messages, m)
	}
	return uint64(len(l.messages)), err
}

func (l *memLog) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.messages))
}

func (l *memLog) Get(_ context.Context, seq uint64) (stream.Message, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq == 0 || seq > uint64(len(l.messages)) {
		return stream.Message{}, errors.New("no such message")
	}
	return l.messages[seq-1], nil
}

func (l *memLog) Replay(ctx context.Context, from, to uint64) iter.Seq2[stream.Message, error] {
	return func(yield func(stream.Message, error) bool) {
		for seq := from; seq <= min(to, l.Last()); seq++ {
			if !yield(l.Get(ctx, seq)) {
				return
			}
		}
	}
}

// bench is one vault with all around it: its log, root, index, and the events
// that links name.
type bench struct {
	t      testing.TB
	log    *memLog
	root   string
	index  string
	events map[uint64][16]byte
	head   uint64 // position of the last event
	every  int
	cache  int
	device *device // seals roots; nil for none
	escrow *escrow // takes roots; nil for none
	*Vault

	unsynced bool // the index is not synced, for speed
}

func newBench(t testing.TB) *bench {
	t.Helper()
	return newBenchWith(t, bench{})
}

// newBenchWith is newBench with the settings of b.
func newBenchWith(t testing.TB, b bench) *bench {
	t.Helper()
	dir := t.TempDir()
	b.t, b.log, b.root, b.index, b.events = t, &memLog{}, filepath.Join(dir, "root"), filepath.Join(dir, "vault.db"), map[uint64][16]byte{}
	must(t, CreateRoot(b.root, b.wrapper()))
	must(t, Create(t.Context(), b.log, testSubject, b.openRoot()))
	b.open()
	t.Cleanup(b.finish)
	return &b
}

// wrapper is the device, a nil interface if there is none.
func (b *bench) wrapper() Wrapper {
	if b.device == nil {
		return nil
	}
	return b.device
}

func (b *bench) openRoot() *Root {
	b.t.Helper()
	root, err := OpenRoot(b.root, b.wrapper())
	must(b.t, err)
	return root
}

func (b *bench) options() Options {
	o := Options{
		Log: b.log, Root: b.openRoot(), Subject: testSubject, IndexPath: b.index, CacheSize: b.cache, indexEvery: b.every, indexUnsynced: b.unsynced,
		Confirm: func(position uint64) ([16]byte, bool, error) {
			salt, ok := b.events[position]
			return salt, ok, nil
		},
	}
	if b.escrow != nil {
		o.Escrow = b.escrow.take
	}
	return o
}

func (b *bench) open() {
	b.t.Helper()
	v, err := Open(context.Background(), b.options())
	must(b.t, err)
	b.Vault = v
}

// crash lets go of the vault as it is: rows not yet in the index stay out of it.
func (b *bench) crash() {
	b.t.Helper()
	if b.Vault == nil {
		return
	}
	b.mu.Lock()
	w := b.writing
	b.halted = ErrHalted // nothing more is written
	b.mu.Unlock()
	if w != nil {
		<-w.done
	}
	must(b.t, b.Vault.index.close())
	b.Vault = nil
}

func (b *bench) reopen() {
	b.t.Helper()
	must(b.t, b.Close())
	b.open()
}

// finish checks the whole vault, whatever the test did.
func (b *bench) finish() {
	b.t.Helper()
	b.log.fail = nil
	if b.Vault != nil {
		b.crash()
	}
	b.open()
	b.sound()
	must(b.t, b.Close())
}

func (b *bench) sound() Report {
	b.t.Helper()
	r, err := b.Check(context.Background())
	must(b.t, err)
	for _, f := range r.Faults {
		b.t.Errorf("vault unsound: message %d: %v", f.Sequence, f.Err)
	}
	return r
}

// tag records one event about somebody.
func (b *bench) tag(id CellID, who Identifier) Tag {
	b.t.Helper()
	batch := b.Begin()
	c, err := batch.Cell(id)
	must(b.t, err)
	tag, _, err := batch.Tag(c, who)
	must(b.t, err)
	must(b.t, batch.Flush(b.t.Context(), b.head))
	batch.Commit()
	b.head++
	return tag
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

var (
	march   = CellID{Class: 1, Role: Subject, Month: 674}
	april   = CellID{Class: 1, Role: Subject, Month: 675}
	legal   = CellID{Class: 3, Role: Subject, Month: 674}
	byActor = CellID{Class: 1, Role: Actor, Month: 674}
)
