package api

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// emptyIndex is an identity index that forgets: the ledger builds it anew from
// the stream whenever it is opened.
type emptyIndex struct {
	mu    sync.Mutex
	keys  map[[16]byte]uint64
	until uint64
	hash  [32]byte
	reg   []byte
}

func (x *emptyIndex) Position() (uint64, [32]byte) { return x.until, x.hash }
func (x *emptyIndex) Register() ([]byte, error)    { return x.reg, nil }
func (x *emptyIndex) Close() error                 { return nil }
func (x *emptyIndex) Reset() error                 { *x = emptyIndex{}; return nil }

func (x *emptyIndex) Lookup(keys [][16]byte, found []uint64) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, k := range keys {
		found[i] = x.keys[k]
	}
	return nil
}

func (x *emptyIndex) Add(keys [][16]byte, at []uint64, position uint64, digest [32]byte, register []byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.keys == nil {
		x.keys = map[[16]byte]uint64{}
	}
	for i, k := range keys {
		x.keys[k] = at[i]
	}
	x.until, x.hash, x.reg = position, digest, register
	return nil
}

// realServer serves a real ledger on a real port.
type realServer struct {
	t   *testing.T
	url string
	api *API
	led *ledger.Ledger
	srv *http.Server
}

func serveReal(t *testing.T, data, keys string) *realServer {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{Data: data, Keys: keys, Index: func(string) (ledger.Index, error) { return &emptyIndex{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	a.Attach(l)
	s := &realServer{t: t, api: a, led: l, srv: a.Server()}
	listener, err := Listen("127.0.0.1:0", false, s.srv)
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + listener.Addr().String()
	go s.srv.Serve(listener)
	return s
}

func (s *realServer) stop() {
	s.t.Helper()
	if err := s.srv.Shutdown(s.t.Context()); err != nil {
		s.t.Error(err)
	}
	if err := s.led.Close(s.t.Context()); err != nil {
		s.t.Error(err)
	}
}

// ask makes one request and returns its status and body.
func (s *realServer) ask(method, path, token, contentType, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Error(err)
	}
	return res.StatusCode, string(b)
}

// TestRealLedger sends the same events from several clients at once, twice with
// a restart between, and reads all of it back.
func TestRealLedger(t *testing.T) {
	dir := t.TempDir()
	data, keys := filepath.Join(dir, "data"), filepath.Join(dir, "keys")
	if err := ledger.Create(t.Context(), ledger.Config{Data: data, Keys: keys}); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(ledger.OperatorTokenPath(data))
	if err != nil {
		t.Fatal(err)
	}
	operator := strings.TrimSpace(string(first))
	s := serveReal(t, data, keys)
	if code, body := s.ask("POST", "/v1/producers", operator, jsonType, `{"name":"ats","families":["data"]}`); code != 201 {
		t.Fatal(code, body)
	}
	secret, _, err := s.led.Access().CreateToken(t.Context(), "", access.NewToken{Role: access.RoleRelay, Name: "import"})
	if err != nil {
		t.Fatal(err)
	}
	dpo, _, err := s.led.Access().CreateToken(t.Context(), "", access.NewToken{Role: access.RoleDPO, Name: "dpo"})
	if err != nil {
		t.Fatal(err)
	}
	const clients, events = 6, 40
	positions := map[string]string{} // by id, what every client must be told
	for round := range 2 {
		recorded := s.sendAtOnce(secret.Reveal(), clients, events, positions)
		if want := map[int]int{0: events, 1: 0}[round]; recorded != want {
			t.Errorf("round %d: %d recorded, want %d", round, recorded, want)
		}
		_, body := s.ask("GET", "/v1/events/stream", dpo.Reveal(), jsonType, "")
		list := lines(t, body)
		if len(list) != events+1 || list[events].End == nil || list[events].End.Position != events {
			t.Errorf("round %d: the replay has %d lines: %s", round, len(list), body)
		}
		if strings.Contains(body, "10412") || strings.Contains(body, "jdp") {
			t.Error("the replay names a person")
		}
		s.stop()
		s = serveReal(t, data, keys)
	}
	defer s.stop()
	if code, _ := s.ask("GET", "/v1/status", operator, jsonType, ""); code != 200 {
		t.Errorf("the operator's token after two restarts: %d", code)
	}
}

// sendAtOnce sends the same events from several clients and returns how many
// results were "recorded".
func (s *realServer) sendAtOnce(token string, clients, events int, positions map[string]string) (recorded int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := range events {
				id := fmt.Sprintf("e%d", i)
				code, body := s.ask("POST", "/v1/events", token, structuredType, event("/ats", id))
				_, position, _ := strings.Cut(body, `"position":`)
				mu.Lock()
				if was := positions[id]; code != 200 || was != "" && was != position {
					s.t.Errorf("%s: %d %s, was at %s", id, code, body, was)
				}
				positions[id] = position
				recorded += strings.Count(body, `"recorded"`)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return recorded
}
