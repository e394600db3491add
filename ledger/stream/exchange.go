package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// An exchange is one call's messages and the answers to them. The server gives no answer at all when storing
// fails, not even when it merely runs out of room within a batch; so every exchange ends with a probe, a message
// that can never be stored, and the refusal of it names the last sequence. One connection, one queue and one
// routine of the server take all messages of a stream in turn: whoever is not answered before the probe never will be.
type exchange struct {
	name   string
	asked  int // messages that want an answer
	silent int // of them, those that no stream listens to
}

// probe stands for the probe where otherwise a message's index does.
const probe = -1

func (s *Stream) newExchange() *exchange { return &exchange{name: s.writer.next()} }

// send sends m as message i of the exchange, wanting an answer.
func (s *Stream) send(m *nats.Msg, x *exchange, i int) error {
	x.asked++
	m.Reply = s.inbox + "." + x.name + "-" + strconv.Itoa(i)
	if err := s.nc.PublishMsg(m); err != nil {
		return fmt.Errorf("%w: sending: %w", ErrUnknown, err)
	}
	return nil
}

func (s *Stream) sendProbe(x *exchange) error {
	m := nats.Msg{
		Subject: strings.NewReplacer("*", "probe", ">", "probe").Replace(s.cfg.Subjects[0]),
		Header:  nats.Header{hdrExpected: {strconv.FormatUint(1<<62, 10)}},
	}
	return s.send(&m, x, probe)
}

// ack is the server's answer to a publish.
type ack struct {
	Error     *apiError `json:"error"`
	Seq       uint64    `json:"seq"`
	Duplicate bool      `json:"duplicate"`
	Count     int       `json:"count"`
}

// answer awaits the next answer to x and says to which of its messages. Late answers to earlier exchanges are
// dropped. Its errors wrap ErrUnknown.
func (s *Stream) answer(ctx context.Context, x *exchange) (a ack, index int, err error) {
	for {
		msg, err := s.replies.NextMsgWithContext(ctx)
		if errors.Is(err, nats.ErrNoResponders) {
			if x.silent++; x.silent < x.asked {
				continue
			}
		}
		if err != nil {
			return ack{}, 0, fmt.Errorf("%w: awaiting the acknowledgement: %w", ErrUnknown, err)
		}
		of, rest, ok := strings.Cut(msg.Subject[len(s.inbox)+1:], "-")
		if !ok || of != x.name {
			continue
		}
		x.asked--
		if index, err = strconv.Atoi(rest); err != nil {
			return ack{}, 0, fmt.Errorf("%w: reading the acknowledgement's subject: %w", ErrUnknown, err)
		}
		if len(msg.Data) == 0 { // a batch's first message is staged
			return ack{}, index, nil
		}
		if err := json.Unmarshal(msg.Data, &a); err != nil {
			return ack{}, 0, fmt.Errorf("%w: reading the acknowledgement: %w", ErrUnknown, err)
		}
		return a, index, nil
	}
}

// last reads the last sequence from the refusal of a probe. Its errors wrap ErrUnknown.
func (a ack) last() (uint64, error) {
	if a.Error == nil || a.Error.ErrCode != codeWrongLastSequence {
		return 0, fmt.Errorf("%w: the server did not name its last sequence: %v", ErrUnknown, a.Error)
	}
	_, number, _ := strings.Cut(a.Error.Description, ": ")
	last, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: reading the last sequence: %w", ErrUnknown, err)
	}
	return last, nil
}

// errSilence: a message was not answered, and never will be. It may be in the files all the same: the server keeps
// silent, and its last sequence as it was, when it has written a message and could not sync it.
var errSilence = fmt.Errorf("%w: the server could not store, and does not say why", ErrUnknown)

// Reconcile finds out what happened after ErrUnknown, and lets Append go on. It returns the last durable sequence:
// what the unknown call asked for is stored up to there and never will be beyond. An error wraps ErrUnknown (ask
// again, or stop) or ErrFenced (final), or is a *GapError: the stream ends before what was durable. Without a halt it
// is a question like any other.
func (s *Stream) Reconcile(ctx context.Context) (last uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.halt, ErrFenced) {
		return s.Last(), fmt.Errorf("reconciling %s: %w", s.cfg.Name, s.halt)
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	last, err = s.ask(ctx)
	if err == nil {
		err = s.settle(last)
	}
	if err != nil {
		return s.Last(), fmt.Errorf("reconciling %s: %w", s.cfg.Name, err)
	}
	s.halt, s.pending = nil, 0
	return last, nil
}

// settle takes last, the server's, for durable.
func (s *Stream) settle(last uint64) error {
	known := s.Last()
	switch {
	case last < known:
		return &GapError{Stream: s.cfg.Name, Missing: last + 1}
	case last > known+s.pending:
		s.halt = ErrFenced
		return fmt.Errorf("%w: the stream ends at %d, we wrote up to %d at most", ErrFenced, last, known+s.pending)
	}
	if s.cfg.Settle != nil {
		if err := s.cfg.Settle(); err != nil {
			return fmt.Errorf("%w: the stream ends at %d, but that may not be durable: %w", ErrUnknown, last, err)
		}
	}
	if last > known {
		s.advance(last)
	}
	return nil
}

// ask asks for the last sequence, in turn with everything sent before.
func (s *Stream) ask(ctx context.Context) (uint64, error) {
	x := s.newExchange()
	if err := s.sendProbe(x); err != nil {
		return 0, err
	}
	a, _, err := s.answer(ctx, x)
	if err != nil {
		return 0, err
	}
	return a.last()
}
