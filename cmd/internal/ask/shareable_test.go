package ask

import (
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/access"
)

// TestShareable: from the own record, what is secret is left out, in lists and in
// counts; others see it.
func TestShareable(t *testing.T) {
	r := small(t)
	for id, secrecy := range map[string]string{"mar-4": "inquiry", "mar-5": "privilege"} {
		r.send(strings.Replace(gave(id, march, whiskey, session, zulu, "authority-x"), `"system"`, `"secrecy":"`+secrecy+`","system"`, 1))
	}
	row, err := r.ledger.RowOf(zulu)
	if err != nil {
		t.Fatal(err)
	}
	me := Asker{Token: "aaaaaaaaaaaaaaaa", Name: "me-1", Role: access.RoleSubject, Box: access.Box{Person: row}}
	for _, test := range []struct {
		asker  Asker
		handle string
		want   []string
	}{
		{me, Me, []string{"jan-3", "feb-2", "mar-2"}},
		{dpo(), r.named(dpo(), Person, zulu), []string{"jan-3", "feb-2", "mar-2", "mar-4", "mar-5"}},
	} {
		for _, newest := range []bool{false, true} {
			var shown []string
			q := Question{Name: "x", Limit: 1, Newest: newest}
			for more := true; more; {
				page, err := r.Person(t.Context(), test.asker, test.handle, "disclosures", q)
				if err != nil {
					t.Fatal(err)
				}
				if page.Total != uint64(len(test.want)) {
					t.Errorf("%s: %d in all", test.asker.Role, page.Total)
				}
				for _, item := range page.Items {
					shown = append(shown, item.ID)
				}
				q.Cursor, more = page.Next, page.Next != ""
			}
			want := slices.Clone(test.want)
			slices.Sort(want)
			slices.Sort(shown)
			if !slices.Equal(shown, want) {
				t.Errorf("%s: %v", test.asker.Role, shown)
			}
		}
		shares, err := r.Recipients(t.Context(), test.asker, test.handle, Question{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		named := slices.ContainsFunc(shares.Items, func(s Share) bool { return s.Party == "authority-x" })
		if named != (test.asker.Role != access.RoleSubject) {
			t.Errorf("%s: the authority is among the recipients: %v", test.asker.Role, named)
		}
	}
}
