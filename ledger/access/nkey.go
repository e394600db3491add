package access

import (
	"fmt"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/imalink/custody/events"
)

// An NKEY is an Ed25519 pair in the spelling of NATS: the seed, from which the
// private key is made, begins with SU, the public key with U. A producer that
// connects over NATS proves that it holds the seed by signing what the server
// has just made up.

// NewKey makes an NKEY. The seed is nowhere else.
func NewKey() (seed Secret, public string, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return Secret{}, "", fmt.Errorf("making an NKEY: %w", err)
	}
	defer pair.Wipe()
	text, err := pair.Seed()
	if err != nil {
		return Secret{}, "", fmt.Errorf("making an NKEY: %w", err)
	}
	public, err = pair.PublicKey()
	if err != nil {
		return Secret{}, "", fmt.Errorf("making an NKEY: %w", err)
	}
	return Secret{string(text)}, public, nil
}

// validKey reports whether s is the public key of a user, in its one spelling.
func validKey(s string) bool {
	raw, err := nkeys.Decode(nkeys.PrefixByteUser, []byte(s))
	if err != nil {
		return false
	}
	again, err := nkeys.Encode(nkeys.PrefixByteUser, raw)
	return err == nil && string(again) == s
}

// checkKey says why n cannot have its NKEY, or returns nil.
func (n NewToken) checkKey(now time.Time, st *state) error {
	if n.NKey == "" {
		return nil
	}
	refuse := func(kind, detail string) error { return &events.Error{Path: "/nkey", Type: kind, Detail: detail} }
	switch held := st.tokens[st.keys[n.NKey]]; {
	case n.Role != RoleProducer:
		return refuse(events.UnknownField, "only a token of role producer has one")
	case !validKey(n.NKey):
		return refuse(events.BadFormat, "must be the public key of a user: 56 characters, the first of them U")
	case held != nil && !n.sameKey(held, now):
		return refuse(events.NotUnique, "this key is, or was, another token: make a new one")
	}
	return nil
}

// sameKey reports whether held, a token that is n's key, is what n asks for.
func (n NewToken) sameKey(held *token, now time.Time) bool {
	return held.live(now) && held.Producer == n.Producer && held.Name == n.Name && held.Expires.Equal(n.Expires.Truncate(time.Millisecond))
}

// AuthenticateKey returns who holds the NKEY with this public key, and until
// when (zero is for ever), or an error wrapping [ErrUnauthenticated]. signature
// is that of nonce, which must be known to be fresh.
func (s *Store) AuthenticateKey(public string, nonce, signature []byte) (p Principal, until time.Time, err error) {
	held := s.key(public)
	if held == nil || len(nonce) == 0 {
		return Principal{}, time.Time{}, ErrUnauthenticated
	}
	pair, err := nkeys.FromPublicKey(public)
	if err != nil || pair.Verify(nonce, signature) != nil {
		return Principal{}, time.Time{}, ErrUnauthenticated
	}
	return held.principal, held.Expires, nil
}

// ValidKey reports whether the NKEY with this public key may still be used.
func (s *Store) ValidKey(public string) bool { return s.key(public) != nil }

// key returns the token that an NKEY is, nil if there is none that can be used.
func (s *Store) key(public string) *token {
	st := s.state.Load()
	if held := st.tokens[st.keys[public]]; held != nil && held.live(s.cfg.Now()) {
		return held
	}
	return nil
}

// Speaker returns who speaks for a producer whose connection has been
// authenticated, or an error wrapping [ErrUnauthenticated] if it is not
// registered any more.
func (s *Store) Speaker(producer string) (Principal, error) {
	if !s.Registered(producer) {
		return Principal{}, ErrUnauthenticated
	}
	return Principal{Name: producer, Role: RoleProducer, Producer: producer, actions: actionsOf(RoleProducer)}, nil
}
