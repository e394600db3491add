package access

import (
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
)

// TestRights holds the whole table of rights a second time: a right that is
// given or taken must be written in both places.
func TestRights(t *testing.T) {
	const want = `
		                  producer relay dpo investigator auditor operator subject
		record            x        x     -   -            -       -        -
		replay            -        -     x   x            x       -        -
		replay-envelope   -        -     -   -            -       x        -
		status            -        -     x   x            x       x        -
		manage-producers  -        -     -   -            -       x        -
		manage-tokens     -        -     -   -            -       x        -
		metrics           -        -     -   -            -       x        -
		query-persons     -        -     x   x            -       -        -
		query-actors      -        -     x   x            -       -        -
		query-search      -        -     x   x            -       -        -
		query-event       -        -     x   x            -       -        -
		reveal            -        -     x   -            -       -        -
		query-parties     -        -     x   x            x       -        -
		query-transfers   -        -     x   x            x       -        -
		query-register    -        -     x   x            x       -        -
		explain           -        -     x   x            x       -        -
		query-coverage    -        -     x   x            x       x        -
		manage-views      -        -     -   -            -       x        -
		own-record        -        -     -   -            -       -        x
		erase             -        -     x   -            -       -        -
		retain            -        -     x   -            -       -        -
		approve           -        -     x   -            -       -        -
		backup            -        -     -   -            -       x        -
		prove             -        -     x   -            x       -        -
		cosign            -        -     -   -            x       -        -
		manage-keys       -        -     -   -            -       x        -`
	lines := strings.Split(strings.TrimSpace(want), "\n")
	var roles []string
	for _, r := range Roles() {
		roles = append(roles, string(r))
	}
	if got := strings.Fields(lines[0]); !slices.Equal(got, roles) {
		t.Fatalf("roles are %v, the table here has %v", roles, got)
	}
	if len(lines)-1 != len(Actions()) {
		t.Fatalf("%d actions, the table here has %d", len(Actions()), len(lines)-1)
	}
	for i, a := range Actions() {
		row := strings.Fields(lines[i+1])
		if row[0] != a.String() {
			t.Fatalf("action %d is %s, the table here has %s", i, a, row[0])
		}
		for j, role := range Roles() {
			p := Principal{Role: role, actions: actionsOf(role)}
			allowed := row[j+1] == "x"
			if p.Can(a) != allowed {
				t.Errorf("%s may %s: %t, want %t", role, a, p.Can(a), allowed)
			}
			if slices.Contains(RolesOf(a), role) != allowed {
				t.Errorf("RolesOf(%s) and Can differ on %s", a, role)
			}
		}
	}
}

func TestNobodyMayDoAnything(t *testing.T) {
	for a := range Action(40) {
		if (Principal{}).Can(a) || (Principal{Role: "operator"}).Can(a) || (Principal{actions: actionsOf("root")}).Can(a) {
			t.Errorf("action %d is allowed without a token", a)
		}
		if a == 0 || int(a) > len(Actions()) {
			for _, role := range Roles() {
				if (Principal{actions: actionsOf(role)}).Can(a) {
					t.Errorf("%s may do action %d, which there is not", role, a)
				}
			}
		}
	}
}

// TestMay goes through every kind, for a producer and a relay, of an own, a
// foreign, an unknown and a malformed source.
func TestMay(t *testing.T) {
	s := open(t, &memoryLog{}, newClock())
	except := "data.deleted"
	if _, err := s.PutProducer(t.Context(), byTest, Producer{Name: "ats", Families: []string{"data", "ledger"}, Except: []string{except}}); err != nil {
		t.Fatal(err)
	}
	s.mustPut(t, "register", "governance")
	own, _ := s.mustToken(t, NewToken{Role: RoleProducer, Name: "ats-1", Producer: "ats"})
	relay, _ := s.mustToken(t, NewToken{Role: RoleRelay, Name: "import"})
	dpo, _ := s.mustToken(t, NewToken{Role: RoleDPO, Name: "dpo"})
	principal := func(text string) Principal { return must[Principal](t)(s.Authenticate(text)) }
	sends := map[string]func(events.Kind) bool{
		"/ats": func(k events.Kind) bool {
			return (k.Family() == "data" || k.Family() == "ledger") && k.Name() != except && !k.ByLedger()
		},
		"/register": func(k events.Kind) bool { return k.Family() == "governance" },
	}
	for _, k := range append(events.Kinds(), 0, 255) {
		for _, source := range []string{"/ats", "/register", "/nobody", "", "/", "ats", "//ats", "/ats/", "/ATS", "/ats\n"} {
			want := ""
			if sends[source] == nil {
				want = "/source"
			} else if !sends[source](k) {
				want = "/type"
			}
			check := func(who, want string, got *events.Error) {
				t.Helper()
				if path(got) != want {
					t.Errorf("%s sends %q of source %q: path %q, want %q", who, k.Name(), source, path(got), want)
				}
			}
			check("relay", want, s.May(principal(relay), source, k))
			if source != "/ats" {
				want = "/source"
			}
			check("producer", want, s.May(principal(own), source, k))
			check("dpo", "none", s.May(principal(dpo), source, k))
			check("nobody", "none", s.May(Principal{Role: RoleRelay}, source, k))
		}
	}
}

// path is the path of a refusal, "none" for one of the whole event.
func path(e *events.Error) string {
	switch {
	case e == nil:
		return ""
	case e.Path == "":
		return "none"
	}
	return e.Path
}
