// Package emitnats carries events to the ledger over NATS, for programs that have no other use for it: a program
// that emits over HTTP does not pull in a NATS client.
//
// A batch is a request to custody.ingest and the producer's name, with the body that POST /v1/events takes; the
// reply is what it answers. Answers arrive on an inbox that only this producer may read.
package emitnats

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/imalink/custody/events/emit"
)

// Config says where the ledger's NATS server is, and who connects.
type Config struct {
	URL      string // such as tls://ledger.example:4222; several, separated by commas, are one cluster
	Producer string // whose events are sent
	SeedFile string // the NKEY seed made by custody producer add --nkey; "" for none
	Options  []nats.Option
}

// A Conn carries events of one producer. It connects again by itself, for ever.
type Conn struct {
	nc      *nats.Conn
	subject string

	mu   sync.Mutex
	lost chan struct{} // closed, and replaced, when the connection breaks
}

var _ emit.Transport = (*Conn)(nil)

// headroom is what a message has beside the batch.
const headroom = 4 << 10

// Connect begins to connect. The server need not be there yet: until it is, sending fails and is tried again.
func Connect(c Config) (*Conn, error) {
	options := []nats.Option{
		nats.Name("custody producer " + c.Producer),
		nats.CustomInboxPrefix("_INBOX_" + c.Producer),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(func(tries int) time.Duration {
			bound := min(10*time.Second, 100*time.Millisecond<<min(tries, 10))
			return bound/2 + rand.N(bound/2)
		}),
		nats.IgnoreAuthErrorAbort(), // a ledger that is being opened knows nobody yet
		nats.ReconnectBufSize(-1),   // what cannot be sent now is not kept here: the emitter has it
	}
	if c.SeedFile != "" {
		key, err := nats.NkeyOptionFromSeed(c.SeedFile)
		if err != nil {
			return nil, errors.New("emitnats: the seed file cannot be read or holds no seed")
		}
		options = append(options, key)
	}
	nc, err := nats.Connect(c.URL, append(options, c.Options...)...)
	if err != nil {
		return nil, fmt.Errorf("emitnats: connecting: %w", err)
	}
	conn := &Conn{nc: nc, subject: "custody.ingest." + c.Producer, lost: make(chan struct{})}
	go conn.watch(nc.StatusChanged(nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED))
	return conn, nil
}

// watch tells requests in flight that no answer will come any more. It ends when the connection is closed.
func (c *Conn) watch(changes <-chan nats.Status) {
	for status := range changes {
		c.mu.Lock()
		close(c.lost)
		c.lost = make(chan struct{})
		c.mu.Unlock()
		if status == nats.CLOSED {
			return
		}
	}
}

// errLost reports a connection that broke while a request was in flight.
var errLost = errors.New("emitnats: the connection broke before the answer came")

// whole gives a context that also ends when the connection breaks.
func (c *Conn) whole(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	c.mu.Lock()
	lost := c.lost
	c.mu.Unlock()
	go func() {
		select {
		case <-lost:
			cancel(errLost)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// Send makes one request.
func (c *Conn) Send(ctx context.Context, batch []byte) ([]byte, error) {
	ctx, done := c.whole(ctx)
	defer done()
	reply, err := c.nc.RequestMsgWithContext(ctx, &nats.Msg{
		Subject: c.subject,
		Header:  nats.Header{"Content-Type": {"application/cloudevents-batch+json"}},
		Data:    batch,
	})
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errLost) {
		err = cause
	}
	if err != nil {
		return nil, fmt.Errorf("asking the ledger: %w", err)
	}
	if code := reply.Header.Get("Nats-Service-Error-Code"); code != "" {
		status, err := strconv.Atoi(code)
		if err != nil {
			status = http.StatusBadGateway // not the ledger's
		}
		return nil, emit.ReadProblem(status, reply.Data, reply.Header.Get("Retry-After"))
	}
	return reply.Data, nil
}

// MaxBytes is what the server takes, less what a message has beside the batch.
func (c *Conn) MaxBytes() int {
	if n := c.nc.MaxPayload(); n > headroom {
		return int(n) - headroom
	}
	return 1<<20 - headroom // not connected yet: the server's default
}

// Close ends the connection. Close the emitter first.
func (c *Conn) Close() { c.nc.Close() }
