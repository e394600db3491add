// Package ingest records events that producers send over NATS.
//
// What is always true:
//
//  1. A producer sends to custody.ingest.<producer> and reads below
//     _INBOX_<producer>, and nothing else: the server sees to it, by the NKEY
//     that the producer connected with. An answer goes nowhere but there,
//     whatever reply subject a message names.
//  2. A message is answered as POST /v1/events with the same header and body
//     is: package api does both.
//  3. A key that is revoked or expires, or whose producer is removed, is
//     disconnected before whoever asked for it is answered.
//  4. A message that was taken in hand is answered, or its sender disconnected,
//     before [Service.Stop] returns.
package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/imalink/custody/cmd/internal/api"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/natsd"
)

const (
	prefix  = "custody.ingest." // and the producer
	longest = time.Minute       // that a stop takes, if its caller does not say
)

// Subject is what a producer sends to.
func Subject(producer string) string { return prefix + producer }

// Inbox begins every reply subject of a producer: the custom inbox prefix of
// its client.
func Inbox(producer string) string { return "_INBOX_" + producer }

// Config of a Service. All but TLS and Log are required.
type Config struct {
	Address string      // host:port to listen at
	TLS     *tls.Config // nil: none
	API     *api.API
	Access  *access.Store
	Log     *slog.Logger // nil discards
}

// A Service listens and answers until it is stopped.
type Service struct {
	cfg   Config
	door  *natsd.Door
	conn  *nats.Conn
	micro micro.Service

	work   sync.WaitGroup  // messages in hand
	ctx    context.Context // of what is in hand; done when Stop gives up on it
	cancel context.CancelFunc
}

// Start listens. ctx bounds the start only.
func Start(ctx context.Context, cfg Config) (*Service, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: cfg}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	s.door, err = natsd.OpenDoor(ctx, natsd.DoorConfig{Address: cfg.Address, TLS: cfg.TLS, Admit: s.admit, Holds: cfg.Access.ValidKey})
	if err != nil {
		return nil, err
	}
	if err := s.serve(); err != nil {
		s.door.Close()
		return nil, fmt.Errorf("answering over NATS: %w", err)
	}
	cfg.Access.Notify(s.door.Review)
	s.door.Review() // for whoever was let in before, and has lost its key since
	cfg.Log.Info("answering over NATS", "address", s.Addr().String())
	return s, nil
}

// serve connects to the server from within and answers.
func (s *Service) serve() (err error) {
	s.conn, err = nats.Connect("", nats.InProcessServer(s.door), nats.Name("custody"),
		nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0), // after a flood that the server cut off
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.cfg.Log.Warn("nats", "error", err) }))
	if err != nil {
		return err
	}
	s.micro, err = micro.AddService(s.conn, micro.Config{
		Name: "custody-ingest", Version: "1.0.0", Description: "records events, as POST /v1/events does",
		Endpoint: &micro.EndpointConfig{Subject: Subject("*"), Handler: micro.HandlerFunc(s.take)},
	})
	if err == nil {
		err = s.conn.Flush()
	}
	if err != nil {
		s.conn.Close()
	}
	return err
}

// Addr returns where s listens.
func (s *Service) Addr() net.Addr { return s.door.Addr() }

// admit says what the holder of a key may do.
func (s *Service) admit(key string, nonce, signature []byte) (natsd.Grant, bool) {
	p, until, err := s.cfg.Access.AuthenticateKey(key, nonce, signature)
	if err != nil {
		return natsd.Grant{}, false
	}
	return natsd.Grant{Publish: Subject(p.Producer), Subscribe: Inbox(p.Producer) + ".>", Until: until}, true
}

// take takes a message in hand. It is called for one message after the other and
// never waits.
func (s *Service) take(m micro.Request) {
	producer, reply := strings.TrimPrefix(m.Subject(), prefix), m.Reply()
	if reply != "" && !strings.HasPrefix(reply, Inbox(producer)+".") {
		return // the answer would come from us, in somebody else's name or to somebody else
	}
	answer := s.cfg.API.Hold(api.Message{Producer: producer, Header: header(m.Headers()), Body: m.Data()})
	s.work.Go(func() { s.send(reply, answer(s.ctx)) })
}

// header is h as net/http writes it: NATS leaves the letter case of names alone.
func header(h micro.Headers) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		for _, v := range values {
			out.Add(name, v)
		}
	}
	return out
}

// send sends an answer, if anybody waits for it.
func (s *Service) send(reply string, r api.Reply) {
	if reply == "" {
		return
	}
	m := &nats.Msg{Subject: reply, Header: nats.Header(r.Header), Data: r.Body}
	if r.Status >= http.StatusBadRequest {
		m.Header.Set(micro.ErrorHeader, titleOf(r.Body))
		m.Header.Set(micro.ErrorCodeHeader, fmt.Sprint(r.Status))
	}
	if err := s.conn.PublishMsg(m); err != nil {
		s.cfg.Log.Warn("an answer over NATS was not sent; what it says was recorded is", "error", err)
	}
}

// Stop takes no more messages, answers those in hand, disconnects everyone, and
// returns. What is not answered when ctx is done never is: its sender sends it
// again. Stop is called once.
func (s *Service) Stop(ctx context.Context) error {
	s.cfg.Access.Notify(func() {})
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	err := s.finish(ctx)
	s.cancel()
	s.conn.Close()
	s.door.Close()
	if err != nil {
		return fmt.Errorf("stopping what comes over NATS: %w", err)
	}
	return nil
}

func (s *Service) finish(ctx context.Context) error {
	if err := s.micro.Stop(); err != nil {
		return err
	}
	if err := s.conn.FlushWithContext(ctx); err != nil { // from here on nothing more comes
		return err
	}
	done := make(chan struct{})
	err := s.conn.Barrier(func() { // what came has been taken in hand
		go func() { s.work.Wait(); close(done) }()
	})
	if err != nil {
		return err
	}
	select {
	case <-done:
	case <-ctx.Done():
		return errors.Join(errors.New("some messages were not answered"), ctx.Err())
	}
	return s.conn.FlushWithContext(ctx)
}
