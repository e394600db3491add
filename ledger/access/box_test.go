package access

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/stream"
)

// aPerson is the id of somebody's row.
const aPerson = "000102030405060708090a0b0c0d0e0f"

// TestBox shows that what a token is bound to comes back with whoever holds it,
// after a start as well, and takes away the replay, which knows no window.
func TestBox(t *testing.T) {
	log, c := &memoryLog{}, newClock()
	s := open(t, log, c)
	from, to := c.now.Add(-48*time.Hour+time.Microsecond), c.now.In(time.FixedZone("", 7200))
	whole := from.Truncate(time.Millisecond)
	for _, tt := range []struct {
		n      NewToken
		want   Box
		replay bool
	}{
		{NewToken{Role: RoleInvestigator, Name: "all"}, Box{}, true},
		{NewToken{Role: RoleInvestigator, Name: "case", Box: Box{Case: "c-7"}}, Box{Case: "c-7"}, true},
		{NewToken{Role: RoleInvestigator, Name: "since", Box: Box{From: from}}, Box{From: whole}, false},
		{NewToken{Role: RoleDPO, Name: "until", Box: Box{To: to}}, Box{To: c.now}, false},
		{NewToken{Role: RoleInvestigator, Name: "both", Box: Box{Case: "c-7", From: from, To: to}}, Box{Case: "c-7", From: whole, To: c.now}, false},
		{NewToken{Role: RoleSubject, Name: "me", Box: Box{Person: aPerson}}, Box{Person: aPerson}, false},
	} {
		text, made := s.mustToken(t, tt.n)
		if made.Box != tt.want {
			t.Errorf("%s: made with %+v, want %+v", tt.n.Name, made.Box, tt.want)
		}
		again := must[*Store](t)(Open(t.Context(), Config{Log: log, Ledger: "test", Now: c.Now}))
		for _, store := range []*Store{s, again} {
			p := must[Principal](t)(store.Authenticate(text))
			if p.Box != tt.want || p.Can(Replay) != tt.replay {
				t.Errorf("%s: %+v, replay %t, want %+v, %t", tt.n.Name, p.Box, p.Can(Replay), tt.want, tt.replay)
			}
			windowed := !tt.want.From.IsZero() || !tt.want.To.IsZero()
			for _, a := range Actions() {
				whole := slices.Contains([]Action{Replay, Erase, Retain, Approve}, a)
				if p.Can(a) != (actionsOf(tt.n.Role).has(a) && !(whole && windowed)) {
					t.Errorf("%s: %s is %t", tt.n.Name, a, p.Can(a))
				}
			}
		}
	}
}

// TestBoxOfOldTokens: a token of role subject from before there were persons
// opens, and is for nobody.
func TestBoxOfOldTokens(t *testing.T) {
	log := &memoryLog{}
	old := examples()[8]
	m, err := decode([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), []stream.Message{{Subject: subject("test", m.What), Data: []byte(old)}}); err != nil {
		t.Fatal(err)
	}
	s := must[*Store](t)(Open(t.Context(), Config{Log: log, Ledger: "test"}))
	strange := strings.Replace(examples()[6], "c-7", "0475123456", 1) // from before that looked personal
	if _, err := decode([]byte(strange)); err != nil {
		t.Errorf("a case that would not be taken today: %v", err)
	}
	if tokens := s.Tokens(); len(tokens) != 1 || tokens[0].Box != (Box{}) {
		t.Errorf("%+v", tokens)
	}
}
