package coverage

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/rows"
)

// ownSource is the ledger's own, which is no producer.
const ownSource = "/custody"

// View is the view "coverage". A flush costs a block for each track that grew.
func View() projections.View { return view(blockEntries) }

// view has at most so many entries in a block.
func view(size int) projections.View {
	return projections.View{Name: "coverage", Version: version, Open: func(*bolt.Tx) (projections.Model, error) {
		m := &model{size: size}
		m.reset()
		return m, nil
	}}
}

// A model notes entries. It knows nothing of what is in the file, and keeps nothing after a flush.
type model struct {
	size       int // entries in a block
	producers  notes[producer]
	parties    notes[string]     // every party named; a flush knows which of them are registered
	registered map[string]uint64 // position of the first registration noted
	refused    []refusal
}

// producer is what a producer's track is of.
type producer struct{ source, instance string }

// notes are entries by what they are of, in order of first appearance.
type notes[K comparable] struct {
	keys    []K
	entries map[K][]entry
}

func (n *notes[K]) add(k K, e entry) {
	list, ok := n.entries[k]
	if !ok {
		n.keys = append(n.keys, k)
	}
	n.entries[k] = append(list, e)
}

func (m *model) reset() {
	*m = model{
		size:       m.size,
		producers:  notes[producer]{entries: map[producer][]entry{}},
		parties:    notes[string]{entries: map[string][]entry{}},
		registered: map[string]uint64{},
	}
}

func (m *model) Fold(e *projections.Event) {
	ev := e.Stored.Event
	n := entryOf(e)
	if ev.Source != ownSource {
		m.producers.add(producer{ev.Source, ev.Instance}, n)
	}
	switch ev.Kind {
	case events.LedgerRefused:
		m.refused = append(m.refused, refusalsOf(e)...)
	case events.GovernancePartyRegistered:
		if code := ev.Data.Get("party").Text(); m.registered[code] == 0 {
			m.registered[code] = e.Position
		}
	}
	recipient, importer := named(ev)
	n.seq, n.beat, n.last = 0, 0, 0
	if recipient != "" {
		m.parties.add(recipient, n)
	}
	if importer != "" && importer != recipient {
		m.parties.add(importer, n)
	}
}

// named gives the parties that an event makes data available to: the recipient, unless it is the person whose
// data it is, and the party of a processor's or contractor's staff who handle data (EDPB Guidelines 05/2021).
func named(e *events.Event) (recipient, importer string) {
	if r := e.Data.Get("recipient").Object(); r.Get("role").Text() != "subject" {
		recipient = r.Get("party").Text()
	}
	if e.Kind.Family() == "data" {
		actor := e.Data.Get("actor").Object()
		if kind := actor.Get("kind").Text(); kind == "processor" || kind == "contractor" {
			importer = actor.Get("party").Text()
		}
	}
	return recipient, importer
}

// Flush writes what was noted. After an error nothing of the transaction counts.
func (m *model) Flush(tx *bolt.Tx) error {
	var opened [5]*rows.Table
	for i, name := range [...]string{namesBucket, blocksBucket, talliesBucket, registeredBucket, refusalsBucket} {
		t, err := rows.Make(tx, name)
		if err != nil {
			return err
		}
		opened[i] = t
	}
	t := tracks{names: opened[0], blocks: opened[1], tallies: opened[2], size: m.size}
	t.blocks.Fill(0.9) // each track grows at its end only
	t.tallies.Fill(0.9)
	for _, p := range m.producers.keys {
		if err := t.extend(producerTrack(p), m.producers.entries[p]); err != nil {
			return fmt.Errorf("producer %s: %w", p.source, err)
		}
	}
	if err := m.flushParties(t, opened[3]); err != nil {
		return err
	}
	if err := writeRefusals(opened[4], m.refused); err != nil {
		return err
	}
	m.reset()
	return nil
}

// flushParties writes registrations, and of the parties named what came before theirs.
func (m *model) flushParties(t tracks, registered *rows.Table) error {
	for code, position := range m.registered {
		known, err := registered.Get([]byte(code))
		if err == nil && known == nil {
			err = registered.Put([]byte(code), binary.BigEndian.AppendUint64(nil, position))
		}
		if err != nil {
			return fmt.Errorf("writing a registration: %w", err)
		}
	}
	for _, code := range m.parties.keys {
		since, ok, err := positionIn(registered.Get([]byte(code)))
		if err != nil {
			return err
		}
		entries := m.parties.entries[code]
		if ok {
			entries = before(entries, since)
		}
		if len(entries) == 0 {
			continue
		}
		if err := t.extend(string(ofUnregistered)+code, entries); err != nil {
			return fmt.Errorf("party %s: %w", code, err)
		}
	}
	return nil
}

// before gives the entries before a position.
func before(entries []entry, position uint64) []entry {
	for i, n := range entries {
		if n.position > position {
			return entries[:i]
		}
	}
	return entries
}

// positionIn reads a position kept as a value; false if there is none.
func positionIn(v []byte, err error) (uint64, bool, error) {
	switch {
	case v == nil || err != nil:
		return 0, false, err
	case len(v) == 8:
		return binary.BigEndian.Uint64(v), true, nil
	}
	return 0, false, errBlock
}

func producerTrack(p producer) string {
	return string(ofProducer) + p.source + "\x00" + p.instance
}
