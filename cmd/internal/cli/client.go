package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	defaultURL  = "http://127.0.0.1:8420"
	answerLimit = 64 << 20         // bytes of an answer held in memory at once
	patience    = 60 * time.Second // from the last byte sent to the first received
	longer      = time.Hour        // of an answer for which the server may read every event
)

// client talks to one server with one token. It may be used concurrently.
type client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// client finds the server and the token among flags and environment.
func (s *session) client() (*client, error) {
	base, err := url.Parse(cmp.Or(s.url, s.Getenv("CUSTODY_URL"), defaultURL))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, misuse("--url, or CUSTODY_URL, is not of the form http://host:port or https://host:port")
	}
	token, err := s.bearer()
	if err != nil {
		return nil, err
	}
	if base.Scheme == "http" && token != "" && !loopback(base.Hostname()) {
		return nil, misuse("a token is not sent over plain http beyond this machine: use https")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = patience
	return &client{base: base, token: token, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// unhurried has the client wait for an answer that takes the server long.
func (c *client) unhurried() *client {
	transport := c.http.Transport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = longer
	return &client{base: c.base, token: c.token, http: &http.Client{Transport: transport, CheckRedirect: c.http.CheckRedirect}}
}

func (s *session) bearer() (string, error) {
	file := s.tokenFile
	switch {
	case s.token != "" && file != "":
		return "", misuse("--token and --token-file exclude each other")
	case s.token != "":
		return strings.TrimSpace(s.token), nil
	case file == "" && s.Getenv("CUSTODY_TOKEN") != "":
		return strings.TrimSpace(s.Getenv("CUSTODY_TOKEN")), nil
	}
	if file = cmp.Or(file, s.Getenv("CUSTODY_TOKEN_FILE")); file == "" {
		return "", nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// problem is a refusal by the server (RFC 9457).
type problem struct {
	Type       string    `json:"type"`
	Title      string    `json:"title"`
	Status     int       `json:"status"`
	Detail     string    `json:"detail"`
	Path       string    `json:"path"`       // of what was sent
	Candidates []string  `json:"candidates"` // what an identifier without its type may be
	Approval   *approval `json:"approval"`   // what waits for a second person
	Erasure    uint64    `json:"erasure"`    // number of one that is open
	Holds      []struct {
		Hold     string `json:"hold"`
		Ground   string `json:"ground"`
		Position uint64 `json:"position"`
	} `json:"holds"` // in the way
	Blocking []struct {
		Position uint64 `json:"position"`
		Why      string `json:"why"`
	} `json:"blocking"` // in the way of a retention
	retryAfter time.Duration
}

// word is the type of the problem without what all of them begin with.
func (p *problem) word() string { return strings.TrimPrefix(p.Type, "urn:custody:problem:") }

func (p *problem) Error() string {
	text := cmp.Or(p.Title, http.StatusText(p.Status), "status "+strconv.Itoa(p.Status))
	if p.Path != "" {
		text += ": " + p.Path
	}
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	return text
}

// send makes one request. The error is a [*problem] for every answer that is not
// a success; after any other error the server may or may not have acted.
func (c *client) send(ctx context.Context, method, path string, query url.Values, mediaType string, body []byte) (*http.Response, error) {
	target := c.base.JoinPath(path)
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Cache-Control", "no-cache") // what a cache kept would pass for what the ledger shows
	response, err := c.http.Do(request)
	if err != nil {
		return nil, unreachable(err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		defer response.Body.Close()
		return nil, refusal(response)
	}
	return response, nil
}

// call makes one request with a JSON body, or none when in is nil, and decodes
// the answer into out, unless that is nil.
func (c *client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var (
		body      []byte
		mediaType string
		err       error
	)
	if in != nil {
		if body, err = encode(in); err != nil {
			return err
		}
		mediaType = "application/json"
	}
	response, err := c.send(ctx, method, path, query, mediaType, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if out == nil {
		return nil
	}
	return decode(response.Body, out)
}

// errForeign reports an answer that came whole and is not one of Custody's.
var errForeign = errors.New("reading the server's answer: it is not the JSON expected")

// decode reads one JSON value that is all of r.
func decode(r io.Reader, out any) error {
	content, err := io.ReadAll(io.LimitReader(r, answerLimit+1))
	if err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	if len(content) > answerLimit {
		return fmt.Errorf("reading the server's answer: longer than %d bytes", answerLimit)
	}
	if err := json.Unmarshal(content, out); err != nil {
		return advise(errForeign, "is --url a Custody server?")
	}
	return nil
}

// unreachable rewords an error of the network, whose own text would repeat the
// URL, and says what to try.
func unreachable(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	err = fmt.Errorf("asking the server: %w", err)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return advise(err, "is it running? Start it with custody serve, or say where it is with --url or CUSTODY_URL")
	}
	return err
}

// refusal reads what the server says about a request it did not carry out.
func refusal(response *http.Response) error {
	p := &problem{}
	if mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); mediaType == "application/problem+json" {
		// What cannot be read is left empty: the status says enough.
		content, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16))
		json.Unmarshal(content, p)
	}
	p.Status = response.StatusCode
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		p.retryAfter = time.Duration(seconds) * time.Second
	}
	return explained(p)
}

// explained adds the next step to a problem, and gives it its exit status.
func explained(p *problem) error {
	switch p.word() {
	case "not-known":
		return advise(fmt.Errorf("not known: %w", p), "give it whole, as it was recorded, with its type, such as candidate: or employee:")
	case "ambiguous":
		return advise(&fault{status: misused, err: p}, "give one of %s", strings.Join(p.Candidates, ", "))
	case "held":
		return advise(p, "%s", p.inTheWay())
	case "erasure-open":
		return advise(p, "custody erasure show %d", p.Erasure)
	case "handle-expired":
		return advise(p, "the answer took longer than it may: ask for less at once, with --from and --to")
	case "read-not-recorded":
		return advise(p, "its log says why: custody status")
	case "view-behind":
		return advise(p, "its views are catching up: custody views")
	case "outside-box":
		return advise(p, "this token is for one case and one window of time: see --case, --from and --to")
	}
	switch p.Status {
	case http.StatusUnauthorized:
		return advise(p, "give a token with --token-file, CUSTODY_TOKEN or CUSTODY_TOKEN_FILE; the operator's is operator.token in the data directory")
	case http.StatusForbidden:
		return advise(p, "custody token create --help says what each role may do")
	case http.StatusServiceUnavailable:
		return advise(p, "it may be starting or stopping: custody status")
	}
	return p
}

// inTheWay names what keeps something from being forgotten.
func (p *problem) inTheWay() string {
	var list []string
	for _, h := range p.Holds {
		list = append(list, fmt.Sprintf("hold %s (%s, position %d)", h.Hold, h.Ground, h.Position))
	}
	for _, b := range p.Blocking {
		list = append(list, fmt.Sprintf("%s (position %d)", strings.ReplaceAll(b.Why, "-", " "), b.Position))
	}
	return strings.Join(list, ", ")
}

// otherwise adds what to try where the server says that there is no such thing.
func otherwise(err error, hint string) error {
	if p, ok := errors.AsType[*problem](err); ok && p.word() == "not-found" {
		return advise(err, "%s", hint)
	}
	return err
}

// passing reports whether the same request may succeed later: the server was not
// reached, did not finish its answer, or said so.
func passing(err error) bool {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, errForeign)
	}
	switch p.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
