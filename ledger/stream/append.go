package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// maxChunkBytes keeps one batch well under the 128 MiB that a server queues for a stream before it drops.
	maxChunkBytes = 32 << 20
	// ackWait is how long an acknowledgement may take when ctx has no earlier deadline.
	ackWait = 30 * time.Second
)

// Append stores msgs in order and returns the last durable sequence, with an error too: the sequences from the
// previous Last()+1 up to it are this call's first messages. The errors are exclusive:
//
//	nil          all of msgs are durable
//	ErrRejected  nothing of msgs was stored, nor will be; it wraps the server's reason
//	ErrPartial   the first ones, up to the returned sequence, are durable; the rest was not stored, nor will be
//	ErrUnknown   the first ones, up to the returned sequence, are durable; the rest may be stored or not, now or soon
//	ErrHalted    as ErrRejected: an earlier ErrUnknown waits for Reconcile
//	ErrFenced    somebody else wrote; durable up to the returned sequence, the rest was not stored; final
//
// No more than MaxBatch messages, or 32 MiB, become durable at once; a call that holds more is stored in parts.
// After ErrRejected and ErrPartial the rest may be appended again at once. Cancelling ctx while Append waits for
// the server gives ErrUnknown. Data and Header are not kept.
func (s *Stream) Append(ctx context.Context, msgs []Message) (last uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := s.Last()
	if s.halt != nil {
		return start, fmt.Errorf("appending to %s: %w", s.cfg.Name, s.halt)
	}
	if err := s.acceptable(ctx, msgs); err != nil {
		return start, fmt.Errorf("appending to %s: %w: %w", s.cfg.Name, ErrRejected, err)
	}
	for len(msgs) > 0 {
		n := s.chunk(msgs)
		if err := s.appendChunk(ctx, msgs[:n]); err != nil {
			return s.Last(), s.outcome(err, s.Last() > start, len(msgs))
		}
		msgs = msgs[n:]
	}
	return s.Last(), nil
}

// outcome gives err its place in Append's contract, and halts if need be.
func (s *Stream) outcome(err error, some bool, left int) error {
	switch {
	case errors.Is(err, ErrFenced):
		s.halt = ErrFenced
	case errors.Is(err, ErrUnknown):
		s.halt, s.pending = ErrHalted, uint64(left)
	case some:
		err = fmt.Errorf("%w: %w", ErrPartial, err)
	default:
		err = fmt.Errorf("%w: %w", ErrRejected, err)
	}
	return fmt.Errorf("appending to %s: %w", s.cfg.Name, err)
}

// acceptable refuses what the server would refuse or misread, before anything is sent.
func (s *Stream) acceptable(ctx context.Context, msgs []Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	most := int(s.nc.MaxPayload())
	for i := range msgs {
		size := headerRoom
		for k, v := range msgs[i].Header {
			if err := checkHeader(k, v); err != nil {
				return fmt.Errorf("message %d: %w", i, err)
			}
			size += len(k) + len(v) + 4
		}
		if size > maxHeader {
			return fmt.Errorf("message %d: headers of %d bytes exceed %d", i, size, maxHeader)
		}
		if size += len(msgs[i].Data); size > most {
			return fmt.Errorf("message %d: %d bytes exceed %d", i, size, most)
		}
		if msgs[i].Subject == "" || strings.ContainsAny(msgs[i].Subject, " \t\r\n*>") {
			return fmt.Errorf("message %d: bad subject", i)
		}
	}
	return nil
}

// chunk is how many of msgs go together.
func (s *Stream) chunk(msgs []Message) int {
	size := 0
	for i := range msgs[:min(len(msgs), s.cfg.MaxBatch)] {
		if size += len(msgs[i].Data); size > maxChunkBytes && i > 0 {
			return i
		}
	}
	return min(len(msgs), s.cfg.MaxBatch)
}

// appendChunk stores msgs and moves the durable position to the last one stored. An error that wraps neither
// ErrUnknown nor ErrFenced means that what is above the durable position was not stored.
func (s *Stream) appendChunk(ctx context.Context, msgs []Message) error {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	before := s.Last()
	publish := s.publishBatch
	if len(msgs) <= s.cfg.Singles {
		publish = s.publishSingles
	}
	acked, err := publish(ctx, before, msgs)
	if acked == 0 {
		return err
	}
	if s.cfg.Barrier != nil {
		if berr := s.cfg.Barrier(); berr != nil {
			return fmt.Errorf("%w: stored up to %d, but making it durable: %w", ErrUnknown, before+uint64(acked), berr)
		}
	}
	s.advance(before + uint64(acked))
	return err
}

// publishSingles sends each message with the sequence it must follow, and awaits every answer: since each
// depends on the one before, an acknowledgement covers all before it and a refusal all after it.
func (s *Stream) publishSingles(ctx context.Context, before uint64, msgs []Message) (acked int, err error) {
	call := s.writer.next()
	for i := range msgs {
		m := s.writer.single(&msgs[i], before+uint64(i), i == 0)
		m.Reply = s.inbox + "." + call + "-" + strconv.Itoa(i)
		if err := s.nc.PublishMsg(m); err != nil {
			return 0, fmt.Errorf("%w: sending: %w", ErrUnknown, err)
		}
	}
	for acked < len(msgs) {
		a, i, err := s.answer(ctx, call)
		if err != nil {
			return acked, err
		}
		if a.Error != nil {
			return acked, refusal(a.Error)
		}
		if a.Seq != before+uint64(i)+1 || a.Duplicate {
			return acked, fmt.Errorf("%w: stored at %d, not %d", ErrUnknown, a.Seq, before+uint64(i)+1)
		}
		acked = i + 1
	}
	return acked, nil
}

// publishBatch sends msgs as one atomic batch (ADR-50). Only the last message asks for an answer, and the first
// for a reason should staging fail: the server then calls the commit merely incomplete. Until the last message
// has been sent nothing can be stored.
func (s *Stream) publishBatch(ctx context.Context, before uint64, msgs []Message) (acked int, err error) {
	call := s.writer.next()
	for i := range msgs {
		m := s.writer.batched(&msgs[i], before, i, len(msgs))
		if i == 0 || i == len(msgs)-1 {
			m.Reply = s.inbox + "." + call + "-" + strconv.Itoa(i)
		}
		if err := s.nc.PublishMsg(m); err != nil {
			return 0, fmt.Errorf("%w: sending: %w", ErrUnknown, err)
		}
	}
	var first *apiError
	for {
		a, i, err := s.answer(ctx, call)
		switch {
		case err != nil:
			return 0, err
		case i == 0 && len(msgs) > 1:
			first = a.Error
		case a.Error != nil && first != nil && first.ErrCode != a.Error.ErrCode:
			return 0, fmt.Errorf("%w, after %w", refusal(a.Error), first)
		case a.Error != nil:
			return 0, refusal(a.Error)
		case a.Seq != before+uint64(len(msgs)) || a.Count != len(msgs):
			return 0, fmt.Errorf("%w: %d messages stored up to %d, not %d up to %d", ErrUnknown, a.Count, a.Seq, len(msgs), before+uint64(len(msgs)))
		default:
			return len(msgs), nil
		}
	}
}

// ack is the server's answer to a publish.
type ack struct {
	Error     *apiError `json:"error"`
	Seq       uint64    `json:"seq"`
	Duplicate bool      `json:"duplicate"`
	Count     int       `json:"count"`
}

// answer awaits the next answer to call and says which of its messages it is for. Late answers to earlier calls
// are dropped. No answer is ErrUnknown: the server sends none when storing fails.
func (s *Stream) answer(ctx context.Context, call string) (a ack, index int, err error) {
	for {
		msg, err := s.replies.NextMsgWithContext(ctx)
		if err != nil {
			return ack{}, 0, fmt.Errorf("%w: awaiting the acknowledgement: %w", ErrUnknown, err)
		}
		of, rest, ok := strings.Cut(msg.Subject[len(s.inbox)+1:], "-")
		if !ok || of != call {
			continue
		}
		if index, err = strconv.Atoi(rest); err != nil {
			return ack{}, 0, fmt.Errorf("%w: reading the acknowledgement's subject: %w", ErrUnknown, err)
		}
		if status := msg.Header.Get("Status"); status != "" {
			return ack{Error: &apiError{Description: "no stream listens: status " + status}}, index, nil
		}
		if len(msg.Data) == 0 { // the batch's first message is staged
			return ack{}, index, nil
		}
		if err := json.Unmarshal(msg.Data, &a); err != nil {
			return ack{}, 0, fmt.Errorf("%w: reading the acknowledgement: %w", ErrUnknown, err)
		}
		return a, index, nil
	}
}

// refusal turns a server's error into ours: a wrong last sequence is another writer.
func refusal(e *apiError) error {
	if e.ErrCode == codeWrongLastSequence || e.ErrCode == codeWrongLastSequenceK {
		return fmt.Errorf("%w: %w", ErrFenced, e)
	}
	return e
}

// Reconcile finds out what happened after ErrUnknown, and lets Append go on. It sends, on the connection and
// through the queue that the unanswered messages took, one that can never be stored; the refusal names the last
// sequence after all of them. It returns the last durable sequence: what the unknown call asked for is stored up
// to there and never will be beyond. An error wraps ErrUnknown (ask again, or stop) or ErrFenced (final), or is
// a *GapError: the stream ends before what was durable. Without a halt it is a question like any other.
func (s *Stream) Reconcile(ctx context.Context) (last uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.halt, ErrFenced) {
		return s.Last(), fmt.Errorf("reconciling %s: %w", s.cfg.Name, s.halt)
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	last, err = s.probe(ctx)
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
	for _, check := range []func() error{s.cfg.Health, s.cfg.Barrier} {
		if check == nil {
			continue
		}
		if err := check(); err != nil {
			return fmt.Errorf("%w: the stream ends at %d, but that may not be durable: %w", ErrUnknown, last, err)
		}
	}
	if last > known {
		s.advance(last)
	}
	return nil
}

// probe asks for the last sequence, in turn with everything sent before.
func (s *Stream) probe(ctx context.Context) (uint64, error) {
	call := s.writer.next()
	m := &nats.Msg{
		Subject: strings.NewReplacer("*", "probe", ">", "probe").Replace(s.cfg.Subjects[0]),
		Reply:   s.inbox + "." + call + "-0",
		Header:  nats.Header{hdrExpected: {strconv.FormatUint(1<<62, 10)}},
	}
	if err := s.nc.PublishMsg(m); err != nil {
		return 0, fmt.Errorf("%w: sending: %w", ErrUnknown, err)
	}
	a, _, err := s.answer(ctx, call)
	if err != nil {
		return 0, err
	}
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
