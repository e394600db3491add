package ingest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// A Sender sends bodies of events as one producer. Its methods may be called
// concurrently.
type Sender struct {
	conn    *nats.Conn
	subject string
}

// Dial connects to url with the NKEY whose seed is in a file. opts come after
// what is needed anyway.
func Dial(url, producer, seedFile string, opts ...nats.Option) (*Sender, error) {
	key, err := nats.NkeyOptionFromSeed(seedFile)
	if err != nil {
		return nil, fmt.Errorf("reading the seed: %w", err)
	}
	conn, err := nats.Connect(url, append([]nats.Option{key, nats.CustomInboxPrefix(Inbox(producer)), nats.Name(producer)}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return &Sender{conn, Subject(producer)}, nil
}

// Send sends a body and waits for the answer. After an error, and after a status
// of 503, sending the same again is safe.
func (s *Sender) Send(ctx context.Context, contentType string, body []byte) (status int, answer []byte, err error) {
	m, err := s.conn.RequestMsgWithContext(ctx, &nats.Msg{Subject: s.subject, Header: nats.Header{"Content-Type": {contentType}}, Data: body})
	if err != nil {
		return 0, nil, fmt.Errorf("sending events: %w", err)
	}
	code := m.Header.Get(micro.ErrorCodeHeader)
	if code == "" {
		return http.StatusOK, m.Data, nil
	}
	if status, err = strconv.Atoi(code); err != nil {
		return 0, nil, fmt.Errorf("reading the status of an answer: %w", err)
	}
	return status, m.Data, nil
}

// Close disconnects.
func (s *Sender) Close() { s.conn.Close() }
