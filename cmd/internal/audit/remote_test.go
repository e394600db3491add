package audit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/evidence"
)

// TestReplayBreaksOff cuts the replay of events off again and again: it goes on as long as something new comes.
func TestReplayBreaksOff(t *testing.T) {
	w := newWorld(t)
	for _, lines := range []int{40, 1, 0} {
		p := newAuditing(t, w, true)
		p.stage.show(w.tell(lie{}), len(w.stored))
		cfg := p.config()
		real := cfg.Do
		cfg.Do = func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
			answer, err := real(ctx, method, path, query, body)
			if err != nil || !strings.HasSuffix(path, "/stream") {
				return answer, err
			}
			all := bytes.SplitAfter(must(io.ReadAll(answer)), []byte("\n"))
			if len(all) > lines+2 {
				all = append(all[:lines:lines], all[lines][:30]) // and a part of the next
			}
			return io.NopCloser(bytes.NewReader(bytes.Join(all, nil))), answer.Close()
		}
		r, err := p.office.round(cfg)
		if lines > 0 && (err != nil || !r.Taken) || lines == 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d lines: %v, %+v", lines, err, r)
		}
	}
	for _, answer := range []string{"", "{}\n", "[]\n", `{"error":{"title":"no"}}` + "\n", `{"position":1,"id":"x"}` + "\n", `{"position":2,"event":{}}` + "\n", `{"end":{"position":0}}` + "\n"} {
		for got, err := range answering(w, answer).events(t.Context(), 0, 1) {
			if err == nil {
				t.Errorf("%q is taken for the event %s", answer, got.event)
			}
		}
	}
	var ends []error
	for _, err := range answering(w, `{"position":1,"event":{}}`+"\n"+`{"position":2,"event":{}}`+"\n").events(t.Context(), 0, 1) {
		ends = append(ends, err)
	}
	if len(ends) != 2 || ends[0] != nil || !errors.Is(ends[1], errServed) {
		t.Errorf("an event that was not asked for: %v", ends)
	}
}

// answering is a ledger that answers everything with this.
func answering(w *world, answer string) *remote {
	return &remote{trust: w.trust, patience: patience, do: func(context.Context, string, string, url.Values, []byte) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(answer)), nil
	}}
}

// TestSlow has a ledger begin to answer, and never end: it is not waited for.
func TestSlow(t *testing.T) {
	w := newWorld(t)
	l := &remote{trust: w.trust, patience: 20 * time.Millisecond, do: func(ctx context.Context, _, _ string, _ url.Values, _ []byte) (io.ReadCloser, error) {
		in, out := io.Pipe()
		context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })
		return in, nil
	}}
	if _, err := l.checkpoint(t.Context(), false); !errors.Is(err, errSlow) {
		t.Errorf("a checkpoint: %v", err)
	}
	for _, err := range l.events(t.Context(), 0, 5) {
		if !errors.Is(err, errSlow) {
			t.Errorf("events: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.checkpoint(ctx, false); errors.Is(err, errSlow) || !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who is gone: %v", err)
	}
}

// FuzzRemote has a ledger answer anything: whatever is asked for, what comes is as asked, or an error, and it ends.
func FuzzRemote(f *testing.F) {
	f.Add([]byte(`{"position":1,"event":{}}` + "\n" + `{"position":2,"event":[]}` + "\n" + `{"end":{}}` + "\n"))
	f.Add([]byte(`{"cosigners":[{"key":"a"}]}`))
	f.Add(bytes.Repeat([]byte{0, recordSize}, 3*entrySize/2))
	f.Fuzz(func(t *testing.T, answer []byte) {
		l := answering(&world{}, string(answer))
		next := 0
		for got, err := range l.events(t.Context(), 0, 2) {
			if next++; err == nil && (next > 2 || got.event == nil) {
				t.Fatalf("%d events, the last %q", next, got.event)
			}
		}
		next = 0
		for got, err := range l.records(t.Context(), 0, 3, false) {
			if next++; err == nil && (next > 3 || len(got.record) != recordSize) {
				t.Fatalf("%d records, the last of %d bytes", next, len(got.record))
			}
		}
		if _, err := l.event(t.Context(), 0, evidence.Hash{}); err == nil {
			t.Fatal("an event of no digest")
		}
		_, _ = l.checkpoint(t.Context(), true)
		_, _ = l.announced(t.Context())
	})
}
