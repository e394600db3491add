package natsd

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Limits of a door. Messages that are coming in take at most DoorConns times
// DoorPayload of memory; those that we have not read yet, doorPending. Who makes
// it more disconnects us: what is lost then was not answered.
const (
	DoorPayload  = 4 << 20 // bytes of a message, headers included
	DoorConns    = 512     // connections in all
	DoorKeyConns = 16      // of one key
	DoorSubs     = 16      // subscriptions of a connection

	doorPatience = 5 * time.Second // to authenticate, for a TLS handshake, and until a client takes what it is sent
	doorPending  = 128 << 20       // bytes waiting for one connection: ours must have room for what others send at once
)

// DoorConfig of a [Door]. Address and Admit are required.
type DoorConfig struct {
	Address string      // host:port; with port 0 the system chooses one
	TLS     *tls.Config // nil: none

	// Admit is asked for whoever proves nothing but that it can sign: what may
	// the holder of this key do? The signature is that of the nonce, which the
	// server has just made up. It is called concurrently.
	Admit func(key string, nonce, signature []byte) (Grant, bool)

	// Holds is asked whether the holder of a key, admitted once, may stay.
	Holds func(key string) bool
}

// A Grant is all that one connection may do.
type Grant struct {
	Publish   string    // the one subject that it may publish to
	Subscribe string    // the one subject, or pattern, that it may subscribe to
	Until     time.Time // when the connection is closed; zero is never
}

// A Door is a NATS server for those outside. It is another server than the one
// that holds the streams, so there is nothing to be reached behind it: it has
// no JetStream, no system account, no route, gateway, leaf node, websocket or
// monitoring, and no user but those whom Admit lets in, each with one subject
// to publish to and one to subscribe to. Connections made by [Door.InProcessConn]
// may do everything; only this process can make one.
//
// Its methods are safe for concurrent use.
type Door struct {
	cfg  DoorConfig
	srv  *server.Server
	said doorLog

	mu   sync.Mutex
	held map[uint64]string // key of each connection that was let in or is about to be, some closed since
}

// OpenDoor listens at cfg.Address. It returns once connections are accepted.
func OpenDoor(ctx context.Context, cfg DoorConfig) (*Door, error) {
	opts, err := doorOptions(cfg)
	if err != nil {
		return nil, fmt.Errorf("listening for NATS: %w", err)
	}
	d := &Door{cfg: cfg, held: map[uint64]string{}}
	opts.CustomClientAuthentication = d
	if d.srv, err = server.NewServer(opts); err != nil {
		return nil, fmt.Errorf("listening for NATS: %w", err)
	}
	d.srv.SetLoggerV2(&d.said, false, false, false)
	d.srv.Start()
	for !d.srv.ReadyForConnections(readyStep) {
		if err := errors.Join(d.said.fatal(), ctx.Err()); err != nil {
			d.Close()
			return nil, fmt.Errorf("listening for NATS: %w", err)
		}
	}
	return d, nil
}

func doorOptions(cfg DoorConfig) (*server.Options, error) {
	host, service, err := net.SplitHostPort(cfg.Address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, errors.New("the port is not a number from 0 to 65535")
	}
	opts := &server.Options{
		ServerName: "custody", Host: host, Port: int(port), NoSigs: true, NoSystemAccount: true,
		MaxPayload: DoorPayload, MaxConn: DoorConns + 1, MaxSubs: DoorSubs, MaxPending: doorPending, // one connection is ours
		AuthTimeout: doorPatience.Seconds(), WriteDeadline: doorPatience,
		AlwaysEnableNonce: true, NoLog: true,
	}
	if port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	if cfg.TLS != nil {
		opts.TLS, opts.TLSConfig, opts.TLSTimeout = true, cfg.TLS.Clone(), doorPatience.Seconds()
	}
	return opts, nil
}

// Addr returns where d listens.
func (d *Door) Addr() net.Addr { return d.srv.Addr() }

// InProcessConn makes Door a nats.InProcessConnProvider.
func (d *Door) InProcessConn() (net.Conn, error) { return d.srv.InProcessConn() }

// Check makes Door the server's way to authenticate. A client may say CONNECT
// again, with another key: it is checked again, and is held to that one.
func (d *Door) Check(c server.ClientAuthentication) bool {
	if addr := c.RemoteAddress(); addr == nil {
		return false
	} else if addr.Network() == "pipe" {
		return true // made by InProcessConn: nothing that comes over a network says so
	}
	opts := c.GetOpts()
	signature, err := base64.RawURLEncoding.DecodeString(opts.Sig)
	if err != nil { // older clients
		signature, err = base64.StdEncoding.DecodeString(opts.Sig)
	}
	// Held before it is looked at, so that a Review in between sees it as well.
	if err != nil || opts.Nkey == "" || !d.hold(c.GetID(), opts.Nkey) {
		return false
	}
	grant, ok := d.cfg.Admit(opts.Nkey, c.GetNonce(), signature)
	if !ok {
		return false
	}
	c.RegisterUser(&server.User{
		Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: []string{grant.Publish}},
			Subscribe: &server.SubjectPermission{Allow: []string{grant.Subscribe}},
		},
		ConnectionDeadline: grant.Until,
	})
	return true
}

// hold notes the key of a connection, and forgets those that are closed. It
// reports whether the key may have one more.
func (d *Door) hold(id uint64, key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held[id] = key
	n := 0
	for other, its := range d.held {
		if d.srv.GetClient(other) == nil {
			delete(d.held, other)
		} else if its == key {
			n++
		}
	}
	return n <= DoorKeyConns
}

// Review closes every connection of a key that no longer holds. When it
// returns, nothing more is taken from them.
func (d *Door) Review() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, key := range d.held {
		if !d.cfg.Holds(key) {
			_ = d.srv.DisconnectClientByID(id) // it has gone by itself
			delete(d.held, id)
		}
	}
}

// Close closes every connection, after what was sent to it has gone out if it
// goes at once, and stops listening. Closing again does nothing.
func (d *Door) Close() {
	d.srv.Shutdown()
	d.srv.WaitForShutdown()
}

// doorLog takes what the server has to say, which names clients' addresses and
// the subjects they tried, and may thus hold anything: only why it could not
// start is kept.
type doorLog struct {
	mu  sync.Mutex
	err error
}

func (*doorLog) Noticef(string, ...any) {}
func (*doorLog) Debugf(string, ...any)  {}
func (*doorLog) Tracef(string, ...any)  {}
func (*doorLog) Warnf(string, ...any)   {}
func (*doorLog) Errorf(string, ...any)  {}

func (l *doorLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = fmt.Errorf("server: "+format, v...)
	}
}

func (l *doorLog) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
