package api

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// watched is a body that notes how much memory is held for it beyond what it has given.
type watched struct {
	left, given, most int64
	held              func() int64
}

func (w *watched) Read(p []byte) (int, error) {
	w.most = max(w.most, w.held()-ahead*w.given)
	n := min(int64(len(p)), w.left, 1000)
	if w.left -= n; n == 0 {
		return 0, io.EOF
	}
	w.given += n
	copy(p, bytes.Repeat([]byte("x"), int(n)))
	return int(n), nil
}

// TestBodyMemory: a body arrives whole whatever was announced, and what is held grows with what has come.
func TestBodyMemory(t *testing.T) {
	const limit = 1 << 20
	for _, size := range []int64{0, 1, firstRead - 1, firstRead, firstRead + 1, ahead * firstRead, 700_001, limit, limit + 1} {
		for _, announced := range []int64{-1, 0, size, size / 2, limit} {
			t.Run(fmt.Sprint(size, " of ", announced), func(t *testing.T) {
				api, err := New(Config{})
				if err != nil {
					t.Fatal(err)
				}
				in := &watched{left: size, held: func() int64 { return defaultBodies - api.bodies.left.Load() }}
				r := &http.Request{Body: io.NopCloser(in), ContentLength: announced}
				b, err := api.readBody(httptest.NewRecorder(), r, limit)
				if (err != nil) != (size > limit) || err == nil && int64(len(b.bytes)) != size {
					t.Errorf("%d bytes, %v", len(b.bytes), err)
				}
				if in.most > firstRead || b.held != in.held() || announced == size && size <= limit && b.held > max(size+1, firstRead) {
					t.Errorf("%d bytes were held, at most %d ahead", b.held, in.most)
				}
			})
		}
	}
}
