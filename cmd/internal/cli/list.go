package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
)

// pageSize is how many items are asked for at once: the most the server gives.
const pageSize = 1000

// page is one page of a list, as the server gives it. The first also says how
// many items there are in all.
type page struct {
	preamble
	Handle      string            `json:"handle"`
	Identifiers int               `json:"identifiers"`
	Restricted  json.RawMessage   `json:"restricted"`
	Total       *uint64           `json:"total"`
	Items       []json.RawMessage `json:"items"`
	Next        string            `json:"next"`

	// In the answer of a look-up a list that is not of events stands inside.
	Reads      *page `json:"reads"`
	Recipients *page `json:"recipients"`
}

// list is the page that a look-up was asked to show.
func (p *page) list() *page {
	inside := p
	switch {
	case p.Reads != nil:
		inside = p.Reads
	case p.Recipients != nil:
		inside = p.Recipients
	}
	inside.Restricted = p.Restricted
	return inside
}

// paging is how much of a list to show, and from which end.
type paging struct {
	limit  int
	newest bool
}

func (p *paging) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.limit, "limit", 0, "stop after this many (default all)")
	cmd.Flags().BoolVar(&p.newest, "newest", false, "begin with what was recorded last")
}

func (p paging) check() error {
	if p.limit < 0 {
		return misuse("--limit is a number from 1, or 0 for all")
	}
	return nil
}

// size is how many items to ask for when some are shown already.
func (p paging) size(shown int) int {
	if p.limit == 0 {
		return pageSize
	}
	return min(pageSize, p.limit-shown)
}

func (p paging) order() string {
	if p.newest {
		return "newest"
	}
	return "" // the server's own, oldest first
}

// list is a list that the server gives page by page, while it is shown.
type list struct {
	*exchange
	paging
	table, csv sheet // how it is shown; csv nil is as the table
	bar        func(total int64) progress
	fetch      func(ctx context.Context, cursor string, limit int) (*page, error)
}

// show shows all of the list, or its first so many, and closes the answer. An
// answer that breaks off is an error, which tells the position it was as of.
func (l *list) show(ctx context.Context) error {
	first, err := l.page(ctx, "", 0)
	if err != nil {
		return l.close(err)
	}
	if err := errors.Join(l.remark(first.preamble), l.restricted(first.Restricted)); err != nil {
		return l.close(err)
	}
	out := l.open(first)
	err = l.copy(ctx, out, first)
	if err != nil && out.rows > 0 {
		err = fmt.Errorf("%w: %w", errBroken, err)
	}
	return out.end(err)
}

func (l *list) page(ctx context.Context, cursor string, shown int) (*page, error) {
	p, err := l.fetch(ctx, cursor, l.size(shown))
	if err != nil {
		return nil, err
	}
	if p.Items == nil {
		return nil, errForeign
	}
	return p, nil
}

// sheet is how the list is shown in the format asked for.
func (l *list) sheet() sheet {
	if l.format == "csv" && l.csv != nil {
		return l.csv
	}
	return l.table
}

// open begins the list. As JSON it is one object with what the first page says
// of the whole.
func (l *list) open(first *page) *listing {
	if l.format == "json" {
		l.WriteByte('{')
		for _, part := range []struct {
			name string
			raw  json.RawMessage
		}{{"as_of", first.AsOf}, {"window", first.Window}, {"restricted", first.Restricted}} {
			if len(part.raw) > 0 {
				fmt.Fprintf(l, "%q:%s,", part.name, lined(part.raw))
			}
		}
		if first.Total != nil {
			fmt.Fprintf(l, `"total":%d,`, *first.Total)
		}
		l.WriteString(`"items":`)
	}
	out := l.listing(l.sheet().columns()...)
	out.tint = l.sheet().tinted
	out.closing = "]}\n"
	return out
}

// copy shows page after page.
func (l *list) copy(ctx context.Context, out *listing, p *page) error {
	first := p
	var bar progress
	if p.Total != nil && p.Next != "" {
		bar = l.bar(int64(*p.Total))
	}
	defer bar.finish()
	for {
		for _, raw := range p.Items {
			if l.limit > 0 && out.rows == l.limit {
				return l.complete(out.rows, first.Total, true)
			}
			if err := l.row(out, raw); err != nil {
				return err
			}
		}
		if p.Next == "" || l.limit > 0 && out.rows == l.limit {
			return l.complete(out.rows, first.Total, p.Next != "")
		}
		if len(p.Items) == 0 {
			return errors.New("the server sent an empty page that is not the last")
		}
		if err := out.flush(); err != nil {
			return err
		}
		bar.set(int64(out.rows))
		next, err := l.page(ctx, p.Next, out.rows)
		if err != nil {
			return err
		}
		if next.Next == p.Next {
			return errors.New("the server's pages do not come to an end")
		}
		p = next
	}
}

func (l *list) row(out *listing, raw json.RawMessage) error {
	raw = lined(raw)
	switch l.format {
	case "table", "csv":
	default:
		return out.row(raw)
	}
	zone := l.zone
	if l.format == "csv" {
		zone = nil
	}
	cells, err := l.sheet().cells(raw, zone)
	if err != nil {
		return err
	}
	return out.row(raw, cells...)
}

// complete holds the number of items shown against what the server said there
// are, and says when there are more.
func (l *list) complete(shown int, total *uint64, more bool) error {
	switch {
	case total == nil && more:
		l.note("the first %s; there are more", count(shown))
	case total == nil:
	case l.limit > 0 && shown == l.limit && uint64(shown) <= *total:
		if uint64(shown) < *total {
			l.note("the first %s of %s", count(shown), count(*total))
		}
	case uint64(shown) != *total:
		return fmt.Errorf("the server sent %s of %s", some(shown, "item"), count(*total))
	case shown == 0:
		l.note("nothing was recorded that matches")
	}
	return nil
}

// lined is JSON on one line.
func lined(raw json.RawMessage) json.RawMessage {
	if !bytes.ContainsAny(raw, "\r\n") {
		return raw
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// paged is the fetch of a list that one path gives page by page.
func (e *exchange) paged(path string, t terms, order string) func(context.Context, string, int) (*page, error) {
	return func(ctx context.Context, cursor string, limit int) (*page, error) {
		p := &page{}
		return p, e.ask(ctx, "GET", path, t.query("order", order, "limit", fmt.Sprint(limit), "cursor", cursor), nil, p)
	}
}

// whole is the fetch of a list that one path gives at once: it grows with the
// register or with the parties, not with the ledger.
func (e *exchange) whole(path string, query url.Values) func(context.Context, string, int) (*page, error) {
	return func(ctx context.Context, _ string, _ int) (*page, error) {
		p := &page{}
		if err := e.ask(ctx, "GET", path, query, nil, p); err != nil {
			return nil, err
		}
		if p.Next != "" {
			return nil, errForeign
		}
		return p, nil
	}
}

// reading is the bar of a list.
func (s *session) reading(total int64) progress { return s.progress("reading", total, false) }
