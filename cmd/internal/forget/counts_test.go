package forget

import (
	"slices"
	"testing"

	"github.com/imalink/custody/cmd/internal/report"
)

// TestCounts: a certificate says from when to when the events of each class and
// family are, though whoever asked about the person is in a class of theirs.
func TestCounts(t *testing.T) {
	r := small(t)
	r.accesses(zulu)
	for _, c := range []*report.Certificate{r.paper(r.Plan(t.Context(), dpo(), asked(zulu))), r.erase(asked(zulu))} {
		i := slices.IndexFunc(c.Remains.Events, func(n report.Count) bool { return n.Class == "access" && n.Family == "data" })
		if i < 0 || c.Remains.Events[i].Events != 2 || c.Remains.Events[i].First.Format("2006-01") != "2025-01" || c.Remains.Events[i].Last.Format("2006-01") != "2025-02" {
			t.Errorf("%+v", c.Remains.Events)
		}
		asked := false
		for _, n := range c.Remains.Events {
			asked = asked || n.Class == "access" && n.Family == "ledger"
			if n.First.IsZero() || n.Last.IsZero() {
				t.Errorf("%s, %s: without times", n.Class, n.Family)
			}
		}
		if !asked {
			t.Error("nobody asked about the person")
		}
	}
}
