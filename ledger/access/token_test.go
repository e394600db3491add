package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTokenText(t *testing.T) {
	form := regexp.MustCompile(`^custody_[a-z]+_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$`)
	for _, role := range Roles() {
		id, secret, _ := mint(role)
		if text := secret.Reveal(); !form.MatchString(text) {
			t.Errorf("the text of a token of role %s has another form: %d bytes", role, len(text))
		}
		if got, ok := tokenID(secret.Reveal()); !ok || got != id {
			t.Errorf("tokenID = %q, %t, want %q", got, ok, id)
		}
	}
}

func TestSecretDoesNotPrint(t *testing.T) {
	_, secret, _ := mint(RoleOperator)
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+" ", secret, &secret)
		fmt.Fprintf(&out, verb+" ", struct{ S Secret }{secret})
	}
	j, err := json.Marshal(map[string]any{"a": secret, "b": []Secret{secret}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	slog.New(slog.NewTextHandler(&out, nil)).Info("made", "secret", secret)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("made", "secret", secret)
	fmt.Fprint(&out, fmt.Errorf("making %v", secret), secret.String(), secret.GoString())
	text := secret.Reveal()
	for i := 0; i+8 <= len(text); i++ {
		part := text[i : i+8]
		if !strings.Contains("custody_", part) && (strings.Contains(out.String(), part) || strings.Contains(out.String(), fmt.Sprintf("%x", part))) {
			t.Fatalf("part of a secret was printed in %d bytes of output", out.Len())
		}
	}
}

// TestAuthenticateExactly changes each byte of a token's text, and its length:
// nothing but the text itself is accepted.
func TestAuthenticateExactly(t *testing.T) {
	c := newClock()
	s := open(t, &memoryLog{}, c)
	text, tok := s.mustToken(t, NewToken{Role: RoleAuditor, Name: "court"})
	p, err := s.Authenticate(text)
	if err != nil || p.Token != tok.ID || p.Role != RoleAuditor || p.Name != "court" {
		t.Fatalf("Authenticate = %+v, %v", p, err)
	}
	wrong := []string{"", " " + text, text + " ", text + "A", text[1:], strings.ToUpper(text), "custody_", "custody___"}
	for i := range text {
		wrong = append(wrong, text[:i], text[:i]+text[i+1:], text[:i]+string(text[i]^1)+text[i+1:])
	}
	wrong = append(wrong, strings.Replace(text, "auditor", "operator", 1), strings.Replace(text, tok.ID, "0000000000000000", 1))
	for _, w := range wrong {
		if p, err := s.Authenticate(w); !errors.Is(err, ErrUnauthenticated) || p != (Principal{}) {
			t.Errorf("a text that differs was accepted as %s", p.Role)
		}
	}
}

func TestExpiry(t *testing.T) {
	c := newClock()
	s := open(t, &memoryLog{}, c)
	end := c.now.Add(time.Hour)
	text, _ := s.mustToken(t, NewToken{Role: RoleDPO, Name: "dpo", Expires: end})
	p := must[Principal](t)(s.Authenticate(text))
	for _, step := range []struct {
		at   time.Time
		want bool
	}{{end.Add(-time.Millisecond), true}, {end, false}, {end.Add(time.Hour), false}} {
		c.now = step.at
		_, err := s.Authenticate(text)
		if (err == nil) != step.want || s.Valid(p) != step.want {
			t.Errorf("%v before the end: valid %t and %t, want %t", end.Sub(step.at), err == nil, s.Valid(p), step.want)
		}
	}
	if s.Valid(Principal{}) {
		t.Error("the zero principal is valid")
	}
}

func TestRevoke(t *testing.T) {
	log := &memoryLog{}
	s := open(t, log, newClock())
	text, tok := s.mustToken(t, NewToken{Role: RoleDPO, Name: "dpo"})
	p := must[Principal](t)(s.Authenticate(text))
	for range 2 { // the second is no change
		if err := s.RevokeToken(t.Context(), byTest, tok.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(log.msgs) != 2 {
		t.Errorf("%d messages, want 2: one made, one revoked", len(log.msgs))
	}
	if _, err := s.Authenticate(text); !errors.Is(err, ErrUnauthenticated) || s.Valid(p) {
		t.Error("a revoked token is accepted")
	}
	if err := s.RevokeToken(t.Context(), byTest, "0123456789abcdef"); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoking an unknown token: %v", err)
	}
}

// TestLastOperator shows that no order of revoking leaves a ledger that nobody
// can operate, an operator whose time is over not counted.
func TestLastOperator(t *testing.T) {
	c := newClock()
	s := open(t, &memoryLog{}, c)
	first := must[Secret](t)(s.CreateFirst(t.Context()))
	firstID, _ := tokenID(first.Reveal())
	if _, err := s.CreateFirst(t.Context()); !errors.Is(err, ErrConflict) {
		t.Errorf("a second first token: %v", err)
	}
	if err := s.RevokeToken(t.Context(), firstID, firstID); !errors.Is(err, ErrConflict) {
		t.Errorf("revoking the only operator: %v", err)
	}
	_, short := s.mustToken(t, NewToken{Role: RoleOperator, Name: "short", Expires: c.now.Add(time.Minute)})
	c.now = c.now.Add(time.Hour)
	if err := s.RevokeToken(t.Context(), firstID, firstID); !errors.Is(err, ErrConflict) {
		t.Errorf("revoking the only operator that is not expired: %v", err)
	}
	_, second := s.mustToken(t, NewToken{Role: RoleOperator, Name: "second"})
	if err := s.RevokeToken(t.Context(), second.ID, firstID); err != nil {
		t.Errorf("revoking one of two operators: %v", err)
	}
	if err := s.RevokeToken(t.Context(), second.ID, second.ID); !errors.Is(err, ErrConflict) {
		t.Errorf("revoking the last of two operators: %v", err)
	}
	if err := s.RevokeToken(t.Context(), second.ID, short.ID); !errors.Is(err, ErrConflict) && err != nil {
		t.Errorf("revoking an expired operator: %v", err)
	}
}

// TestRemovedProducer shows that its tokens end with it and do not come back.
func TestRemovedProducer(t *testing.T) {
	s := open(t, &memoryLog{}, newClock())
	s.mustPut(t, "ats", "data")
	s.mustPut(t, "crm", "data")
	gone, _ := s.mustToken(t, NewToken{Role: RoleProducer, Name: "a", Producer: "ats"})
	stays, _ := s.mustToken(t, NewToken{Role: RoleProducer, Name: "c", Producer: "crm"})
	if err := s.RemoveProducer(t.Context(), byTest, "ats"); err != nil {
		t.Fatal(err)
	}
	if s.Registered("ats") || !s.Registered("crm") {
		t.Error("the wrong producer was removed")
	}
	s.mustPut(t, "ats", "data")
	if _, err := s.Authenticate(gone); !errors.Is(err, ErrUnauthenticated) {
		t.Error("the token of a removed producer came back with it")
	}
	if _, err := s.Authenticate(stays); err != nil {
		t.Errorf("another producer's token: %v", err)
	}
	if err := s.RemoveProducer(t.Context(), byTest, "hr"); !errors.Is(err, ErrNotFound) {
		t.Errorf("removing an unknown producer: %v", err)
	}
}
