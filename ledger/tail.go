package ledger

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/imalink/custody/events"
)

// rotateAt is how many keys the tail gathers before they go to the index.
const rotateAt = 1 << 16

// A key stands for an identity (source, id) or for something that later events
// refer to. It is 16 bytes of SHA-256: whoever could make two meet would have
// found a collision, and a repeat is compared with what is stored anyway.
type key = [16]byte

func identityKey(source, id string) key { return hashKey("id", source, id) }
func referenceKey(ref string) key       { return hashKey("ref", ref) }

func hashKey(parts ...string) key {
	buf := make([]byte, 0, 160)
	for _, p := range parts {
		buf = append(append(buf, p...), 0) // no part contains a zero byte
	}
	sum := sha256.Sum256(buf)
	return key(sum[:16])
}

// An Index remembers the keys that the tail has let go. It is disposable: what
// it lacks is read from the stream again at start. Lookups may be concurrent
// with each other and with Add.
type Index interface {
	// Position is that of the last event whose keys it holds, with the digest
	// of that event's stored bytes.
	Position() (position uint64, digest [32]byte)
	// Lookup puts the position of each key into found, 0 where it has none.
	Lookup(keys [][16]byte, found []uint64) error
	// Add stores keys, the register as of position, and position itself, all or
	// nothing. A key that is there already moves to its new position.
	Add(keys [][16]byte, at []uint64, position uint64, digest [32]byte, register []byte) error
	// Register is what the last Add stored.
	Register() ([]byte, error)
	// Reset empties it.
	Reset() error
	// Close lets go of it.
	Close() error
}

// A tail holds the keys of the newest events: those that no index segment holds
// yet, and those of the segment that may be on its way there. An answer of the
// index is good until the next rotation begins: until then the tail has all that
// the index may have lacked. It belongs to the sequencer.
type tail struct {
	now, before map[key]uint64
	era         uint64 // rotations begun
	segment     int    // keys of a rotation
	patience    int    // keys to have before the next rotation is tried
	adding      bool   // before is on its way to the index
}

func newTail() *tail {
	return &tail{now: map[key]uint64{}, before: map[key]uint64{}, segment: rotateAt, patience: rotateAt}
}

func (t *tail) add(keys map[key]uint64) {
	for k, pos := range keys {
		t.now[k] = pos
	}
}

func (t *tail) find(k key) uint64 {
	if pos := t.now[k]; pos != 0 {
		return pos
	}
	return t.before[k]
}

// eventKeys are the keys an event is looked up by: its own identity, its
// basis_ref and its reference; zero where it has none.
type eventKeys [3]key

// places are the positions found for them.
type places [3]uint64

func keysOf(e *events.Event) eventKeys {
	k := eventKeys{identityKey(e.Source, e.ID)}
	for i, name := range [...]string{1: "basis_ref", 2: "reference"} {
		if ref := e.Data.Get(name).Text(); ref != "" {
			k[i] = referenceKey(ref)
		}
	}
	return k
}

// introduced lists the keys that event e, recorded at a position, adds: its
// identity and the thing it introduces for others to refer to. They are read
// from clear fields only, so that a replay finds the same.
func introduced(e *events.Event) []key {
	keys := []key{identityKey(e.Source, e.ID)}
	var name string
	switch e.Kind {
	case events.GovernanceAgreementSigned:
		name = "agreement"
	case events.GovernanceAssessmentRecorded:
		name = "assessment"
	case events.SubjectCaseChanged:
		name = "case"
	default:
		return keys
	}
	return append(keys, referenceKey(e.Data.Get(name).Text()))
}

// lookup asks the index about a whole request, before the sequencer sees it.
func (l *Ledger) lookup(r *request) error {
	flat := make([][16]byte, 0, 3*len(r.keys))
	for i := range r.keys {
		flat = append(flat, r.keys[i][:]...)
	}
	found := make([]uint64, len(flat))
	r.era = l.era.Load()
	if err := l.index.Lookup(flat, found); err != nil {
		return fmt.Errorf("identity index: %w", err)
	}
	r.found = make([]places, len(r.keys))
	for i := range r.found {
		copy(r.found[i][:], found[3*i:])
	}
	return nil
}

// where finds event i's keys: in the open group, the one in flight, the tail,
// and else what the index said.
func (l *Ledger) where(r *request, i int) (places, error) {
	if l.tail.era != r.era { // a segment may have left the tail since, after the index was asked
		if err := l.lookup(r); err != nil {
			return places{}, err
		}
	}
	found := r.found[i]
	for j, k := range r.keys[i] {
		if k == (key{}) {
			found[j] = 0
			continue
		}
		if pos := l.recent(k); pos != 0 {
			found[j] = pos
		}
	}
	return found, nil
}

func (l *Ledger) recent(k key) uint64 {
	if pos := l.open.keys[k]; pos != 0 {
		return pos
	}
	if l.inflight != nil {
		if pos := l.inflight.keys[k]; pos != 0 {
			return pos
		}
	}
	return l.tail.find(k)
}

// A rotation moves the tail to the index, once the group it waits for is
// durable.
type rotation struct {
	register []byte
	digest   [32]byte
	position uint64
}

// prepareRotation takes the register's snapshot while it stands exactly at the
// end of g, if g will make the tail full.
func (l *Ledger) prepareRotation(g *group) {
	if l.tail.adding || len(g.messages) == 0 || len(l.tail.now)+len(g.keys) < l.tail.patience {
		return
	}
	snapshot, err := l.register.snapshot()
	if err != nil {
		l.logger.Error("register snapshot", "error", err)
		return
	}
	g.rotation = &rotation{
		register: snapshot,
		digest:   sha256.Sum256(g.messages[len(g.messages)-1].Data),
		position: g.last(),
	}
}

// rotate starts the move that prepareRotation prepared.
func (l *Ledger) rotate(g *group) {
	if g.rotation == nil {
		return
	}
	t := l.tail
	t.before, t.now = t.now, map[key]uint64{}
	t.adding = true
	t.era++
	l.era.Store(t.era)
	rot, keys := g.rotation, t.before
	go func() { l.rotated <- l.addToIndex(keys, rot) }()
}

// finishRotation notes that the index holds what the tail let go. If it does
// not, the keys return to the tail, and a rotation is tried again after as many
// more: memory grows until the index can be written, nothing is forgotten.
func (l *Ledger) finishRotation(err error) {
	l.tail.adding = false
	l.tail.patience = l.tail.segment
	l.stats.indexFailing.Store(err != nil)
	if err == nil {
		return
	}
	l.logger.Error("identity index not advanced; will try again", "error", err)
	for k, pos := range l.tail.before {
		if _, newer := l.tail.now[k]; !newer {
			l.tail.now[k] = pos
		}
	}
	l.tail.patience = len(l.tail.now) + l.tail.segment
}

func (l *Ledger) addToIndex(keys map[key]uint64, rot *rotation) error {
	if err := addSorted(l.index, keys, rot); err != nil {
		return fmt.Errorf("identity index: %w", err)
	}
	return nil
}

func addSorted(index Index, keys map[key]uint64, rot *rotation) error {
	sorted := make([][16]byte, 0, len(keys))
	for k := range keys {
		sorted = append(sorted, k)
	}
	slices.SortFunc(sorted, func(a, b key) int { return slices.Compare(a[:], b[:]) })
	at := make([]uint64, len(sorted))
	for i, k := range sorted {
		at[i] = keys[k]
	}
	return index.Add(sorted, at, rot.position, rot.digest, rot.register)
}
