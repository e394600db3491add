package emit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/imalink/custody/events"
)

const awaitedEnd = ".awaited"

// A Sent is an event as it was sent, and where the ledger says it recorded it.
type Sent struct {
	Position uint64
	Event    *events.Event
}

// Expect notes, durably, that receipts of these events are to be collected. Of what was sent only that is kept which
// stays clear. After an error nothing was noted; saying it again is safe.
func (s *Receipts) Expect(sent ...Sent) error {
	if len(sent) == 0 {
		return nil
	}
	want := map[uint64][]*events.Stored{}
	for _, e := range sent {
		want[e.Position] = append(want[e.Position], expect(e.Event))
	}
	name := strconv.FormatUint(sent[0].Position, 10) + "-" + randomID() + awaitedEnd
	err := placeDurably(filepath.Join(s.dir, awaitedDir, name), appendAwaited(nil, want))
	select {
	case s.noted <- struct{}{}:
	default:
	}
	return err
}

// Collect awaits the receipts of everything that is expected, verifies them, compares them with what was sent, and
// keeps them. told is told of each position what came of it: nil, or one of the errors of receipts. Receipts that
// are signed and not of what was sent are put into the folder disputed, beside what was expected, as
// <position>.receipt and <position>.json. What the ledger did not prove stays expected. The error is that of asking
// or of the disk; then collecting again goes on.
func (s *Receipts) Collect(ctx context.Context, told func(position uint64, err error)) error {
	files, err := filepath.Glob(filepath.Join(s.dir, awaitedDir, "*"+awaitedEnd))
	if err != nil {
		return fmt.Errorf("emit: listing what is awaited: %w", err)
	}
	slices.SortFunc(files, func(a, b string) int { return int(int64(numberOf(a)) - int64(numberOf(b))) })
	for _, file := range files {
		if err := s.collect(ctx, file, told); err != nil {
			return err
		}
	}
	return nil
}

func numberOf(file string) uint64 {
	first, _, _ := strings.Cut(filepath.Base(file), "-")
	n, _ := strconv.ParseUint(first, 10, 64) // else it is no file of ours, and comes first
	return n
}

// collect settles a file of awaited receipts.
func (s *Receipts) collect(ctx context.Context, file string, told func(uint64, error)) error {
	want, err := readAwaited(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another process has settled it
	}
	if err != nil {
		return err
	}
	before := len(want)
	settle := func(got []given) error {
		if err := s.settle(got, want); err != nil {
			return err
		}
		for _, g := range got {
			told(g.position, g.err)
		}
		return nil
	}
	var ask []uint64
	for _, p := range slices.Sorted(maps.Keys(want)) {
		r, err := s.Load(p)
		if errors.Is(err, fs.ErrNotExist) {
			ask = append(ask, p)
		} else if err := settle([]given{{p, r, err}}); err != nil {
			return err
		}
	}
	err = s.fetch(ctx, ask, settle)
	switch {
	case len(want) == 0:
		if rerr := os.Remove(file); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("emit: settling what was awaited: %w", rerr))
		}
	case len(want) < before:
		err = errors.Join(err, placeDurably(file, appendAwaited(nil, want)))
	}
	return err
}

// settle compares receipts with what was sent, keeps those that are of it, disputes those that are the ledger's word
// for something else, and takes both from what is wanted. After an error nothing is settled, though some may be
// kept; settling them again is safe.
func (s *Receipts) settle(got []given, want map[uint64][]*events.Stored) error {
	var good []SignedReceipt
	var settled []uint64
	for i := range got {
		g := &got[i]
		if g.err == nil {
			for _, w := range want[g.position] {
				g.err = errors.Join(g.err, g.compare(w))
			}
		}
		switch {
		case g.err == nil:
			good, settled = append(good, g.SignedReceipt), append(settled, g.position)
		case errors.Is(g.err, ErrReceiptDiffers) || errors.Is(g.err, ErrReceiptRecord):
			if err := s.dispute(*g, want[g.position]); err != nil {
				return err
			}
			settled = append(settled, g.position)
		}
	}
	if err := s.keepAll(good); err != nil {
		return err
	}
	for _, p := range settled {
		delete(want, p)
	}
	return nil
}

// appendAwaited appends what is awaited, a line each: the position, and what must be stored there.
func appendAwaited(b []byte, want map[uint64][]*events.Stored) []byte {
	for _, p := range slices.Sorted(maps.Keys(want)) {
		for _, st := range want[p] {
			b = append(strconv.AppendUint(b, p, 10), ' ')
			b = append(st.Append(b), '\n')
		}
	}
	return b
}

func readAwaited(file string) (map[uint64][]*events.Stored, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("emit: reading what is awaited: %w", err)
	}
	want := map[uint64][]*events.Stored{}
	for line := range bytes.Lines(b) {
		number, stored, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		p, err := strconv.ParseUint(string(number), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("emit: reading what is awaited: %s has a line without a position", filepath.Base(file))
		}
		st, err := events.DecodeStored(stored)
		if err != nil {
			return nil, fmt.Errorf("emit: reading what is awaited: position %d: %w", p, err)
		}
		want[p] = append(want[p], st) // several may be of one: each is compared
	}
	return want, nil
}

// dispute keeps a receipt that is not of what was sent, and what was expected.
func (s *Receipts) dispute(g given, want []*events.Stored) error {
	var expected []byte
	for _, w := range want {
		expected = append(w.Append(expected), '\n')
	}
	path := filepath.Join(s.dir, disputedDir, strconv.FormatUint(g.position, 10))
	return errors.Join(placeDurably(path+".json", expected), placeDurably(path+receiptEnd, g.Proof))
}
