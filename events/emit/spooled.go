package emit

import (
	"context"
	"errors"
	"fmt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit/internal/spool"
)

// spooled is the queue of an emitter with a spool: an event is accepted when it is durable there, and sent from
// there.
type spooled struct {
	e       *Emitter
	spool   *spool.Spool
	refused *refused
}

func openSpooled(e *Emitter) (*spooled, error) {
	c := e.cfg
	s, note, err := spool.Open(c.Spool, spool.Options{Owner: c.Producer, Label: NewInstance, MaxBytes: c.SpoolBytes})
	if err != nil {
		return nil, spoolError(err)
	}
	r, err := openRefused(c.Spool, note)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if st := s.State(); st.Torn > 0 {
		c.Log.Warn("an unfinished write was cut off the spool", "producer", c.Producer, "bytes", st.Torn)
	}
	return &spooled{e: e, spool: s, refused: r}, nil
}

// put makes the event durable in the spool, which numbers it.
func (s *spooled) put(ctx context.Context, ev *events.Event, number bool) (Receipt, error) {
	n, err := s.spool.Append(ctx, number, func(n uint64) []byte {
		if number {
			numbered(ev, n)
		}
		return ev.AppendJSON(nil)
	})
	if err != nil {
		err = spoolError(err)
		if errors.Is(err, ErrUnknown) {
			return Receipt{ID: ev.ID}, err
		}
		return Receipt{}, err
	}
	return Receipt{ID: ev.ID, Number: n}, nil
}

func (s *spooled) run(ctx context.Context) {
	c := s.e.courier(true)
	for {
		batch, err := s.spool.Next(ctx, batchEvents, batchBytes)
		if err == nil {
			err = s.send(ctx, c, batch)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil { // the disk's: what was sent is sent again
			s.e.failed(err)
			if sleep(ctx, lastPause) != nil {
				return
			}
		}
	}
}

// send delivers a batch and takes it out of the spool. What the ledger refuses is durable elsewhere before.
func (s *spooled) send(ctx context.Context, c *courier, batch spool.Batch) error {
	results, err := c.deliver(ctx, batch.Records)
	if err != nil {
		return err
	}
	s.e.delivered()
	sent := make([]*events.Event, len(results))
	for i := range results {
		if sent[i], err = events.Decode(batch.Records[i]); err != nil {
			sent[i] = &events.Event{} // written under an older catalogue; the ledger has judged it
		}
	}
	if err := s.e.expect(results, func(i int) *events.Event { return sent[i] }); err != nil {
		return err
	}
	for i, r := range results {
		ev := sent[i]
		if r.Status == Refused {
			if err := s.refused.add(batch.Records[i], ev.ID, r.Err, s.e.cfg.now()); err != nil {
				return fmt.Errorf("setting aside what was refused: %w", err)
			}
		}
		s.e.answered(r, ev.ID, ev.Seq, ev.Kind)
	}
	return s.spool.Done(batch, s.refused.size)
}

func (s *spooled) drain(ctx context.Context) error { return s.spool.Drain(ctx) }

func (s *spooled) close() error { return errors.Join(s.spool.Close(), s.refused.close()) }

func (s *spooled) idle() bool { return s.spool.State().Waiting == 0 }

func (s *spooled) fill(st *Stats) {
	state := s.spool.State()
	st.Waiting, st.SpoolBytes, st.SpoolLimit, st.Torn = state.Waiting, state.Bytes, state.Limit, state.Torn
}
