package crash_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sources are the producers that the load comes from.
const sources = "ats crm hr files"

// ownSources are those of events that the ledger records about itself.
var ownSources = []string{"/custody"}

// A result is the server's answer for one event.
type result struct {
	Status   string
	Position uint64
	Error    *struct{ Type, Path, Detail string }
}

// A line is one stored event as the server replays it.
type line struct {
	Position uint64
	Digest   string
	Event    json.RawMessage
	stored
}

// stored is what a stored event says in clear.
type stored struct {
	ID, Source, Type, Time string
	Data                   struct {
		Dataset string
		Count   int `json:"result_count"`
	}
}

// read decodes the stored event, which must have the digest it is given with.
func (l *line) read() error {
	if sum := sha256.Sum256(l.Event); hex.EncodeToString(sum[:]) != l.Digest {
		return fmt.Errorf("position %d does not have its digest", l.Position)
	}
	return json.Unmarshal(l.Event, &l.stored)
}

// errStatus is an answer that is no success.
type errStatus int

func (e errStatus) Error() string { return fmt.Sprintf("the server answered %d", int(e)) }

// ask makes one request and decodes the answer into out.
func (srv *server) ask(method, path, token, mediaType string, body []byte, out any) error {
	resp, err := srv.request(method, path, token, mediaType, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return errStatus(resp.StatusCode)
	}
	return json.Unmarshal(answer, out)
}

func (srv *server) request(method, path, token, mediaType string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(method, srv.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	return srv.http.Do(req)
}

// tokens are what the tests need to send, to read, and to forget.
type tokens struct{ relay, reader, officer, operator string }

// setUp registers the producers and makes tokens.
func (srv *server) setUp(t *testing.T, s site) tokens {
	t.Helper()
	operator, err := os.ReadFile(filepath.Join(s.data(), "operator.token"))
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(string(operator))
	var ignored any
	for name := range strings.FieldsSeq(sources) {
		body := fmt.Sprintf(`{"name":%q,"families":["data","subject","ledger"]}`, name)
		if err := srv.ask("POST", "/v1/producers", secret, "application/json", []byte(body), &ignored); err != nil {
			t.Fatalf("adding a producer: %v", err)
		}
	}
	make := func(role string) string {
		var made struct{ Token string }
		body := fmt.Sprintf(`{"role":%q,"name":"crash-%s"}`, role, role)
		if err := srv.ask("POST", "/v1/tokens", secret, "application/json", []byte(body), &made); err != nil {
			t.Fatalf("making a token: %v", err)
		}
		return made.Token
	}
	return tokens{relay: make("relay"), reader: make("auditor"), officer: make("dpo"), operator: secret}
}

// send sends events in one request. After an error that is not a status nothing
// is known about them.
func (srv *server) send(token string, evs []event) ([]result, error) {
	var body []byte
	mediaType := "application/cloudevents-batch+json"
	if len(evs) == 1 {
		body, mediaType = evs[0].raw, "application/cloudevents+json"
	} else {
		body = append(body, '[')
		for i, e := range evs {
			if i > 0 {
				body = append(body, ',')
			}
			body = append(body, e.raw...)
		}
		body = append(body, ']')
	}
	var answer struct{ Results []result }
	if err := srv.ask("POST", "/v1/events", token, mediaType, body, &answer); err != nil {
		return nil, err
	}
	if len(answer.Results) != len(evs) {
		return nil, fmt.Errorf("%d results for %d events", len(answer.Results), len(evs))
	}
	return answer.Results, nil
}

var errCutShort = errors.New("the replay has no end")

// replay reads all stored events.
func (srv *server) replay(token string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		resp, err := srv.request("GET", "/v1/events/stream", token, "", nil)
		if err != nil {
			yield(line{}, err)
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			yield(line{}, errStatus(resp.StatusCode))
			return
		}
		in := bufio.NewReaderSize(resp.Body, 1<<20)
		for {
			text, err := in.ReadBytes('\n')
			if err != nil {
				yield(line{}, errCutShort)
				return
			}
			var end struct{ End, Error json.RawMessage }
			var l line
			if err := errors.Join(json.Unmarshal(text, &end), json.Unmarshal(text, &l)); err != nil || end.Error != nil {
				yield(line{}, fmt.Errorf("a line of the replay: %w %s", err, end.Error))
				return
			}
			if end.End != nil || !yield(l, l.read()) {
				return
			}
		}
	}
}
