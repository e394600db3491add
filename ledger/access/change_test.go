package access

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/stream"
	"pgregory.net/rapid"
)

// TestFaults makes every change over a log that fails it, stored and not
// stored, and then makes it again.
func TestFaults(t *testing.T) {
	faults := []struct {
		err    error
		stored bool
	}{{stream.ErrRejected, false}, {stream.ErrUnknown, false}, {stream.ErrUnknown, true}, {stream.ErrHalted, false}}
	changes := []struct {
		name string
		make func(*Store) error
		done func(*Store) bool
	}{
		{"add", func(s *Store) error {
			_, err := s.PutProducer(t.Context(), byTest, Producer{Name: "crm", Families: []string{"data"}})
			return err
		}, func(s *Store) bool { return s.Registered("crm") }},
		{"change", func(s *Store) error {
			_, err := s.PutProducer(t.Context(), byTest, Producer{Name: "ats", Families: []string{"subject"}})
			return err
		}, func(s *Store) bool { return s.Producers()[0].Families[0] == "subject" }},
		{"remove", func(s *Store) error { return s.RemoveProducer(t.Context(), byTest, "ats") }, func(s *Store) bool { return !s.Registered("ats") }},
		{"token", func(s *Store) error {
			_, _, err := s.CreateToken(t.Context(), byTest, NewToken{Role: RoleAuditor, Name: "a"})
			return err
		}, func(s *Store) bool { return len(s.Tokens()) > 1 }},
		{"revoke", func(s *Store) error { return s.RevokeToken(t.Context(), byTest, s.Tokens()[0].ID) },
			func(s *Store) bool { return !s.Tokens()[0].Revoked.IsZero() }},
	}
	for _, change := range changes {
		for _, fault := range faults {
			name := fmt.Sprintf("%s, %v, stored=%t", change.name, fault.err, fault.stored)
			log := &memoryLog{}
			s := open(t, log, newClock())
			s.mustPut(t, "ats", "data")
			s.mustToken(t, NewToken{Role: RoleDPO, Name: "dpo"})
			log.fail, log.store = fault.err, fault.stored
			err := change.make(s)
			if err == nil || errors.Is(err, ErrUnknown) != (fault.err == stream.ErrUnknown) {
				t.Errorf("%s: %v", name, err)
			}
			if change.done(s) {
				t.Errorf("%s: counts before it is known to be durable", name)
			}
			if err := change.make(s); err != nil && !(errors.Is(err, ErrNotFound) && fault.stored) {
				t.Errorf("%s: again: %v", name, err)
			}
			if !change.done(s) {
				t.Errorf("%s: again: does not count", name)
			}
			if want := 3; len(log.msgs) != want && !(change.name == "token" && fault.stored) {
				t.Errorf("%s: %d messages, want %d", name, len(log.msgs), want)
			}
			sameFold(t, s, log, newClock())
		}
	}
}

// TestUnsettled shows that while the fate of a change cannot be found out there
// is no other, and that readers go on.
func TestUnsettled(t *testing.T) {
	log := &memoryLog{}
	s := open(t, log, newClock())
	text, _ := s.mustToken(t, NewToken{Role: RoleDPO, Name: "dpo"})
	log.fail, log.store, log.lost = stream.ErrUnknown, true, errors.New("unreachable")
	if _, err := s.PutProducer(t.Context(), byTest, Producer{Name: "ats", Families: []string{"data"}}); !errors.Is(err, ErrUnknown) {
		t.Fatalf("err = %v", err)
	}
	appends := log.appends
	for range 3 {
		if _, err := s.PutProducer(t.Context(), byTest, Producer{Name: "crm", Families: []string{"data"}}); !errors.Is(err, ErrUnknown) {
			t.Errorf("a change on top of an unknown one: %v", err)
		}
	}
	if log.appends != appends {
		t.Error("something was appended on top of an unknown change")
	}
	if _, err := s.Authenticate(text); err != nil {
		t.Errorf("Authenticate meanwhile: %v", err)
	}
	log.lost = nil
	s.mustPut(t, "crm", "data")
	if !s.Registered("ats") || !s.Registered("crm") {
		t.Error("what was stored does not count after it was found")
	}
}

// TestForeignWriter shows that a message nobody here wrote is not passed over.
func TestForeignWriter(t *testing.T) {
	log := &memoryLog{}
	s := open(t, log, newClock())
	s.mustPut(t, "ats", "data")
	log.msgs = append(log.msgs, log.msgs[0])
	log.msgs[1].Sequence = 2
	if _, err := s.PutProducer(t.Context(), byTest, Producer{Name: "crm", Families: []string{"data"}}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a change after a foreign one: %v", err)
	}
	if _, err := Open(t.Context(), Config{Log: log, Ledger: "test"}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("opening a stream that adds a producer twice: %v", err)
	}
	s.unknown, log.msgs = false, log.msgs[:1] // for the check at the end
}

// TestRefusedInput names the field of everything that is refused for its form,
// and shows that nothing is stored for it.
func TestRefusedInput(t *testing.T) {
	log, c := &memoryLog{}, newClock()
	s := open(t, log, c)
	producers := map[string]Producer{
		"/name":       {Name: "ATS", Families: []string{"data"}},
		"/families":   {Name: "ats"},
		"/families/1": {Name: "ats", Families: []string{"data", "people"}},
		"/families/2": {Name: "ats", Families: []string{"data", "ledger", "data"}},
		"/except/0":   {Name: "ats", Families: []string{"data"}, Except: []string{"breach.closed"}},
		"/except/1":   {Name: "ats", Families: []string{"data"}, Except: []string{"data.deleted", "data.deleted"}},
	}
	for want, p := range producers {
		_, err := s.PutProducer(t.Context(), byTest, p)
		if refused, ok := errors.AsType[*events.Error](err); !ok || refused.Path != want {
			t.Errorf("producer %+v: %v, want path %s", p, err, want)
		}
	}
	for _, name := range []string{"", "-a", "a_b", "a/b", "a b", "é", "a\n", "custody", "other", "unregistered", "0123456789012345678901234567890123"} {
		if _, err := s.PutProducer(t.Context(), byTest, Producer{Name: name, Families: []string{"data"}}); err == nil {
			t.Errorf("a producer named %q was added", name)
		}
	}
	tokens := []struct {
		path string
		n    NewToken
	}{
		{"/role", NewToken{Role: "root", Name: "a"}},
		{"/role", NewToken{Name: "a"}},
		{"/name", NewToken{Role: RoleDPO}},
		{"/name", NewToken{Role: RoleDPO, Name: "a.b@example.org"}},
		{"/producer", NewToken{Role: RoleProducer, Name: "a"}},
		{"/producer", NewToken{Role: RoleProducer, Name: "a", Producer: "ats"}},
		{"/producer", NewToken{Role: RoleRelay, Name: "a", Producer: "ats"}},
		{"/expires", NewToken{Role: RoleDPO, Name: "a", Expires: c.now}},
		{"/case", NewToken{Role: RoleInvestigator, Name: "a", Box: Box{Case: "Case 7"}}},
		{"/case", NewToken{Role: RoleInvestigator, Name: "a", Box: Box{Case: "0475123456"}}},
		{"/case", NewToken{Role: RoleAuditor, Name: "a", Box: Box{Case: "c-7"}}},
		{"/case", NewToken{Role: RoleSubject, Name: "a", Box: Box{Case: "c-7", Person: aPerson}}},
		{"/from", NewToken{Role: RoleOperator, Name: "a", Box: Box{From: c.now}}},
		{"/to", NewToken{Role: RoleRelay, Name: "a", Box: Box{To: c.now}}},
		{"/to", NewToken{Role: RoleDPO, Name: "a", Box: Box{From: c.now, To: c.now.Add(time.Microsecond)}}},
		{"/person", NewToken{Role: RoleSubject, Name: "a"}},
		{"/person", NewToken{Role: RoleSubject, Name: "a", Box: Box{Person: "candidate:10001"}}},
		{"/person", NewToken{Role: RoleDPO, Name: "a", Box: Box{Person: aPerson}}},
	}
	for _, tt := range tokens {
		_, _, err := s.CreateToken(t.Context(), byTest, tt.n)
		if refused, ok := errors.AsType[*events.Error](err); !ok || refused.Path != tt.path {
			t.Errorf("token %+v: %v, want path %s", tt.n, err, tt.path)
		}
	}
	if len(log.msgs) != 0 {
		t.Errorf("%d messages were stored", len(log.msgs))
	}
}

func TestPutIsIdempotent(t *testing.T) {
	log := &memoryLog{}
	s := open(t, log, newClock())
	for _, step := range []struct {
		p    Producer
		want Outcome
	}{
		{Producer{"ats", []string{"data", "subject"}, nil}, Added},
		{Producer{"ats", []string{"subject", "data"}, []string{}}, Unchanged},
		{Producer{"ats", []string{"data"}, nil}, Changed},
		{Producer{"ats", []string{"data"}, []string{"data.deleted"}}, Changed},
		{Producer{"ats", []string{"data"}, []string{"data.deleted"}}, Unchanged},
	} {
		if got, err := s.PutProducer(t.Context(), byTest, step.p); err != nil || got != step.want {
			t.Errorf("put %+v: %s, %v, want %s", step.p, got, err, step.want)
		}
	}
	if len(log.msgs) != 3 {
		t.Errorf("%d messages, want 3", len(log.msgs))
	}
}

func TestLimits(t *testing.T) {
	log, c := &memoryLog{}, newClock()
	s := open(t, log, c)
	st := s.state.Load().clone()
	for i := range MaxProducers {
		name := fmt.Sprintf("p%d", i)
		st.producers[name] = &producer{}
	}
	for i := range MaxTokens - 1 {
		st.tokens[fmt.Sprintf("%016x", i)] = &token{}
	}
	st.tokens[fmt.Sprintf("%016x", MaxTokens)] = &token{Token: Token{Expires: c.now}} // over: does not count
	real := s.state.Swap(st)
	if _, err := s.PutProducer(t.Context(), byTest, Producer{Name: "more", Families: []string{"data"}}); !errors.Is(err, ErrLimit) {
		t.Errorf("producer beyond the limit: %v", err)
	}
	st.tokens["f"] = &token{}
	if _, _, err := s.CreateToken(t.Context(), byTest, NewToken{Role: RoleDPO, Name: "more"}); !errors.Is(err, ErrLimit) {
		t.Errorf("token beyond the limit: %v", err)
	}
	s.state.Store(real)
}

// TestAnyHistory makes random changes over a log with random faults: the state
// is always the fold of what the log holds, and the last operator stays.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log, c := &memoryLog{}, newClock()
		s, err := Open(t.Context(), Config{Log: log, Ledger: "test", Now: c.Now})
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := s.CreateFirst(t.Context()); err != nil {
			rt.Fatal(err)
		}
		names := rapid.SampledFrom([]string{"ats", "crm", "hr"})
		for range rapid.IntRange(1, 30).Draw(rt, "changes") {
			c.now = c.now.Add(time.Minute)
			if rapid.IntRange(0, 4).Draw(rt, "fault") == 0 {
				log.fail, log.store = stream.ErrUnknown, rapid.Bool().Draw(rt, "stored")
			}
			randomChange(rt, s, names)
			if n := s.state.Load().liveTokens(RoleOperator, "", c.now); n < 1 {
				rt.Fatal("no operator is left")
			}
			if s.Position() > log.Last() {
				rt.Fatal("the state is ahead of the log")
			}
		}
		s.mustSettle(rt)
		again, err := Open(t.Context(), Config{Log: log, Ledger: "test", Now: c.Now})
		if err != nil {
			rt.Fatal(err)
		}
		if got, want := describe(s), describe(again); got != want {
			rt.Fatalf("state is not the fold:\n got %s\nwant %s", got, want)
		}
	})
}

func randomChange(rt *rapid.T, s *Store, names *rapid.Generator[string]) {
	ctx, name := rt.Context(), names.Draw(rt, "name")
	switch rapid.IntRange(0, 3).Draw(rt, "what") {
	case 0:
		families := rapid.SliceOfDistinct(rapid.SampledFrom(families()), rapid.ID).Draw(rt, "families")
		_, _ = s.PutProducer(ctx, byTest, Producer{Name: name, Families: families})
	case 1:
		_ = s.RemoveProducer(ctx, byTest, name)
	case 2:
		n := NewToken{Role: rapid.SampledFrom(Roles()).Draw(rt, "role"), Name: name}
		switch {
		case n.Role == RoleProducer:
			n.Producer = name
		case n.Role == RoleSubject:
			n.Person = aPerson
		case boxable(n.Role) && rapid.Bool().Draw(rt, "boxed"):
			n.Box = Box{Case: "c-7", From: time.UnixMicro(rapid.Int64Range(0, 1e15).Draw(rt, "from"))}
		}
		_, _, _ = s.CreateToken(ctx, byTest, n)
	case 3:
		tokens := s.Tokens()
		_ = s.RevokeToken(ctx, byTest, tokens[rapid.IntRange(0, len(tokens)-1).Draw(rt, "token")].ID)
	}
}

func (s *Store) mustSettle(rt *rapid.T) {
	s.change.Lock()
	defer s.change.Unlock()
	if err := s.settle(rt.Context()); err != nil {
		rt.Fatal(err)
	}
}
