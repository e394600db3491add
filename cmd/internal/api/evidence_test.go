package api

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const testOrigin = "custody.example/ledger"

// newProving is an API over a real ledger that keeps evidence, with some events recorded and covered by a checkpoint,
// and a token of each role. There are no views.
func newProving(t testing.TB) *reading {
	t.Helper()
	dir := t.TempDir()
	r := openProving(t, ledger.Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Origin: testOrigin, Pace: time.Millisecond})
	for _, p := range []access.Producer{{Name: "ats", Families: []string{"data", "subject"}}, {Name: "crm", Families: []string{"data"}}, {Name: "register", Families: []string{"governance"}}} {
		_, err := r.ledger.Access().PutProducer(t.Context(), "", p)
		r.must(err)
	}
	for _, role := range []access.Role{access.RoleRelay, access.RoleDPO, access.RoleInvestigator, access.RoleAuditor, access.RoleOperator} {
		r.token(access.NewToken{Role: role, Name: "test-" + string(role)})
	}
	r.token(access.NewToken{Role: access.RoleProducer, Name: "ats", Producer: "ats"})
	r.record(small())
	r.covered()
	return r
}

// openProving opens a ledger, which it makes if there is none, and serves it without views.
func openProving(t testing.TB, cfg ledger.Config) *reading {
	t.Helper()
	r := &reading{t: t, tokens: map[access.Role]string{}, log: &lockedBuffer{}}
	cfg.Log = slog.New(slog.NewTextHandler(r.log, nil))
	cfg.Index = func(string) (ledger.Index, error) { return &emptyIndex{}, nil }
	if _, err := os.Stat(cfg.Data); err != nil {
		r.must(ledger.Create(t.Context(), cfg))
	}
	var err error
	r.ledger, err = ledger.Open(t.Context(), cfg)
	r.must(err)
	t.Cleanup(func() { r.must(r.ledger.Close(context.Background())) })
	r.api, err = New(Config{Version: "test", Log: cfg.Log})
	r.must(err)
	r.api.Attach(r.ledger)
	r.api.AttachEvidence(r.ledger)
	return r
}

// covered waits until a checkpoint covers everything recorded so far and the commit to it, and gives it. As long as
// nothing else is recorded there is no other one after it.
func (r *reading) covered() checkpoint.Note {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	for size := r.ledger.Head().Position; ; size++ {
		r.must(r.ledger.Evidence().Await(ctx, size))
		if r.ledger.Evidence().Status().Committed == size-1 && size == r.ledger.Head().Position {
			return r.checkpoint()
		}
	}
}

// checkpoint is the one that is served.
func (r *reading) checkpoint() checkpoint.Note {
	r.t.Helper()
	note, err := checkpoint.Open([]byte(r.open("/v1/checkpoint").body))
	r.must(err)
	return note
}

// open asks without a token, as anybody may, and demands an answer.
func (r *reading) open(target string) answer {
	r.t.Helper()
	a := r.ask("", "GET", target, "")
	if a.StatusCode != 200 {
		r.t.Fatalf("%s without a token: %d %s", target, a.StatusCode, a.body)
	}
	return a
}

// ledgerTrust trusts the keys of the ledger, and whoever else is named, a line each.
func (r *reading) ledgerTrust(more ...string) *checkpoint.Trust {
	r.t.Helper()
	s := r.ledger.Evidence().Status()
	lines := []string{"bundle " + s.Bundle}
	for _, key := range s.Keys {
		lines = append(lines, "log "+key)
	}
	trust, err := checkpoint.ParseTrust([]byte(strings.Join(append(lines, more...), "\n") + "\n"))
	r.must(err)
	return trust
}

// A tiledLog reads tiles over HTTP, for package tlog, which knows nothing of this one.
type tiledLog struct{ r *reading }

func (tiledLog) Height() int                     { return 8 }
func (tiledLog) SaveTiles([]tlog.Tile, [][]byte) {}
func (l tiledLog) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, t := range tiles {
		a := l.r.ask("", "GET", "/v1/tile/"+strings.TrimPrefix(t.Path(), "tile/8/"), "")
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != tileType {
			return nil, fmt.Errorf("%s: %d %s", t.Path(), a.StatusCode, a.Header.Get("Content-Type"))
		}
		all = append(all, []byte(a.body))
	}
	return all, nil
}

// TestPublicLog reads checkpoint and tiles of hashes without a token, with x/mod's tlog as the reader, and finds its
// records behind them.
func TestPublicLog(t *testing.T) {
	r := newProving(t)
	a := r.open("/v1/checkpoint")
	if got := a.Header.Get("Content-Type"); got != noteType {
		t.Errorf("a checkpoint is of type %q", got)
	}
	note := r.covered()
	if err := r.ledgerTrust().Judge(note).Lacks(checkpoint.NeedLog); err != nil || note.Origin != testOrigin {
		t.Fatalf("of %s: %v", note.Origin, err)
	}
	tree := tlog.Tree{N: int64(note.Size), Hash: tlog.Hash(note.Root)}
	hashes := tlog.TileHashReader(tree, tiledLog{r})
	a = r.ask(access.RoleAuditor, "GET", fmt.Sprintf("/v1/tile/entries/000.p/%d", note.Size), "")
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != tileType || len(a.body) != int(note.Size)*(2+evidence.RecordSize) {
		t.Fatalf("entries: %d, %d bytes", a.StatusCode, len(a.body))
	}
	for i := range int64(note.Size) {
		record := []byte(a.body)[i*(2+evidence.RecordSize):][2:][:evidence.RecordSize]
		proof, err := tlog.ProveRecord(tree.N, i, hashes)
		r.must(err)
		r.must(tlog.CheckRecord(proof, tree.N, tree.Hash, i, tlog.RecordHash(record)))
	}
}

// TestEntriesAreNotPublic asks for records however their path may be written: nobody without the right gets one.
func TestEntriesAreNotPublic(t *testing.T) {
	r := newProving(t)
	size := r.checkpoint().Size
	record, err := r.ledger.Evidence().Record(1)
	r.must(err)
	secret := string(record.Append(nil))
	paths := []string{"entries/000.p/%d", "entries%%2F000.p%%2F%d", "entries%%2f000.p/%d", "%%65ntries/000.p/%d", "entries/000.p%%2f%d", "./entries/000.p/%d", "0/../entries/000.p/%d"}
	for _, path := range paths {
		path = "/v1/tile/" + fmt.Sprintf(path, size)
		for _, role := range []access.Role{"", access.RoleProducer, access.RoleRelay, access.RoleInvestigator, access.RoleOperator} {
			if a := r.ask(role, "GET", path, ""); a.StatusCode < 400 || strings.Contains(a.body, secret) {
				t.Errorf("%s for role %q: %d", path, role, a.StatusCode)
			}
		}
	}
	for _, role := range []access.Role{access.RoleDPO, access.RoleAuditor} {
		if a := r.ask(role, "GET", "/v1/tile/"+fmt.Sprintf(paths[0], size), ""); a.StatusCode != 200 || !strings.Contains(a.body, secret) {
			t.Errorf("for role %s: %d", role, a.StatusCode)
		}
	}
}

func TestNoSuchTile(t *testing.T) {
	r := newProving(t)
	size := r.checkpoint().Size
	for _, path := range []string{"0/000", "1/000", "8/0/000", "data/000", "64/000", "-1/000", "0/001", "0/0", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/x000/000", "0/000.p",
		fmt.Sprintf("0/000.p/%d", size+200), "entries", "0", "x"} {
		r.problem(r.ask("", "GET", "/v1/tile/"+path, ""), notFound)
	}
	for _, path := range []string{"000", "001", "0", "x", "000.p/0", "000.p/256"} {
		r.problem(r.ask(access.RoleAuditor, "GET", "/v1/tile/entries/"+path, ""), notFound)
	}
}

// TestEvidenceState shows how far evidence has come, to those who may see the status.
func TestEvidenceState(t *testing.T) {
	r := newProving(t)
	note := r.covered()
	a := r.ask(access.RoleOperator, "GET", "/v1/evidence", "")
	var s evidenceState
	strict(t, a.body, &s)
	if s.Origin != testOrigin || s.Signed < note.Size || s.Records < s.Signed || s.Committed >= s.Signed || s.Committed == 0 || s.SignedAt == nil || s.Unsigned != "" || s.Failing != "" {
		t.Errorf("%s", a.body)
	}
	if len(s.Keys) != 1 || !strings.HasPrefix(s.Keys[0], testOrigin+"+") || !strings.HasPrefix(s.Bundle, testOrigin+"/bundle+") || s.Cosigned != 0 {
		t.Errorf("keys: %s", a.body)
	}
	if a := r.ask(access.RoleProducer, "GET", "/v1/evidence", ""); a.StatusCode != 403 {
		t.Errorf("a producer: %d", a.StatusCode)
	}
}

// evidenceRequests asks for all that there is, as roles that may.
func evidenceRequests() []struct {
	role                 access.Role
	method, target, body string
} {
	return []struct {
		role                 access.Role
		method, target, body string
	}{
		{"", "GET", "/v1/checkpoint", ""},
		{"", "GET", "/v1/tile/0/000.p/1", ""},
		{access.RoleAuditor, "GET", "/v1/tile/entries/000.p/1", ""},
		{access.RoleAuditor, "GET", "/v1/proofs/event?position=1", ""},
		{access.RoleAuditor, "GET", "/v1/proofs/inclusion?position=1", ""},
		{access.RoleAuditor, "GET", "/v1/proofs/answer?what=count&flag=T5&from_day=2026-01-01&to_day=2026-01-31", ""},
		{access.RoleAuditor, "GET", "/v1/receipts/1", ""},
		{access.RoleDPO, "GET", "/v1/statements/non-transfer?from_day=2026-01-01&to_day=2026-01-31", ""},
	}
}

// TestWithoutEvidence asks a ledger that keeps none, and one that is being opened.
func TestWithoutEvidence(t *testing.T) {
	dir := t.TempDir()
	r := openProving(t, ledger.Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys")})
	for _, role := range []access.Role{access.RoleDPO, access.RoleAuditor} {
		r.token(access.NewToken{Role: role, Name: "test-" + string(role)})
	}
	for _, q := range evidenceRequests() {
		r.problem(r.ask(q.role, q.method, q.target, q.body), notFound)
	}
	r.api.evidence.Store(nil)
	for _, q := range evidenceRequests() {
		r.problem(r.ask(q.role, q.method, q.target, q.body), notReady)
	}
	if a := r.ask(access.RoleDPO, "GET", "/v1/status", ""); a.StatusCode != 200 {
		t.Errorf("status: %d %s", a.StatusCode, a.body)
	}
}

// TestUnsigned brings back an older copy: everything says that it does not sign, and a new origin mends that.
func TestUnsigned(t *testing.T) {
	dir := t.TempDir()
	cfg := ledger.Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Origin: testOrigin, Pace: time.Millisecond}
	t.Run("before", func(t *testing.T) {
		r := openProving(t, cfg)
		for _, role := range []access.Role{access.RoleDPO, access.RoleAuditor, access.RoleOperator, access.RoleRelay} {
			r.token(access.NewToken{Role: role, Name: "test-" + string(role)})
		}
		for _, name := range []string{"ats", "register"} {
			_, err := r.ledger.Access().PutProducer(t.Context(), "", access.Producer{Name: name, Families: []string{"data", "subject", "governance"}})
			r.must(err)
		}
		witness := cosigner(t, "witness.example/witness")
		r.announce(witness, "")
		if a := r.ask(access.RoleAuditor, "POST", "/v1/cosignatures", string(cosigned(t, r.covered(), witness).Bytes())); a.StatusCode != 204 {
			t.Fatalf("cosigning: %d %s", a.StatusCode, a.body)
		}
	})
	old := t.TempDir()
	must(t, os.CopyFS(old, os.DirFS(cfg.Data)))
	t.Run("later", func(t *testing.T) {
		r := openProving(t, cfg)
		r.token(access.NewToken{Role: access.RoleRelay, Name: "later"})
		r.record(small())
		r.covered()
	})
	must(t, os.RemoveAll(cfg.Data))
	must(t, os.CopyFS(cfg.Data, os.DirFS(old)))
	must(t, os.Remove(filepath.Join(cfg.Keys, "durable")))

	r := openProving(t, cfg)
	for _, role := range []access.Role{access.RoleDPO, access.RoleAuditor, access.RoleOperator, access.RoleRelay} {
		r.token(access.NewToken{Role: role, Name: "new-" + string(role)})
	}
	r.record(small()[:3])
	r.refused()
	for _, q := range evidenceRequests() {
		r.problem(r.ask(q.role, q.method, q.target, q.body), unsigned)
	}
	var s evidenceState
	strict(t, r.ask(access.RoleOperator, "GET", "/v1/evidence", "").body, &s)
	if !strings.Contains(s.Unsigned, "older copy") || s.Signed != 0 {
		t.Errorf("it says %+v", s)
	}
	metrics := r.ask(access.RoleOperator, "GET", "/metrics", "").body
	if !strings.Contains(metrics, "\ncustody_evidence_signing 0\n") || strings.Contains(metrics, "\ncustody_evidence_unsigned_seconds 0\n") {
		t.Error("the metrics do not show that it does not sign")
	}
	a := r.ask(access.RoleOperator, "POST", "/v1/evidence/keys", `{"do":"new-origin"}`)
	if !strings.Contains(a.body, `{"key":"`+testOrigin+"/") {
		t.Fatalf("a new origin: %d %s", a.StatusCode, a.body)
	}
	note := r.covered()
	v := r.proof(access.RoleAuditor, "GET", "/v1/proofs/event?position=1", "")
	if !strings.HasPrefix(note.Origin, testOrigin+"/") || v.Head.Origin != note.Origin {
		t.Errorf("it signs as %s, and proves under %s", note.Origin, v.Head.Origin)
	}
}

// refused waits until the ledger has found that it may not sign.
func (r *reading) refused() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	if err := r.ledger.Evidence().Await(ctx, 1<<40); err == nil || ctx.Err() != nil {
		r.t.Fatalf("it signs: %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestEvidenceMetrics shows how far evidence is, and whether it signs.
func TestEvidenceMetrics(t *testing.T) {
	r := newProving(t)
	r.covered()
	a := r.ask(access.RoleOperator, "GET", "/metrics", "")
	for _, line := range []string{"custody_evidence_signing 1\n", "custody_evidence_unsigned_seconds 0\n"} {
		if !strings.Contains(a.body, "\n"+line) {
			t.Errorf("no %q", line)
		}
	}
	for _, name := range []string{"records", "committed", "signed", "cosigned"} {
		if !strings.Contains(a.body, "\ncustody_evidence_"+name+" ") {
			t.Errorf("no custody_evidence_%s", name)
		}
	}
}
