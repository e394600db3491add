package ledger

import (
	"crypto/sha256"
	"errors"
	"time"

	"github.com/imalink/custody/ledger/notary"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

// Limits of a group: whichever comes first closes it. groupEager is how many
// events an idle committer is given at once, so that both sides keep busy.
const (
	groupEvents = 4096
	groupBytes  = 6 << 20
	groupEager  = 512

	// groupTime bounds a commit; one that takes longer has an unknown outcome.
	groupTime = 20 * time.Second
)

// A group is what one commit makes durable: consecutive events, and the
// requests that wait for them.
type group struct {
	base     uint64 // position of its first event
	messages []stream.Message
	leaves   []notary.Leaf  // what evidence has of them
	stored   []byte         // what the messages hold, one after the other
	keys     map[key]uint64 // identities and references that it adds
	batch    *vault.Batch   // nil until the first event needs it
	changes  int            // changes to the register
	requests []*request
	recorded time.Time // recordedtime of its last event
	rotation *rotation // set if the tail is to be rotated after this group
}

func (l *Ledger) newGroup(base uint64) *group {
	g := &group{base: base, keys: map[key]uint64{}, messages: l.spare.messages, leaves: l.spare.leaves, stored: l.spare.stored}
	l.spare = memory{}
	return g
}

// memory is what a settled group leaves for the next one to use again.
type memory struct {
	messages []stream.Message
	leaves   []notary.Leaf
	stored   []byte
}

// recycle takes back a group's memory, once nobody holds its messages any more.
func (l *Ledger) recycle(g *group) {
	clear(g.messages)
	l.spare = memory{g.messages[:0], g.leaves[:0], g.stored[:0]}
}

// digest completes the leaves: the hashes of what is stored.
func (g *group) digest() {
	for i := range g.leaves {
		g.leaves[i].Record.Digest = sha256.Sum256(g.messages[i].Data)
	}
}

func (g *group) used() bool { return len(g.requests) > 0 }
func (g *group) full() bool { return len(g.messages) >= groupEvents || len(g.stored) >= groupBytes }

// last is the position of the group's last event, base-1 if it has none.
func (g *group) last() uint64 { return g.base + uint64(len(g.messages)) - 1 }

// holds notes that r waits for this group.
func (g *group) holds(r *request) {
	if n := len(g.requests); n > 0 && g.requests[n-1] == r {
		return
	}
	g.requests = append(g.requests, r)
	r.groups++
}

func (g *group) answer(err error) {
	for _, r := range g.requests {
		r.groups--
		if err != nil {
			r.fail(err)
		}
		r.settle()
	}
}

// A request is one caller's events, in their order. The sequencer owns it from
// hand-over until done is closed.
type request struct {
	subs    []Submission
	keys    []eventKeys
	found   []places // what the index knew of keys before hand-over
	era     uint64   // the tail's era when found was asked for
	results []Result
	next    int // first event not yet taken
	groups  int // groups not yet settled that hold some of its events
	err     error
	done    chan struct{}
}

// fail ends the request: what is not yet taken will not be, and the caller is
// told that some of it may be recorded.
func (r *request) fail(err error) {
	r.next = len(r.subs)
	if r.err == nil || !errors.Is(r.err, err) {
		r.err = errors.Join(r.err, err)
	}
}

// settle answers the caller if nothing of the request is outstanding.
func (r *request) settle() {
	if r.next == len(r.subs) && r.groups == 0 {
		select {
		case <-r.done:
		default:
			close(r.done)
		}
	}
}
