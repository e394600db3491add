package statement

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// record records events in a real ledger, and gives all that it stored, its own
// events included.
func record(t testing.TB, lines ...string) (all []events.Record) {
	t.Helper()
	dir := t.TempDir()
	cfg := ledger.Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Index: views.Identities(slog.New(slog.DiscardHandler))}
	if err := ledger.Create(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for part := range slices.Chunk(lines, 2000) {
		var subs []ledger.Submission
		for _, line := range part {
			e, err := events.Decode([]byte(line))
			if err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			subs = append(subs, ledger.Submission{Event: e, Relay: "import"})
		}
		results, err := l.Record(context.Background(), subs)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	}
	for rec, err := range l.Replay(context.Background(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
	return all
}

// replay gives stored events as a ledger does.
func replay(all []events.Record) func(context.Context, uint64, uint64) iter.Seq2[events.Record, error] {
	return func(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
		return func(yield func(events.Record, error) bool) {
			for _, rec := range all {
				if rec.Position < from || rec.Position > to {
					continue
				}
				if !yield(rec, ctx.Err()) || ctx.Err() != nil {
					return
				}
			}
		}
	}
}

// proven has the three proofs over stored events and some days, verified.
type proven struct{ proof, counts, work *evidence.Verdict }

// prove makes a record log of stored events and a commit to them, and the proofs
// that a bundle has, and verifies them.
func prove(t testing.TB, all []events.Record, from, to string) proven {
	t.Helper()
	l := evidencetest.New(1)
	for _, rec := range all {
		l.AddEvent(rec.Raw)
	}
	by := l.Commit()
	l.Grow(2)
	light := func(q evidence.Question) *evidence.Verdict {
		raw, err := evidence.ProveLight(l, l.Note(l.Size(), evidencetest.Everybody), q, by)
		if err != nil {
			t.Fatal(err)
		}
		v, err := evidence.Verify(raw, evidencetest.Trust())
		if err != nil || v.Outcome != evidence.Proven {
			t.Fatal(v, err)
		}
		return v
	}
	p := proven{counts: light(CountQuestion(day(t, from), day(t, to)))}
	proof, work := ListQuestions(p.counts)
	p.proof, p.work = light(proof), light(work)
	return p
}

func (p proven) figures(t testing.TB) Figures {
	t.Helper()
	f, err := FiguresOf(p.proof, p.counts, p.work)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func day(t testing.TB, text string) law.Day {
	t.Helper()
	d, err := law.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sources are those of a statement over stored events and some days.
func sources(t testing.TB, all []events.Record, from, to string) Sources {
	t.Helper()
	p := prove(t, all, from, to)
	f := p.figures(t)
	return Sources{
		Name: "imalink-be", ID: "000102030405060708090a0b0c0d0e0f", Replay: replay(all), Figures: f, Head: f.Size + 40,
		Issued: time.Date(2026, 1, 1, 9, 30, 0, 0, time.UTC), Grace: DefaultGrace, Months: DefaultMonths, Cosigners: CosignersOf(p.proof),
	}
}

// made makes a statement.
func made(t testing.TB, all []events.Record, from, to string) *Statement {
	t.Helper()
	s, err := Make(context.Background(), sources(t, all, from, to))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func unzip(t testing.TB, path string) io.Reader {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// year is the shared year, as its producers sent it.
func year(t testing.TB) (lines []string) {
	s := bufio.NewScanner(unzip(t, "../../../events/testdata/events.ndjson.gz"))
	s.Buffer(nil, 8<<20)
	for s.Scan() {
		lines = append(lines, s.Text())
	}
	return lines
}

// answers are the right answers about the year, by another program.
type answers struct {
	Class    map[string]string            `json:"transfer_class"`
	Quarters map[string]map[string]uint64 `json:"transfer_quarters"`
	Gaps     map[string][]uint64          `json:"gaps"`
}

func answered(t testing.TB) (a answers) {
	t.Helper()
	if err := json.NewDecoder(unzip(t, "../ask/testdata/answers.json.gz")).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// event is one event of a producer, as it is sent; seq 0 is none.
func event(source string, seq uint64, kind, at, data string) string {
	number := ""
	if seq > 0 {
		number = fmt.Sprintf(`"producerseq":"%d",`, seq)
	}
	sum := sha256.Sum256([]byte(fmt.Sprint(source, seq, kind, at, data)))
	return fmt.Sprintf(`{"specversion":"1.0","id":"%x","source":%q,"type":"eu.custody.%s.v1","time":%q,%s"data":{%s}}`, sum[:16], source, kind, at, number, data)
}

// stored is an event as a ledger could store it at a position, with tags that no
// vault made.
func stored(t testing.TB, at uint64, e *events.Event, recorded time.Time, facts events.Facts) events.Record {
	t.Helper()
	rewritten := e.Rewrite(func(_ string, s events.Secrecy, v events.Value) events.Value {
		if s == events.Sealed {
			return events.Value{}
		}
		return events.TextOf(tagOf(v.Text()))
	})
	st := events.Stored{Event: rewritten, Recorded: recorded.UTC().Truncate(time.Millisecond), Facts: facts}
	st.Salt[0] = 1
	raw := st.Append(nil)
	return events.Record{Position: at, Digest: sha256.Sum256(raw), Raw: raw}
}

func tagOf(identifier string) string {
	sum := sha256.Sum256([]byte(identifier))
	return hex.EncodeToString(sum[:16])
}
