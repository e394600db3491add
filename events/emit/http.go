package emit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// HTTP carries events to the ledger's POST /v1/events. It is not to be changed or copied once it is used.
type HTTP struct {
	URL string // of the ledger, such as https://ledger.example:8420; plain http only to this machine

	// Token, or the content of TokenFile, is of role producer or relay. The file is read for every batch, so
	// that a token can be replaced while the program runs.
	Token     string
	TokenFile string

	Client *http.Client // nil: one of its own, with the system's certificates, that follows no redirects

	once   sync.Once
	client *http.Client
}

// maxAnswer is how many bytes of an answer are read: some 200 for each event.
const maxAnswer = 16 << 20

// MaxBytes is far below what the ledger takes.
func (h *HTTP) MaxBytes() int { return batchBytes }

// check says what is wrong with the settings.
func (h *HTTP) check() error {
	u, err := url.Parse(h.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil:
		return errors.New("emit: URL is not of the form https://host:port")
	case h.Token != "" && h.TokenFile != "":
		return errors.New("emit: Token and TokenFile exclude each other")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("emit: events and tokens are not sent over plain http beyond this machine: use https")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send makes one request.
func (h *HTTP) Send(ctx context.Context, batch []byte) ([]byte, error) {
	return h.do(ctx, http.MethodPost, "/v1/events", batch, maxAnswer)
}

// do makes one request, with a batch of events or none, and reads at most so many bytes of the answer.
func (h *HTTP) do(ctx context.Context, method, path string, batch []byte, most int64) ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	h.once.Do(h.connect)
	token, err := h.token()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(h.URL, "/")+path, bytes.NewReader(batch))
	if err != nil {
		return nil, errors.New("emit: URL cannot be asked")
	}
	if batch != nil {
		request.Header.Set("Content-Type", "application/cloudevents-batch+json")
		request.Header.Set("Accept", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := h.client.Do(request)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // which does not repeat the URL
		}
		return nil, fmt.Errorf("asking the ledger: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return nil, fmt.Errorf("reading the ledger's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, ReadProblem(response.StatusCode, answer, response.Header.Get("Retry-After"))
	}
	return answer, nil
}

func (h *HTTP) token() (string, error) {
	if h.TokenFile == "" {
		return h.Token, nil
	}
	b, err := os.ReadFile(h.TokenFile)
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

func (h *HTTP) connect() {
	if h.client = h.Client; h.client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = attempt
		transport.IdleConnTimeout = time.Minute // below the ledger's own
		h.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
}
