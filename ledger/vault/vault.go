// Package vault knows who people are, so that nothing else has to.
//
// What is true of every vault:
//
//  1. A tag needs two keys: the person's and the cell's. A cell is a retention
//     class, a role and a month. Destroying either key forgets: the tag can no
//     longer be made, and what was sealed no longer opened.
//  2. Tags are one-way. Nobody learns an identifier or a key from a tag.
//  3. Nothing at rest is in clear. Rows are sealed under 256 shard keys, these
//     and the cell keys in a table, the table under one root key, which lives
//     in a file of its own outside the data directory.
//  4. A new person's row, and the table with a new cell, are durable before the
//     event that needs them. Looking up who is unknown creates nothing.
//  5. The vault's own stream is the only state. Every message carries the
//     digest of the one before and is authenticated under keys that the table
//     holds; the bbolt index is disposable.
//  6. A link between identifiers counts only if the event that says so was
//     recorded. A person is the set of rows that links connect.
//
// docs/FORMAT.md has every layout to the byte. Reading order: vault.go, keys.go,
// cell.go, batch.go, flush.go, link.go, read.go, lookup.go, reverse.go, seal.go,
// blob.go, then the formats (message.go, table.go, row.go, slot.go), then open.go,
// index.go and index_write.go, then forgetting: root.go, rekey.go, erase.go,
// forget.go, hold.go, escrow.go.
package vault

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/imalink/custody/ledger/stream"
)

var (
	// ErrExists is returned by Create, CreateRoot and RestoreRoot where one is already.
	ErrExists = errors.New("vault: already there")
	// ErrDamaged is returned when what is stored is not what was written.
	ErrDamaged = errors.New("vault: damaged")
	// ErrMissingRoot is returned when there is no root key to be had.
	ErrMissingRoot = errors.New("vault: root key missing")
	// ErrRetiredRoot is returned for a root key that was replaced by a newer one:
	// a copy from before an erasure. Opening with it would undo the erasure.
	ErrRetiredRoot = errors.New("vault: root key retired")
	// ErrAbandonedRoot is returned for the root key of a change of keys that was given
	// up: it was put in escrow, and the vault went on under the one before. What was
	// written since would be left out under it.
	ErrAbandonedRoot = errors.New("vault: root key never came into force")
	// ErrForeignRoot is returned for the root key of another vault.
	ErrForeignRoot = errors.New("vault: root key of another vault")
	// ErrOldStream is returned when the vault's stream is older than its root key.
	ErrOldStream = errors.New("vault: stream older than its root key")
	// ErrGone is returned when the keys that would open something are no more, or
	// were never the ones asked for.
	ErrGone = errors.New("vault: keys gone")
	// ErrLimit is returned when an input exceeds a limit, which the text names.
	ErrLimit = errors.New("vault: limit exceeded")
	// ErrOrder is returned when batches are used out of their order, and for a change
	// of keys that what was there before it does not allow.
	ErrOrder = errors.New("vault: out of order")
	// ErrAbandoned is returned when a change of keys was given up because its root
	// did not reach the escrow. Nothing is in force but what was before.
	ErrAbandoned = errors.New("vault: change of keys abandoned")
	// ErrHalted is returned once it is unknown what was written. Only opening the
	// vault again finds out.
	ErrHalted = errors.New("vault: halted, outcome of a write unknown")
)

// Limits.
const (
	MaxIdentifier = 1024      // bytes of an identifier or a reference
	MaxPlaintext  = 8<<20 - 4 // bytes sealed in one blob
	MaxLinked     = 64        // identifiers in one link or unlink
	MaxLinks      = 1024      // links of one row
	MaxWraps      = 16        // subjects that hold a content key each; beyond it is the cell's
)

// A Log is the vault's stream: [stream.Stream], or a test's that fails at will.
type Log interface {
	// Append makes msgs durable, in order, and returns the last sequence. An
	// error that wraps stream.ErrRejected means that nothing happened.
	Append(ctx context.Context, msgs []stream.Message) (last uint64, err error)
	// Replay yields the messages from..min(to, Last()), without a gap.
	Replay(ctx context.Context, from, to uint64) iter.Seq2[stream.Message, error]
	Get(ctx context.Context, seq uint64) (stream.Message, error)
	Last() uint64
}

// Options say how to open a vault.
type Options struct {
	Log  Log
	Root *Root
	// Subject is the stream's subject without its last part, which is "table" or
	// "rows" and which the vault adds after a dot.
	Subject string
	// IndexPath names the index file. It is made anew whenever it is not exactly
	// the fold of the stream.
	IndexPath string
	// Confirm returns the salt of the event at a position, ok false if there is
	// none. Open asks it about links at the head of the stream. It is required.
	Confirm func(position uint64) (salt [16]byte, ok bool, err error)
	// Shredded is the highest root version that a recorded ledger.key-shredded
	// names: no root below it is taken. 0 if there is none.
	Shredded uint64
	// CacheSize bounds the persons whose keys are kept unwrapped; 0 is 65,536.
	CacheSize int
	// ReverseBudget is how many bytes of memory may go to finding people by their
	// tags, see Who; 0 is 256 MiB. It takes 48 a person, and 12 for each in every
	// cell asked about; what of one cell was needed last is kept in any case.
	ReverseBudget int

	// Escrow takes a root to where it survives this machine, and the stream up to
	// r.Last to its backup. It is called with a root that is about to come into
	// force, once its rows and table are durable in the stream: if it fails, the
	// change does not happen, and it is called again with the one in force. Open
	// calls it with the root in force, and fails if it fails. It must not use the
	// vault. nil: no escrow.
	Escrow func(ctx context.Context, r EscrowedRoot) error

	indexEvery    int  // rows between two writes of the index; 0 is the default
	indexUnsynced bool // for tests, which cut no power
}

// A Vault is one open vault. Its methods may be called concurrently; a Batch's
// may not, but for Flush as its comment says.
type Vault struct {
	secret
	log     Log
	root    *Root
	subject string
	escrow  func(context.Context, EscrowedRoot) error
	index   *index
	every   int
	sync    bool // the index

	// epoch is the read and write lock of key changes: a batch holds it for
	// reading from its first tag to its durable commit, a change of keys for
	// writing. One lock and not one a shard, because a group of events touches
	// most shards anyway, and a change of keys takes milliseconds.
	epoch sync.RWMutex

	mu      sync.Mutex // guards all below; not held while a batch is written
	keys    keyring
	cells   map[CellID]*cell
	recent  overlay
	cache   *cache
	open    []*Batch // begun and not ended, in order
	tail    tail
	halted  error
	stale   []*person // to be written anew by the next Flush
	unsaved []*person // written since the index was, in order
	writing *write    // write of the index under way; nil if none
	reverse *reverse  // from tags to people; its notes are guarded, all else is its own
}

// A tail says how far the vault's stream has been read or written.
type tail struct {
	sequence uint64
	digest   [32]byte // SHA-256 of the message at sequence
	events   uint64   // highest durable event position any rows message carries
	table    uint64   // sequence of the table in force
	highest  uint64   // highest root version any message carries
}

// Create makes a vault on an empty log under a root that OpenRoot returned. It
// refuses with ErrExists if the log holds anything. After another error a table
// may have been written or not; the caller looks at the log.
func Create(ctx context.Context, log Log, subject string, root *Root) error {
	if log.Last() != 0 {
		return fmt.Errorf("creating a vault: %w", ErrExists)
	}
	var keys keyring
	if err := keys.renew(root.Version()); err != nil {
		return fmt.Errorf("creating a vault: %w", err)
	}
	data, err := keys.seal(root.live, nil, header{}, newNonce())
	if err != nil {
		return fmt.Errorf("creating a vault: %w", err)
	}
	if _, err := log.Append(ctx, []stream.Message{{Subject: subject + subjectTable, Data: data}}); err != nil {
		return fmt.Errorf("writing the first table: %w", err)
	}
	return nil
}

// Close writes the index and releases it. No batch may be open. The vault's
// state is safe whatever Close returns.
func (v *Vault) Close() error {
	err := v.saveIndex()
	if e := v.index.close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("closing the vault's index: %w", err)
	}
	return nil
}
