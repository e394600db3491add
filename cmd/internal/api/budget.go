package api

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// budget is how many bytes of bodies may still be taken in hand.
type budget struct{ left atomic.Int64 }

// take takes n bytes if there are as many.
func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

func (b *budget) give(n int64) { b.left.Add(n) }

const (
	firstRead = 16 << 10 // bytes of memory before any of a body has come
	ahead     = 8        // times what has come is the most memory for what was announced
	silence   = 5 * time.Second
	slowest   = 128 << 10 // bytes a second below which a body is too slow, after bodyTime
)

// body is a whole body and what it takes of the budget.
type body struct {
	bytes []byte
	held  int64
}

// readBody reads a whole body of at most limit bytes into memory that grows
// with what has arrived. What was announced alone gets none. The caller gives
// back what is held, after an error as well.
func (a *API) readBody(w http.ResponseWriter, r *http.Request, limit int64) (b body, err error) {
	if r.ContentLength > limit {
		return b, &http.MaxBytesError{Limit: limit}
	}
	start := time.Now()
	in := patient{r.Body, http.NewResponseController(w), start.Add(bodyTime)}
	size := int64(firstRead)
	if n := r.ContentLength; n >= 0 && n < firstRead {
		size = n + 1 // one more, to see the end without growing
	}
	for {
		if err := a.grow(&b, size); err != nil {
			return b, err
		}
		n, err := readFull(&in, b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > limit:
			return b, &http.MaxBytesError{Limit: limit}
		case errors.Is(err, io.EOF):
			return b, nil // net/http lifts the deadline when it has read the end
		case err != nil:
			return b, err
		}
		size = min(enough(b.held, r.ContentLength), limit+1)
		in.until = start.Add(bodyTime + time.Duration(size)*time.Second/slowest)
	}
}

// enough is how much to hold after held bytes have come: enough for what was
// announced and one more, to see the end, if that is not too far ahead.
func enough(held, announced int64) int64 {
	if announced < held {
		return 2 * held // not announced, or more has come
	}
	return min(ahead*held, announced+1)
}

// patient reads a body until a moment, and never waits longer than silence for
// its next bytes: what a client sent fast buys it no time to hold them here.
type patient struct {
	io.Reader
	deadline *http.ResponseController
	until    time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	next := time.Now().Add(silence)
	if next.After(p.until) {
		next = p.until
	}
	_ = p.deadline.SetReadDeadline(next) // only net/http's own writers have deadlines; tests have others too
	return p.Reader.Read(b)
}

// grow gives b a buffer of size bytes, if the budget has them.
func (a *API) grow(b *body, size int64) error {
	if !a.bodies.take(size - b.held) {
		a.metrics.busy.Inc()
		return problem(busy, "more bytes of bodies than this server holds at once; sending again is safe")
	}
	b.held = size
	grown := make([]byte, len(b.bytes), size)
	copy(grown, b.bytes)
	b.bytes = grown
	return nil
}

// readFull fills p as far as it can. The error is nil only if p is full.
func readFull(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}
