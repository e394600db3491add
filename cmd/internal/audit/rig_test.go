package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/api"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const testOrigin = "custody.example/ledger"

// patience bounds what a test waits for; it is never waited for in a test that passes.
const patience = time.Minute

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// An index of identities that forgets: the ledger builds it anew whenever it is opened.
type index struct {
	mu       sync.Mutex
	keys     map[[16]byte]uint64
	position uint64
	digest   [32]byte
	register []byte
}

func (x *index) Position() (uint64, [32]byte) { return x.position, x.digest }
func (x *index) Register() ([]byte, error)    { return x.register, nil }
func (x *index) Close() error                 { return nil }
func (x *index) Reset() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.keys, x.position, x.digest, x.register = map[[16]byte]uint64{}, 0, [32]byte{}, nil
	return nil
}

func (x *index) Lookup(keys [][16]byte, found []uint64) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, k := range keys {
		found[i] = x.keys[k]
	}
	return nil
}

func (x *index) Add(keys [][16]byte, at []uint64, position uint64, digest [32]byte, register []byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, k := range keys {
		x.keys[k] = at[i]
	}
	x.position, x.digest, x.register = position, digest, register
	return nil
}

// A site is a real ledger that keeps evidence, behind a real server.
type site struct {
	t      testing.TB
	cfg    ledger.Config
	ledger *ledger.Ledger
	url    string
	tokens map[access.Role]string
	sent   int
}

func newSite(t testing.TB) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, tokens: map[access.Role]string{}, cfg: ledger.Config{
		Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Origin: testOrigin, Pace: time.Millisecond,
		Index: func(string) (ledger.Index, error) { return &index{keys: map[[16]byte]uint64{}}, nil },
	}}
	s.check(ledger.Create(t.Context(), s.cfg))
	s.open()
	for _, role := range []access.Role{access.RoleAuditor, access.RoleOperator} {
		secret, _, err := s.ledger.Access().CreateToken(t.Context(), "", access.NewToken{Role: role, Name: "test-" + string(role)})
		s.check(err)
		s.tokens[role] = secret.Reveal()
	}
	return s
}

// open opens the ledger and serves it, until the test ends.
func (s *site) open() {
	s.t.Helper()
	var err error
	s.ledger, err = ledger.Open(s.t.Context(), s.cfg)
	s.check(err)
	l := s.ledger
	s.t.Cleanup(func() { s.check(l.Close(context.Background())) })
	a, err := api.New(api.Config{})
	s.check(err)
	a.Attach(l)
	a.AttachEvidence(l)
	server := httptest.NewServer(a)
	s.t.Cleanup(server.Close)
	s.url = server.URL
}

func (s *site) check(err error) {
	if err != nil {
		s.t.Helper()
		s.t.Fatal(err)
	}
}

// record records events, and waits until a checkpoint covers them and the commit to them: then the ledger is quiet.
func (s *site) record(lines ...string) {
	s.t.Helper()
	var all []ledger.Submission
	for _, line := range lines {
		e, err := events.Decode([]byte(line))
		s.check(err)
		all = append(all, ledger.Submission{Event: e})
	}
	results, err := s.ledger.Record(s.t.Context(), all)
	s.check(err)
	var last uint64
	for _, r := range results {
		if r.Status != ledger.Recorded {
			s.t.Fatalf("%v: %v", r.Status, r.Err)
		}
		last = r.Position
	}
	s.quiet(last)
}

// quiet waits until there is nothing left to commit to or to sign.
func (s *site) quiet(last uint64) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	n := s.ledger.Evidence()
	for {
		status := n.Status()
		if status.Committed >= last && status.Signed == s.ledger.Head().Position {
			return
		}
		s.check(n.Await(ctx, status.Signed+1))
	}
}

// more records so many events more.
func (s *site) more(n int) {
	s.t.Helper()
	var lines []string
	for range n {
		s.sent++
		lines = append(lines, event("ats", fmt.Sprintf("m-%d", s.sent), "data.accessed", "2026-03-02T09:14:05.120Z", "", about(s.sent)+`,"mode":"view","result_count":1`))
	}
	s.record(lines...)
}

func event(source, id, kind, at, more, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/%s","type":"eu.custody.%s.v1","time":%q,%s"data":{%s}}`, id, source, kind, at, more, data)
}

func about(i int) string {
	return fmt.Sprintf(`"subjects":[{"id":"candidate:8800%d","role":"candidate"}],"actor":{"id":"employee:zulu7%d","role":"recruiter","kind":"human","session":"sess-1"},`+
		`"system":"ats","dataset":"career_cv","categories":["contact"],"purpose":"service_provision","basis":"A6-1-b"`, i%5, i%3)
}

// do asks the server as a role.
func (s *site) do(role access.Role) Do { return ask(s.url, s.tokens[role]) }

// ask asks a server with a token.
func ask(base, token string) Do {
	return func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
		request, err := http.NewRequestWithContext(ctx, method, base+path+"?"+query.Encode(), bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		if body != nil {
			request.Header.Set("Content-Type", "text/plain")
			if body[0] == '{' {
				request.Header.Set("Content-Type", "application/json")
			}
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		if response.StatusCode >= 300 {
			text, err := io.ReadAll(response.Body)
			return nil, errors.Join(fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text), err, response.Body.Close())
		}
		return response.Body, nil
	}
}

// get gets what an answer says.
func get(t testing.TB, do Do, path string, query url.Values) []byte {
	t.Helper()
	body, err := do(t.Context(), http.MethodGet, path, query, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	return must(io.ReadAll(body))
}

// announce has the ledger take the cosignatures of keys.
func (s *site) announce(keys ...string) {
	s.t.Helper()
	var told struct{ Position uint64 }
	for _, k := range keys {
		body, err := s.do(access.RoleOperator)(s.t.Context(), http.MethodPost, "/v1/evidence/cosigners", nil, fmt.Appendf(nil, `{"key":%q}`, k))
		s.check(err)
		s.check(errors.Join(json.NewDecoder(body).Decode(&told), body.Close()))
	}
	s.quiet(told.Position)
}

// trust trusts the log of the site, and keys in roles.
func (s *site) trust(more ...string) *checkpoint.Trust {
	lines := "log " + s.ledger.Evidence().Status().Keys[0] + "\n" + strings.Join(more, "")
	return must(checkpoint.ParseTrust([]byte(lines)))
}

// An office is the folder of an auditor.
type office struct {
	t    testing.TB
	dir  string
	keys Keys
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, dir: filepath.Join(t.TempDir(), "A")}
	o.keys = must(Init(o.dir, "auditor.example"))
	return o
}

func (o *office) open(cfg Config) *Auditor {
	o.t.Helper()
	cfg.Dir = o.dir
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	a, err := Open(cfg)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { a.Close() })
	return a
}

// round opens, audits once, and closes.
func (o *office) round(cfg Config) (*Report, error) {
	o.t.Helper()
	a := o.open(cfg)
	defer a.Close()
	return a.Round(o.t.Context())
}

// proofs are the proofs in the folder.
func (o *office) proofs() (all [][]byte) {
	for _, path := range must(filepath.Glob(filepath.Join(o.dir, "*.proof"))) {
		all = append(all, must(os.ReadFile(path)))
	}
	return all
}
