package api

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// MaxConns is how many connections are held at once. To admit one more, the
// one that has been idle for longest is closed; when all are busy, the newest
// waits.
const MaxConns = 4096

// errBeyondLoopback is why an address is refused.
var errBeyondLoopback = errors.New("without TLS only this machine can be listened to: give a certificate and key, or an address such as 127.0.0.1:8420")

// CheckListen refuses to listen beyond loopback without TLS. A host name other
// than localhost is refused as well: what it will mean is not known.
func CheckListen(addr string, tls bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listening: the address is not host:port: %w", err)
	}
	if tls || host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("listening: %w", errBeyondLoopback)
	}
	return nil
}

// Listen listens at addr as far as [CheckListen] allows, and so that l can be
// given to Serve or ServeTLS of s, which must be of [API.Server].
func Listen(addr string, tls bool, s *http.Server) (net.Listener, error) {
	if err := CheckListen(addr, tls); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	return limit(l, s, MaxConns), nil
}

// Server is an HTTP server of a. Its Shutdown ends the answers that would go on
// for ever, and waits for the others.
func (a *API) Server() *http.Server {
	s := &http.Server{
		Handler:           a,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		// What net/http has to say of a connection names the client's address.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	s.RegisterOnShutdown(a.close)
	return s
}

// limiter holds at most max connections of a listener.
type limiter struct {
	net.Listener
	slots chan struct{} // one is taken for each connection

	mu      sync.Mutex
	idle    *list.List // of *conn, the one idle for longest first
	waiting bool       // for a place: the next connection that becomes idle is closed
}

// limit makes l hold at most max connections and s tell it which are idle.
func limit(l net.Listener, s *http.Server, max int) *limiter {
	lim := &limiter{Listener: l, slots: make(chan struct{}, max), idle: list.New()}
	s.ConnState = lim.state
	return lim
}

// Accept waits for a connection, and then for a place to hold it.
func (l *limiter) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.slots <- struct{}{}:
	default:
		l.evict()
		l.slots <- struct{}{}
	}
	return &conn{Conn: c, limiter: l}, nil
}

// evict closes the connection that has been idle for longest, or else the next
// one to become idle.
func (l *limiter) evict() {
	l.mu.Lock()
	oldest := l.idle.Front()
	l.waiting = oldest == nil
	l.mu.Unlock()
	if oldest != nil {
		_ = oldest.Value.(*conn).Close() // gives its place back; the client sees it
	}
}

// state keeps the list of idle connections. A connection that has not sent its
// first request is as good as idle.
func (l *limiter) state(nc net.Conn, s http.ConnState) {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = t.NetConn() // under TLS
	}
	if c, ok := nc.(*conn); ok && l.place(c, s == http.StateNew || s == http.StateIdle) {
		_ = c.Close() // as in evict
	}
}

// place puts c last in the list of idle connections, or takes it out. It
// reports whether c must be closed to make place for another.
func (l *limiter) place(c *conn, idle bool) (must bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.place != nil {
		l.idle.Remove(c.place)
		c.place = nil
	}
	if idle && l.waiting {
		l.waiting = false
		return true
	}
	if idle {
		c.place = l.idle.PushBack(c)
	}
	return false
}

// conn gives its place back when it is closed.
type conn struct {
	net.Conn
	limiter *limiter
	place   *list.Element // in idle; guarded by limiter.mu
	once    sync.Once
}

func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.limiter.place(c, false)
		<-c.limiter.slots
	})
	return err
}
