package api

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/ledger/access"
)

// receiptsOf are the positions of an answer of many receipts, each of which is verified.
func (r *reading) receiptsOf(a answer) (positions []uint64) {
	r.t.Helper()
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != receiptsType {
		r.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	for b := []byte(a.body); len(b) > 0; {
		position, size := wireNumber(b[:8]), wireNumber(b[8:12])
		receipt, err := emit.ReadReceipt(b[12:12+size], r.ledgerTrust())
		if err != nil || receipt.Position != position {
			r.t.Fatalf("position %d: %v", position, err)
		}
		positions, b = append(positions, position), b[12+size:]
	}
	return positions
}

func wireNumber(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// TestManyReceipts gives everybody the receipts that they may have, of a range.
func TestManyReceipts(t *testing.T) {
	r := newProving(t)
	crm := r.tokenFor(access.NewToken{Role: access.RoleProducer, Name: "crm", Producer: "crm"})
	n := uint64(len(small()))
	ask := func(token string, from, to uint64) answer {
		return r.askWith(t.Context(), token, "GET", fmt.Sprintf("/v1/receipts?from=%d&to=%d", from, to), "")
	}
	var all []uint64
	for p := range r.ledger.Head().Position {
		all = append(all, p+1)
	}
	for _, test := range []struct {
		who      string
		token    string
		from, to uint64
		want     []uint64
	}{
		{"a producer", r.tokens[access.RoleProducer], 1, 20, all[2:20]}, // the first two are the register's
		{"a producer of nothing here", crm, 1, 20, nil},
		{"who sent them", r.tokens[access.RoleRelay], 1, n + 500, all[:n]}, // then there are commits
		{"an auditor", r.tokens[access.RoleAuditor], 7, 9, all[6:9]},
		{"beyond the head", r.tokens[access.RoleRelay], n + 900, n + 901, nil},
	} {
		if got := r.receiptsOf(ask(test.token, test.from, test.to)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.who, got, test.want)
		}
	}
	if got := r.receiptsOf(ask(r.tokens[access.RoleAuditor], 1, 1000)); len(got) < len(all) {
		t.Errorf("everything: %v", got)
	}
	for _, q := range []string{"", "?from=1", "?to=1", "?from=0&to=4", "?from=5&to=4", "?from=1&to=1001", "?from=x&to=2"} {
		r.problem(r.ask(access.RoleRelay, "GET", "/v1/receipts"+q, ""), invalidRequest)
	}
}

// TestReceiptsEnd: an answer ends behind the receipt by which it is too large, and the rest is asked for.
func TestReceiptsEnd(t *testing.T) {
	r := newProving(t)
	server := httptest.NewServer(r.api)
	defer server.Close()
	var subjects []string
	for i := range events.MaxSubjects {
		subjects = append(subjects, fmt.Sprintf(`{"id":"candidate:%d","role":"candidate"}`, 100000+i))
	}
	var lines []string
	for i := range 60 { // of some 300 kB each as stored
		lines = append(lines, fmt.Sprintf(`{"specversion":"1.0","id":"large-%d","source":"/ats","type":"eu.custody.data.accessed.v1","time":"2026-01-01T09:00:00.000Z",`+
			`"data":{"actor":{"id":"employee:zulu77","role":"recruiter"},"subjects":[%s],"system":"ats","dataset":"career_cv","categories":["contact"],"purpose":"service_provision","mode":"search"}}`,
			i, strings.Join(subjects, ",")))
	}
	first := r.ledger.Head().Position + 1
	for part := range slices.Chunk(lines, 30) {
		r.record(part)
	}
	last := r.ledger.Head().Position
	a := r.ask(access.RoleRelay, "GET", fmt.Sprintf("/v1/receipts?from=%d&to=%d", first, last), "")
	if got := r.receiptsOf(a); len(got) < 40 || len(got) >= 60 || len(a.body) < receiptBytes {
		t.Errorf("%d receipts in %d bytes", len(got), len(a.body))
	}
	kept, err := emit.OpenReceipts(t.TempDir(), &emit.HTTP{URL: server.URL, Token: r.tokens[access.RoleRelay]}, r.ledgerTrust())
	r.must(err)
	var sent []emit.Sent
	for p := first; p <= last; p++ {
		rec, err := r.ledger.Event(t.Context(), p)
		r.must(err)
		st, err := events.DecodeStored(rec.Raw)
		r.must(err)
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, `"id":"`+st.Event.ID+`"`) }); i >= 0 {
			e, err := events.Decode([]byte(lines[i]))
			r.must(err)
			sent = append(sent, emit.Sent{Position: p, Event: e})
		}
	}
	r.must(kept.Expect(sent...))
	n := 0
	r.must(kept.Collect(t.Context(), func(position uint64, err error) {
		n++
		r.must(err)
	}))
	if n != len(lines) {
		t.Errorf("%d receipts collected of %d", n, len(lines))
	}
}

// TestReceiptsOfTheYear records a whole year, and holds the receipts of all of it against what was sent; then it lets
// the ledger grow, and checks them again.
func TestReceiptsOfTheYear(t *testing.T) {
	r := newProving(t)
	server := httptest.NewServer(r.api)
	defer server.Close()
	lines, sent := yearOfEvents(t, r), []emit.Sent(nil)
	for part := range slices.Chunk(lines, 1000) {
		a := r.ask(access.RoleRelay, "POST", "/v1/events", strings.Join(part, "\n"))
		var answer struct {
			Results []struct{ Position uint64 }
		}
		r.must(json.Unmarshal([]byte(a.body), &answer))
		for i, result := range answer.Results {
			e, err := events.Decode([]byte(part[i]))
			r.must(err)
			if result.Position > 0 {
				sent = append(sent, emit.Sent{Position: result.Position, Event: e})
			}
		}
	}
	if len(sent) < 10_000 {
		t.Fatalf("%d of the year's events are recorded", len(sent))
	}
	from := &emit.HTTP{URL: server.URL, Token: r.tokens[access.RoleRelay]}
	kept, err := emit.OpenReceipts(t.TempDir(), from, r.ledgerTrust())
	r.must(err)
	for part := range slices.Chunk(sent, 1000) {
		r.must(kept.Expect(part...))
	}
	r.must(kept.Collect(t.Context(), func(position uint64, err error) {
		if err != nil {
			t.Errorf("position %d: %v", position, err)
		}
	}))
	positions, err := kept.Positions()
	if err != nil || len(positions) < 10_000 {
		t.Fatalf("%d receipts are kept: %v", len(positions), err)
	}
	r.record([]string{strings.Replace(small()[3], `"e-4"`, `"x-1"`, 1)})
	r.covered()
	few, err := emit.OpenReceipts(t.TempDir(), from, r.ledgerTrust())
	r.must(err)
	for _, p := range positions[5000:5400] {
		receipt, err := kept.Load(p)
		r.must(err)
		r.must(few.Keep(receipt))
	}
	checked, err := few.Check(t.Context(), func(position uint64, err error) { t.Errorf("position %d: %v", position, err) })
	if err != nil || checked.Receipts != 400 || checked.Newest.Size <= positions[len(positions)-1] {
		t.Errorf("%v, %+v", err, checked)
	}
}

// yearOfEvents are the lines of the year, whose producers are registered.
func yearOfEvents(t *testing.T, r *reading) (lines []string) {
	f, err := os.Open("../../../events/testdata/events.ndjson.gz")
	r.must(err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	r.must(err)
	in := bufio.NewScanner(z)
	in.Buffer(nil, 1<<20)
	sources := map[string]bool{}
	for in.Scan() {
		e, err := events.Decode(in.Bytes())
		r.must(err)
		if name := e.Source[1:]; !sources[name] {
			sources[name] = true
			_, err := r.ledger.Access().PutProducer(t.Context(), "", access.Producer{Name: name, Families: []string{"data", "subject", "governance", "breach", "ledger"}})
			r.must(err)
		}
		lines = append(lines, in.Text())
	}
	r.must(in.Err())
	return lines
}
