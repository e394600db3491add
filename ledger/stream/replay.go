package stream

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	pullMessages = 2000            // in one request; two are under way
	pullBytes    = 16 << 20        // at most, of one request: under what the server lets wait for a client (64 MiB)
	pullWait     = 2 * time.Second // after which a request that could not be filled says so
	idleConsumer = time.Minute     // after which the server forgets a consumer nobody asks anything
)

// Get reads one message. It fails with [ErrNotFound] when seq is 0 or above Last, and with a [*GapError] when the
// server does not have a message that it must have.
func (s *Stream) Get(ctx context.Context, seq uint64) (Message, error) {
	if seq == 0 || seq > s.Last() {
		return Message{}, fmt.Errorf("reading %s at %d: %w", s.cfg.Name, seq, ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	msg, err := s.nc.RequestWithContext(ctx, "$JS.API.DIRECT.GET."+s.cfg.Name, fmt.Appendf(nil, `{"seq":%d}`, seq))
	if err != nil {
		return Message{}, fmt.Errorf("reading %s at %d: %w", s.cfg.Name, seq, err)
	}
	if status := msg.Header.Get("Status"); status == "404" {
		return Message{}, &GapError{Stream: s.cfg.Name, Missing: seq}
	} else if status != "" {
		return Message{}, fmt.Errorf("reading %s at %d: server: status %s %s", s.cfg.Name, seq, status, msg.Header.Get("Description"))
	}
	got, err := strconv.ParseUint(msg.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil || got != seq {
		return Message{}, fmt.Errorf("reading %s at %d: server: sent sequence %q", s.cfg.Name, seq, msg.Header.Get("Nats-Sequence"))
	}
	at, err := time.Parse(time.RFC3339Nano, msg.Header.Get("Nats-Time-Stamp"))
	if err != nil {
		return Message{}, fmt.Errorf("reading %s at %d: %w", s.cfg.Name, seq, err)
	}
	return Message{Subject: msg.Header.Get("Nats-Subject"), Header: own(msg.Header), Data: msg.Data, Sequence: seq, Time: at.UTC()}, nil
}

// Replay yields the messages from..to, both included, in order and without a gap. It ends at Last as it was when
// the iteration began, if to is above that. Each error is the last element: a [*GapError], ctx's, or the
// connection's. Breaking out of the loop leaves nothing behind; Data belongs to whoever receives it.
func (s *Stream) Replay(ctx context.Context, from, to uint64) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		p := puller{s: s, next: max(from, 1), to: min(to, s.Last())}
		if p.next > p.to {
			return
		}
		defer p.close()
		for p.next <= p.to {
			m, err := p.read(ctx)
			if err != nil {
				yield(Message{}, fmt.Errorf("replaying %s at %d: %w", s.cfg.Name, p.next, err))
				return
			}
			p.next++
			if !yield(m, nil) {
				return
			}
		}
	}
}

// puller reads next..to through an ephemeral consumer without acknowledgements, of which the server keeps nothing
// on disk. Every sequence it asks for is durable, so that a request is answered at once and in full.
type puller struct {
	s        *Stream
	next, to uint64

	sub   *nats.Subscription
	name  string // of the consumer
	asked uint64 // last sequence asked for
}

// read gives the message at next.
func (p *puller) read(ctx context.Context) (Message, error) {
	if p.sub == nil {
		if err := p.start(ctx); err != nil {
			return Message{}, err
		}
	}
	for {
		if err := p.ask(); err != nil {
			return Message{}, err
		}
		msg, err := p.receive(ctx)
		if errors.Is(err, nats.ErrNoResponders) { // the client's word for a 503 that answers a request
			p.close()
			err = p.start(ctx)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return Message{}, fmt.Errorf("awaiting messages: %w", err)
		}
		if msg.Reply == "" || msg.Header.Get("Status") != "" {
			if err := p.status(ctx, msg); err != nil {
				return Message{}, err
			}
			continue
		}
		seq, at, err := position(msg.Reply)
		if err != nil {
			return Message{}, err
		}
		if seq != p.next {
			return Message{}, &GapError{Stream: p.s.cfg.Name, Missing: p.next, Got: seq}
		}
		return Message{Subject: msg.Subject, Header: own(msg.Header), Data: msg.Data, Sequence: seq, Time: at}, nil
	}
}

// ask keeps between one and two requests' worth of messages under way until everything has been asked for.
func (p *puller) ask() error {
	for p.asked < p.to && p.asked-(p.next-1) <= pullMessages {
		n := min(p.to-p.asked, pullMessages)
		req := fmt.Appendf(nil, `{"batch":%d,"max_bytes":%d,"expires":%d}`, n, pullBytes, pullWait)
		if err := p.s.nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+p.s.cfg.Name+"."+p.name, p.sub.Subject, req); err != nil {
			return fmt.Errorf("asking for messages: %w", err)
		}
		p.asked += n
	}
	return nil
}

// receive gives what has come, or awaits it; only then does it cost a timer.
func (p *puller) receive(ctx context.Context) (*nats.Msg, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if n, _, err := p.sub.Pending(); err == nil && n > 0 {
		return p.sub.NextMsg(apiWait)
	}
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	return p.sub.NextMsgWithContext(ctx)
}

// status handles what is not a message: the end of a request, which says how many messages it leaves.
func (p *puller) status(ctx context.Context, msg *nats.Msg) error {
	code, what := msg.Header.Get("Status"), msg.Header.Get("Description")
	left, _ := strconv.ParseUint(msg.Header.Get("Nats-Pending-Messages"), 10, 64)
	left = min(left, p.asked-(p.next-1))
	switch {
	case code == "100":
		return nil
	case code == "408": // a slow disk, or the message is not there
		p.asked -= left
		_, err := p.s.Get(ctx, p.next)
		return err
	case code == "409" && left > 0: // the bytes of one request are spent
		p.asked -= left
		return nil
	case code == "503" || code == "409": // the server has forgotten an idle consumer
		p.close()
		return p.start(ctx)
	}
	return fmt.Errorf("server: status %s %s", code, what)
}

// start makes a consumer that begins at next.
func (p *puller) start(ctx context.Context) (err error) {
	nc, inbox := p.s.nc, nats.NewInbox()
	if p.sub, err = nc.SubscribeSync(inbox); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	if err := p.sub.SetPendingLimits(-1, -1); err != nil { // bounded by what is asked for
		return fmt.Errorf("subscribing: %w", err)
	}
	p.name, p.asked = inbox[strings.LastIndexByte(inbox, '.')+1:], p.next-1
	_, err = request(ctx, nc, "$JS.API.CONSUMER.CREATE."+p.s.cfg.Name+"."+p.name, map[string]any{
		"stream_name": p.s.cfg.Name, "action": "create",
		"config": map[string]any{
			"name": p.name, "deliver_policy": "by_start_sequence", "opt_start_seq": p.next,
			"ack_policy": "none", "replay_policy": "instant", "max_deliver": -1, "max_waiting": 16,
			"mem_storage": true, "num_replicas": 1, "inactive_threshold": idleConsumer,
		},
	})
	if err != nil {
		return fmt.Errorf("making a consumer: %w", err)
	}
	return nil
}

// close forgets the consumer, here and at the server; the server would forget it by itself.
func (p *puller) close() {
	if p.sub == nil {
		return
	}
	// Either fails only when the connection is gone, and with it the consumer.
	_ = p.sub.Unsubscribe()
	_ = p.s.nc.Publish("$JS.API.CONSUMER.DELETE."+p.s.cfg.Name+"."+p.name, nil)
	p.sub = nil
}

// position reads the stream sequence and time from the reply subject of a delivered message:
// $JS.ACK.stream.consumer.delivered.sequence.consumer-sequence.time.pending, or the same with domain and account
// hash after ACK and a token at the end.
func position(reply string) (uint64, time.Time, error) {
	const v1, v2 = 9, 12
	var token [v2 + 1]string
	n, rest := 0, reply
	for ok := true; ok && n < len(token); n++ {
		token[n], rest, ok = strings.Cut(rest, ".")
	}
	at := 5
	switch {
	case n == v2:
		at = 7
	case n != v1:
		return 0, time.Time{}, errors.New("server: unknown form of acknowledgement subject")
	}
	seq, err := strconv.ParseUint(token[at], 10, 64)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("server: reading the sequence: %w", err)
	}
	nano, err := strconv.ParseInt(token[at+2], 10, 64)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("server: reading the time: %w", err)
	}
	return seq, time.Unix(0, nano).UTC(), nil
}
