package emit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

var (
	// ErrReceiptMissing reports an event that the ledger recorded, by its own word or a receipt of it, and does not
	// give any more. A kept receipt is the evidence that it was there.
	ErrReceiptMissing = errors.New("emit: the ledger does not have the event any more")

	// ErrReceiptChanged reports a receipt that says something else of a position than one that is kept. Both are
	// signed: together they are the evidence.
	ErrReceiptChanged = errors.New("emit: the ledger said something else of this position before")
)

// Receipts are a producer's receipts, kept in a folder: what it holds against a ledger that later says something
// else. Give an emitter some ([Config.Receipts]), or an outbox's relay, or say with
// [Receipts.Expect] what was sent and have it collected with [Receipts.Follow] or [Receipts.Collect].
//
// The folder names nobody. It is made if it is not there, 0700 with files of 0600. Keep it where whoever runs the
// ledger cannot reach it, and in backups; never under the ledger's data directory. A receipt is the file
// <thousands of its position>/<position>.receipt, which is never changed; custody verify reads it. What is not as it
// was sent lies in disputed, what is still awaited in awaited.
//
// Methods may be called concurrently, and by several processes.
type Receipts struct {
	dir   string
	from  *HTTP
	trust *checkpoint.Trust
	noted chan struct{} // capacity 1: there are receipts to collect
}

// OpenReceipts opens a folder of receipts, which come from a ledger over HTTP: with the token of the producer, or of
// the relay, that sends the events. The trust names the ledger's key, as had from elsewhere than the ledger; nil
// trusts whoever answers.
func OpenReceipts(dir string, from *HTTP, trust *checkpoint.Trust) (*Receipts, error) {
	if err := outside(dir); err != nil { // before anything is made there
		return nil, err
	}
	for _, sub := range [...]string{awaitedDir, disputedDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("emit: making the folder of receipts: %w", err)
		}
	}
	return FindReceipts(dir, from, trust)
}

// FindReceipts is OpenReceipts of a folder that is there. It makes nothing: the error wraps [fs.ErrNotExist] if it is no
// folder of receipts.
func FindReceipts(dir string, from *HTTP, trust *checkpoint.Trust) (*Receipts, error) {
	if from == nil {
		return nil, errors.New("emit: receipts come over HTTP")
	}
	if err := errors.Join(from.check(), outside(dir)); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, awaitedDir)); err != nil {
		return nil, fmt.Errorf("emit: no folder of receipts: %w", err)
	}
	return &Receipts{dir: dir, from: from, trust: trust, noted: make(chan struct{}, 1)}, nil
}

// outside is nil unless the folder lies in a ledger's data directory (docs/FORMAT.md, "Manifest").
func outside(dir string) error {
	above, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("emit: making the folder of receipts: %w", err)
	}
	for before := ""; above != before; before, above = above, filepath.Dir(above) {
		if _, err := os.Stat(filepath.Join(above, "ledger.json")); err == nil {
			return errors.New("emit: receipts of a ledger are not kept in its own data directory")
		}
	}
	return nil
}

const (
	awaitedDir  = "awaited"
	disputedDir = "disputed"
	receiptEnd  = ".receipt"
)

func (s *Receipts) path(position uint64) string {
	return filepath.Join(s.dir, strconv.FormatUint(position/1000, 10), strconv.FormatUint(position, 10)+receiptEnd)
}

// Keep makes a receipt durable, unless one of this position is there. That one may be under another checkpoint; if
// it says something else, the error wraps [ErrReceiptChanged] and nothing was kept.
func (s *Receipts) Keep(r SignedReceipt) error { return s.keepAll([]SignedReceipt{r}) }

// keepAll keeps receipts, some at a time: the disk syncs several for the price of one.
func (s *Receipts) keepAll(list []SignedReceipt) error {
	var (
		wait    sync.WaitGroup
		ready   = make(chan struct{}, 16)
		errs    = make([]error, len(list))
		folders = map[string]bool{}
	)
	for i, r := range list {
		folder := filepath.Dir(s.path(r.Position))
		if !folders[folder] {
			if err := os.MkdirAll(folder, 0o700); err != nil {
				errs[i] = fmt.Errorf("emit: keeping a receipt: %w", err)
				break
			}
			folders[folder] = true
		}
		ready <- struct{}{}
		wait.Go(func() {
			errs[i] = s.keep(r)
			<-ready
		})
	}
	wait.Wait()
	for folder := range folders {
		errs = append(errs, syncFolders(folder, s.dir))
	}
	return errors.Join(errs...)
}

// keep keeps a receipt, which is durable once its folder is synced.
func (s *Receipts) keep(r SignedReceipt) error {
	kept, err := s.Load(r.Position)
	switch {
	case err == nil && kept.Record != r.Record:
		return fmt.Errorf("%w: position %d", ErrReceiptChanged, r.Position)
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return place(s.path(r.Position), r.Proof)
}

// Load reads and verifies a kept receipt. The error wraps [fs.ErrNotExist] if there is none.
func (s *Receipts) Load(position uint64) (SignedReceipt, error) {
	b, err := os.ReadFile(s.path(position))
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("emit: reading a receipt: %w", err)
	}
	r, err := ReadReceipt(b, s.trust)
	if err == nil {
		err = r.at(position)
	}
	return r, err
}

// Positions are those of the kept receipts, sorted.
func (s *Receipts) Positions() (positions []uint64, err error) {
	folders, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("emit: listing receipts: %w", err)
	}
	for _, f := range folders {
		if _, err := strconv.ParseUint(f.Name(), 10, 64); err != nil || !f.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(s.dir, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("emit: listing receipts: %w", err)
		}
		for _, f := range files {
			name, found := strings.CutSuffix(f.Name(), receiptEnd)
			if p, err := strconv.ParseUint(name, 10, 64); err == nil && found {
				positions = append(positions, p)
			}
		}
	}
	slices.Sort(positions)
	return positions, nil
}

// place writes a file that is whole under its name. One that is there is replaced. It is durable once its folder is
// synced.
func place(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return fmt.Errorf("emit: writing a receipt: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("emit: writing a receipt: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// placeDurably writes a file that is durable when it returns.
func placeDurably(path string, b []byte) error {
	if err := place(path, b); err != nil {
		return err
	}
	return syncFolders(filepath.Dir(path))
}

func syncFolders(folders ...string) error {
	for _, folder := range folders {
		if err := syncDir(folder); err != nil {
			return fmt.Errorf("emit: writing a receipt: %w", err)
		}
	}
	return nil
}
