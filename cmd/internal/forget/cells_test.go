package forget

import (
	"slices"
	"testing"

	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
)

// goes are the classes and months of which keys go, as a certificate has them.
func goes(c *report.Certificate) (list []string) {
	for _, x := range c.Cells {
		list = append(list, x.Class+" "+string(x.From)+" "+string(x.To))
	}
	return list
}

// TestCells: a certificate names the months of events about the person whose keys go,
// and no others; for whoever is known for something else only there are none.
func TestCells(t *testing.T) {
	r := small(t)
	month := today()[:7]
	for _, one := range []struct {
		name, id string
		keep     []events.Keeping
		now      bool
		want     []string
	}{
		{"who only acted", whiskey, nil, false, nil},
		{"the other of two", yankee, nil, false, []string{"access 2025-02 2025-02"}},
		{"with an alias", zulu, nil, false, []string{"access 2025-01 2025-02", "disclosure 2025-02 2025-02", "legal-state 2025-01 2025-01"}},
		// What was asked until then, and the opening, are about the person, too.
		{"a class kept, of which one identifier has none", alias, []events.Keeping{{Class: events.Disclosure, Ground: "A17-3-e"}}, true,
			[]string{"access 2025-01 2025-02", "access " + month + " " + month, "legal-state 2025-01 2025-01", "legal-state " + month + " " + month}},
		{"what was kept, later", zulu, nil, false, []string{"disclosure 2025-02 2025-02"}},
	} {
		q := asked(one.id)
		q.Keep, q.Now = one.keep, one.now
		var c *report.Certificate
		if one.now {
			c = r.erase(q)
		} else {
			c = r.paper(r.Plan(t.Context(), dpo(), q))
		}
		if got := goes(c); !slices.Equal(got, one.want) {
			t.Errorf("%s: %q, want %q", one.name, got, one.want)
		}
	}
}
