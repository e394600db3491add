package access

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/imalink/custody/events"
)

// aKey is the public key of the pair whose 32 random bytes are 0, 1, 2 … 31.
const aKey = "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"

// newKey makes a pair that is tested with.
func newKey(t testing.TB) (nkeys.KeyPair, string) {
	t.Helper()
	seed, public, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := nkeys.FromSeed([]byte(seed.Reveal()))
	if err != nil || !strings.HasPrefix(seed.Reveal(), "SU") || fmt.Sprint(seed) != concealed {
		t.Fatalf("a seed of %d bytes: %v", len(seed.Reveal()), err)
	}
	return pair, public
}

func (s *Store) mustKey(t testing.TB, producer, public string, expires time.Time) Token {
	t.Helper()
	secret, tok, err := s.CreateToken(t.Context(), byTest, NewToken{Role: RoleProducer, Name: "nkey", Producer: producer, NKey: public, Expires: expires})
	if err != nil {
		t.Fatal(err)
	}
	if secret != (Secret{}) || tok.NKey != public {
		t.Errorf("an NKEY has a text, or is another: %+v", tok)
	}
	return tok
}

// TestKeyExactly shows that only the signature of this nonce by this key is taken.
func TestKeyExactly(t *testing.T) {
	s := open(t, &memoryLog{}, newClock())
	s.mustPut(t, "ats", "data")
	pair, public := newKey(t)
	other, stranger := newKey(t)
	tok := s.mustKey(t, "ats", public, time.Time{})
	nonce := []byte("15 random bytes")
	sign := func(pair nkeys.KeyPair, b []byte) []byte { return must[[]byte](t)(pair.Sign(b)) }
	good := sign(pair, nonce)
	p, until, err := s.AuthenticateKey(public, nonce, good)
	if err != nil || p.Token != tok.ID || p.Producer != "ats" || p.Role != RoleProducer || !p.Can(Record) || p.Can(Replay) || !until.IsZero() {
		t.Fatalf("AuthenticateKey = %+v, %v, %v", p, until, err)
	}
	type attempt struct {
		public    string
		nonce     []byte
		signature []byte
	}
	wrong := []attempt{
		{"", nonce, good}, {stranger, nonce, sign(other, nonce)}, {public, nonce, sign(other, nonce)}, {public, nonce, nil},
		{public, []byte("15 other bytes."), good}, {public, nil, sign(pair, nil)}, {strings.ToLower(public), nonce, good}, {public + " ", nonce, good},
	}
	for i := range good {
		flipped := append([]byte{}, good...)
		flipped[i] ^= 1
		wrong = append(wrong, attempt{public, nonce, flipped}, attempt{public, nonce, good[:i]})
	}
	for i, w := range wrong {
		if p, _, err := s.AuthenticateKey(w.public, w.nonce, w.signature); !errors.Is(err, ErrUnauthenticated) || p != (Principal{}) {
			t.Errorf("attempt %d was let in", i)
		}
	}
	if _, err := s.Authenticate("custody_producer_" + tok.ID + "_" + strings.Repeat("A", secretChars)); !errors.Is(err, ErrUnauthenticated) {
		t.Error("a token without a text was authenticated by one")
	}
}

// TestKeyEnds shows each way in which a key ends, for ever.
func TestKeyEnds(t *testing.T) {
	for name, end := range map[string]func(*Store, *clock, Token) error{
		"revoked": func(s *Store, _ *clock, tok Token) error { return s.RevokeToken(t.Context(), byTest, tok.ID) },
		"removed": func(s *Store, _ *clock, tok Token) error { return s.RemoveProducer(t.Context(), byTest, tok.Producer) },
		"expired": func(_ *Store, c *clock, tok Token) error { c.now = tok.Expires; return nil },
	} {
		c := newClock()
		s := open(t, &memoryLog{}, c)
		s.mustPut(t, "ats", "data")
		pair, public := newKey(t)
		expires := c.now.Add(time.Hour)
		tok := s.mustKey(t, "ats", public, expires)
		if again := s.mustKey(t, "ats", public, expires); again != tok || s.Position() != 2 {
			t.Errorf("%s: made again: %+v at %d", name, again, s.Position())
		}
		nonce := []byte("nonce")
		signature := must[[]byte](t)(pair.Sign(nonce))
		if _, until, err := s.AuthenticateKey(public, nonce, signature); err != nil || until != expires || !s.ValidKey(public) {
			t.Fatalf("%s: before: %v, %v", name, until, err)
		}
		if err := end(s, c, tok); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.AuthenticateKey(public, nonce, signature); !errors.Is(err, ErrUnauthenticated) || s.ValidKey(public) {
			t.Errorf("%s: still valid", name)
		}
		s.mustPut(t, "ats", "data") // for whoever was removed, again
		_, _, err := s.CreateToken(t.Context(), byTest, NewToken{Role: RoleProducer, Name: "nkey", Producer: "ats", NKey: public})
		if refusal, ok := errors.AsType[*events.Error](err); !ok || refusal.Path != "/nkey" || refusal.Type != events.NotUnique {
			t.Errorf("%s: given again: %v", name, err)
		}
	}
}

func TestKeyRefused(t *testing.T) {
	s := open(t, &memoryLog{}, newClock())
	s.mustPut(t, "ats", "data")
	s.mustPut(t, "crm", "data")
	s.mustKey(t, "ats", aKey, time.Time{})
	account := must[nkeys.KeyPair](t)(nkeys.CreateAccount())
	for name, n := range map[string]NewToken{
		"of another role":     {Role: RoleRelay, Name: "nkey", NKey: aKey},
		"of an account":       {Role: RoleProducer, Name: "nkey", Producer: "ats", NKey: must[string](t)(account.PublicKey())},
		"a seed":              {Role: RoleProducer, Name: "nkey", Producer: "ats", NKey: string(must[[]byte](t)(account.Seed()))},
		"one letter too many": {Role: RoleProducer, Name: "nkey", Producer: "ats", NKey: aKey + "A"},
		"of somebody else":    {Role: RoleProducer, Name: "nkey", Producer: "crm", NKey: aKey},
	} {
		_, _, err := s.CreateToken(t.Context(), byTest, n)
		if refusal, ok := errors.AsType[*events.Error](err); !ok || refusal.Path != "/nkey" || strings.Contains(refusal.Error(), aKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.Position() != 3 {
		t.Errorf("%d messages", s.Position())
	}
}

// TestNotify shows that whoever watches has seen a change before it is answered,
// and is not called for what was no change.
func TestNotify(t *testing.T) {
	log := &memoryLog{}
	s := open(t, log, newClock())
	var seen []uint64
	s.Notify(func() { seen = append(seen, s.Position()) })
	s.mustPut(t, "ats", "data")
	s.mustPut(t, "ats", "data")
	tok := s.mustKey(t, "ats", aKey, time.Time{})
	if err := s.RevokeToken(t.Context(), byTest, tok.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeToken(t.Context(), byTest, tok.ID); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(seen) != "[1 2 3]" {
		t.Errorf("seen at %v", seen)
	}
}

func TestSpeaker(t *testing.T) {
	s := open(t, &memoryLog{}, newClock())
	s.mustPut(t, "ats", "data")
	p := must[Principal](t)(s.Speaker("ats"))
	heartbeat, own := events.Kinds()[0], "/ats"
	if refusal := s.May(p, own, heartbeat); refusal != nil && refusal.Path == "/source" {
		t.Errorf("its own source: %v", refusal)
	}
	if refusal := s.May(p, "/crm", heartbeat); refusal == nil || refusal.Type != events.WrongSource {
		t.Errorf("another source: %v", refusal)
	}
	if _, err := s.Speaker("crm"); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("of nobody: %v", err)
	}
}
