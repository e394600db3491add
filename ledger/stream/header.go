package stream

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

const (
	hdrExpected = "Nats-Expected-Last-Sequence"
	hdrBatch    = "Nats-Batch-Id"
	hdrSeq      = "Nats-Batch-Sequence"
	hdrCommit   = "Nats-Batch-Commit"

	headerRoom = 256       // bytes left for our own headers
	maxHeader  = 1<<16 - 1 // of all headers of a message: the server's limit
)

func checkHeader(k, v string) error {
	if Reserved(k) {
		return fmt.Errorf("header %s is reserved", k)
	}
	if k == "" || strings.ContainsAny(k, ": \t\r\n") {
		return errors.New("bad header name")
	}
	if strings.ContainsAny(v, "\r\n") || strings.Trim(v, " \t") != v {
		return fmt.Errorf("bad value of header %s", k)
	}
	return nil
}

// Reserved reports whether a header belongs to the server or to this package rather than to the caller.
func Reserved(k string) bool { return strings.HasPrefix(k, "Nats-") || k == HeaderDurable }

// own returns a message's headers without the server's and this package's; nil if none are left.
func own(h map[string][]string) map[string]string {
	var mine map[string]string
	for k, v := range h {
		if Reserved(k) || len(v) == 0 {
			continue
		}
		if mine == nil {
			mine = make(map[string]string, 1)
		}
		mine[k] = v[0]
	}
	return mine
}

// writer builds outgoing messages in one buffer: a message is valid until the next is built. Almost all
// messages of a batch carry the same two headers, of which one changes.
type writer struct {
	id      string // of this writer, random: part of every batch id
	calls   uint64
	msg     nats.Msg
	batch   nats.Header // hdrBatch and hdrSeq alone
	idValue []string
	seq     []string // the value of hdrSeq
	numbers []string // decimal of 1, 2, ...
}

// next names the next call; the name is also its batch's id.
func (w *writer) next() string {
	w.calls++
	name := w.id + strconv.FormatUint(w.calls, 36)
	if w.batch == nil {
		w.idValue, w.seq = []string{""}, []string{""}
		w.batch = nats.Header{hdrBatch: w.idValue, hdrSeq: w.seq}
	}
	w.idValue[0] = name
	return name
}

func (w *writer) single(m *Message, expected uint64, first bool) *nats.Msg {
	number := strconv.FormatUint(expected, 10)
	h := nats.Header{hdrExpected: {number}}
	if first {
		h[HeaderDurable] = []string{number}
	}
	return w.message(m, h)
}

// batched is message i of n, of the batch that next named.
func (w *writer) batched(m *Message, before uint64, i, n int) *nats.Msg {
	for len(w.numbers) <= i {
		w.numbers = append(w.numbers, strconv.Itoa(len(w.numbers)+1))
	}
	w.seq[0] = w.numbers[i]
	if i > 0 && i < n-1 && len(m.Header) == 0 {
		w.msg = nats.Msg{Subject: m.Subject, Header: w.batch, Data: m.Data}
		return &w.msg
	}
	h := nats.Header{hdrBatch: w.idValue, hdrSeq: w.seq}
	if i == 0 {
		number := strconv.FormatUint(before, 10)
		h[hdrExpected], h[HeaderDurable] = []string{number}, []string{number}
	}
	if i == n-1 {
		h[hdrCommit] = []string{"1"}
	}
	return w.message(m, h)
}

func (w *writer) message(m *Message, h nats.Header) *nats.Msg {
	for k, v := range m.Header {
		h[k] = []string{v}
	}
	w.msg = nats.Msg{Subject: m.Subject, Header: h, Data: m.Data}
	return &w.msg
}
