package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// A client keeps one connection and sends one request at a time, with as little
// of this machine's time as it can: what it spends the server lacks.
type client struct {
	conn    net.Conn
	read    *bufio.Reader
	headers string // fixed ones
	frame   []byte
}

var errNotFound = errors.New("answer 404 Not Found")

// client connects with a token.
func (s *server) client(ctx context.Context, token string) (*client, error) {
	address := strings.TrimPrefix(s.url, "http://")
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	headers := " HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: Bearer " + token + "\r\n"
	return &client{conn: conn, read: bufio.NewReaderSize(conn, 1<<16), headers: headers}, nil
}

func (c *client) close() { c.conn.Close() }

// do sends a request and returns the body of an answer of status 200, until the
// next one.
func (c *client) do(method, path, kind string, body []byte) ([]byte, error) {
	frame := append(append(append(c.frame[:0], method...), ' '), path...)
	frame = append(frame, c.headers...)
	if body != nil {
		frame = append(append(append(frame, "Content-Type: "...), kind...), "\r\nContent-Length: "...)
		frame = append(strconv.AppendInt(frame, int64(len(body)), 10), "\r\n"...)
	}
	frame = append(append(frame, "\r\n"...), body...)
	c.frame = frame
	if _, err := c.conn.Write(frame); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.read, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer := bytes.NewBuffer(c.frame[:0])
	if _, err := answer.ReadFrom(resp.Body); err != nil {
		return nil, err
	}
	switch c.frame = answer.Bytes(); resp.StatusCode {
	case http.StatusOK:
		return c.frame, nil
	case http.StatusNotFound:
		return nil, errNotFound
	}
	return nil, fmt.Errorf("answer %s: %.200s", resp.Status, c.frame)
}

// get asks, and reads the JSON of the answer.
func (c *client) get(path string, answer any) error {
	body, err := c.do("GET", path, "", nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, answer)
}
