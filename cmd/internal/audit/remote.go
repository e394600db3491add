package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

// Do asks the server of a ledger, and gives the body of an answer that is a success. The error is that there was none.
type Do func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error)

// errServed is wrapped where a ledger serves what an honest one cannot. It did not sign for it, so nobody else can be
// shown.
var errServed = errors.New("the ledger serves what is false")

const (
	recordSize = evidence.RecordSize
	entrySize  = 2 + recordSize // in a tile
	mostBytes  = 1 << 24        // of an answer that has one event

	// answerTime is in how long an answer must be there, or of a replay the next event: who only seems to answer is not
	// waited for.
	answerTime = 5 * time.Minute
)

// errSlow is returned for an answer that does not come, or not to an end.
var errSlow = errors.New("audit: the ledger takes too long to answer")

// A remote is a ledger, as an auditor has it. It is safe for concurrent use.
type remote struct {
	do       Do
	trust    *checkpoint.Trust
	patience time.Duration // answerTime
}

func (l *remote) get(ctx context.Context, path string, query url.Values, most int64) (b []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.patience, errSlow)
	defer cancel()
	body, err := l.do(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return nil, because(ctx, err)
	}
	defer func() { err = because(ctx, errors.Join(err, body.Close())) }()
	if b, err = io.ReadAll(io.LimitReader(body, most+1)); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%w: %s is longer than it can be", errServed, path)
	}
	return b, nil
}

// because is an error, and that it is of waiting too long, if it is.
func because(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		return fmt.Errorf("%w: %w", errSlow, err)
	}
	return err
}

// checkpoint is the newest, or the newest that a witness cosigned.
func (l *remote) checkpoint(ctx context.Context, witnessed bool) (checkpoint.Note, error) {
	var query url.Values
	if witnessed {
		query = url.Values{"witnessed": {"true"}}
	}
	b, err := l.get(ctx, "/v1/checkpoint", query, checkpoint.MaxNote)
	if err != nil {
		return checkpoint.Note{}, err
	}
	n, err := checkpoint.Open(b)
	if err != nil {
		return n, fmt.Errorf("%w: its checkpoint is none: %w", errServed, err)
	}
	return n, nil
}

// tile is a tile of hashes or of records.
func (l *remote) tile(ctx context.Context, t recordlog.Tile) ([]byte, error) {
	size := t.Width * hashSize
	if t.Level == recordlog.Entries {
		size = t.Width * entrySize
	}
	path := "/v1/" + t.Path()
	b, err := l.get(ctx, path, nil, int64(size))
	if err == nil && len(b) != size {
		err = fmt.Errorf("%w: %s has %d bytes, not %d", errServed, path, len(b), size)
	}
	return b, err
}

// tileAt is the tile of a level with a number, over so many leaves: full, or what there is of it.
func tileAt(level int, index, size uint64) recordlog.Tile {
	have := size >> (8 * max(level, 0))
	return recordlog.Tile{Level: level, Index: index, Width: int(min(width, have-index*width))}
}

// entries are the records of a tile.
func (l *remote) entries(ctx context.Context, index, size uint64) ([]byte, error) {
	t := tileAt(recordlog.Entries, index, size)
	b, err := l.tile(ctx, t)
	if err != nil {
		return nil, err
	}
	records := make([]byte, 0, t.Width*recordSize)
	for ; len(b) > 0; b = b[entrySize:] {
		if binary.BigEndian.Uint16(b) != recordSize {
			return nil, fmt.Errorf("%w: a record in %s has another length", errServed, t.Path())
		}
		records = append(records, b[2:entrySize]...)
	}
	return records, nil
}

// records are the leaves from from to to, without the last, as a record auditor has them; without the events of commits,
// if those are not wanted.
func (l *remote) records(ctx context.Context, from, to uint64, commits bool) iter.Seq2[leaf, error] {
	fetch := func(ctx context.Context, index uint64) (leaves []leaf, err error) {
		records, err := l.entries(ctx, index, to)
		if err != nil {
			return nil, err
		}
		for i := index * width; len(records) > 0; i, records = i+1, records[recordSize:] {
			one := leaf{record: records[:recordSize]}
			if commits && i >= from && one.record[1] == evidence.KindCommitted {
				one.event, one.missing = l.event(ctx, i, evidence.Hash(one.record[recordSize-hashSize:]))
			}
			leaves = append(leaves, one)
		}
		return leaves, nil
	}
	return func(yield func(leaf, error) bool) {
		at := from / width * width
		for leaves, err := range ahead(ctx, from/width, (to+width-1)/width, fetch) {
			if err != nil {
				yield(leaf{}, err)
				return
			}
			for _, one := range leaves {
				if at++; at > from && !yield(one, nil) {
					return
				}
			}
		}
	}
}

// event is the stored event of a leaf, whose record has its digest.
func (l *remote) event(ctx context.Context, index uint64, digest evidence.Hash) ([]byte, error) {
	q := url.Values{"position": {strconv.FormatUint(index+1, 10)}, "told": {"true"}}
	b, err := l.get(ctx, "/v1/proofs/event", q, mostBytes)
	if err != nil {
		return nil, fmt.Errorf("position %d: %w", index+1, err)
	}
	v, err := evidence.Verify(b, l.trust)
	if err != nil {
		return nil, fmt.Errorf("%w: the proof of position %d: %w", errServed, index+1, err)
	}
	if v.Type != evidence.TypeEvent || v.Leaf.Index != index || v.Event == nil || sha256.Sum256(v.Event) != digest {
		return nil, fmt.Errorf("%w: at position %d the event of the proof is not that of the record in the tile", errServed, index+1)
	}
	return v.Event, nil
}

// announced are the verifier keys whose cosignatures the ledger takes.
func (l *remote) announced(ctx context.Context) (map[string]bool, error) {
	b, err := l.get(ctx, "/v1/evidence", nil, mostBytes)
	if err != nil {
		return nil, err
	}
	var told struct {
		Cosigners []struct{ Key string }
	}
	if err := json.Unmarshal(b, &told); err != nil {
		return nil, errors.New("the server's answer is not that of a ledger")
	}
	keys := map[string]bool{}
	for _, c := range told.Cosigners {
		keys[c.Key] = true
	}
	return keys, nil
}

// leave leaves a cosigned checkpoint with the ledger. Leaving it again is safe.
func (l *remote) leave(ctx context.Context, n checkpoint.Note) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.patience, errSlow)
	defer cancel()
	body, err := l.do(ctx, http.MethodPost, "/v1/cosignatures", nil, n.Bytes())
	if err != nil {
		return because(ctx, err)
	}
	return body.Close()
}
