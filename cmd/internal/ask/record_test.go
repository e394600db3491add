package ask

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections/search"
)

// TestNothingInClear asks about people, a session and values, known and unknown,
// and looks for all of them in every byte that is kept.
func TestNothingInClear(t *testing.T) {
	r := small(t)
	const system, party, nobody = "oscar-79", "november-80", "candidate:mike81"
	q := Question{Name: "search", Any: map[search.Facet][]string{search.System: {system, "ats"}, search.Party: {party}}, KnownAt: "10"}
	for _, about := range [][3]string{{zulu, whiskey, session}, {alias, "", ""}, {nobody, whiskey, ""}, {"", nobody, "sess-lima82"}} {
		q.About = Identified(about[0], about[1], about[2])
		_, err := r.Search(t.Context(), dpo(), "events", q, Counting{})
		if unknown := slices.Contains(about[:], nobody); unknown != errors.Is(err, ErrNotKnown) || !unknown && err != nil {
			t.Error(err)
		}
	}
	if got := r.asked[11]; !slices.Equal(got.Filters, []string{"actor", "known_at", "party", "person", "session", "system"}) {
		t.Errorf("the filters are recorded as %v", got.Filters)
	}
	if _, err := r.Lookup(t.Context(), dpo(), Session, "sess-lima82", "events", Question{Name: "session.lookup"}); err != nil {
		t.Error(err)
	}
	for rec, err := range r.ledger.Replay(t.Context(), 11) {
		for _, value := range []string{system, party, `"ats"`, "uniform-saas"} {
			if err != nil || bytes.Contains(rec.Raw, []byte(value)) {
				t.Errorf("position %d holds a value that was asked for: %v", rec.Position, err)
			}
		}
	}
	r.close()
	defer r.open()
	for _, id := range []string{zulu, yankee, alias, whiskey, session, nobody, "sess-lima82", system, party} {
		needles := []string{id, hex.EncodeToString([]byte(id))}
		for offset := range 3 {
			b := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + id))
			needles = append(needles, b[(offset*8+5)/6:len(b)-2]) // the characters that depend on id alone
		}
		for _, dir := range []string{r.cfg.Data, r.cfg.Keys, r.folder} {
			err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				b, err := os.ReadFile(path)
				for _, n := range needles {
					if bytes.Contains(b, []byte(n)) {
						t.Errorf("%s holds what is not to be kept: %d bytes", filepath.Base(path), len(id))
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestUnknown holds that who is nobody leaves no trace but that one question found
// nobody, and that no other refusal says who is known.
func TestUnknown(t *testing.T) {
	r := small(t)
	const nobody = "candidate:mike81"
	many := make([]string, 0)
	for _, w := range []What{Person, Acting} {
		for _, show := range []string{"", "accesses", "timeline"} {
			found, err := r.Lookup(t.Context(), dpo(), w, nobody, show, Question{Name: "person.lookup"})
			if !errors.Is(err, ErrNotKnown) || found != (Found{}) || strings.Contains(err.Error(), "mike") {
				t.Errorf("%s %q: %v", w, show, err)
			}
			many = append(many, show)
		}
	}
	if _, known, err := r.vault.Lookup(nobody); known || err != nil {
		t.Errorf("known: %t, %v", known, err)
	}
	if n := r.questions(); n != len(many) || r.ledger.Head().Position != uint64(10+n) {
		t.Errorf("%d were recorded, of %d", n, len(many))
	}
	if got := r.last(); got.Persons != 0 || got.Subjects != nil || got.Actors != nil {
		t.Errorf("somebody was recorded")
	}
	// What cannot be recorded tells nothing either; nor does a question that makes
	// no sense, or is outside the box.
	boxed := dpo()
	boxed.Case = "case-kilo83"
	for name, bad := range map[string]struct {
		a    Asker
		q    Question
		show string
		want error
	}{
		"limit":  {dpo(), Question{Name: "x", Limit: MaxLimit + 1}, "", ErrQuestion},
		"below":  {dpo(), Question{Name: "x", Limit: -1}, "", ErrQuestion},
		"kind":   {dpo(), Question{Name: "x", Any: map[search.Facet][]string{search.Kind: {"data.peeked"}}}, "", ErrQuestion},
		"class":  {dpo(), Question{Name: "x", Any: map[search.Facet][]string{search.Class: {""}}}, "timeline", ErrQuestion},
		"none":   {dpo(), Question{Name: "x", Any: map[search.Facet][]string{search.Kind: {"data.shared"}}}, "accesses", ErrQuestion},
		"show":   {dpo(), Question{Name: "x"}, "everything", ErrQuestion},
		"known":  {dpo(), Question{Name: "x", KnownAt: "yesterday"}, "", ErrQuestion},
		"case":   {boxed, Question{Name: "x", Case: "another"}, "", ErrBox},
		"record": {dpo(), Question{Name: "x", Case: "No Case"}, "", ErrNotRecorded},
	} {
		for _, id := range []string{zulu, nobody, "71"} {
			before := r.ledger.Head()
			_, err := r.Lookup(t.Context(), bad.a, Person, id, bad.show, bad.q)
			if !errors.Is(err, bad.want) || errors.Is(err, ErrNotKnown) || r.ledger.Head() != before {
				t.Errorf("%s of %s: %v", name, id, err)
			}
		}
	}
	for _, id := range []string{"", strings.Repeat("x", vault.MaxIdentifier+1)} {
		if _, err := r.Lookup(t.Context(), dpo(), Person, id, "", Question{Name: "x"}); !errors.Is(err, ErrQuestion) {
			t.Errorf("an identifier of %d bytes: %v", len(id), err)
		}
	}
	for name, c := range map[string]Counting{"of": {Of: []string{"colour"}}, "by": {By: "fortnight"}, "zone": {Zone: "Atlantis/City"}, "server's zone": {Zone: "Local"}} {
		for _, id := range []string{zulu, nobody} {
			q := Question{Name: "x", About: Identified(id, "", "")}
			if _, err := r.Search(t.Context(), dpo(), "histogram", q, c); !errors.Is(err, ErrQuestion) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestAmbiguous gives a name without its type.
func TestAmbiguous(t *testing.T) {
	r := newRig(t)
	r.send(looked("e-1", january, "employee:501", "sess-1", "candidate:501"), looked("e-2", january, "employee:501", "sess-1", "candidate:502"))
	_, err := r.Lookup(t.Context(), dpo(), Person, "501", "timeline", Question{Name: "person.lookup"})
	several, ok := errors.AsType[*Ambiguous](err)
	if !ok || !slices.Equal(several.Candidates, []string{"candidate:501", "employee:501"}) || strings.Contains(err.Error(), "501") {
		t.Errorf("501: %v", err)
	}
	if r.questions() != 1 || r.last().Subjects != nil {
		t.Error("that candidates were shown is recorded once, without them")
	}
	r.refuse = func(events.Query) (uint64, error) { return 0, ledger.ErrNotRecorded }
	if _, err := r.Lookup(t.Context(), dpo(), Person, "501", "", Question{Name: "person.lookup"}); !errors.Is(err, ErrNotRecorded) {
		t.Errorf("not recorded: %v", err)
	} else if _, ok := errors.AsType[*Ambiguous](err); ok {
		t.Error("candidates without a record")
	}
	r.refuse = nil
	found, err := r.Lookup(t.Context(), dpo(), Person, "502", "timeline", Question{Name: "person.lookup"})
	if err != nil || found.Total != 1 || !slices.Equal(r.last().Subjects, []string{"candidate:502"}) {
		t.Errorf("502: %v", err)
	}
}
