package crash_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/powercut"
)

// TestPower cuts the power of runs that were recorded: one of small events, and
// one of events so large that blocks of every stream roll.
func TestPower(t *testing.T) {
	t.Parallel()
	seed, cuts := newSeed(t), int(setting(t, "CUSTODY_CRASH_CUTS", fewCuts))
	for _, run := range []struct {
		name  string
		large int
		most  int
		acks  int
	}{
		{"small", 0, 40, 600},
		{"roll", 1500, 8, 350},
	} {
		t.Run(run.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			srv := s.serve(t)
			tok := srv.setUp(t, s)
			srv.stop(t)
			b := newBook()
			rec := record(t, s, b, func(srv *server) {
				l := &load{srv: srv, token: tok.relay, book: b, seed: seed, clients: 3, most: run.most, large: run.large}
				enough := b.after(run.acks)
				l.start()
				<-enough
				l.end()
				b.verify(t, srv, tok.reader)
			})
			if run.large > 0 {
				rolled(t, s)
			}
			rec.staged(t)
			for i := range cuts / 2 {
				rec.cut(t, tok, seed, i, i%6 == 5)
			}
		})
	}
}

// rolled demands that the stream of events has more than one block.
func rolled(t *testing.T, s site) {
	t.Helper()
	var blocks int
	filepath.WalkDir(s.data(), func(path string, d fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".blk" && filepath.Base(path) != "1.blk" {
			blocks++
		}
		return err
	})
	if blocks == 0 {
		t.Fatal("no block rolled")
	}
}

// A recording is one run of a server with all it did to its files.
type recording struct {
	log  *powercut.Log
	book *book
	old  map[string]bool // ids promised before the run
	acks map[string]int  // by id: the moment the server first wrote it to a client
}

// record runs a server under strace from start to a clean stop. The recorded
// operations must reproduce the folder to the byte.
func record(t *testing.T, s site, b *book, run func(*server)) *recording {
	t.Helper()
	base, trace := s.copied(t), filepath.Join(t.TempDir(), "trace")
	old := map[string]bool{}
	for _, id := range b.ids {
		old[id] = true
	}
	srv := s.start(t, traced(trace))
	if !srv.ready(t) {
		t.Fatalf("the server ended instead of starting: %v\n%s", srv.err, srv.out)
	}
	run(srv)
	srv.stop(t)
	l := readTrace(t, trace, s.root, base.root)
	t.Logf("recorded %d operations, %d moments", len(l.Ops), len(l.Cuts()))
	return &recording{log: l, book: b, old: old, acks: acknowledged(l)}
}

// staged demands that the recording holds the links by which batches are staged
// in memory, where there is any: a cut must find them, leading nowhere.
func (r *recording) staged(t *testing.T) {
	t.Helper()
	made := 0
	for _, op := range r.log.Ops {
		if op.Kind == powercut.Symlink {
			made++
		}
	}
	if _, err := os.Stat(powercut.Memory); err == nil && made == 0 {
		t.Error("nothing was staged in memory")
	}
}

func readTrace(t *testing.T, trace, root, base string) *powercut.Log {
	t.Helper()
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := powercut.Read(f, root, root, base)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Verify(root); err != nil {
		t.Fatal(err)
	}
	os.Remove(trace)
	return l
}

var anID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}`)

// acknowledged finds when each id was first written to a socket.
func acknowledged(l *powercut.Log) map[string]int {
	acks := map[string]int{}
	type stream struct{ fd, opened int }
	before := map[stream]string{} // the end of the last write, as an id may be cut in two
	for _, m := range l.Marks {
		if m.FD <= 2 {
			continue
		}
		key := stream{m.FD, m.Opened}
		text := before[key] + string(m.Data)
		for _, id := range anID.FindAllString(text, -1) {
			if _, known := acks[id]; !known {
				acks[id] = m.At
			}
		}
		before[key] = text[max(0, len(text)-35):]
	}
	return acks
}

// promised returns the promises made before the moment at.
func (r *recording) promised(at int) *book {
	return r.book.before(func(id string) bool {
		ack, ok := r.acks[id]
		return r.old[id] || ok && ack < at
	})
}

// cut chooses a cut, of the run after which again makes two more.
func (r *recording) cut(t *testing.T, tok tokens, seed uint64, i int, again bool) {
	rng := random(seed, "cut", i)
	how, dropIndex := r.choose(rng), rng.IntN(3) == 0
	var more func(*testing.T, *recording)
	if again {
		more = func(t *testing.T, rec *recording) {
			for j := range 2 {
				rec.cut(t, tok, seed, 1000*i+j, false)
			}
		}
	}
	r.reopen(t, tok, how, dropIndex, more)
}

// reopen rebuilds the files after one cut, opens them, and demands that every
// promise is kept and every new one can be. If more is given that run is
// recorded too, and handed on.
func (r *recording) reopen(t *testing.T, tok tokens, how powercut.Cut, dropIndex bool, more func(*testing.T, *recording)) {
	t.Helper()
	name := fmt.Sprintf("%v cut %d seed %d", how.Model, how.At, how.Seed)
	if dropIndex {
		name += " no index"
	}
	t.Run(name, func(t *testing.T) {
		s := site{filepath.Join(t.TempDir(), "site")}
		if err := r.log.Rebuild(s.root, how); err != nil {
			t.Fatal(err)
		}
		if dropIndex {
			remove(t, s, "index.db")
		}
		b := r.promised(how.At)
		reopen := func(srv *server) {
			b.verify(t, srv, tok.reader)
			b.retry(t, srv, tok.relay)
			b.verify(t, srv, tok.reader)
		}
		if more != nil {
			more(t, record(t, s, b, reopen))
			return
		}
		srv := s.serve(t)
		reopen(srv)
		srv.stop(t)
		s.sound(t)
	})
}

func (r *recording) choose(rng *rand.Rand) powercut.Cut {
	moments := r.log.Cuts()
	how := powercut.Cut{
		At:    moments[rng.IntN(len(moments))],
		Model: []powercut.Model{powercut.Posix, powercut.Journal}[rng.IntN(2)],
		Seed:  uint64(rng.IntN(1 << 16)),
	}
	if rng.IntN(4) == 0 {
		how.Seed = 0 // all that may be lost is
	}
	return how
}

// remove removes every file of that name below the data directory.
func remove(t *testing.T, s site, name string) {
	t.Helper()
	err := filepath.WalkDir(s.data(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == name {
			return os.Remove(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPowerEmpty cuts the power of the first events after a start on an empty
// stream that had not been stopped: the server then makes a block of another
// number than the one that was there.
func TestPowerEmpty(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	srv := s.serve(t)
	tok := srv.setUp(t, s)
	srv.kill()
	b, m := newBook(), &maker{rng: random(1, "empty", 0), name: "e"}
	rec := record(t, s, b, func(srv *server) {
		evs := []event{m.next(), m.next()}
		results, err := srv.send(tok.relay, evs)
		b.answer(evs, results, err)
	})
	last := 0
	for _, ack := range rec.acks {
		last = max(last, ack)
	}
	for _, model := range []powercut.Model{powercut.Posix, powercut.Journal} {
		rec.reopen(t, tok, powercut.Cut{At: last + 1, Model: model}, false, nil)
	}
}

// TestPowerInit cuts the power while a ledger is made. What is left is a ledger
// that works, or none; and once init has said it is done, a ledger.
func TestPowerInit(t *testing.T) {
	t.Parallel()
	seed, cuts := newSeed(t), int(setting(t, "CUSTODY_CRASH_CUTS", fewCuts))
	root, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	s := site{root}
	cmd := powercut.Command(t.Context(), trace, custody, "init", "--data", s.data(), "--keys", s.keys())
	cmd.Dir = root
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	l := readTrace(t, trace, root, "")
	moments := l.Cuts()
	for i := range cuts / 2 {
		rng := random(seed, "init", i)
		how := powercut.Cut{At: moments[rng.IntN(len(moments))], Model: powercut.Model(rng.IntN(2)), Seed: uint64(rng.IntN(1 << 16))}
		if i%4 == 0 {
			how.At = l.Lines
		}
		t.Run(fmt.Sprintf("%v cut %d seed %d", how.Model, how.At, how.Seed), func(t *testing.T) {
			c := site{filepath.Join(t.TempDir(), "site")}
			if err := l.Rebuild(c.root, how); err != nil {
				t.Fatal(err)
			}
			_, err := os.Stat(filepath.Join(c.data(), "ledger.json"))
			srv := c.start(t, nil)
			if srv.ready(t) {
				srv.setUp(t, c)
				srv.stop(t)
				c.sound(t)
			} else if err == nil || how.At == l.Lines {
				t.Errorf("the ledger is there and does not open\n%s", srv.out)
			} else if !strings.Contains(srv.out.String(), "none here") {
				t.Errorf("the server does not say that there is no ledger\n%s", srv.out)
			}
		})
	}
}
