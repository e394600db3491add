package recordlog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imalink/custody/ledger/evidence"
)

// A Check holds the files of a log against the records that they should have: it is given producers and records as a
// [Log] is. What the marker does not vouch for, Open cuts off, so it is not looked at. It changes nothing, and is not
// safe for concurrent use.
type Check struct {
	dir     string
	claimed marker // what the files should have; of a bad marker only sizes
	marker  []byte // nil if there is none: then nothing is vouched for, and nothing differs
	files   [fileCount]compared
	state   state
	out     written
}

// A Difference says where a file is first not what it should be.
type Difference struct {
	File   string // records, hashes, nodes, producers or marker
	Offset int64  // in bytes
}

// NewCheck begins to check the log in dir, if there is one. End must be called.
func NewCheck(dir string) (*Check, error) {
	c := &Check{dir: dir, state: emptyState()}
	m, some, merr := readMarker(dir)
	if !some {
		return c, nil
	}
	for i, name := range fileNames {
		if err := c.files[i].open(filepath.Join(dir, name)); err != nil {
			return nil, errors.Join(fmt.Errorf("checking the record log: %w", err), c.close())
		}
	}
	if c.claimed = m; merr != nil { // which Open starts over from; here all that there seems to be is looked at
		c.claimed.size = uint64(c.files[recordsFile].size) / recordSize
	}
	var err error
	if c.marker, err = os.ReadFile(filepath.Join(dir, markerFile)); err != nil {
		return nil, errors.Join(fmt.Errorf("checking the record log: %w", err), c.close())
	}
	return c, nil
}

// Size is how many records the files should have. Those beyond may be left out.
func (c *Check) Size() uint64 { return c.claimed.size }

// Number is that of [Log.Number].
func (c *Check) Number(position uint64, source, instance string) uint16 {
	return c.state.producers.Number(position, source, instance)
}

// Append takes the records of the positions that follow. The error wraps [evidence.ErrRecord] if they are none; or a file
// could not be read. Then the check has failed.
func (c *Check) Append(records []byte) error {
	for len(records) > 0 && c.state.edge.size < c.claimed.size {
		n := min(len(records)/recordSize, chunk, int(c.claimed.size-c.state.edge.size)) * recordSize
		if n == 0 {
			return fmt.Errorf("%w: not a whole number of %d bytes", evidence.ErrRecord, recordSize)
		}
		if err := c.compare(records[:n]); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

func (c *Check) compare(records []byte) error {
	if err := c.state.edge.appendAll(records, &c.out); err != nil {
		return err
	}
	names, pairs := c.state.producers.upTo(c.state.edge.size, nil)
	for i, want := range [...][]byte{records, c.out.hashes, c.out.nodes, names} {
		if err := c.files[i].compare(want); err != nil {
			return fmt.Errorf("checking %s of the record log: %w", fileNames[i], err)
		}
	}
	c.state.wrote(names, pairs)
	return nil
}

// End says what differs, one place a file, and ends the check. If fewer records were given than the files should have,
// they have too many.
func (c *Check) End() ([]Difference, error) {
	var all []Difference
	if c.marker == nil {
		return nil, nil
	}
	for i, length := range lengths(c.claimed.size, c.claimed.producers) {
		if f := &c.files[i]; f.differs || f.at < length {
			all = append(all, Difference{fileNames[i], f.at})
		}
	}
	m := c.state.marker()
	if at, same := firstDifference(c.marker, m.encode()); !same {
		all = append(all, Difference{markerFile, int64(at)})
	}
	return all, c.close()
}

func (c *Check) close() error {
	var errs []error
	for i := range c.files {
		if f := c.files[i].file; f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

func firstDifference(a, b []byte) (at int, same bool) {
	if bytes.Equal(a, b) {
		return len(a), true
	}
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	return at, false
}
