package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
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
		subject := msgs[i].Subject
		listens := func(pattern string) bool { return matches(pattern, subject) }
		if strings.ContainsAny(subject, " \t\r\n*>") || strings.Contains(subject+".", "..") || !slices.ContainsFunc(s.cfg.Subjects, listens) {
			return fmt.Errorf("message %d: not a subject of the stream", i)
		}
	}
	return nil
}

// matches reports whether a subject falls under a pattern: "*" stands for one token, a last ">" for one or more.
func matches(pattern, subject string) bool {
	for {
		p, patterns, more := strings.Cut(pattern, ".")
		t, tokens, moreTokens := strings.Cut(subject, ".")
		switch {
		case t == "":
			return false
		case p == ">" && !more:
			return true
		case p != "*" && p != t:
			return false
		case !more || !moreTokens:
			return more == moreTokens
		}
		pattern, subject = patterns, tokens
	}
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

// publishSingles sends each message with the sequence it must follow, so that an acknowledgement covers all before
// it and a refusal all after it.
func (s *Stream) publishSingles(ctx context.Context, before uint64, msgs []Message) (acked int, err error) {
	x := s.newExchange()
	for i := range msgs {
		if err := s.send(s.writer.single(&msgs[i], before+uint64(i), i == 0), x, i); err != nil {
			return 0, err
		}
	}
	if err := s.sendProbe(x); err != nil {
		return 0, err
	}
	for acked < len(msgs) {
		a, i, err := s.answer(ctx, x)
		switch {
		case err != nil:
			return acked, err
		case i == probe, a.Error != nil && i > acked: // the one before has no answer, and was to come first
			return acked, errSilence
		case a.Error != nil:
			return acked, refusal(a.Error)
		case a.Seq != before+uint64(i)+1 || a.Duplicate:
			return acked, fmt.Errorf("%w: stored at %d, not %d", ErrUnknown, a.Seq, before+uint64(i)+1)
		}
		acked = i + 1
	}
	return acked, nil
}

// publishBatch sends msgs as one atomic batch (ADR-50). Only the last message asks for an answer, and the first
// for a reason should staging fail: the server then calls the commit merely incomplete.
func (s *Stream) publishBatch(ctx context.Context, before uint64, msgs []Message) (acked int, err error) {
	x, last := s.newExchange(), len(msgs)-1
	for i := range msgs {
		m := s.writer.batched(&msgs[i], before, i, len(msgs))
		if i > 0 && i < last {
			err = s.nc.PublishMsg(m)
		} else {
			err = s.send(m, x, i)
		}
		if err != nil {
			return 0, fmt.Errorf("%w: sending: %w", ErrUnknown, err)
		}
	}
	if err := s.sendProbe(x); err != nil {
		return 0, err
	}
	var staging *apiError
	for {
		a, i, err := s.answer(ctx, x)
		switch {
		case err != nil:
			return 0, err
		case i == probe:
			return 0, errSilence
		case i < last:
			staging = a.Error
		case a.Error != nil && staging != nil && staging.ErrCode != a.Error.ErrCode:
			return 0, fmt.Errorf("%w, after %w", refusal(a.Error), staging)
		case a.Error != nil:
			return 0, refusal(a.Error)
		case a.Seq != before+uint64(len(msgs)) || a.Count != len(msgs):
			return 0, fmt.Errorf("%w: %d messages stored up to %d, not %d up to %d", ErrUnknown, a.Count, a.Seq, len(msgs), before+uint64(len(msgs)))
		default:
			return len(msgs), nil
		}
	}
}

// refusal turns a server's error into ours: a wrong last sequence is another writer.
func refusal(e *apiError) error {
	if e.ErrCode == codeWrongLastSequence || e.ErrCode == codeWrongLastSequenceK {
		return fmt.Errorf("%w: %w", ErrFenced, e)
	}
	return e
}
