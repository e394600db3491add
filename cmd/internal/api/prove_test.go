package api

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/imalink/custody/cmd/internal/attest"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// proof demands a proof, which holds together and is signed by the ledger.
func (r *reading) proof(role access.Role, method, target, body string) *evidence.Verdict {
	r.t.Helper()
	a := r.ask(role, method, target, body)
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != proofType {
		r.t.Fatalf("%s: %d %s %s", target, a.StatusCode, a.Header.Get("Content-Type"), a.body)
	}
	v, err := evidence.Verify([]byte(a.body), r.ledgerTrust())
	if err != nil || len(v.Head.Log) != 1 || v.Outcome != evidence.Unsigned {
		r.t.Fatalf("%s: %v, %+v", target, err, v)
	}
	return v
}

// TestProofs asks for one of every sort, and verifies it.
func TestProofs(t *testing.T) {
	r := newProving(t)
	older := r.covered()

	stored, err := r.ledger.Event(t.Context(), 7)
	r.must(err)
	for query, told := range map[string]bool{"": false, "&told=false": false, "&told=true": true} {
		v := r.proof(access.RoleAuditor, "GET", "/v1/proofs/event?position=7"+query, "")
		if v.Leaf.Position() != 7 || v.Leaf.Record.Digest != stored.Digest || told != bytes.Equal(v.Event, stored.Raw) || !told && v.Event != nil {
			t.Errorf("event%s: position %d, told %t", query, v.Leaf.Position(), v.Event != nil)
		}
	}

	r.record([]string{strings.Replace(small()[3], `"e-4"`, `"x-1"`, 1)})
	newer := r.covered()
	if v := r.proof(access.RoleDPO, "POST", "/v1/proofs/growth", string(older.Bytes())); v.Older.Size != older.Size || v.Head.Size < newer.Size {
		t.Errorf("growth from %d to %d", v.Older.Size, v.Head.Size)
	}

	for query, want := range map[string]uint64{
		"flag=used&from_day=2026-01-01&to_day=2026-03-31":                                     32,
		"flag=used&from_day=2026-01-01&to_day=2026-01-01":                                     1,
		"flag=used&from_day=1970-01-01&to_day=2149-06-05":                                     32,
		"flag=used&from_position=3&to_position=7":                                             5,
		"flag=T0,T1,T2,T3,T4,T5,U&from_day=2026-02-01&to_day=2026-03-31":                      16,
		"flag=used&from=2026-01-01T09:00:00.120Z&to=2026-01-02T09:00:00.120Z&class=replay":    1,
		"flag=used&from=2026-01-01T09:00:00.120Z&to=2026-01-02T09:00:00.121Z&class=replay":    3,
		"flag=used&from=2026-01-01T10:00:00.120%2B01:00&to=2026-01-02T00:00:00Z&class=replay": 1,
		"flag=bulk&from_day=2026-01-01&to_day=2026-03-31":                                     0,
		"flag=used&from_day=2030-01-01&to_day=2030-01-01":                                     0,
		fmt.Sprintf("flag=correction&from_position=1&to_position=%d", older.Size-1):           0,
	} {
		classes := []string{"&class=light", "&class=replay", ""}
		if strings.Contains(query, "class=") {
			classes = []string{""}
		}
		for _, class := range classes {
			for _, what := range []string{"count", "list", "absence"} {
				target := "/v1/proofs/answer?what=" + what + "&" + query + class
				if what == "absence" && want > 0 {
					r.problem(r.ask(access.RoleAuditor, "GET", target, ""), refuted)
					continue
				}
				v := r.proof(access.RoleAuditor, "GET", target, "")
				if v.Count() != want || what == "list" && len(v.List) != int(want) || v.Question.What.String() != what {
					t.Errorf("%s: %d, list of %d", target, v.Count(), len(v.List))
				}
				if light := v.Class() == "LIGHT"; light == strings.Contains(target, "replay") {
					t.Errorf("%s: %s", target, v.Class())
				}
			}
		}
	}
}

// TestBadProofs asks in ways that cannot be meant: each is refused, and what is wrong is named.
func TestBadProofs(t *testing.T) {
	r := newProving(t)
	const days = "&from_day=2026-01-01&to_day=2026-01-31"
	beyond := r.ledger.Head().Position + 1000
	for target, want := range map[string]string{
		"event":                                                                       "/position",
		"event?position=0":                                                            "/position",
		"event?position=-1":                                                           "/position",
		"event?position=x":                                                            "/position",
		"event?position=1&told=x":                                                     "/told",
		"answer?what=count&flag=T5":                                                   "give one range",
		"answer?flag=T5" + days:                                                       "/what",
		"answer?what=sum&flag=T5" + days:                                              "/what",
		"answer?what=count" + days:                                                    "/flag",
		"answer?what=count&flag=" + days:                                              "/flag",
		"answer?what=count&flag=T9" + days:                                            "/flag",
		"answer?what=count&flag=T5,T6" + days:                                         "/flag",
		"answer?what=count&flag=t5" + days:                                            "/flag",
		"answer?what=count&flag=T5,used" + days:                                       "/flag",
		"answer?what=count&flag=T5&class=both" + days:                                 "/class",
		"answer?what=count&flag=T5&from_day=2026-01-01":                               "/to_day",
		"answer?what=count&flag=T5&to_day=2026-01-01":                                 "/from_day",
		"answer?what=count&flag=T5&from_position=1":                                   "/to_position",
		"answer?what=count&flag=T5&to_position=1":                                     "/from_position",
		"answer?what=count&flag=T5&class=replay&from=2026-01-01T00:00:00Z":            "/to",
		"answer?what=count&flag=T5&class=replay&to=2026-01-01T00:00:00Z":              "/from",
		"answer?what=count&flag=T5&from_position=1&to_position=2" + days:              "give one range",
		"answer?what=count&flag=T5&from=2026-01-01T00:00:00Z" + days:                  "give one range",
		"answer?what=count&flag=T5&from_day=2026-01-01&to_position=2":                 "give one range",
		"answer?what=count&flag=T5&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z": "/class",
		"answer?what=count&flag=T5&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&class=light":  "/class",
		"answer?what=count&flag=T5&from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z&class=replay": "/to",
		"answer?what=count&flag=T5&from=1969-01-02T00:00:00Z&to=2026-01-02T00:00:00Z&class=replay": "/from",
		"answer?what=count&flag=T5&from=2026-01-02&to=2026-01-03&class=replay":                     "/from",
		"answer?what=count&flag=T5&from_day=2026-02-01&to_day=2026-01-31":                          "/to_day",
		"answer?what=count&flag=T5&from_day=2026-02-30&to_day=2026-03-31":                          "/from_day",
		"answer?what=count&flag=T5&from_day=2026-01-01&to_day=2150-01-01":                          "/to_day",
		"answer?what=count&flag=T5&from_day=2026-01-01&to_day=2149-06-06":                          "/to_day",
		"answer?what=count&flag=T5&from_day=1969-12-31&to_day=2026-01-31":                          "/from_day",
		"answer?what=count&flag=T5&from_position=0&to_position=4":                                  "/from_position",
		"answer?what=count&flag=T5&from_position=5&to_position=4":                                  "/to_position",
		fmt.Sprintf("answer?what=count&flag=T5&from_position=5&to_position=%d", beyond):            "/to_position",
	} {
		p := r.problem(r.ask(access.RoleAuditor, "GET", "/v1/proofs/"+target, ""), invalidRequest)
		if p.Path != want && !strings.Contains(p.Detail, want) {
			t.Errorf("%s: %q at %q, want %s", target, p.Detail, p.Path, want)
		}
	}
	r.problem(r.ask(access.RoleAuditor, "GET", fmt.Sprintf("/v1/proofs/event?position=%d", beyond), ""), notFound)
	r.problem(r.ask(access.RoleAuditor, "GET", fmt.Sprintf("/v1/proofs/event?told=true&position=%d", beyond), ""), notFound)
	r.problem(r.ask(access.RoleDPO, "GET", fmt.Sprintf("/v1/receipts/%d", beyond), ""), notFound)
	r.problem(r.ask(access.RoleDPO, "GET", "/v1/receipts/0", ""), invalidRequest)
}

// TestBadGrowth sends checkpoints that this ledger does not continue.
func TestBadGrowth(t *testing.T) {
	r := newProving(t)
	r.record([]string{strings.Replace(small()[3], `"e-4"`, `"x-1"`, 1)})
	note := r.covered()
	grow := func(n any) answer {
		return r.ask(access.RoleAuditor, "POST", "/v1/proofs/growth", fmt.Sprint(n))
	}
	for _, body := range []string{"", "x", string(note.Body()), string(note.Bytes()[1:])} {
		r.problem(grow(body), invalidRequest)
	}
	other := note
	other.Origin = "custody.example/other"
	r.problem(grow(string(other.Bytes())), invalidRequest)
	none := note
	none.Size = 0
	r.problem(grow(string(none.Bytes())), invalidRequest)

	now := r.checkpoint()
	r.problem(grow(string(now.Bytes())), invalidRequest) // it has not grown
	for _, size := range []uint64{5, now.Size - 1, now.Size, now.Size + 5} {
		false := now
		false.Size, false.Root = size, [32]byte{1}
		r.problem(grow(string(false.Bytes())), refuted)
	}
}

// TestReceipts gives a producer the proof of its own event, and of no other; it waits for the checkpoint.
func TestReceipts(t *testing.T) {
	r := newProving(t)
	crm := r.tokenFor(access.NewToken{Role: access.RoleProducer, Name: "crm", Producer: "crm"})
	elsewhere := r.tokenFor(access.NewToken{Role: access.RoleRelay, Name: "elsewhere"})
	for round := range 5 { // none waits before it asks
		a := r.askWith(t.Context(), r.tokens[access.RoleProducer], "POST", "/v1/events", strings.Replace(small()[3], `"e-4"`, fmt.Sprintf(`"own-%d"`, round), 1))
		var sent struct{ Results []struct{ Position uint64 } }
		r.must(json.Unmarshal([]byte(a.body), &sent))
		position := sent.Results[0].Position
		target := fmt.Sprintf("/v1/receipts/%d", position)
		v := r.proof(access.RoleProducer, "GET", target, "")
		stored, err := r.ledger.Event(t.Context(), position)
		r.must(err)
		if v.Leaf.Position() != position || !bytes.Equal(v.Event, stored.Raw) {
			t.Errorf("a receipt of another event: %d", v.Leaf.Position())
		}
		for _, token := range []string{crm, elsewhere, r.tokens[access.RoleRelay]} {
			r.problem(r.askWith(t.Context(), token, "GET", target, ""), notAllowed)
		}
	}
	relayed := "/v1/receipts/3" // of small, by the relay
	r.proof(access.RoleRelay, "GET", relayed, "")
	r.proof(access.RoleProducer, "GET", relayed, "") // its source
	r.proof(access.RoleAuditor, "GET", relayed, "")
	r.problem(r.askWith(t.Context(), elsewhere, "GET", relayed, ""), notAllowed)
	if a := r.ask(access.RoleOperator, "GET", relayed, ""); a.StatusCode != 403 {
		t.Errorf("an operator: %d", a.StatusCode)
	}
	commit := r.commit()
	r.problem(r.ask(access.RoleProducer, "GET", fmt.Sprintf("/v1/receipts/%d", commit), ""), notAllowed)
	r.problem(r.ask(access.RoleRelay, "GET", fmt.Sprintf("/v1/receipts/%d", commit), ""), notAllowed)
}

// tokenFor is a token beside that of its role.
func (r *reading) tokenFor(n access.NewToken) string {
	r.t.Helper()
	before := r.tokens[n.Role]
	defer func() { r.tokens[n.Role] = before }()
	return r.token(n)
}

// commit is the position of one.
func (r *reading) commit() uint64 {
	r.t.Helper()
	for p := r.ledger.Head().Position; p > 0; p-- {
		if record, err := r.ledger.Evidence().Record(p); err == nil && record.Kind == evidence.KindCommitted {
			return p
		}
	}
	r.t.Fatal("nothing is committed")
	return 0
}

// TestStatement asks for statements, which verify as a whole.
func TestStatement(t *testing.T) {
	r := newProving(t)
	for query, grade := range map[string]string{
		"from_day=2026-03-01&to_day=2026-03-31":         "F",
		"from_day=2026-01-01&to_day=2026-01-31&lang=nl": "C",
		"from_day=2026-02-01&to_day=2026-02-10&lang=fr": "C",
	} {
		a := r.ask(access.RoleAuditor, "GET", "/v1/statements/non-transfer?"+query, "")
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != zipType {
			t.Fatalf("%s: %d %s\n%s", query, a.StatusCode, a.body, r.log)
		}
		v, err := attest.Verify([]byte(a.body), r.ledgerTrust())
		if err != nil || string(v.Statement.Result.Grade) != grade || len(v.Signed) != 1 || !v.Own {
			t.Errorf("%s: %v, %+v", query, err, v)
		}
	}
	for query, want := range map[string]string{
		"":                                              "/from_day",
		"from_day=2026-01-01":                           "/to_day",
		"from_day=2026-01-01&to_day=2025-12-31":         "/to_day",
		"from_day=2026-01-01&to_day=2150-01-01":         "/to_day",
		"from_day=1969-01-01&to_day=2026-01-01":         "/from_day",
		"from_day=2026-01-32&to_day=2026-02-01":         "/from_day",
		"from_day=2026-01-01&to_day=2026-02-01&lang=de": "/lang",
	} {
		if p := r.problem(r.ask(access.RoleAuditor, "GET", "/v1/statements/non-transfer?"+query, ""), invalidRequest); p.Path != want {
			t.Errorf("%s: %q at %q", query, p.Detail, p.Path)
		}
	}
}

// TestEventWithItsEvidence demands an event's record and proof beside it, and neither of a ledger that keeps none.
func TestEventWithItsEvidence(t *testing.T) {
	r := newReadingAt(t, time.Millisecond)
	r.covered()
	var got struct {
		Event  json.RawMessage
		Digest string
		Record string
		Proof  []byte
	}
	a := r.ask(access.RoleDPO, "GET", "/v1/events/3", "")
	r.must(json.Unmarshal([]byte(a.body), &got))
	v, err := evidence.Verify(got.Proof, r.ledgerTrust())
	r.must(err)
	if v.Leaf.Position() != 3 || hex.EncodeToString(v.Raw) != got.Record || !bytes.Equal(v.Event, got.Event) || !strings.HasSuffix(got.Record, got.Digest) {
		t.Errorf("record %s, digest %s; the proof is of position %d, %x", got.Record, got.Digest, v.Leaf.Position(), v.Raw)
	}
	none := newReading(t)
	if a := none.ask(access.RoleDPO, "GET", "/v1/events/3", ""); a.StatusCode != 200 || strings.Contains(a.body, `"record"`) || strings.Contains(a.body, `"proof"`) {
		t.Errorf("without evidence: %d %s", a.StatusCode, a.body)
	}
}

// TestInclusion has package tlog, which knows nothing of this ledger, verify that each record is in the log.
func TestInclusion(t *testing.T) {
	r := newProving(t)
	size := r.covered().Size
	for position := uint64(1); position <= size; position++ {
		a := r.ask(access.RoleAuditor, "GET", fmt.Sprintf("/v1/proofs/inclusion?position=%d", position), "")
		head, text, _ := strings.Cut(a.body, "\n\n")
		lines := strings.Split(head, "\n")
		if a.StatusCode != 200 || lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", position-1) {
			t.Fatalf("%d: %d %s", position, a.StatusCode, a.body)
		}
		var path tlog.RecordProof
		for _, line := range lines[2:] {
			hash, err := tlog.ParseHash(line)
			r.must(err)
			path = append(path, hash)
		}
		note, err := checkpoint.Open([]byte(text))
		r.must(err)
		r.must(r.ledgerTrust().Judge(note).Lacks(checkpoint.NeedLog))
		record, err := r.ledger.Evidence().Record(position)
		r.must(err)
		r.must(tlog.CheckRecord(path, int64(note.Size), tlog.Hash(note.Root), int64(position-1), tlog.RecordHash(record.Append(nil))))
	}
	r.problem(r.ask(access.RoleAuditor, "GET", fmt.Sprintf("/v1/proofs/inclusion?position=%d", size+100), ""), notFound)
}
