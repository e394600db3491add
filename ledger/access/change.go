package access

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/stream"
)

// settle finds out what became of an earlier change of unknown fate, so that
// the next one is decided on what is really there. The caller holds s.change.
func (s *Store) settle(ctx context.Context) error {
	if !s.unknown {
		return nil
	}
	last, err := s.cfg.Log.Reconcile(ctx)
	if err != nil { // nothing was changed; what was unknown still is
		return fmt.Errorf("finding the last change: %w: %w", ErrUnknown, err)
	}
	if err := s.catchUp(ctx, last); err != nil {
		return err
	}
	s.unknown = false
	return nil
}

// commit makes m durable, then part of the state. The caller holds s.change and
// has called settle.
//
// On an error that wraps [ErrUnknown] the change may have been made. On any
// other nothing has happened.
func (s *Store) commit(ctx context.Context, m message) error {
	m.Format, m.At = m.version(), stamp(s.cfg.Now())
	data, err := m.encode()
	if err != nil { // a message that could not be read again: nothing happened
		return err
	}
	msg := stream.Message{Subject: subject(s.cfg.Ledger, m.What), Data: data}
	next := s.state.Load().clone()
	probe := msg
	probe.Sequence = next.position + 1
	if err := next.apply(s.cfg.Ledger, probe); err != nil {
		return fmt.Errorf("checking a change before it is made: %w", err)
	}
	last, err := s.cfg.Log.Append(ctx, []stream.Message{msg})
	switch {
	case errors.Is(err, stream.ErrRejected):
		return fmt.Errorf("recording a change of access: %w", err)
	case errors.Is(err, stream.ErrHalted): // nothing of this change; what was before it is unknown
		s.unknown = true
		return fmt.Errorf("recording a change of access: %w", err)
	case err != nil:
		s.unknown = true
		return fmt.Errorf("recording a change of access: %w: %w", ErrUnknown, err)
	case last != next.position:
		s.unknown = true // durable, but somebody else wrote as well
		return fmt.Errorf("%w: a change became message %d, not %d", ErrCorrupt, last, next.position)
	}
	s.replace(next)
	return nil
}

// An Outcome is what became of a producer that was put.
type Outcome string

const (
	Added     Outcome = "added"
	Changed   Outcome = "changed"
	Unchanged Outcome = "unchanged"
)

// PutProducer registers p, or replaces what the producer of that name may send.
// by is the id of the token that asks. It returns once the change is durable;
// putting the same again is not a change and stores nothing. A form that is
// refused gives an *events.Error.
func (s *Store) PutProducer(ctx context.Context, by string, p Producer) (Outcome, error) {
	p, refusal := p.normal()
	if refusal != nil {
		return "", refusal
	}
	s.change.Lock()
	defer s.change.Unlock()
	if err := s.settle(ctx); err != nil {
		return "", err
	}
	st := s.state.Load()
	m, outcome := message{What: producerAdded, By: by}, Added
	switch held := st.producers[p.Name]; {
	case held != nil && held.equal(p):
		return Unchanged, nil
	case held != nil:
		m.What, outcome = producerChanged, Changed
	case len(st.producers) >= MaxProducers:
		return "", fmt.Errorf("adding a producer: %w: a ledger has at most %d producers", ErrLimit, MaxProducers)
	}
	m.Producer = &producerFields{p.Name, p.Families, p.Except}
	if err := s.commit(ctx, m); err != nil {
		return "", err
	}
	return outcome, nil
}

// RemoveProducer ends the registration of a producer and revokes its tokens.
// What it sent stays. It returns an error wrapping [ErrNotFound] if there is none.
func (s *Store) RemoveProducer(ctx context.Context, by, name string) error {
	s.change.Lock()
	defer s.change.Unlock()
	if err := s.settle(ctx); err != nil {
		return err
	}
	if s.state.Load().producers[name] == nil {
		return fmt.Errorf("removing a producer: %w", ErrNotFound)
	}
	return s.commit(ctx, message{What: producerRemoved, By: by, Name: name})
}

// NewToken is what a token is asked to be.
type NewToken struct {
	Role     Role
	Name     string
	Producer string    // required for RoleProducer, forbidden for the others
	NKey     string    // for RoleProducer: the public key of an NKEY; the token then has no text
	Expires  time.Time // zero is never; else in the future
	Box                // a case and a window only for roles that may ask about people; a person for RoleSubject, which needs one
}

// CreateToken makes a token and returns its text, which nobody can have again.
// It returns once the token is durable. If the outcome is unknown the token may
// exist, but nobody holds it: make another. A token that is an NKEY has no text;
// making it again is no change and returns the one there is.
func (s *Store) CreateToken(ctx context.Context, by string, n NewToken) (Secret, Token, error) {
	s.change.Lock()
	defer s.change.Unlock()
	if err := s.settle(ctx); err != nil {
		return Secret{}, Token{}, err
	}
	return s.createToken(ctx, by, n)
}

// CreateFirst makes the first token of a ledger, one of role operator. It
// returns an error wrapping [ErrConflict] if there ever was a token.
func (s *Store) CreateFirst(ctx context.Context) (Secret, error) {
	s.change.Lock()
	defer s.change.Unlock()
	if err := s.settle(ctx); err != nil {
		return Secret{}, err
	}
	if len(s.state.Load().tokens) > 0 {
		return Secret{}, fmt.Errorf("making the first token: %w: there is one already", ErrConflict)
	}
	secret, _, err := s.createToken(ctx, "", NewToken{Role: RoleOperator, Name: "init"})
	return secret, err
}

func (s *Store) createToken(ctx context.Context, by string, n NewToken) (Secret, Token, error) {
	now, st := s.cfg.Now(), s.state.Load()
	n.Box = n.Box.normal()
	if refusal := n.check(now, st); refusal != nil {
		return Secret{}, Token{}, refusal
	}
	if held := st.tokens[st.keys[n.NKey]]; held != nil && n.sameKey(held, now) {
		return Secret{}, held.Token, nil
	}
	if st.liveTokens("", "", now) >= MaxTokens {
		return Secret{}, Token{}, fmt.Errorf("making a token: %w: a ledger has at most %d valid tokens", ErrLimit, MaxTokens)
	}
	id, secret, hash := mint(n.Role)
	f := &tokenFields{ID: id, Role: n.Role, Name: n.Name, Producer: n.Producer, Hash: hex.EncodeToString(hash[:]), boxFields: n.Box.fields()}
	if n.NKey != "" {
		f.Hash, f.NKey, secret = "", n.NKey, Secret{}
	}
	if !n.Expires.IsZero() {
		f.Expires = stamp(n.Expires)
	}
	if err := s.commit(ctx, message{What: tokenCreated, By: by, Token: f}); err != nil {
		return Secret{}, Token{}, err
	}
	return secret, s.state.Load().tokens[id].Token, nil
}

// check says which field of n is not as it should be, or returns nil.
func (n NewToken) check(now time.Time, st *state) error {
	refuse := func(path, kind, detail string) error { return &events.Error{Path: path, Type: kind, Detail: detail} }
	switch {
	case !validRole(n.Role):
		return refuse("/role", events.NotInVocabulary, "is not a role")
	case !validName(n.Name):
		return refuse("/name", events.BadFormat, "must be 1 to 32 of a-z, 0-9 and -, not beginning with -")
	case n.Role != RoleProducer && n.Producer != "":
		return refuse("/producer", events.UnknownField, "only a token of role producer has one")
	case n.Role == RoleProducer && n.Producer == "":
		return refuse("/producer", events.MissingField, "a token of role producer needs one")
	case n.Role == RoleProducer && st.producers[n.Producer] == nil:
		return refuse("/producer", events.NotInVocabulary, "no such producer is registered")
	case !n.Expires.IsZero() && !n.Expires.After(now):
		return refuse("/expires", events.OutOfRange, "must be in the future")
	}
	if refusal := n.Box.check(n.Role); refusal != nil {
		return refusal
	}
	return n.checkKey(now, st)
}

// RevokeToken ends a token at once and for ever. Revoking it again is no change.
// It returns an error wrapping [ErrNotFound] if there is no such token, and
// [ErrConflict] if no other valid token of role operator would be left.
func (s *Store) RevokeToken(ctx context.Context, by, id string) error {
	s.change.Lock()
	defer s.change.Unlock()
	if err := s.settle(ctx); err != nil {
		return err
	}
	st := s.state.Load()
	t := st.tokens[id]
	switch {
	case t == nil:
		return fmt.Errorf("revoking a token: %w", ErrNotFound)
	case !t.Revoked.IsZero():
		return nil
	case t.Role == RoleOperator && st.liveTokens(RoleOperator, id, s.cfg.Now()) == 0:
		return fmt.Errorf("revoking a token: %w: it is the last one of role operator", ErrConflict)
	}
	return s.commit(ctx, message{What: tokenRevoked, By: by, ID: id})
}
