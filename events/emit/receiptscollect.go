package emit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	var b []byte
	for _, e := range sent { // a line each: the position, and what must be stored there
		b = append(strconv.AppendUint(b, e.Position, 10), ' ')
		b = append(expect(e.Event).Append(b), '\n')
	}
	name := strconv.FormatUint(sent[0].Position, 10) + "-" + randomID() + awaitedEnd
	return writeOnce(filepath.Join(s.dir, awaitedDir, name), b)
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
	settled := true
	judge := func(g given) (keep bool, err error) {
		if g.err == nil {
			for _, w := range want[g.position] {
				g.err = errors.Join(g.err, g.compare(w))
			}
		}
		told(g.position, g.err)
		switch {
		case disputable(g.err):
			return false, s.dispute(g, want[g.position])
		case g.err != nil:
			settled = false
		}
		return g.err == nil, nil
	}
	var ask []uint64
	for p := range want {
		r, err := s.Load(p)
		if errors.Is(err, fs.ErrNotExist) {
			ask = append(ask, p)
		} else if _, err := judge(given{p, r, err}); err != nil {
			return err
		}
	}
	slices.Sort(ask)
	err = s.fetch(ctx, ask, func(got []given) error {
		var keep []SignedReceipt
		for _, g := range got {
			good, err := judge(g)
			if err != nil {
				return err
			}
			if good {
				keep = append(keep, g.SignedReceipt)
			}
		}
		return s.keepAll(keep)
	})
	if err != nil || !settled {
		return err
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("emit: settling what was awaited: %w", err)
	}
	return nil
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

// disputable reports whether an error is of a receipt that is the ledger's own word: it will not change.
func disputable(err error) bool {
	return errors.Is(err, ErrReceiptDiffers) || errors.Is(err, ErrReceiptRecord)
}

// dispute keeps a receipt that is not of what was sent, and what was expected.
func (s *Receipts) dispute(g given, want []*events.Stored) error {
	var expected []byte
	for _, w := range want {
		expected = append(w.Append(expected), '\n')
	}
	path := filepath.Join(s.dir, disputedDir, strconv.FormatUint(g.position, 10))
	return errors.Join(writeOnce(path+".json", expected), writeOnce(path+receiptEnd, g.Proof))
}
