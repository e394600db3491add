package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Open opens the spool in a folder, or makes one where there is none. note is what the last Done before it
// left, 0 if that is not known.
func Open(dir string, o Options) (s *Spool, note uint64, err error) {
	if len(o.Owner) == 0 || len(o.Owner) > labelBytes || o.MaxBytes < MinBytes {
		return nil, 0, fmt.Errorf("a spool has an owner and at least %d bytes", MinBytes)
	}
	if err := makeDir(dir); err != nil {
		return nil, 0, err
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", dir, err)
	}
	s = &Spool{
		dir: dir, owner: o.Owner, lock: lock, max: o.MaxBytes, full: o.segment, disk: o.disk,
		wake: make(chan struct{}, 1), fresh: make(chan struct{}), stopped: make(chan struct{}),
	}
	if s.full == 0 {
		s.full = min(o.MaxBytes/8, 1<<30)
	}
	s.disk.fill()
	if note, err = s.load(o); err != nil {
		return nil, 0, errors.Join(err, s.release())
	}

	go s.write()
	return s, note, nil
}

// fill has everything done by the system that no test does.
func (d *disk) fill() {
	if d.write == nil {
		d.write = func(f *os.File, b []byte, at int64) (int, error) { return f.WriteAt(b, at) }
	}
	if d.sync == nil {
		d.sync = (*os.File).Sync
	}
	if d.cut == nil {
		d.cut = (*os.File).Truncate
	}
}

// makeDir makes a folder that nobody else looks into, durable with its name.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making the spool's folder: %w", err)
		}
		return syncDir(filepath.Dir(filepath.Clean(dir)))
	}
	if err != nil {
		return fmt.Errorf("opening the spool: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("opening the spool: %s is no folder", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("the spool's folder must be 0700: %w", err)
		}
	}
	return nil
}

// load reads what is there. It changes nothing before it knows that all is sound.
func (s *Spool) load(o Options) (note uint64, err error) {
	numbers, err := segmentNumbers(s.dir)
	if err != nil {
		return 0, err
	}
	s.cursor, err = os.OpenFile(filepath.Join(s.dir, "cursor"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, fmt.Errorf("opening the spool's cursor: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(s.cursor, 64))
	if err != nil {
		return 0, fmt.Errorf("reading the spool's cursor: %w", err)
	}
	read, note, known := decodeCursor(b)
	if !known {
		note = 0
	}
	for i, n := range numbers {
		if err := s.loadSegment(o, n, i == len(numbers)-1, read); err != nil {
			return 0, err
		}
	}
	if len(s.segments) == 0 {
		if err := s.begin(o, numbers); err != nil {
			return 0, err
		}
	}
	return note, s.place(read, known)
}

// begin makes the first segment. The only one that may be there is one whose making was cut short.
func (s *Spool) begin(o Options, numbers []uint64) error {
	h := header{number: 1, first: 1, owner: o.Owner, label: o.Label()}
	if len(numbers) > 0 {
		h.number = numbers[0]
	}
	if h.number != 1 || len(h.label) == 0 || len(h.label) > labelBytes {
		return fmt.Errorf("%w: %s is not whole", ErrDamaged, segmentPath(s.dir, h.number))
	}
	seg, err := s.disk.create(s.dir, h)
	if err != nil {
		return err
	}
	s.segments, s.label, s.next = []*segment{seg}, h.label, 1
	return nil
}

// loadSegment reads a segment and, if it is the last, cuts off a write that was torn.
func (s *Spool) loadSegment(o Options, number uint64, last bool, read place) error {
	path := segmentPath(s.dir, number)
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening the spool: %w", err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		f.Close()
		return fmt.Errorf("reading the spool: %w", err)
	}
	h, ok := decodeHeader(b)
	if !ok && last && len(b) <= segmentHeader {
		// Its making was cut short: no record was ever written to it.
		f.Close()
		if len(s.segments) == 0 {
			return nil // begin makes it anew
		}
		return os.Remove(path)
	}
	seg := &segment{number: number, first: h.first, file: f}
	s.segments = append(s.segments, seg) // from here on release closes it
	switch {
	case !ok || h.number != number:
		return fmt.Errorf("%w: %s has no header", ErrDamaged, path)
	case h.owner != o.Owner:
		return fmt.Errorf("%w: %s", ErrOwner, s.dir)
	case len(s.segments) > 1 && (h.number != s.segments[len(s.segments)-2].number+1 || h.first != s.next || h.label != s.label):
		return fmt.Errorf("%w: %s does not follow the file before it", ErrDamaged, path)
	}
	c := survey(b, number)
	torn := int64(len(b)) - c.end
	if c.damaged || torn > 0 && !last || read.segment == number && read.offset > c.end {
		return fmt.Errorf("%w: %s at offset %d", ErrDamaged, path, c.end)
	}
	seg.size, s.label, s.next = c.end, h.label, h.first+uint64(c.counted)
	if number >= read.segment { // what is before is done
		s.waiting += c.records
	}
	if !last {
		return nil
	}
	// What is in the file may never have been synced; it is read from now on.
	if torn > 0 {
		if err := s.disk.cut(f, c.end); err != nil {
			return fmt.Errorf("cutting off a torn write: %w", err)
		}
		s.torn = torn
	}
	if err := s.disk.sync(f); err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	return nil
}

// place finds where reading goes on, and removes the segments before it that a crash left.
func (s *Spool) place(read place, known bool) error {
	if last := s.last(); known && read.segment > last.number {
		return fmt.Errorf("%w: %s is not there", ErrDamaged, segmentPath(s.dir, read.segment))
	}
	for known && s.segments[0].number < read.segment {
		old := s.segments[0]
		s.segments = s.segments[1:]
		if err := s.remove(old); err != nil {
			return err
		}
	}
	s.read = read
	if !known || s.segments[0].number > read.segment {
		s.read = place{s.segments[0].number, segmentHeader}
	}
	if s.read.segment != s.segments[0].number {
		return nil
	}
	b, err := readAt(s.segments[0], 0, s.segments[0].size)
	if err != nil {
		return err
	}
	at := int64(segmentHeader)
	for at < s.read.offset {
		r, ok := recordAt(b[at:], s.read.segment, at)
		if !ok {
			return fmt.Errorf("%w: %s at offset %d", ErrDamaged, segmentPath(s.dir, s.read.segment), at)
		}
		at += r.size()
		s.waiting--
	}
	if at != s.read.offset {
		return fmt.Errorf("%w: the cursor points between records", ErrDamaged)
	}
	return nil
}

// segmentNumbers lists the segments in order.
func segmentNumbers(dir string) (numbers []uint64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the spool: %w", err)
	}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".spool"); ok {
			n, err := strconv.ParseUint(name, 10, 64)
			if err != nil || n == 0 {
				return nil, fmt.Errorf("%w: %s is no file of a spool", ErrDamaged, filepath.Join(dir, e.Name()))
			}
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}
