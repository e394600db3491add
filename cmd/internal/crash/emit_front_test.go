package crash_test

import (
	"encoding/json"
	"io"
	"net"
	"testing"
)

// listen serves the connections to an address until the test ends.
func listen(t *testing.T, addr string, serve func(io.ReadWriteCloser)) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
}

// join copies both ways between a connection and an address until either ends. Nobody there is a broken
// connection.
func join(in io.ReadWriteCloser, to string) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]io.ReadWriteCloser{{in, out}, {out, in}} {
		go func() {
			io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
}

// numbering is how a stored event is counted by its producer.
type numbering struct {
	Instance string `json:"producerinstance"`
	Number   string `json:"producerseq"`
}

func (n *numbering) read(t *testing.T, l line) {
	t.Helper()
	if err := json.Unmarshal(l.Event, n); err != nil {
		t.Fatal(err)
	}
}
