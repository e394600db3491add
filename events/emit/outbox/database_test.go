package outbox_test

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A database is one in memory that understands the statements of an outbox, and one of a service's own. Its
// transactions come one after the other. It fails as told.
type database struct {
	turn chan struct{} // whoever holds it may read and write

	mu     sync.Mutex
	tables // what is committed
	calls  int
	failAt int  // the call that fails; 0: none
	after  bool // it fails after it has had its effect
}

type tables struct {
	rows  map[string]stored
	state map[string][2]any // producer: instance, next
	own   int               // rows of the service's own table
	race  int64             // by so much another relay counts on before this one does
}

type stored struct {
	event   string
	number  any
	refused any
}

func (t tables) clone() tables {
	return tables{maps.Clone(t.rows), maps.Clone(t.state), t.own, t.race}
}

func newDatabase(t *testing.T) (*database, *sql.DB) {
	d := &database{turn: make(chan struct{}, 1), tables: tables{rows: map[string]stored{}, state: map[string][2]any{}}}
	db := sql.OpenDB(d)
	t.Cleanup(func() { db.Close() })
	return d, db
}

// fail has the n-th call from now on fail, before or after its effect.
func (d *database) fail(n int, after bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls, d.failAt, d.after = 0, n, after
}

func (d *database) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// left is what the tables hold.
func (d *database) left() tables {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clone()
}

var errDatabase = errors.New("the database has gone away")

// step counts a call and runs its effect, unless it is to fail before.
func (d *database) step(effect func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	fails := d.calls == d.failAt
	if fails && !d.after {
		return errDatabase
	}
	if err := effect(); err != nil {
		return err
	}
	if fails {
		return errDatabase
	}
	return nil
}

func (d *database) Connect(context.Context) (driver.Conn, error) { return &conn{d: d}, nil }
func (d *database) Driver() driver.Driver                        { return nil }

// A conn is a connection; tx is what its transaction sees.
type conn struct {
	d  *database
	tx *tables
}

func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }
func (c *conn) Close() error                        { return nil }

func (c *conn) Begin() (driver.Tx, error) {
	c.d.turn <- struct{}{}
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	seen := c.d.clone()
	c.tx = &seen
	return c, nil
}

func (c *conn) Commit() error {
	defer func() { <-c.d.turn }()
	seen := *c.tx
	c.tx = nil
	return c.d.step(func() error { c.d.tables = seen; return nil })
}

func (c *conn) Rollback() error {
	c.tx = nil
	<-c.d.turn
	return nil
}

// on runs f on what the connection sees.
func (c *conn) on(f func(t *tables) error) error {
	if c.tx == nil {
		c.d.turn <- struct{}{}
		defer func() { <-c.d.turn }()
		return c.d.step(func() error { return f(&c.d.tables) })
	}
	return c.d.step(func() error { return f(c.tx) })
}

func (c *conn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	n := int64(0)
	err := c.on(func(t *tables) error {
		var err error
		n, err = t.exec(plain(query), args)
		return err
	})
	return driver.RowsAffected(n), err
}

// plain is a statement with the placeholders of all databases alike.
func plain(query string) string {
	for n := 9; n > 0; n-- {
		query = strings.ReplaceAll(query, fmt.Sprintf("$%d", n), "?")
	}
	return query
}

func (t *tables) exec(query string, a []driver.NamedValue) (int64, error) {
	switch query {
	case "INSERT INTO own VALUES (1)":
		t.own++
	case "INSERT INTO custody_outbox (position, event, number) VALUES (?, ?, ?)":
		key := a[0].Value.(string)
		if _, twice := t.rows[key]; twice {
			return 0, errors.New("the key is there")
		}
		t.rows[key] = stored{event: a[1].Value.(string), number: a[2].Value}
	case "UPDATE custody_outbox SET number = ?, event = ? WHERE position = ? AND number IS NULL":
		r, ok := t.rows[a[2].Value.(string)]
		if !ok || r.number != nil {
			return 0, nil
		}
		r.number, r.event = a[0].Value, a[1].Value.(string)
		t.rows[a[2].Value.(string)] = r
	case "UPDATE custody_outbox_state SET next = ? WHERE producer = ? AND next = ?":
		s, ok := t.state[a[1].Value.(string)]
		if t.race > 0 {
			s[1] = s[1].(int64) + t.race
		}
		if !ok || s[1] != a[2].Value {
			return 0, nil
		}
		t.state[a[1].Value.(string)] = [2]any{s[0], a[0].Value}
	case "INSERT INTO custody_outbox_state (producer, instance, next) VALUES (?, ?, ?)":
		t.state[a[0].Value.(string)] = [2]any{a[1].Value, a[2].Value}
	case "DELETE FROM custody_outbox WHERE position = ?":
		delete(t.rows, a[0].Value.(string))
	case "UPDATE custody_outbox SET refused = ? WHERE position = ?":
		r := t.rows[a[1].Value.(string)]
		r.refused = a[0].Value
		t.rows[a[1].Value.(string)] = r
	default:
		return 0, fmt.Errorf("not understood: %s", query)
	}
	return 1, nil
}

func (c *conn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	var found *found
	err := c.on(func(t *tables) error {
		var err error
		found, err = t.query(plain(query), args)
		return err
	})
	return found, err
}

func (t *tables) query(query string, args []driver.NamedValue) (*found, error) {
	switch query {
	case "SELECT instance, next FROM custody_outbox_state WHERE producer = ?":
		if s, ok := t.state[args[0].Value.(string)]; ok {
			return &found{columns: 2, rows: [][]driver.Value{{s[0], s[1]}}}, nil
		}
		return &found{columns: 2}, nil
	case "SELECT position, event, 0 FROM custody_outbox WHERE number IS NULL AND refused IS NULL ORDER BY position":
		return t.find(func(r stored) bool { return r.number == nil && r.refused == nil }), nil
	case "SELECT position, event, number FROM custody_outbox WHERE number IS NOT NULL AND refused IS NULL ORDER BY number":
		f := t.find(func(r stored) bool { return r.number != nil && r.refused == nil })
		slices.SortStableFunc(f.rows, func(a, b []driver.Value) int { return cmp.Compare(a[2].(int64), b[2].(int64)) })
		return f, nil
	}
	return nil, fmt.Errorf("not understood: %s", query)
}

func (t *tables) find(pass func(stored) bool) *found {
	f := &found{columns: 3}
	for _, key := range slices.Sorted(maps.Keys(t.rows)) {
		if r := t.rows[key]; pass(r) {
			number, _ := r.number.(int64)
			f.rows = append(f.rows, []driver.Value{key, r.event, number})
		}
	}
	return f
}

// found are the rows of an answer.
type found struct {
	columns int
	rows    [][]driver.Value
}

func (f *found) Columns() []string { return make([]string, f.columns) }
func (f *found) Close() error      { return nil }

func (f *found) Next(dest []driver.Value) error {
	if len(f.rows) == 0 {
		return io.EOF
	}
	copy(dest, f.rows[0])
	f.rows = f.rows[1:]
	return nil
}
