package emit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const (
	receiptSpan = 1000     // positions that one request is about
	maxReceipts = 32 << 20 // bytes of an answer: the ledger stops after 16 MiB, behind one of at most 8 MiB
	frameHead   = 8 + 4    // position and length before each receipt
)

// Receipt awaits the receipt of a recorded event, and verifies it; see [ReadReceipt]. Hold it against what was sent
// with [SignedReceipt.Compare]. It tries again whatever may pass until ctx ends. The error wraps one of the errors
// of receipts, ctx's error, or a [*Problem]: one of the word not-found if the ledger has no such event.
func (h *HTTP) Receipt(ctx context.Context, position uint64, trust *checkpoint.Trust) (SignedReceipt, error) {
	proof, err := h.insist(ctx, "/v1/receipts/"+strconv.FormatUint(position, 10))
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("emit: no receipt: %w", err)
	}
	r, err := ReadReceipt(proof, trust)
	if err == nil {
		err = r.at(position)
	}
	return r, err
}

// A frame is a proof, and the position that it is said to be of.
type frame struct {
	position uint64
	proof    []byte
}

// receipts awaits the receipts of a token's events at some positions, as many as one answer has.
func (h *HTTP) receipts(ctx context.Context, from, to uint64) ([]frame, error) {
	answer, err := h.insist(ctx, fmt.Sprintf("/v1/receipts?from=%d&to=%d", from, to))
	if err != nil {
		return nil, fmt.Errorf("emit: no receipts: %w", err)
	}
	return readFrames(answer)
}

// readFrames reads an answer of many receipts: position (8), length (4) and bytes of each, in order.
func readFrames(answer []byte) (frames []frame, err error) {
	for last := uint64(0); len(answer) > 0; {
		if len(answer) < frameHead {
			return nil, errFrames()
		}
		position, size := binary.BigEndian.Uint64(answer), uint64(binary.BigEndian.Uint32(answer[8:]))
		if answer = answer[frameHead:]; uint64(len(answer)) < size || position <= last {
			return nil, errFrames()
		}
		frames = append(frames, frame{position, answer[:size:size]})
		answer, last = answer[size:], position
	}
	return frames, nil
}

func errFrames() error {
	return fmt.Errorf("emit: no receipts: %w", &Problem{Status: http.StatusBadGateway})
}

// insist asks for something, again and again while it may yet be given.
func (h *HTTP) insist(ctx context.Context, path string) ([]byte, error) {
	for n := 0; ; n++ {
		answer, err := h.ask(ctx, path)
		if err == nil {
			return answer, nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
		wait := backoff(n)
		if p, ok := errors.AsType[*Problem](err); ok {
			if p.verdict() != passing && p.Word != "not-proven" {
				return nil, err
			}
			wait = max(wait, p.RetryAfter)
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (h *HTTP) ask(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	answer, err := h.do(ctx, http.MethodGet, path, nil, maxReceipts+1)
	if err == nil && len(answer) > maxReceipts {
		return nil, fmt.Errorf("emit: the ledger's answer has more than %d bytes", maxReceipts)
	}
	return answer, err
}

// given is what the ledger gave for a position: its receipt, or what is wrong with it.
type given struct {
	position uint64
	SignedReceipt
	err error
}

// fetch asks for the receipts of positions, which are sorted, in as few requests as may be, and hands on what each
// request gave. For one that the ledger no longer has, err wraps [ErrReceiptMissing]. The error is that of asking,
// or of then; then the rest was not asked for.
func (s *Receipts) fetch(ctx context.Context, positions []uint64, then func([]given) error) error {
	for len(positions) > 0 {
		first := positions[0]
		end, _ := slices.BinarySearch(positions, first+receiptSpan)
		frames, err := s.from.receipts(ctx, first, positions[end-1])
		if err != nil {
			return err
		}
		var got []given
		rest := positions[:0:0]
		for _, p := range positions[:end] {
			i, found := slices.BinarySearchFunc(frames, p, func(f frame, p uint64) int { return int(int64(f.position) - int64(p)) })
			if !found {
				rest = append(rest, p)
				continue
			}
			got = append(got, s.read(p, frames[i].proof))
		}
		if len(rest) > 0 && rest[0] == first { // nothing was left out for want of room: it says why
			one, err := s.one(ctx, first)
			if err != nil {
				return err
			}
			got, rest = append(got, one), rest[1:]
		}
		if err := then(got); err != nil {
			return err
		}
		positions = append(rest, positions[end:]...)
	}
	return nil
}

func (s *Receipts) read(position uint64, proof []byte) given {
	r, err := ReadReceipt(proof, s.trust)
	if err == nil {
		err = r.at(position)
	}
	return given{position, r, err}
}

// one asks for one receipt that was not among those of its neighbours.
func (s *Receipts) one(ctx context.Context, position uint64) (given, error) {
	r, err := s.from.Receipt(ctx, position, s.trust)
	p, refused := errors.AsType[*Problem](err)
	switch {
	case refused && p.Word == "not-found":
		err = fmt.Errorf("%w: position %d", ErrReceiptMissing, position)
	case refused && p.Word == "not-allowed": // of somebody else's event
	case refused || ctx.Err() != nil:
		return given{}, err
	}
	return given{position, r, err}, nil
}
