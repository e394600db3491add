package recordlog

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"

	"github.com/imalink/custody/ledger/evidence"
)

// state is what a log keeps in memory of its files.
type state struct {
	edge      edge
	producers Producers
	length    uint64    // of the file of producers
	names     hash.Hash // of what is in it
}

func emptyState() state { return state{names: sha256.New()} }

// wrote says that b, so many pairs, is in the file of producers.
func (st *state) wrote(b []byte, pairs int) {
	st.names.Write(b)
	st.length += uint64(len(b))
	st.producers.wrote(pairs)
}

// marker is the marker that vouches for the state.
func (st *state) marker() marker {
	return marker{
		size: st.edge.size, root: st.edge.root(), annotated: st.edge.annotated().Hash,
		producers: st.length, names: evidence.Hash(st.names.Sum(nil)),
	}
}

// load reads the state of the first n records, whose producers are within so many bytes. The error wraps [ErrDamaged]
// if files are short, do not hold together, or cannot be read.
func (l *Log) load(n, producers uint64) (state, error) {
	st := emptyState()
	for i, length := range lengths(n, producers) {
		if info, err := l.files[i].Stat(); err != nil || info.Size() < length {
			return st, errors.Join(fmt.Errorf("%w: %s is short", ErrDamaged, fileNames[i]), err)
		}
	}
	b := make([]byte, producers)
	if err := readAt(l.files[producersFile], b, 0); err != nil {
		return st, err
	}
	var err error
	if st.producers, st.length, err = decodeProducers(b, n); err != nil {
		return st, err
	}
	st.names.Write(b[:st.length])
	st.edge, err = l.loadEdge(n)
	return st, err
}

// loadEdge reads the right edge of the first n records. The records of the last block, of which the edge may have
// none, are held against their leaves: they are what a crash hits.
func (l *Log) loadEdge(n uint64) (e edge, err error) {
	e.size = n
	if n == 0 {
		return e, nil
	}
	if e.hashes, err = l.hashesOf(cover(n)); err != nil {
		return e, err
	}
	if e.blocks, err = l.nodesOf(cover(n / evidence.BlockSize)); err != nil {
		return e, err
	}
	block := evidence.Span{From: (n - 1) / evidence.BlockSize * evidence.BlockSize, To: n}
	records, err := l.recordsOf(block)
	if err != nil {
		return e, err
	}
	leaves, err := l.hashesOf(each(block))
	if err != nil {
		return e, err
	}
	for i, leaf := range leaves {
		if evidence.LeafHash(records[i*recordSize:][:recordSize]) != leaf {
			return e, fmt.Errorf("%w: record %d is not that of its leaf", ErrDamaged, block.From+uint64(i))
		}
	}
	if n%evidence.BlockSize != 0 {
		e.entries, err = entriesOf(records, block.From)
	}
	return e, err
}

// entriesOf are the entries of records, of which the first is at an index.
func entriesOf(records []byte, first uint64) ([]evidence.Entry, error) {
	entries := make([]evidence.Entry, 0, evidence.BlockSize)
	for b := records; len(b) > 0; b = b[recordSize:] {
		r, err := evidence.DecodeRecord(b[:recordSize])
		if err != nil {
			return nil, fmt.Errorf("%w: record %d: %w", ErrDamaged, first+uint64(len(entries)), err)
		}
		entries = append(entries, r.Entry())
	}
	return entries, nil
}
