package emit_test

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// storedOf is an event as an honest ledger stores it, in which no party and no activity is registered.
func storedOf(e *events.Event) *events.Stored {
	st := &events.Stored{Recorded: e.At.Add(time.Second).Truncate(time.Millisecond), Salt: [16]byte{1, 2, 3}}
	st.Event = e.Rewrite(func(ptr string, s events.Secrecy, v events.Value) events.Value {
		if ptr != "" {
			st.Sealed = []byte("sealed")
		}
		if s == events.Sealed {
			return events.Value{}
		}
		sum := sha256.Sum256(append([]byte{byte(s)}, v.Text()...))
		return events.TextOf(hex.EncodeToString(sum[:16]))
	})
	d := e.Data
	st.Facts = events.Facts{Special: len(d.Get("special").List()) > 0, A9: !d.Get("a9").IsZero(), Art10: d.Get("art10").Bool()}
	v := law.Classify(law.Facts{
		Day: law.DayOf(e.At), Data: e.Kind.Family() == "data", ActorKind: d.Get("actor").Object().Get("kind").Text(),
		RecipientRole: d.Get("recipient").Object().Get("role").Text(),
		Storage:       d.Get("location").Object().Get("storage").Texts(), Access: d.Get("location").Object().Get("access").Texts(),
	})
	if v.Class != law.None {
		st.Facts.Class, st.Facts.Tables, st.Facts.Region = v.Class.String(), law.Version(), v.Region
		st.Facts.Outside = slices.Sorted(slices.Values(v.Outside))
	}
	return st
}

// A notarised ledger gives receipts, over HTTP. Its fields are changed by tests that have it lie or fail.
type notarised struct {
	*httptest.Server

	mu      sync.Mutex
	log     *evidencetest.Ledger
	stored  map[uint64][]byte // by position
	by      evidencetest.By
	under   uint64 // receipts are under the checkpoint of this size; 0: the newest
	room    int    // bytes of an answer; 0 for as many as there are
	faults  []int  // statuses of the next answers
	asked   []string
	refuses map[string]string // word of the problem, by path and query
}

func newNotarised(t testing.TB) *notarised {
	l := &notarised{log: evidencetest.New(1), stored: map[uint64][]byte{}, by: evidencetest.Log, refuses: map[string]string{}}
	l.Server = httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(l.Server.Close)
	return l
}

// record stores an event at the next position, honestly.
func (l *notarised) record(e *events.Event) emit.Sent {
	return emit.Sent{Position: l.store(storedOf(e).Append(nil)), Event: e}
}

func (l *notarised) store(stored []byte) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	position := l.log.AddEvent(stored) + 1
	l.stored[position] = stored
	return position
}

// change has the ledger be another from now on.
func (l *notarised) change(to func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to()
}

func (l *notarised) receipt(position uint64) []byte {
	size := l.log.Size()
	if l.under > 0 {
		size = l.under
	}
	proof, err := evidence.ProveEvent(l.log, l.log.Note(size, l.by), position-1, l.stored[position])
	if err != nil {
		panic(err)
	}
	return proof
}

func (l *notarised) serve(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, r.URL.RequestURI())
	if r.Header.Get("Authorization") != "Bearer secret" {
		problem(w, "unauthenticated", 401)
		return
	}
	if len(l.faults) > 0 {
		status := l.faults[0]
		l.faults = l.faults[1:]
		if status != 0 {
			problem(w, map[int]string{503: "not-proven", 403: "forbidden"}[status], status)
			return
		}
	}
	if word := l.refuses[r.URL.RequestURI()]; word != "" {
		problem(w, word, 404)
		return
	}
	number := func(name string) uint64 {
		n, _ := strconv.ParseUint(r.URL.Query().Get(name), 10, 64)
		return n
	}
	switch path := r.URL.Path; {
	case path == "/v1/checkpoint":
		w.Write(l.log.Note(l.log.Size(), l.by).Bytes())
	case path == "/v1/receipts":
		if number("to")-number("from") >= 1000 {
			problem(w, "invalid-request", 400)
			return
		}
		var b []byte
		for p := number("from"); p <= number("to") && (l.room == 0 || len(b) < l.room); p++ {
			if l.stored[p] != nil {
				proof := l.receipt(p)
				b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, p), uint32(len(proof)))
				b = append(b, proof...)
			}
		}
		w.Write(b)
	case strings.HasPrefix(path, "/v1/receipts/"):
		p, _ := strconv.ParseUint(strings.TrimPrefix(path, "/v1/receipts/"), 10, 64)
		if l.stored[p] == nil {
			problem(w, "not-found", 404)
			return
		}
		w.Write(l.receipt(p))
	case strings.HasPrefix(path, "/v1/tile/"):
		l.tile(w, strings.TrimPrefix(path, "/v1/tile/"))
	default:
		http.Error(w, "no such page", http.StatusNotFound)
	}
}

func (l *notarised) tile(w http.ResponseWriter, path string) {
	t, err := tlog.ParseTilePath("tile/8/" + path)
	if err != nil || uint64(t.W) != min(256, l.log.Size()>>(8*t.L)-uint64(t.N)*256) { // as c2sp.org/tlog-tiles has them
		problem(w, "not-found", 404)
		return
	}
	var spans []evidence.Span
	for i := range uint64(t.W) {
		at := uint64(t.N)*256 + i
		spans = append(spans, evidence.Span{From: at << (8 * t.L), To: (at + 1) << (8 * t.L)})
	}
	hashes, err := l.log.Hashes(spans)
	if err != nil {
		panic(err)
	}
	for _, h := range hashes {
		w.Write(h[:])
	}
}

func (l *notarised) to() *emit.HTTP { return &emit.HTTP{URL: l.URL, Token: "secret"} }

// receipts opens a folder of receipts of this ledger.
func (l *notarised) receipts(t testing.TB, dir string, trust *checkpoint.Trust) *emit.Receipts {
	t.Helper()
	s, err := emit.OpenReceipts(dir, l.to(), trust)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// year are the events of the year, a line each.
func year(t testing.TB) (lines [][]byte) {
	t.Helper()
	f, err := os.Open("../testdata/events.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(z)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		lines = append(lines, []byte(strings.Clone(in.Text())))
	}
	if err := in.Err(); err != nil || len(lines) < 10_000 {
		t.Fatal(len(lines), err)
	}
	return lines
}

func decoded(t testing.TB, line []byte) *events.Event {
	t.Helper()
	e, err := events.Decode(line)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// shared is an event of a bit of everything.
func shared(t testing.TB, n int) *events.Event {
	t.Helper()
	return decoded(t, fmt.Appendf(nil, `{"specversion":"1.0","id":"e-%d","source":"/ats","type":"eu.custody.data.shared.v1","time":"2026-03-02T09:14:05Z",`+
		`"producerinstance":"node-1","producerseq":"%d","correlationid":"place-2291","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",`+
		`"data":{"actor":{"id":"employee:jdp","role":"recruiter","kind":"human","session":"sess-0289"},"reference":"vacancy:662","reason":"asked by the person",`+
		`"subjects":[{"id":"candidate:10412","role":"candidate","country":"BE"},{"id":"candidate:7","role":"candidate"}],"system":"ats","dataset":"career_cv",`+
		`"categories":["contact","career_cv"],"special":["health"],"a9":"A9-2-b","purpose":"service_provision","basis":"A6-1-b","activity":"placement",`+
		`"recipient":{"party":"acme-bank","role":"client"}}}`, n, n+1))
}

// swapping is a ledger behind a proxy that answers one path with another's answer, and swaps the positions of the
// first two of many receipts.
func swapping(t testing.TB, l *notarised, path, with string) *emit.HTTP {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			r.URL.Path = with
		}
		if path != "" || r.URL.Path != "/v1/receipts" {
			l.serve(w, r)
			return
		}
		rec := httptest.NewRecorder()
		l.serve(rec, r)
		b := rec.Body.Bytes()
		size := int(binary.BigEndian.Uint32(b[8:]))
		first, second := b[12:12+size], b[24+size:]
		for i, proof := range [][]byte{second, first} {
			head := binary.BigEndian.AppendUint64(nil, uint64(i+1))
			w.Write(append(binary.BigEndian.AppendUint32(head, uint32(len(proof))), proof...))
		}
	}))
	t.Cleanup(proxy.Close)
	return &emit.HTTP{URL: proxy.URL, Token: "secret"}
}
