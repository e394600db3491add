package emit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit/internal/spool"
)

// Config says who emits what to whom. Producer and To are required.
type Config struct {
	// Producer is the name the ledger knows this service by. Its events have the source "/" and Producer.
	Producer string

	// To carries events to the ledger: an [*HTTP], or a connection of package emitnats. Close does not close it.
	To Transport

	// Spool is a folder in which events wait until the ledger has them; "" has Emit wait instead. It is made if
	// it is not there, 0700 with files of 0600, for this producer only and for one process at a time. It needs
	// Linux, macOS or a BSD, and a local file system.
	//
	// It holds identifiers in clear until the ledger has acknowledged them, and what the ledger refused until
	// somebody takes it away: keep it on an encrypted local disk, out of backups, and never under the ledger's
	// data directory. A spool that is lost is a hole the ledger shows; a copy of one must never be used.
	Spool string

	// SpoolBytes is how large the spool may become: 256 MiB if 0, at least 16 MiB. Beyond it Emit says
	// [ErrSpoolFull].
	SpoolBytes int64

	// Heartbeat is after how long without an event the producer says that it is there and nothing happened: 5
	// minutes if 0. It says so on each UTC day once, however busy it is. A negative one means that it says nothing,
	// not even that it starts and stops. The producer must have been added to the ledger for the family "ledger".
	Heartbeat time.Duration

	// Receipts, if given, gather a signed receipt of each event that the ledger records, held against what was sent.
	// They are awaited in the background; what is still awaited at Close is collected after the next Open.
	Receipts *Receipts

	// Disputed, if given, is told of each event of which the ledger gives no receipt, or one of something else than
	// was sent: the error wraps one of the errors of receipts. It is called by the goroutine that collects them.
	Disputed func(position uint64, err error)

	// Rejected, if given, is told of each event that the ledger refused for good. It is called by the goroutine
	// that sends, which waits for it.
	Rejected func(Rejection)

	// Log is told when events cannot be delivered, when they can again, and what was refused; nil is
	// slog.Default(). It never sees an identifier.
	Log *slog.Logger

	now   func() time.Time
	grace time.Duration // how long Close, and a heartbeat, wait for the ledger
}

// A Rejection is an event that the ledger refused for good.
type Rejection struct {
	ID     string
	Number uint64 // producerseq; 0 if it has none
	Kind   events.Kind
	Err    *events.Error
}

var (
	// ErrSpoolFull reports that the spool has no room. Nothing of the event was kept.
	ErrSpoolFull = errors.New("emit: the spool is full")

	// ErrSpoolDamaged reports that the spool's files are not as they were written. They are left as they are:
	// take the folder away, and start with a new one. What was in it is shown by the ledger as missing.
	ErrSpoolDamaged = errors.New("emit: the spool is damaged")

	// ErrSpoolLocked reports that another process has the spool open.
	ErrSpoolLocked = errors.New("emit: another process has the spool")

	// ErrUnknown reports that the event may be recorded one day, or not. The emitter goes on trying as long as
	// it is open; emitting the act again would make another event.
	ErrUnknown = errors.New("emit: it is not known yet whether the event is recorded")

	// ErrClosed reports an emitter that was closed.
	ErrClosed = errors.New("emit: the emitter is closed")
)

const (
	defaultSpool     = 256 << 20
	defaultHeartbeat = 5 * time.Minute
	defaultGrace     = 5 * time.Second
)

// filled is the configuration with what was left out, or what is wrong with it.
func (c Config) filled() (Config, error) {
	if c.To == nil {
		return c, errors.New("emit: Config.To is required")
	}
	if h, ok := c.To.(*HTTP); ok {
		if err := h.check(); err != nil {
			return c, err
		}
	}
	if c.SpoolBytes == 0 {
		c.SpoolBytes = defaultSpool
	}
	if c.SpoolBytes < spool.MinBytes {
		return c, fmt.Errorf("emit: Config.SpoolBytes is at least %d", spool.MinBytes)
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = defaultHeartbeat
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Rejected == nil {
		c.Rejected = func(Rejection) {}
	}
	if c.Disputed == nil {
		c.Disputed = func(uint64, error) {}
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.grace == 0 {
		c.grace = defaultGrace
	}
	if _, err := build(c.Producer, "", c.now(), heartbeat(beatStarted), nil); err != nil {
		return c, fmt.Errorf("emit: Config.Producer: %w", err)
	}
	return c, nil
}

// spoolError is an error of the spool in the words of this package.
func spoolError(err error) error {
	for _, known := range [...]struct{ theirs, ours error }{
		{spool.ErrFull, ErrSpoolFull}, {spool.ErrDamaged, ErrSpoolDamaged}, {spool.ErrLocked, ErrSpoolLocked},
		{spool.ErrClosed, ErrClosed}, {spool.ErrUnknown, ErrUnknown},
	} {
		if errors.Is(err, known.theirs) {
			return fmt.Errorf("%w: %w", known.ours, err)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("emit: not kept: %w", err)
	}
	return fmt.Errorf("emit: %w", err)
}
