package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/imalink/custody/events"
)

// A Source is where the events of views come from: a ledger.
type Source interface {
	events.Replayer
	// Head returns the position of the last durable event, 0 if there is none. It never moves back.
	Head() uint64
	// Wait returns the head as soon as it exceeds after, or ctx's error.
	Wait(ctx context.Context, after uint64) (uint64, error)
}

// A Config says which views a Set keeps, of what, and where.
type Config struct {
	Dir    string // the views' folder, made if it is not there; nobody else writes the files of these views
	Source Source
	Views  []View
	Log    *slog.Logger // nil: nothing is logged
}

// A Set keeps views at the head of a source, each in the file <name>.db of a folder.
//
// One reader decodes each event once and gives it to all views; each folds it in a goroutine of its own. A view that
// is far behind has a reader of its own until it has caught up, so that it does not hold back the others; views
// behind at the same place share one. What has come is committed every 100 ms; at once by the views that somebody waits
// for, and only by them, as each commit costs two syncs.
//
// A file that is missing, damaged, of another version or of another stream is discarded, and a new one is filled
// beside its place, without syncing; it is synced and put there once it has caught up. A file is never repaired.
// Methods may be called from many goroutines at a time.
type Set struct {
	source Source
	dir    string
	log    *slog.Logger
	views  []*projector

	ctx    context.Context // ends with the Set
	cancel context.CancelFunc
	work   sync.WaitGroup // all goroutines that touch files in good order

	wanted atomic.Uint64 // the greatest position anybody has waited for

	mu        sync.Mutex // guards what follows
	followers []*follower
	closed    bool
}

var (
	// ErrBehind reports a view that had not reached the position asked for in time, or that cannot be read yet.
	ErrBehind = errors.New("projections: view is behind")
	// ErrFailed reports a view that cannot go on; it is tried again by and by. [Set.Status] says why.
	ErrFailed = errors.New("projections: view has failed")
	// ErrUnknown reports the name of no view.
	ErrUnknown = errors.New("projections: unknown view")
	// ErrRebuilding reports that the view is being filled already.
	ErrRebuilding = errors.New("projections: view is being filled already")
	// ErrViewsClosed reports the use of a closed Set.
	ErrViewsClosed = errors.New("projections: views are closed")
	// ErrDamaged reports a file that is not what was written. A model or a reader that finds what it cannot have
	// written says so by wrapping it, and the file is discarded.
	ErrDamaged = errors.New("projections: view file is damaged")
)

// Open begins to keep views, until Close or until ctx ends, after which only Close may be called. It does not wait
// for them: the files are judged and caught up in the background, see [Set.Status] and [Set.Wait]. An error says
// that the configuration or the folder is of no use; nothing runs then.
//
// Judging a file compares its last event with the source's and reads every page, though not what the values mean. That
// takes time with the size of the file, not memory: 0.2 to 0.4 s for a gigabyte in the page cache, 1 to 2 s from a
// disk. A view can be read once its file is judged; others do not wait for it.
func Open(ctx context.Context, cfg Config) (*Set, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening views: %w", err)
	}
	s := &Set{source: cfg.Source, dir: cfg.Dir, log: cfg.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	for _, v := range cfg.Views {
		p := newProjector(s, v)
		if err := removeIfThere(p.newPath()); err != nil {
			s.cancel()
			return nil, fmt.Errorf("opening view %s: removing an unfinished file: %w", v.Name, err)
		}
		s.views = append(s.views, p)
	}
	for _, p := range s.views {
		s.work.Go(func() { p.run(s.ctx) })
	}
	return s, nil
}

func (c *Config) check() error {
	if c.Dir == "" || c.Source == nil {
		return errors.New("projections: views need a folder and a source")
	}
	seen := map[string]bool{}
	for _, v := range c.Views {
		switch {
		case v.Name == "" || v.Name != filepath.Base(v.Name) || slices.ContainsFunc([]byte(v.Name), isNoName):
			return fmt.Errorf("projections: %q is no name of a view: lower case letters and hyphens", v.Name)
		case v.Open == nil:
			return fmt.Errorf("projections: view %s has no model", v.Name)
		case seen[v.Name]:
			return fmt.Errorf("projections: view %s is there twice", v.Name)
		}
		seen[v.Name] = true
	}
	return nil
}

func isNoName(b byte) bool { return (b < 'a' || b > 'z') && b != '-' }

// Wait returns once each of the views named, or every view if none is named, has committed position and can be read.
// They commit at once what they have when position has come. A [Set.Read] that begins afterwards sees position or a
// later one; or it fails, if the file was found to be damaged meanwhile.
//
// The error wraps [ErrBehind] and ctx's cause when ctx ended first, [ErrFailed] when a view that has not come so far
// cannot go on, [ErrUnknown], or [ErrViewsClosed].
func (s *Set) Wait(ctx context.Context, position uint64, names ...string) error {
	views := s.views
	if len(names) > 0 {
		views = nil
	}
	for _, name := range names {
		p, err := s.view(name)
		if err != nil {
			return err
		}
		views = append(views, p)
	}
	for _, p := range views {
		p.want(position)
	}
	s.want(position)
	for _, p := range views {
		if err := p.wait(ctx, position); err != nil {
			return err
		}
	}
	return nil
}

// Read calls fn with a snapshot of the view's file: all that was committed when it began, [Position] of the stream.
// The transaction, and what is read from it, must not outlive fn. fn must be brief, as the file grows in pages and
// cannot be mapped anew meanwhile, and must not call Read or Close.
//
// An error of fn is returned as it is. If it wraps [ErrDamaged], or bbolt panics, or the file ends too early, then
// the file is discarded and the view filled anew. Read fails with [ErrBehind] or [ErrFailed] as long as there is no
// file to read, with [ErrUnknown], or with [ErrViewsClosed].
func (s *Set) Read(name string, fn func(tx *bolt.Tx) error) error {
	p, err := s.view(name)
	if err != nil {
		return err
	}
	for {
		file, err := p.readable()
		if err != nil {
			return err
		}
		ran, err := file.read(fn)
		if !ran && errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
			continue // closed since: there is another, or none
		}
		if errors.Is(err, ErrDamaged) {
			p.condemn(file, err)
		}
		return err
	}
}

// Rebuild begins to fill a new file for the view, beside the one that serves until the new one has caught up. It
// returns [ErrRebuilding] if the view is being filled already, [ErrUnknown] or [ErrViewsClosed].
func (s *Set) Rebuild(name string) error {
	p, err := s.view(name)
	if err != nil {
		return err
	}
	return p.rebuild()
}

// Close ends the views and waits for reads under way. What was not committed is folded again another time.
func (s *Set) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrViewsClosed
	}
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
	var errs []error
	for _, p := range s.views {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

func (s *Set) view(name string) (*projector, error) {
	for _, p := range s.views {
		if p.view.Name == name {
			return p, nil
		}
	}
	return nil, ErrUnknown
}

// want notes that somebody waits for position, so that nothing tarries until it is read.
func (s *Set) want(position uint64) {
	raise(&s.wanted, position)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.followers {
		nudge(w.hurry)
	}
}
