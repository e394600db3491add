package natsd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// aDoor lets in whoever signs with the letter of its key.
type aDoor struct {
	*Door
	t    *testing.T
	mu   sync.Mutex
	gone map[string]bool
	end  time.Time
}

func openDoor(t *testing.T) *aDoor {
	t.Helper()
	a := &aDoor{t: t, gone: map[string]bool{}}
	holds := func(key string) bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(key) == 1 && !a.gone[key]
	}
	d, err := OpenDoor(t.Context(), DoorConfig{Address: "127.0.0.1:0", Holds: holds, Admit: func(key string, nonce, signature []byte) (Grant, bool) {
		a.mu.Lock()
		until := a.end
		a.mu.Unlock()
		return Grant{"to." + key, "_INBOX_" + key + ".>", until}, holds(key) && bytes.Equal(signature, append([]byte(key), nonce...))
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	a.Door = d
	return a
}

// outside connects with a key, over the network.
func (a *aDoor) outside(key string, more ...nats.Option) (*nats.Conn, error) {
	sign := func(nonce []byte) ([]byte, error) { return append([]byte(key), nonce...), nil }
	opts := append([]nats.Option{nats.Nkey(key, sign), nats.NoReconnect(), nats.CustomInboxPrefix("_INBOX_" + key),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}, more...)
	return nats.Connect("nats://"+a.Addr().String(), opts...)
}

func (a *aDoor) mustOutside(key string, more ...nats.Option) *nats.Conn {
	a.t.Helper()
	nc, err := a.outside(key, more...)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(nc.Close)
	return nc
}

// inside connects from within.
func (a *aDoor) inside() *nats.Conn {
	a.t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(a), nats.NoReconnect())
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(nc.Close)
	return nc
}

// TestDoorAdmits shows who is let in: nobody without a key that signs the nonce
// of this connection, whatever else it says.
func TestDoorAdmits(t *testing.T) {
	a := openDoor(t)
	url := "nats://" + a.Addr().String()
	for name, opts := range map[string][]nats.Option{
		"nothing":                       nil,
		"a name and a password":         {nats.UserInfo("custody", "custody")},
		"a token":                       {nats.Token("custody")},
		"the name of our connection":    {nats.Name("custody")},
		"the account of the system":     {nats.UserInfo("$SYS", "")},
		"a key that signs nothing":      {nats.Nkey("A", func([]byte) ([]byte, error) { return nil, nil })},
		"a key that signs another":      {nats.Nkey("A", func([]byte) ([]byte, error) { return []byte("A15 other bytes."), nil })},
		"a key that nobody knows":       {nats.Nkey("unknown", func(n []byte) ([]byte, error) { return append([]byte("unknown"), n...), nil })},
		"a JWT":                         {nats.UserJWT(func() (string, error) { return "e30.e30.e30", nil }, func(n []byte) ([]byte, error) { return n, nil })},
		"a key and a name as password":  {nats.UserInfo("A", "A")},
		"a signature of somebody else":  {nats.Nkey("A", func(n []byte) ([]byte, error) { return append([]byte("B"), n...), nil })},
		"no reply to the nonce, no key": {nats.Nkey("", func(n []byte) ([]byte, error) { return n, nil })},
	} {
		if nc, err := nats.Connect(url, append(opts, nats.NoReconnect())...); err == nil {
			nc.Close()
			t.Errorf("%s: let in", name)
		}
	}
	a.mustOutside("A")
}

// TestDoorGrant shows that each has its own two subjects, and nothing else.
func TestDoorGrant(t *testing.T) {
	a := openDoor(t)
	in := a.inside()
	all, err := in.SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	flush(t, in)
	nc := a.mustOutside("A")
	for _, subject := range append(reserved(), "to.B", "to.*", "to.>", ">", "to", "to.A.more", "_INBOX_A.x", "_INBOX_B.x", "_INBOX.x") {
		if err := nc.PublishRequest(subject, "_INBOX_A.reply", []byte("x")); err != nil {
			t.Fatal(err)
		}
		traced := &nats.Msg{Subject: "to.A", Header: nats.Header{"Nats-Trace-Dest": {subject}, "Nats-Trace-Only": {"true"}}}
		if err := nc.PublishMsg(traced); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, nc, "to.A") // its own subject: the first that is heard
	if m, err := all.NextMsg(5 * time.Second); err != nil || m.Subject != "to.A" || m.Reply != "" || m.Header != nil {
		t.Errorf("heard %+v, %v", m, err)
	}
	nc = a.mustOutside("B")
	var others []*nats.Subscription
	for _, subject := range []string{">", "*", "to.A", "to.B", "to.>", "_INBOX_A.>", "_INBOX_A.*", "_INBOX_*.>", "_INBOX.>", "$SYS.>", "$JS.>", "$SRV.>"} {
		sub, err := nc.SubscribeSync(subject)
		if err != nil {
			t.Fatal(err)
		}
		others = append(others, sub)
	}
	own, err := nc.SubscribeSync("_INBOX_B.>")
	if err != nil {
		t.Fatal(err)
	}
	flush(t, nc)
	for _, subject := range append(reserved(), "x", "to.A", "to.B", "_INBOX_A.x", "_INBOX.x", "_INBOX_B.x") {
		publish(t, in, subject)
	}
	if m, err := own.NextMsg(5 * time.Second); err != nil || m.Subject != "_INBOX_B.x" {
		t.Errorf("its own inbox: %+v, %v", m, err)
	}
	for _, sub := range others {
		if n, _, _ := sub.Pending(); n > 0 {
			t.Errorf("%s: %d messages of others", sub.Subject, n)
		}
	}
}

// reserved are subjects that mean something to a server.
func reserved() []string {
	return []string{"$JS.API.INFO", "$JS.API.STREAM.DELETE.S", "$JS.x.API.STREAM.PURGE.S", "$JS.ACK.S.x.1.1.1.1.1", "$JS.FC.S.x", "$SYS.REQ.SERVER.PING",
		"$SYS.REQ.USER.INFO", "$SYS.REQ.ACCOUNT.$G.CONNZ", "$SYS.ACCOUNT.$G.CONNECT", "$SRV.PING", "$KV.x.y", "$O.x", "_GR_.x", "_R_.x", "$GR.x", "$LDS.x", "$NRG.x"}
}

func flush(t *testing.T, nc *nats.Conn) {
	t.Helper()
	if err := nc.FlushTimeout(5 * time.Second); err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, nc *nats.Conn, subject string) {
	t.Helper()
	if err := nc.Publish(subject, []byte("x")); err != nil {
		t.Fatal(err)
	}
	flush(t, nc)
}

// TestDoorReview shows that a key that no longer holds is disconnected before
// Review returns, and no other.
func TestDoorReview(t *testing.T) {
	a := openDoor(t)
	first, second, other := a.mustOutside("A"), a.mustOutside("A"), a.mustOutside("B")
	a.mu.Lock()
	a.gone["A"] = true
	a.mu.Unlock()
	a.Review()
	for _, nc := range []*nats.Conn{first, second} {
		if err := nc.FlushTimeout(5 * time.Second); err == nil {
			t.Error("a connection of a key that is gone answers")
		}
	}
	flush(t, other)
	if nc, err := a.outside("A"); err == nil {
		nc.Close()
		t.Error("a key that is gone is let in again")
	}
}

// TestDoorExpires shows that a connection ends with what it was granted.
func TestDoorExpires(t *testing.T) {
	a := openDoor(t)
	a.end = time.Now().Add(200 * time.Millisecond)
	closed := make(chan struct{})
	a.mustOutside("A", nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Error("it goes on")
	}
}

// TestDoorLimits shows that one key has so many connections and subscriptions,
// others still have theirs, and a message its size.
func TestDoorLimits(t *testing.T) {
	a := openDoor(t)
	var held []*nats.Conn
	for range DoorKeyConns {
		held = append(held, a.mustOutside("A"))
	}
	if nc, err := a.outside("A"); err == nil {
		nc.Close()
		t.Error("a key has one connection more")
	}
	held[0].Close()
	a.mustOutside("B")
	for again := time.Now().Add(30 * time.Second); ; { // the server sees the end of one in its time
		if nc, err := a.outside("A"); err == nil {
			t.Cleanup(nc.Close)
			break
		} else if time.Now().After(again) {
			t.Fatalf("a place that was given back: %v", err)
		}
	}
	many := a.mustOutside("B")
	for i := range DoorSubs + 1 {
		if _, err := many.SubscribeSync(fmt.Sprintf("_INBOX_B.%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := many.FlushTimeout(5 * time.Second); err == nil && many.LastError() == nil {
		t.Error("a connection has one subscription more")
	}
	nc := a.mustOutside("B")
	if got := nc.MaxPayload(); got != DoorPayload {
		t.Errorf("%d bytes a message", got)
	}
	if err := nc.Publish("to.B", make([]byte, DoorPayload+1)); !errors.Is(err, nats.ErrMaxPayload) {
		t.Errorf("a larger message: %v", err)
	}
}

// TestDoorRaw speaks the protocol without a client: sizes that are announced and
// not meant, commands of servers, and commands before CONNECT.
func TestDoorRaw(t *testing.T) {
	for name, sent := range map[string]string{
		"publish before CONNECT":   "PUB to.A 1\r\nx\r\n",
		"subscribe before CONNECT": "SUB > 1\r\n",
		"a long line":              "CONNECT {\"name\":\"" + strings.Repeat("x", 1<<20) + "\"}\r\n",
		"not a command":            "GET / HTTP/1.1\r\n\r\n",
		"a route":                  "CONNECT {\"verbose\":false,\"name\":\"x\",\"cluster\":\"x\"}\r\nRS+ $G > 1\r\n",
		"a leaf node":              "CONNECT {\"leaf\":true,\"server_id\":\"x\",\"name\":\"x\"}\r\nLS+ >\r\n",
		"an account":               "CONNECT {\"account\":\"$SYS\",\"new_account\":true}\r\nPING\r\n",
		"a size beyond":            "CONNECT {}\r\nPUB to.A 99999999999\r\n",
	} {
		a := openDoor(t)
		c, err := net.Dial("tcp", a.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(c)
		info, err := in.ReadString('\n')
		if err != nil || !strings.Contains(info, `"auth_required":true`) || !strings.Contains(info, `"nonce":"`) || strings.Contains(info, "jetstream") {
			t.Errorf("%s: %v: %s", name, err, info)
		}
		c.SetDeadline(time.Now().Add(30 * time.Second))
		c.Write([]byte(sent))
		for line := ""; err == nil; line, err = in.ReadString('\n') {
			if strings.HasPrefix(line, "+OK") || strings.HasPrefix(line, "PONG") || strings.HasPrefix(line, "MSG") {
				t.Errorf("%s: %s", name, line)
			}
		}
		if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
			t.Errorf("%s: it holds on", name)
		}
		c.Close()
	}
}

// TestDoorTaken is an address that cannot be listened at.
func TestDoorTaken(t *testing.T) {
	a := openDoor(t)
	for _, address := range []string{a.Addr().String(), "nonsense", "127.0.0.1:x", "127.0.0.1:70000"} {
		if d, err := OpenDoor(context.WithoutCancel(t.Context()), DoorConfig{Address: address}); err == nil {
			d.Close()
			t.Errorf("%s: listening", address)
		}
	}
}
