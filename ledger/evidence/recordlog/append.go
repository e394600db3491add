package recordlog

import (
	"fmt"
	"path/filepath"

	"github.com/imalink/custody/ledger/evidence"
)

const (
	recordSize = evidence.RecordSize
	// chunk is how many records are hashed before they are written: few enough for their hashes to stay in the cache.
	chunk = 4096
)

// Number is the number of the producer of the event at a position, for its record: see [Producers.Number]. Those that
// are new are kept with the record of that position.
func (l *Log) Number(position uint64, source, instance string) uint16 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.producers.Number(position, source, instance)
}

// Append appends records, 54 bytes each, of the positions that follow, and lets readers see them. They are not durable
// then. After an error nothing was appended; the same may be tried again, but after a failed sync, which every later
// call reports, only by a new Open. The error wraps [evidence.ErrRecord] if a record is none.
func (l *Log) Append(records []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	if len(records)%recordSize != 0 {
		return fmt.Errorf("%w: not a whole number of %d bytes", evidence.ErrRecord, recordSize)
	}
	if l.state.edge.size-l.synced >= l.every {
		if err := l.sync(); err != nil {
			return err
		}
	}
	l.state.edge.copyTo(&l.spare)
	for len(records) > 0 {
		n := min(len(records), chunk*recordSize)
		if err := l.write(records[:n]); err != nil {
			return err
		}
		records = records[n:]
	}
	if err := l.writeProducers(); err != nil {
		return err
	}
	l.state.edge, l.spare = l.spare, l.state.edge
	l.size.Store(l.state.edge.size)
	return nil
}

// write writes some records and the nodes that they complete, and moves the spare edge on.
func (l *Log) write(records []byte) error {
	at := lengths(l.spare.size, 0)
	if err := l.spare.appendAll(records, &l.out); err != nil {
		return err
	}
	for i, b := range [...][]byte{recordsFile: records, hashesFile: l.out.hashes, nodesFile: l.out.nodes} {
		if err := l.writeAt(i, b, at[i]); err != nil {
			return err
		}
	}
	return nil
}

// writeProducers writes those that first occur in the records written.
func (l *Log) writeProducers() error {
	b, pairs := l.state.producers.upTo(l.spare.size, nil)
	if err := l.writeAt(producersFile, b, int64(l.state.length)); err != nil {
		return err
	}
	l.state.wrote(b, pairs)
	return nil
}

func (l *Log) writeAt(file int, b []byte, at int64) error {
	if len(b) == 0 {
		return nil
	}
	if err := l.disk.write(l.files[file], b, at); err != nil {
		return fmt.Errorf("writing the record log: %w", err)
	}
	return nil
}

// Sync makes durable what was appended. An error leaves readers what they see; whether it can be tried again is as
// for Append.
func (l *Log) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	return l.sync()
}

// sync syncs the files before the marker that vouches for them. After a sync that failed, the system may have dropped
// what it could not write and say nothing of it the next time.
func (l *Log) sync() error {
	if l.marked && l.synced == l.state.edge.size {
		return nil
	}
	if err := l.syncFiles(); err != nil {
		return err
	}
	if err := l.mark(&l.state); err != nil {
		return err
	}
	l.synced = l.state.edge.size
	return nil
}

func (l *Log) syncFiles() error {
	for _, f := range l.files {
		if err := l.disk.sync(f); err != nil {
			l.failed = fmt.Errorf("syncing the record log: %w", err)
			return l.failed
		}
	}
	return nil
}

// mark replaces the marker by one that vouches for a state. After an error it is either one.
func (l *Log) mark(st *state) error {
	m := st.marker()
	l.marked = false
	if err := l.disk.replace(filepath.Join(l.dir, markerFile), m.encode()); err != nil {
		return fmt.Errorf("writing the marker of the record log: %w", err)
	}
	l.marked = true
	return nil
}

// Truncate drops all but the first n records, durably, and forgets producers that were numbered for others; [ErrRange]
// if there are not so many. After another error readers see what they saw; whether it can be tried again is as for
// Append, and a new Open may find n records or fewer. Nobody may be reading.
func (l *Log) Truncate(n uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.failed != nil:
		return l.failed
	case n > l.state.edge.size:
		return beyond()
	}
	st, err := l.load(n, l.state.length)
	if err != nil {
		return err
	}
	if err := l.syncFiles(); err != nil {
		return err
	}
	if err := l.mark(&st); err != nil {
		return err
	}
	l.state, l.synced = st, n
	l.size.Store(n)
	return nil
}
