package ingest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/imalink/custody/cmd/internal/api"
	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// rig is a ledger on files, answered over HTTP and NATS.
type rig struct {
	t       testing.TB
	cfg     ledger.Config
	ledger  *ledger.Ledger
	api     *api.API
	http    *httptest.Server
	service *Service
	closed  bool
}

const patience = 30 * time.Second // beyond which a test gives up

// newRig starts everything, with the producers ats and crm. When the test ends
// the ledger is checked as a whole.
func newRig(t testing.TB, cfg api.Config) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{t: t, cfg: ledger.Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Name: "year", Index: views.Identities(nil)}}
	r.must(ledger.Create(t.Context(), r.cfg))
	var err error
	r.ledger, err = ledger.Open(t.Context(), r.cfg)
	r.must(err)
	r.api, err = api.New(cfg)
	r.must(err)
	r.api.Attach(r.ledger)
	r.http = httptest.NewServer(r.api)
	r.service, err = Start(t.Context(), Config{Address: "127.0.0.1:0", API: r.api, Access: r.ledger.Access()})
	r.must(err)
	for _, name := range []string{"ats", "crm"} {
		r.put(name)
	}
	t.Cleanup(r.close)
	return r
}

// close stops everything and checks what is on the disk.
func (r *rig) close() {
	if r.closed {
		return
	}
	r.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if r.service != nil {
		r.must(r.service.Stop(ctx))
	}
	r.http.Close()
	r.must(r.ledger.Close(ctx))
	report, err := ledger.Check(ctx, r.cfg, nil)
	r.must(err)
	if !report.Sound() {
		r.t.Errorf("the ledger is not sound: %+v", report)
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) put(producer string) {
	r.t.Helper()
	_, err := r.ledger.Access().PutProducer(r.t.Context(), "", access.Producer{Name: producer, Families: []string{"data", "ledger"}})
	r.must(err)
}

// key gives a producer an NKEY and returns the file of its seed.
func (r *rig) key(producer string) (seedFile string, made access.Token) {
	r.t.Helper()
	seed, public, err := access.NewKey()
	r.must(err)
	_, made, err = r.ledger.Access().CreateToken(r.t.Context(), "", access.NewToken{Role: access.RoleProducer, Name: "nkey", Producer: producer, NKey: public})
	r.must(err)
	seedFile = filepath.Join(r.t.TempDir(), producer+".nk")
	r.must(os.WriteFile(seedFile, []byte(seed.Reveal()), 0o600))
	return seedFile, made
}

// dial connects a producer with a key of its own.
func (r *rig) dial(producer string) *Sender {
	r.t.Helper()
	seed, _ := r.key(producer)
	return r.dialWith(producer, seed)
}

func (r *rig) dialWith(producer, seed string) *Sender {
	r.t.Helper()
	s, err := Dial(r.url(), producer, seed, quiet()...)
	r.must(err)
	r.t.Cleanup(s.Close)
	return s
}

func (r *rig) url() string { return "nats://" + r.service.Addr().String() }

// quiet are the options of a client whose errors a test looks at itself.
func quiet() []nats.Option {
	return []nats.Option{nats.NoReconnect(), nats.PermissionErrOnSubscribe(true), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}
}

// token makes a token of a producer for HTTP.
func (r *rig) token(producer string) string {
	r.t.Helper()
	secret, _, err := r.ledger.Access().CreateToken(r.t.Context(), "", access.NewToken{Role: access.RoleProducer, Name: producer, Producer: producer})
	r.must(err)
	return secret.Reveal()
}

// post sends a body over HTTP.
func (r *rig) post(token string, header http.Header, body string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.http.URL+"/v1/events", strings.NewReader(body))
	r.must(err)
	req.Header = header.Clone()
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	r.must(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	r.must(err)
	return res, string(answer)
}

// send sends one event and wants this status.
func (s *Sender) send(t testing.TB, want int, event string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	status, answer, err := s.Send(ctx, structured, []byte(event))
	if err != nil || status != want {
		t.Fatalf("%d, %v, want %d: %s", status, err, want, answer)
	}
	return string(answer)
}

const (
	structured = "application/cloudevents+json"
	batch      = "application/cloudevents-batch+json"
	lines      = "application/x-ndjson"
)

func event(source, id string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"eu.custody.data.accessed.v1","time":"2026-03-02T09:14:05.120Z","datacontenttype":"application/json",`+
		`"data":`+data+`}`, id, source)
}

const data = `{"subjects":[{"id":"candidate:10412","role":"candidate"}],"actor":{"id":"employee:jdp","role":"recruiter","kind":"human","unit":"recruitment"},` +
	`"system":"ats","dataset":"career_cv","categories":["contact"],"purpose":"service_provision","basis":"A6-1-b","mode":"view","result_count":1}`

// writeSeed writes the seed of a key that nobody was given.
func writeSeed(t *testing.T) string {
	t.Helper()
	seed, _, err := access.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "unknown.nk")
	if err := os.WriteFile(file, []byte(seed.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// publicOf is the public key of a producer, which is no secret.
func publicOf(t *testing.T, r *rig, producer string) string {
	t.Helper()
	for _, tok := range r.ledger.Access().Tokens() {
		if tok.Producer == producer && tok.NKey != "" && tok.Revoked.IsZero() {
			return tok.NKey
		}
	}
	t.Fatal("it has none")
	return ""
}
