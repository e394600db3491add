package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// resumptions is how often in a row a replay that broke off without anything new is asked for again.
const resumptions = 3

// events are the leaves from from to to, without the last, as an event auditor has them.
func (l *remote) events(ctx context.Context, from, to uint64) iter.Seq2[leaf, error] {
	return func(yield func(leaf, error) bool) {
		next := from + 1 // positions
		for tries := 0; next <= to; tries++ {
			before := next
			more, err := l.replay(ctx, &next, to, yield)
			switch {
			case !more:
				return
			case next > before:
				tries = 0
			}
			if err != nil && (errors.Is(err, errServed) || ctx.Err() != nil || tries == resumptions) {
				yield(leaf{}, err)
				return
			}
		}
	}
}

// replay yields the events of one answer, from *next on, and says whether more are wanted. The error is that it broke off.
func (l *remote) replay(ctx context.Context, next *uint64, to uint64, yield func(leaf, error) bool) (more bool, err error) {
	q := url.Values{"from": {strconv.FormatUint(*next, 10)}, "to": {strconv.FormatUint(to, 10)}}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slow := time.AfterFunc(l.patience, func() { cancel(errSlow) })
	defer slow.Stop()
	body, err := l.do(ctx, http.MethodGet, "/v1/events/stream", q, nil)
	if err != nil {
		return true, because(ctx, err)
	}
	defer body.Close() // all that was wanted was read
	in := bufio.NewReaderSize(body, 1<<16)
	for {
		slow.Reset(l.patience)
		line, err := readLine(in)
		if err != nil {
			return true, because(ctx, fmt.Errorf("replaying events: %w", err))
		}
		slow.Stop() // what is done with an event takes its own time
		var told struct {
			Position uint64          `json:"position"`
			Event    json.RawMessage `json:"event"`
			End      json.RawMessage `json:"end"`
		}
		switch err := json.Unmarshal(line, &told); {
		case err != nil:
			return true, errors.New("replaying events: the answer is not that of a ledger")
		case told.End != nil && *next <= to:
			return true, fmt.Errorf("%w: there is no event at position %d, which it signed for", errServed, *next)
		case told.End != nil:
			return true, nil
		case told.Position == 0:
			return true, errors.New("replaying events: the server says that it cannot go on")
		case told.Position != *next || *next > to:
			return true, fmt.Errorf("%w: after position %d comes %d, and %d was asked for last", errServed, *next-1, told.Position, to)
		case told.Event == nil:
			return true, errors.New("replaying events: this token is not shown what they are; it takes one of role auditor")
		}
		*next++
		if !yield(leaf{event: told.Event}, nil) {
			return false, nil
		}
	}
}

// readLine reads a line of at most mostBytes.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if line = append(line, part...); len(line) > mostBytes {
			return nil, fmt.Errorf("%w: an event of more than %d bytes", errServed, mostBytes)
		}
		switch {
		case err == nil:
			return bytes.TrimSuffix(line, []byte("\n")), nil
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
