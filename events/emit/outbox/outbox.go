// Package outbox is a transactional outbox: a service that changes personal data in its database writes the
// event in the same transaction, and a relay brings it to the ledger.
//
//	box := outbox.Outbox{DB: db, Producer: "ats", Placeholder: outbox.Dollar}
//	tx, _ := db.BeginTx(ctx, nil)
//	…                                          // the change
//	_, err := box.Put(ctx, tx, emit.Altered…)  // what is said about it
//	err = tx.Commit()                          // both, or neither
//
// # What is true
//
//   - An event is emitted if and only if the transaction it was put in commits; then it arrives exactly once.
//   - Its id and time are chosen when it is put, its instance and number, durably, before it is first sent:
//     every attempt sends the same bytes. So a relay may be killed at any moment, and two that run by mistake
//     send repeats and nothing else.
//   - Events are sent in the order of their keys, which is that of Put in one process, and that of the clocks'
//     milliseconds among several. A transaction that commits after later ones were sent is sent then.
//   - What the ledger refuses for good stays in its row with the reason, and holds up nothing.
//   - The table holds identifiers in clear until the ledger has acknowledged them, as the rest of the database
//     does.
package outbox

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imalink/custody/events/emit"
)

// Placeholder writes the n-th parameter, from 1, of a statement.
type Placeholder func(n int) string

// Question is for MySQL, MariaDB and SQLite.
func Question(int) string { return "?" }

// Dollar is for PostgreSQL.
func Dollar(n int) string { return "$" + strconv.Itoa(n) }

// An Outbox is two tables in the service's own database. All methods may be called concurrently.
type Outbox struct {
	DB          *sql.DB
	Producer    string
	Placeholder Placeholder // nil is Question
	Table       string      // "" is custody_outbox; the other one is Table and _state. Letters, digits, _ and .

	keys keys
}

// Schema are the statements that make the tables, for the service's migrations. They are plain SQL; MySQL wants
// MEDIUMTEXT instead of TEXT, for an event has up to 1 MiB.
//
// Of a row in the first table, event is CloudEvents JSON; number is NULL until the relay has numbered it, and 0
// if it is to have none; refused is NULL unless the ledger has refused it for good, and then says why.
func (o *Outbox) Schema() ([]string, error) {
	table, err := o.table()
	if err != nil {
		return nil, err
	}
	return []string{
		"CREATE TABLE " + table + " (position CHAR(32) NOT NULL PRIMARY KEY, event TEXT NOT NULL, number BIGINT, refused TEXT)",
		"CREATE TABLE " + table + "_state (producer VARCHAR(32) NOT NULL PRIMARY KEY, instance VARCHAR(64) NOT NULL, next BIGINT NOT NULL)",
	}, nil
}

// Execer is an *sql.Tx, or whatever else statements are executed on.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Put writes the event of an act into the table, in the caller's transaction. It returns the event's id. An act
// that is not as it should be gives an error that wraps an [events.Error]; nothing was executed then.
func (o *Outbox) Put(ctx context.Context, tx Execer, act emit.Act, options ...emit.Option) (id string, err error) {
	table, err := o.table()
	if err != nil {
		return "", err
	}
	ev, err := emit.New(o.Producer, act, options...)
	if err != nil {
		return "", err
	}
	var number any // NULL: the relay numbers it
	if emit.Repeatable(options...) {
		number = 0
	}
	_, err = tx.ExecContext(ctx, o.sql("INSERT INTO "+table+" (position, event, number) VALUES (?, ?, ?)"),
		o.keys.next(time.Now()), string(ev.AppendJSON(nil)), number)
	if err != nil {
		return "", fmt.Errorf("outbox: writing an event: %w", err)
	}
	return ev.ID, nil
}

// table is the checked name: it becomes part of statements.
func (o *Outbox) table() (string, error) {
	if o.Table == "" {
		return "custody_outbox", nil
	}
	for _, c := range []byte(o.Table) {
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.') {
			return "", errors.New("outbox: Table has other characters than letters, digits, underscore and point")
		}
	}
	return o.Table, nil
}

// sql writes a statement's parameters as the database has them.
func (o *Outbox) sql(query string) string {
	mark := o.Placeholder
	if mark == nil {
		mark = Question
	}
	var b strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			b.WriteString(mark(i))
		}
		b.WriteString(part)
	}
	return b.String()
}

// keys make the keys of rows: milliseconds, a count within them, random bits; in hex, so that they sort the same
// everywhere.
type keys struct {
	mu    sync.Mutex
	ms    uint64
	count uint16
}

func (k *keys) next(now time.Time) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if ms := uint64(now.UnixMilli()); ms > k.ms {
		k.ms, k.count = ms, 0
	} else if k.count++; k.count == 0 {
		k.ms++ // 65,536 in a millisecond, or a clock that went back
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], k.ms<<16|uint64(k.count))
	rand.Read(b[8:])
	return hex.EncodeToString(b[:])
}
