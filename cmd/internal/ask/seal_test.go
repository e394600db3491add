package ask

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/projections/search"
)

// TestHandles holds that a handle is its token's, for an hour, for one use, at one
// desk, and unchanged.
func TestHandles(t *testing.T) {
	r := small(t)
	found, err := r.Lookup(t.Context(), dpo(), Person, zulu, "", Question{Name: "person.lookup"})
	if err != nil || found.Identifiers != 2 {
		t.Fatalf("%d identifiers: %v", found.Identifiers, err)
	}
	other := dpo()
	other.Token = "0123456789abcdee"
	ask := func(a Asker, handle string) error {
		return second(r.Person(t.Context(), a, handle, "timeline", Question{Name: "person.timeline"}))
	}
	if err := ask(dpo(), found.Handle); err != nil {
		t.Fatal(err)
	}
	before := r.questions()
	for name, err := range map[string]error{
		"another token": ask(other, found.Handle),
		"empty":         ask(dpo(), ""),
		"as an actor":   second(r.Actor(t.Context(), dpo(), found.Handle, "timeline", Question{Name: "x"})),
		"as a session":  second(r.Session(t.Context(), dpo(), found.Handle, Question{Name: "x"})),
		"as a cursor":   second(r.Events(t.Context(), dpo(), Question{Name: "x", Cursor: found.Handle})),
		"in a question": second(r.Events(t.Context(), dpo(), Question{Name: "x", About: []About{{What: Session, Handle: found.Handle}}})),
	} {
		if !errors.Is(err, ErrHandle) && !errors.Is(err, ErrCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(found.Handle)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1 << (i % 8)
		if err := ask(dpo(), base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, ErrHandle) {
			t.Errorf("byte %d was changed: %v", i, err)
		}
		if err := ask(dpo(), base64.RawURLEncoding.EncodeToString(raw[:i])); !errors.Is(err, ErrHandle) {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
		raw[i] ^= 1 << (i % 8)
	}
	r.ahead = handleTime - time.Minute
	if err := ask(dpo(), found.Handle); err != nil {
		t.Errorf("within the hour: %v", err)
	}
	r.ahead = handleTime + time.Second
	if err := ask(dpo(), found.Handle); !errors.Is(err, ErrHandle) {
		t.Errorf("after an hour: %v", err)
	}
	r.ahead = 0
	if r.questions() != before+1 {
		t.Error("a question that was refused was recorded")
	}
	another, err := New(Config{Ledger: r.ledger, Views: r.set})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := another.Person(t.Context(), dpo(), found.Handle, "timeline", Question{Name: "x"}); !errors.Is(err, ErrHandle) {
		t.Errorf("at another desk: %v", err)
	}
}

// TestCursors holds that a cursor goes on with the question it is of, and no other.
func TestCursors(t *testing.T) {
	r := small(t)
	q := Question{Name: "events", Case: "c-1", Limit: 2, About: Identified(zulu, "", ""), Any: map[search.Facet][]string{search.System: {"ats"}}}
	ask := func(a Asker, change func(*Question)) (Page, error) {
		q := q
		q.Any = map[search.Facet][]string{search.System: {"ats"}}
		change(&q)
		got, err := r.Search(t.Context(), a, "events", q, Counting{})
		if err != nil {
			return Page{}, err
		}
		return *got.Page, nil
	}
	first, err := ask(dpo(), func(*Question) {})
	if err != nil || first.Next == "" {
		t.Fatal(err)
	}
	q.Cursor = first.Next
	before := r.questions()
	other, boxed := dpo(), dpo()
	other.Token, boxed.Case = "0123456789abcdee", "c-1"
	boxed.From = time.Unix(0, 0)
	for name, tt := range map[string]struct {
		a      Asker
		change func(*Question)
		want   error
	}{
		"the same":       {dpo(), func(*Question) {}, nil},
		"another length": {dpo(), func(q *Question) { q.Limit = 1 }, nil},
		"other name":     {dpo(), func(q *Question) { q.Name = "transfers" }, ErrCursor},
		"case":           {dpo(), func(q *Question) { q.Case = "c-2" }, ErrCursor},
		"order":          {dpo(), func(q *Question) { q.Newest = true }, ErrCursor},
		"from":           {dpo(), func(q *Question) { q.From = time.Unix(1, 0) }, ErrCursor},
		"to":             {dpo(), func(q *Question) { q.To = time.Now() }, ErrCursor},
		"at":             {dpo(), func(q *Question) { q.At = time.Now() }, ErrCursor},
		"known_at":       {dpo(), func(q *Question) { q.KnownAt = "9" }, ErrCursor},
		"value":          {dpo(), func(q *Question) { q.Any[search.System] = []string{"crm"} }, ErrCursor},
		"facet":          {dpo(), func(q *Question) { q.Any[search.Mode] = []string{"view"} }, ErrCursor},
		"somebody else":  {dpo(), func(q *Question) { q.About = Identified(yankee, "", "") }, ErrCursor},
		"nobody":         {dpo(), func(q *Question) { q.About = nil }, ErrCursor},
		"an actor, too":  {dpo(), func(q *Question) { q.About = Identified(zulu, whiskey, "") }, ErrCursor},
		"another token":  {other, func(*Question) {}, ErrHandle},
		"another box":    {boxed, func(*Question) {}, ErrCursor},
		"changed":        {dpo(), func(q *Question) { q.Cursor = strings.ToUpper(q.Cursor) }, ErrHandle},
		"a handle":       {dpo(), func(q *Question) { q.Cursor = r.named(dpo(), Person, zulu) }, ErrCursor},
	} {
		page, err := ask(tt.a, tt.change)
		if !errors.Is(err, tt.want) || tt.want == nil && (err != nil || page.Items[0].Position <= first.Items[1].Position || page.AsOf != first.AsOf) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.ahead = handleTime + time.Second
	if _, err := ask(dpo(), func(*Question) {}); !errors.Is(err, ErrHandle) {
		t.Errorf("after an hour: %v", err)
	}
	if r.ahead = 0; r.questions() != before {
		t.Error("a page behind the first was recorded")
	}
	r.send(linked("apr-1", zulu, yankee))
	if _, err := ask(dpo(), func(*Question) {}); !errors.Is(err, ErrCursor) {
		t.Errorf("the answer goes on about more than one person: %v", err)
	}
}

// TestNothingPrints shows that a question cannot print whom it is about.
func TestNothingPrints(t *testing.T) {
	q := Question{Name: "events", About: Identified(zulu, whiskey, session)}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("asked", "question", q, "id", q.About[0].ID)
	slog.New(slog.NewTextHandler(&log, nil)).Info("asked", "question", q, "id", q.About[0].ID)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&log, verb+verb+verb, q, &q, handle{What: Person, ID: q.About[0].ID})
	}
	for _, secret := range []string{"zulu", "whiskey", "victor"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("printed: %s", log.String())
		}
	}
}

// FuzzOpen holds that nothing opens but what was sealed, for the token it was
// sealed for, and nothing panics.
func FuzzOpen(f *testing.F) {
	s, err := newSeals()
	if err != nil {
		f.Fatal(err)
	}
	ours := map[string]bool{}
	for _, v := range []any{handle{Person, opaque(zulu), 1}, cursor{After: 7}, cursor{}, "text", nil} {
		text, err := s.close("token", v)
		if err != nil {
			f.Fatal(err)
		}
		ours[text] = true
		f.Add("token", text)
		f.Add("other", text)
		f.Add("token", text[1:])
	}
	f.Add("", "")
	f.Fuzz(func(t *testing.T, token, text string) {
		var h handle
		var c cursor
		opened := s.open(token, text, &h) == nil
		if opened = s.open(token, text, &c) == nil || opened; opened && (token != "token" || !ours[text]) {
			t.Errorf("opened what was not sealed for it")
		}
	})
}
