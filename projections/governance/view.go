package governance

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/rows"
)

// The file holds two buckets, each a [rows.Table]: a thing or a version that has gone is noticed.
//
//	versions  what, key of the thing as a JSON list of texts, position -> the version, see version.go
//	parties   party, 0, what, key -> position of the first version of the thing that names the party
//
// A JSON list ends where its bracket closes, so that no key is the beginning of another. Positions are big-endian.
const version = 2

const (
	versionsBucket = "versions"
	partiesBucket  = "parties"
)

// View is the view "governance". It costs nothing for events of other families.
func View() projections.View {
	return projections.View{Name: "governance", Version: version, Open: func(*bolt.Tx) (projections.Model, error) {
		return &model{}, nil
	}}
}

// A model notes rows. It knows nothing of what is in the file, and keeps nothing after a flush.
type model struct {
	rows []note
	err  error // of the first event that could not be noted
}

// note is one version to be written.
type note struct {
	thing    []byte // what and key
	position uint64
	value    []byte
	parties  []string
}

func (m *model) Fold(e *projections.Event) {
	r, ok := rowOf(e.Stored.Event.Kind)
	if !ok || m.err != nil {
		return
	}
	n := note{position: e.Position}
	if n.thing, m.err = thingKey(r.what, r.keyOf(e)); m.err != nil {
		return
	}
	if n.value, m.err = encode(e); m.err != nil {
		return
	}
	for _, field := range r.parties {
		v := e.Stored.Event.Data.Get(field)
		if code := v.Text(); code != "" {
			n.parties = append(n.parties, code)
		}
		n.parties = append(n.parties, v.Texts()...)
	}
	m.rows = append(m.rows, n)
}

// Flush writes the versions noted. After an error nothing of the transaction counts.
func (m *model) Flush(tx *bolt.Tx) error {
	if m.err != nil {
		return fmt.Errorf("noting a version: %w", m.err)
	}
	versions, err := rows.Make(tx, versionsBucket)
	if err != nil {
		return err
	}
	parties, err := rows.Make(tx, partiesBucket)
	if err != nil {
		return err
	}
	for _, n := range m.rows {
		position := binary.BigEndian.AppendUint64(nil, n.position)
		if err := versions.Put(append(n.thing[:len(n.thing):len(n.thing)], position...), n.value); err != nil {
			return fmt.Errorf("writing the version of position %d: %w", n.position, err)
		}
		for _, code := range n.parties {
			key := append(partyPrefix(code), n.thing...)
			known, err := parties.Get(key)
			if err == nil && known == nil {
				err = parties.Put(key, position)
			}
			if err != nil {
				return fmt.Errorf("writing the party of position %d: %w", n.position, err)
			}
		}
	}
	m.rows = nil
	return nil
}

// keyOf gives the parts of the key of the thing that an event is a version of.
func (r row) keyOf(e *projections.Event) []string {
	key := make([]string, len(r.key))
	for i, field := range r.key {
		switch field {
		case "employee":
			// Whom the actor acted for, if anyone, stands before the employee.
			if named := e.People.Named; len(named) > 0 && !e.Stored.Event.Data.Get(field).IsZero() {
				key[i] = named[len(named)-1].String()
			}
		case "of.source", "of.id":
			key[i] = e.Stored.Event.Data.Get("of").Object().Get(field[len("of."):]).Text()
		default:
			key[i] = e.Stored.Event.Data.Get(field).Text()
		}
	}
	return key
}

// thingKey is how the keys of a thing's versions begin.
func thingKey(what What, key []string) ([]byte, error) {
	list, err := json.Marshal(key)
	if err != nil {
		return nil, fmt.Errorf("writing a key: %w", err)
	}
	return append([]byte(what), list...), nil
}

// partyPrefix is how the keys of what names a party begin; no code contains a zero byte.
func partyPrefix(code string) []byte { return append([]byte(code), 0) }
