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
	refused  verdict = iota // no start; start and check name it; nothing is touched
	missing                 // the same, but check can only say that it cannot check
	rebuilt                 // it starts, every promise is kept, and check finds nothing
	tolerant                // it starts as after rebuilt, or is refused, start or check naming it
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
		{streams + "CUSTODY_LEDGER/msgs/index.db", false, []change{middleBit, halved, removed}, rebuilt},
		{streams + "CUSTODY_LEDGER/msgs/index.db", false, []change{unreadable}, tolerant},
		{"data/nats/clean-stop.json", false, []change{middleBit, removed}, rebuilt},
		{"data/ledger.json", false, bits(shorter, halved, emptied), refused},
		{"data/ledger.json", false, []change{removed, unreadable}, missing},
		{"keys/root", false, bits(halved, emptied, removed, unreadable), refused},
		{"keys/durable", false, bits(shorter, emptied, unreadable), refused},
		{"keys/durable", false, []change{removed}, rebuilt},
		{"data/views/*.db", false, []change{removed}, rebuilt},
		{"data/views/*.db", true, []change{removed}, rebuilt},
		{"data/views/*.db", false, []change{firstBit, middleBit, halved, unreadable}, tolerant},
		{"data/views/*.db", true, []change{firstBit, middleBit, halved, unreadable}, tolerant},
	} {
		for _, c := range class.changes {
			name := class.file
			if class.last {
				name += " last"
			}
			t.Run(name+" "+c.name, func(t *testing.T) {
				t.Parallel()
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
		path := filepath.Join(s.root, streams+"CUSTODY_LEDGER/msgs/copy.blk")
		must(t, os.WriteFile(path, []byte("x"), 0o600))
		judge(t, s, tok, b, path, refused)
	})
}

// settled makes a ledger of several blocks and stops it well. older is how it
// was before the last events.
func settled(t *testing.T) (s site, tok tokens, b *book, older site) {
	s, b = newSite(t), newBook()
	srv := s.serve(t)
	tok = srv.setUp(t, s)
	for round, acks := range []int{320, 20} {
		l := &load{srv: srv, token: tok.relay, book: b, seed: 1, round: round, clients: 3, most: 8, large: 1500}
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

// judge checks the ledger and starts it, and demands the verdict.
func judge(t *testing.T, s site, tok tokens, b *book, path string, want verdict) {
	t.Helper()
	before := s.tree(t)
	status, checked := s.custody(t, "check")
	if !maps.Equal(before, s.tree(t)) {
		t.Error("check has changed something")
	}
	if want == refused && status != 3 || want == missing && status == 0 {
		t.Errorf("check: exit status %d\n%s", status, checked)
	}
	srv := s.start(t, nil)
	started := srv.ready(t)
	text := srv.out.String()
	switch byStart, byCheck := names(text, path), names(checked, path); {
	case started && (want == refused || want == missing):
		t.Fatalf("it starts\n%s", text)
	case started:
		b.verify(t, srv, tok.reader)
		b.again(5).retry(t, srv, tok.relay)
		srv.stop(t)
		s.sound(t)
		return
	case want == rebuilt:
		t.Errorf("it does not start\n%s", text)
	case want == tolerant && !byStart && !byCheck, want != tolerant && !(byStart && byCheck):
		t.Errorf("the damage is not named\nstart: %s\ncheck: %s", text, checked)
	case srv.err == nil:
		t.Error("the start failed and has exit status 0")
	}
	after := s.tree(t)
	for path, sum := range before {
		if now, ok := after[path]; !ok || now != sum {
			t.Errorf("the refused start has changed or removed %s", path)
		}
	}
}

// names reports whether text names the file, or its folder where the last files
// of it are gone.
func names(text, path string) bool {
	text = strings.ToLower(text)
	for _, name := range []string{path, filepath.Base(path), "older-copy"} {
		if strings.Contains(text, strings.ToLower(name)) {
			return true
		}
	}
	return false
}

// again returns a book of the same promises, the last n of which are to be sent
// again: each must be the duplicate it is.
func (b *book) again(n int) *book {
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
