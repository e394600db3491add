package crash_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What must become of a ledger after something was done to it.
type verdict uint8

const (
	refused  verdict = iota // no start; start and check name the file; nothing is touched
	rebuilt                 // it starts, every promise is kept, and check finds nothing
	tolerant                // it starts as after rebuilt, or is refused as after refused
)

// change does something to one file.
type change struct {
	name string
	do   func(t *testing.T, path string)
}

var (
	firstBit  = change{"first bit", func(t *testing.T, path string) { flip(t, path, 0) }}
	middleBit = change{"middle bit", func(t *testing.T, path string) { flip(t, path, 0.5) }}
	lastBit   = change{"last bit", func(t *testing.T, path string) { flip(t, path, 1) }}
	shorter   = change{"one byte shorter", func(t *testing.T, path string) { truncate(t, path, 1) }}
	halved    = change{"half of it", func(t *testing.T, path string) { truncate(t, path, 0.5) }}
	emptied   = change{"emptied", func(t *testing.T, path string) { truncate(t, path, 0) }}
	longer    = change{"one byte longer", func(t *testing.T, path string) { lengthen(t, path) }}
	removed   = change{"removed", func(t *testing.T, path string) { must(t, os.Remove(path)) }}
	// A folder of that name cannot be read as a file, not even by root.
	unreadable = change{"unreadable", func(t *testing.T, path string) { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o700)) }}
)

func bits(more ...change) []change { return append([]change{firstBit, middleBit, lastBit}, more...) }

// TestTamper changes one thing in each class of file of a ledger that was
// stopped well, so that all of it is known to be durable.
func TestTamper(t *testing.T) {
	t.Parallel()
	s, tok, b, older := settled(t)
	const streams = "data/nats/jetstream/$G/streams/"
	all := bits(shorter, halved, emptied, removed, unreadable)
	for _, class := range []struct {
		file    string
		last    bool // of the files that match, the last one, not the first
		changes []change
		verdict verdict
	}{
		{streams + "CUSTODY_LEDGER/msgs/*.blk", false, bits(shorter, halved, emptied, longer, removed, unreadable), refused},
		{streams + "CUSTODY_LEDGER/msgs/*.blk", true, bits(shorter, halved, emptied, removed, unreadable), refused},
		{streams + "CUSTODY_LEDGER_VAULT/msgs/*.blk", true, all, refused},
		{streams + "CUSTODY_LEDGER_ACCESS/msgs/*.blk", true, all, refused},
		{streams + "CUSTODY_LEDGER/meta.inf", false, all, refused},
		{streams + "CUSTODY_LEDGER/meta.sum", false, all, refused},
		{streams + "CUSTODY_LEDGER_VAULT/meta.inf", false, all, refused},
		{streams + "CUSTODY_LEDGER/msgs/index.db", false, bits(shorter, halved, emptied, removed), rebuilt},
		{streams + "CUSTODY_LEDGER/msgs/index.db", false, []change{unreadable}, tolerant},
		{"data/nats/clean-stop.json", false, bits(halved, emptied, removed), rebuilt},
		{"data/ledger.json", false, all, refused},
		{"keys/root", false, bits(halved, emptied, removed, unreadable), refused},
		{"keys/durable", false, bits(shorter, emptied, unreadable), refused},
		{"keys/durable", false, []change{removed}, rebuilt},
		{"data/views/*.db", false, []change{removed}, rebuilt},
		{"data/views/*.db", true, []change{removed}, rebuilt},
		{"data/views/*.db", false, bits(halved, emptied, unreadable), tolerant},
		{"data/views/*.db", true, bits(halved, emptied, unreadable), tolerant},
	} {
		for _, c := range class.changes {
			name := class.file
			if class.last {
				name += " last"
			}
			t.Run(name+" "+c.name, func(t *testing.T) {
				s := s.copied(t)
				path := match(t, s, class.file, class.last)
				c.do(t, path)
				judge(t, s, tok, b, path, class.verdict)
			})
		}
	}
	t.Run("older copy of the data", func(t *testing.T) {
		s := s.copied(t)
		must(t, os.RemoveAll(s.data()))
		must(t, os.CopyFS(s.data(), os.DirFS(older.data())))
		judge(t, s, tok, b, "older copy", refused)
	})
	t.Run("data of another ledger", func(t *testing.T) {
		s, other := s.copied(t), newSite(t)
		must(t, os.RemoveAll(s.data()))
		must(t, os.CopyFS(s.data(), os.DirFS(other.data())))
		judge(t, s, tok, b, "another ledger", refused)
	})
	t.Run("a file that does not belong", func(t *testing.T) {
		s := s.copied(t)
		path := filepath.Join(s.root, streams+"CUSTODY_LEDGER/msgs/9.blk")
		must(t, os.WriteFile(path, []byte("x"), 0o600))
		judge(t, s, tok, b, filepath.Join(filepath.Dir(path), "*.blk"), refused)
	})
}

// settled makes a ledger of several blocks and stops it well. older is how it
// was before the last events.
func settled(t *testing.T) (s site, tok tokens, b *book, older site) {
	s, b = newSite(t), newBook()
	srv := s.serve(t)
	tok = srv.setUp(t, s)
	for round, acks := range []int{250, 30} {
		l := &load{srv: srv, token: tok.relay, book: b, seed: 1, round: round, clients: 3, most: 8, large: 4000}
		enough := b.after(acks)
		l.start()
		<-enough
		l.end()
		b.verify(t, srv, tok.reader)
		srv.stop(t)
		s.sound(t)
		if round == 0 {
			older = s.copied(t)
			srv = s.serve(t)
		}
	}
	rolled(t, s)
	return s, tok, b, older
}

// judge starts the ledger and checks it, and demands the verdict.
func judge(t *testing.T, s site, tok tokens, b *book, path string, want verdict) {
	t.Helper()
	before := s.tree(t)
	status, said := s.custody(t, "check")
	if !maps.Equal(before, s.tree(t)) {
		t.Error("check has changed something")
	}
	if want == refused && status != 3 {
		t.Errorf("check: exit status %d\n%s", status, said)
	}
	srv := s.start(t, nil)
	if !srv.ready(t) {
		if want == rebuilt {
			t.Errorf("it does not start\n%s", srv.out)
		}
		if srv.err == nil {
			t.Error("the start failed and has exit status 0")
		}
		untouched(t, before, s)
		for by, text := range map[string]string{"start": srv.out.String(), "check": said} {
			if !names(text, path) {
				t.Errorf("%s does not name the damage\n%s", by, text)
			}
		}
		return
	}
	if want == refused {
		t.Errorf("it starts\n%s", srv.out)
	}
	b.verify(t, srv, tok.reader)
	again := b.copyOpen(20)
	again.retry(t, srv, tok.relay)
	srv.stop(t)
	s.sound(t)
}

// names reports whether text names the damaged file, or what path says instead.
func names(text, path string) bool {
	text = strings.ToLower(text)
	if strings.HasSuffix(path, "*.blk") {
		return strings.Contains(text, ".blk")
	}
	return strings.Contains(text, strings.ToLower(path)) || strings.Contains(text, strings.ToLower(filepath.Base(path)))
}

// untouched demands that a refused start has removed and changed nothing.
func untouched(t *testing.T, before map[string][32]byte, s site) {
	t.Helper()
	after := s.tree(t)
	for path, sum := range before {
		if now, ok := after[path]; !ok {
			t.Errorf("%s is gone", path)
		} else if now != sum {
			t.Errorf("%s has changed", path)
		}
	}
}

// copyOpen returns a book in which the last n promises are kept in mind and
// open as well: sent again, each must be the duplicate it is.
func (b *book) copyOpen(n int) *book {
	c := b.before(func(string) bool { return true })
	for _, id := range b.ids[max(0, len(b.ids)-n):] {
		c.repeat = append(c.repeat, b.promises[id].event)
	}
	return c
}

// match returns the first or last file that the pattern, relative to the site,
// means.
func match(t *testing.T, s site, pattern string, last bool) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.root, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	if last {
		return files[len(files)-1]
	}
	return files[0]
}

func flip(t *testing.T, path string, where float64) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	if len(b) == 0 {
		t.Fatal("nothing to flip")
	}
	b[int(where*float64(len(b)-1))] ^= 1
	must(t, os.WriteFile(path, b, 0o600))
}

// truncate leaves a part of a file: a fraction of it, or all but one byte.
func truncate(t *testing.T, path string, part float64) {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	size := int64(part * float64(info.Size()))
	if part == 1 {
		size--
	}
	must(t, os.Truncate(path, size))
}

func lengthen(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = fmt.Fprint(f, "x")
	must(t, err)
	must(t, f.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
