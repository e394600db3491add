package emitnats_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A server speaks as much of the NATS protocol as one producer needs: it hands each request to answer, and sends
// what that says to the reply subject. The real one is tried in cmd/internal/crash.
type server struct {
	net.Listener
	answer func(m message) reply

	mu  sync.Mutex
	nc  []net.Conn
	hub sync.WaitGroup
}

type message struct{ connect, subject, inbox, header, data string }

// reply is a body and the lines of its header.
type reply struct {
	header []string
	body   string
	hangup bool // instead
}

func newServer(t *testing.T, answer func(m message) reply) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l, answer: answer}
	s.hub.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.nc = append(s.nc, c)
			s.mu.Unlock()
			s.hub.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		for _, c := range s.nc {
			c.Close()
		}
		s.mu.Unlock()
		s.hub.Wait()
	})
	return s
}

func (s *server) url() string { return "nats://" + s.Addr().String() }

func (s *server) serve(c net.Conn) {
	defer c.Close()
	io.WriteString(c, `INFO {"server_id":"x","version":"2.15.2","proto":1,"headers":true,"max_payload":1048576,"nonce":"abcdefgh"}`+"\r\n")
	in := bufio.NewReader(c)
	var m message
	sid := ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(word) {
		case "CONNECT":
			m.connect = rest
		case "PING":
			io.WriteString(c, "PONG\r\n")
		case "SUB":
			f := strings.Fields(rest)
			m.inbox, sid = f[0], f[len(f)-1]
		case "HPUB":
			f := strings.Fields(rest)
			head, _ := strconv.Atoi(f[2])
			all, _ := strconv.Atoi(f[3])
			b := make([]byte, all+2)
			if _, err := io.ReadFull(in, b); err != nil {
				return
			}
			m.subject, m.header, m.data = f[0], string(b[:head]), string(b[head:all])
			r := s.answer(m)
			if r.hangup {
				return
			}
			header := "NATS/1.0\r\n" + strings.Join(append(r.header, ""), "\r\n") + "\r\n"
			fmt.Fprintf(c, "HMSG %s %s %d %d\r\n%s%s\r\n", f[1], sid, len(header), len(header)+len(r.body), header, r.body)
		}
	}
}

// through has answers come from a transport.
func through(send func(ctx context.Context, batch []byte) ([]byte, error)) func(m message) reply {
	return func(m message) reply {
		b, err := send(context.Background(), []byte(m.data))
		if err != nil {
			return reply{hangup: true}
		}
		return reply{body: string(b)}
	}
}
