package access

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"time"

	"github.com/imalink/custody/ledger/stream"
)

// state is the fold of the stream up to position.
type state struct {
	position  uint64
	producers map[string]*producer // what the pointers point at is never modified
	tokens    map[string]*token
	keys      map[string]string // id of the token that an NKEY is, or was before it was revoked
}

type producer struct {
	Producer
	kinds kindSet
}

type token struct {
	Token
	hash      [sha256.Size]byte
	principal Principal
}

func newState() *state {
	return &state{producers: map[string]*producer{}, tokens: map[string]*token{}, keys: map[string]string{}}
}

func (st *state) clone() *state {
	return &state{st.position, maps.Clone(st.producers), maps.Clone(st.tokens), maps.Clone(st.keys)}
}

// liveTokens counts the tokens, other than the one with id except, that are
// of role r (any if empty) and can be used at now.
func (st *state) liveTokens(r Role, except string, now time.Time) int {
	n := 0
	for id, t := range st.tokens {
		if id != except && (r == "" || t.Role == r) && t.live(now) {
			n++
		}
	}
	return n
}

// apply folds one message into st. After an error, which wraps [ErrCorrupt],
// st must not be used.
func (st *state) apply(ledger string, raw stream.Message) error {
	if raw.Sequence != st.position+1 {
		return fmt.Errorf("%w: message %d follows message %d", ErrCorrupt, raw.Sequence, st.position)
	}
	m, err := decode(raw.Data)
	if err != nil {
		return fmt.Errorf("access message %d: %w", raw.Sequence, err)
	}
	if raw.Subject != subject(ledger, m.What) {
		return fmt.Errorf("%w: message %d is on a subject that is not its own", ErrCorrupt, raw.Sequence)
	}
	at, err := unstamp(m.At)
	if err != nil {
		return err
	}
	if !st.change(m, at) {
		return fmt.Errorf("%w: message %d says %s, which the ones before it forbid", ErrCorrupt, raw.Sequence, m.What)
	}
	st.position = raw.Sequence
	return nil
}

// change makes the change m says, or reports that st forbids it.
func (st *state) change(m message, at time.Time) bool {
	switch m.What {
	case producerAdded, producerChanged:
		if (st.producers[m.Producer.Name] != nil) != (m.What == producerChanged) {
			return false
		}
		p := Producer{m.Producer.Name, m.Producer.Families, m.Producer.Except}
		st.producers[p.Name] = &producer{p, p.kinds()}
		return true
	case producerRemoved:
		return st.removeProducer(m.Name, at)
	case tokenCreated:
		return st.addToken(m.Token, at)
	case tokenRevoked:
		return st.revoke(m.ID, at)
	}
	return false
}

// removeProducer also revokes its tokens, so that a producer added again under
// the same name does not bring them back.
func (st *state) removeProducer(name string, at time.Time) bool {
	if st.producers[name] == nil {
		return false
	}
	delete(st.producers, name)
	for id, t := range st.tokens {
		if t.Producer == name && t.Revoked.IsZero() {
			st.revoke(id, at)
		}
	}
	return true
}

func (st *state) addToken(f *tokenFields, at time.Time) bool {
	if st.tokens[f.ID] != nil || f.Producer != "" && st.producers[f.Producer] == nil {
		return false
	}
	t := &token{Token: Token{ID: f.ID, Role: f.Role, Name: f.Name, Producer: f.Producer, NKey: f.NKey, Created: at}}
	if f.Expires != "" {
		expires, err := unstamp(f.Expires)
		if err != nil {
			return false
		}
		t.Expires = expires
	}
	box, err := f.box(f.Role)
	if err != nil {
		return false
	}
	t.Box = box
	t.principal = Principal{Token: f.ID, Name: f.Name, Role: f.Role, Producer: f.Producer, Box: t.Box, actions: actionsOf(f.Role)}
	if t.windowed() {
		t.principal.actions &^= 1<<Replay | 1<<Erase | 1<<Retain | 1<<Approve
	}
	if f.NKey != "" {
		if st.keys[f.NKey] != "" {
			return false
		}
		st.keys[f.NKey] = f.ID
	} else if n, err := hex.Decode(t.hash[:], []byte(f.Hash)); err != nil || n != len(t.hash) {
		return false
	}
	st.tokens[f.ID] = t
	return true
}

func (st *state) revoke(id string, at time.Time) bool {
	t := st.tokens[id]
	if t == nil || !t.Revoked.IsZero() {
		return false
	}
	revoked := *t
	revoked.Revoked = at
	st.tokens[id] = &revoked
	return true
}
