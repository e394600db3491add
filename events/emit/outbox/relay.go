package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
)

// A Relay brings what was put in an outbox to the ledger. One runs at a time; more are of no use and no harm.
type Relay struct {
	Outbox *Outbox
	To     emit.Transport
	Every  time.Duration // how often the table is looked at when it was empty; 1 second if 0
	Log    *slog.Logger  // told of trouble and refusals, never of identifiers; nil is slog.Default()

	// Refused, if given, is told of each event that the ledger refused for good.
	Refused func(emit.Rejection)

	// Receipts, if given, gather a signed receipt of each event that the ledger records, held against what was sent.
	// They are noted before an event leaves the table, and awaited while Run runs.
	Receipts *emit.Receipts

	// Disputed, if given, is told of each event of which the ledger gives no receipt, or one of something else than
	// was sent: the error wraps one of the errors of receipts.
	Disputed func(position uint64, err error)
}

// batch is how many rows are handled at once.
const batch = 500

// Run relays until ctx ends, and tries again whatever fails.
func (r *Relay) Run(ctx context.Context) error {
	var collecting sync.WaitGroup
	defer collecting.Wait()
	if r.Receipts != nil {
		collecting.Go(func() { r.collect(ctx) })
	}
	every := r.Every
	if every == 0 {
		every = time.Second
	}
	for {
		n, err := r.Step(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.log().Warn("the outbox cannot be relayed; trying again", "producer", r.Outbox.Producer, "error", err)
		}
		if n > 0 && err == nil {
			continue
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Step relays what is there, but no more than some hundred events, and returns how many the ledger answered.
// After an error the rest is in the table, and relaying it again is safe.
func (r *Relay) Step(ctx context.Context) (int, error) {
	if err := r.Outbox.number(ctx); err != nil {
		return 0, err
	}
	rows, err := r.Outbox.numbered(ctx)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	raw := make([][]byte, len(rows))
	for i := range rows {
		raw[i] = rows[i].event
	}
	results, err := emit.Deliver(ctx, r.To, raw, func(err error) {
		r.log().Warn("events cannot be delivered to the ledger; trying again", "producer", r.Outbox.Producer, "error", err)
	})
	if settled := r.settle(ctx, rows, results); settled != nil {
		return 0, errors.Join(err, settled)
	}
	return len(results), err
}

// collect collects receipts until ctx ends.
func (r *Relay) collect(ctx context.Context) {
	told := func(position uint64, err error) {
		if err == nil {
			return
		}
		r.log().Error("the ledger gives no receipt of what was sent", "producer", r.Outbox.Producer, "position", position, "error", err)
		if r.Disputed != nil {
			r.Disputed(position, err)
		}
	}
	r.Receipts.Follow(ctx, told, func(err error) {
		r.log().Warn("receipts cannot be collected; trying again", "producer", r.Outbox.Producer, "error", err)
	})
}

func (r *Relay) log() *slog.Logger {
	if r.Log == nil {
		return slog.Default()
	}
	return r.Log
}

// settle notes what receipts are to come of, takes rows away whose events are recorded, and writes into the others why
// they are not. After an error the rows are as before, or that was lost: both are relayed again, or not, safely.
func (r *Relay) settle(ctx context.Context, rows []row, results []emit.Result) error {
	if len(results) == 0 {
		return nil
	}
	if err := r.expect(rows, results); err != nil {
		return err
	}
	err := r.Outbox.in(ctx, func(tx *sql.Tx, table string) error {
		for i, res := range results {
			query, args := "DELETE FROM "+table+" WHERE position = ?", []any{rows[i].key}
			if res.Status == emit.Refused {
				query, args = "UPDATE "+table+" SET refused = ? WHERE position = ?", []any{res.Err.Error(), rows[i].key}
			}
			if _, err := tx.ExecContext(ctx, r.Outbox.sql(query), args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("outbox: settling events: %w", err)
	}
	for i, res := range results {
		if res.Status == emit.Refused {
			r.refused(rows[i], res.Err)
		}
	}
	return nil
}

// expect notes what the ledger recorded, to await receipts of it.
func (r *Relay) expect(rows []row, results []emit.Result) error {
	if r.Receipts == nil {
		return nil
	}
	var sent []emit.Sent
	for i, res := range results {
		ev, err := events.Decode(rows[i].event)
		if err == nil && res.Position > 0 { // of an older catalogue nothing can be expected
			sent = append(sent, emit.Sent{Position: res.Position, Event: ev})
		}
	}
	return r.Receipts.Expect(sent...)
}

// in runs f in a transaction, which is committed if f returns nil.
func (o *Outbox) in(ctx context.Context, f func(tx *sql.Tx, table string) error) error {
	table, err := o.table()
	if err != nil {
		return err
	}
	tx, err := o.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx, table); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (r *Relay) refused(row row, reason *events.Error) {
	rejection := emit.Rejection{Number: row.number, Err: reason}
	if ev, err := events.Decode(row.event); err == nil {
		rejection.ID, rejection.Kind = ev.ID, ev.Kind
	}
	r.log().Error("the ledger refuses an event for good", "producer", r.Outbox.Producer, "kind", rejection.Kind.Name(),
		"number", row.number, "type", reason.Type, "path", reason.Path, "detail", reason.Detail)
	if r.Refused != nil {
		r.Refused(rejection)
	}
}

// A row is one event of the table.
type row struct {
	key    string
	event  []byte
	number uint64
}

// number gives rows their numbers, in order, in one transaction with the count. Of two relays at once one fails.
func (o *Outbox) number(ctx context.Context) error {
	err := o.in(ctx, func(tx *sql.Tx, table string) error {
		rows, err := o.rows(ctx, tx, "SELECT position, event, 0 FROM "+table+" WHERE number IS NULL AND refused IS NULL ORDER BY position")
		if err != nil || len(rows) == 0 {
			return err
		}
		instance, next, err := o.state(ctx, tx, table)
		if err != nil {
			return err
		}
		count := next
		for _, r := range rows {
			ev, err := events.Decode(r.event)
			if err != nil { // somebody wrote it by hand, or another version did
				if _, err := tx.ExecContext(ctx, o.sql("UPDATE "+table+" SET refused = ? WHERE position = ?"), err.Error(), r.key); err != nil {
					return err
				}
				continue
			}
			ev.Instance, ev.Seq = instance, count
			if _, err := tx.ExecContext(ctx, o.sql("UPDATE "+table+" SET number = ?, event = ? WHERE position = ? AND number IS NULL"),
				int64(count), string(ev.AppendJSON(nil)), r.key); err != nil {
				return err
			}
			count++
		}
		done, err := tx.ExecContext(ctx, o.sql("UPDATE "+table+"_state SET next = ? WHERE producer = ? AND next = ?"),
			int64(count), o.Producer, int64(next))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errors.New("another relay was faster"), err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("outbox: numbering events: %w", err)
	}
	return nil
}

// state reads under which name events are counted and how far, and begins to count.
func (o *Outbox) state(ctx context.Context, tx *sql.Tx, table string) (instance string, next uint64, err error) {
	var n int64
	err = tx.QueryRowContext(ctx, o.sql("SELECT instance, next FROM "+table+"_state WHERE producer = ?"), o.Producer).Scan(&instance, &n)
	if errors.Is(err, sql.ErrNoRows) {
		instance, n = emit.NewInstance(), 1
		_, err = tx.ExecContext(ctx, o.sql("INSERT INTO "+table+"_state (producer, instance, next) VALUES (?, ?, ?)"), o.Producer, instance, n)
	}
	return instance, uint64(n), err
}

// numbered are the rows to be sent, in the order of their numbers.
func (o *Outbox) numbered(ctx context.Context) ([]row, error) {
	table, err := o.table()
	if err != nil {
		return nil, err
	}
	rows, err := o.rows(ctx, o.DB, "SELECT position, event, number FROM "+table+" WHERE number IS NOT NULL AND refused IS NULL ORDER BY number")
	if err != nil {
		return nil, fmt.Errorf("outbox: reading events: %w", err)
	}
	return rows, nil
}

// rows reads the first rows of a query. It stops reading rather than to say LIMIT, which not all databases know.
func (o *Outbox) rows(ctx context.Context, from interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, query string) (list []row, err error) {
	found, err := from.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for len(list) < batch && found.Next() {
		var r row
		var n int64
		if err := found.Scan(&r.key, &r.event, &n); err != nil {
			return nil, err
		}
		r.number = uint64(n)
		list = append(list, r)
	}
	return list, errors.Join(found.Err(), found.Close())
}
