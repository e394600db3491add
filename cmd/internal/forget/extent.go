package forget

import (
	"cmp"
	"maps"
	"slices"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// keptOf is what stays of a person, and on which ground. acts is how many events
// somebody acted in whose keys as an actor stay.
func keptOf(rows map[vault.PersonID][]vault.Chain, keep []events.Keeping, x ask.Extent, acts uint64) (kept []report.Kept) {
	for _, k := range keep {
		one := report.Kept{What: report.KeptClass, Class: k.Class.String(), Ground: k.Ground}
		for _, chains := range rows {
			if slices.Contains(chains, vault.Chain{Class: uint8(k.Class), Role: vault.Subject}) {
				one.Rows, one.Events = one.Rows+1, eventsOf(x, one.Class)
			}
		}
		kept = append(kept, one)
	}
	actor := report.Kept{What: report.KeptActor, Events: acts}
	for _, chains := range rows {
		if slices.ContainsFunc(chains, func(c vault.Chain) bool { return c.Role == vault.Actor }) {
			actor.Rows++
		}
	}
	if actor.Rows > 0 {
		kept = append(kept, actor)
	}
	slices.SortFunc(kept, func(a, b report.Kept) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Class, b.Class)) })
	return kept
}

func eventsOf(x ask.Extent, class string) uint64 {
	for _, c := range x.Classes {
		if c.Class == class {
			return c.Events
		}
	}
	return 0
}

// with are the cells in which keys go, with that of one more event, which lists the
// person under every identifier.
func with(g *ask.Going, cell vault.CellID) []vault.CellID {
	chain := vault.Chain{Class: cell.Class, Role: cell.Role}
	for _, stay := range g.Rows {
		if !slices.Contains(stay, chain) && !slices.Contains(g.Cells, cell) {
			return append(slices.Clone(g.Cells), cell)
		}
	}
	return g.Cells
}

// monthsOf are cells by class and month.
func monthsOf(cells []vault.CellID) map[events.Retention]map[vault.Month]uint64 {
	months := map[events.Retention]map[vault.Month]uint64{}
	for _, cell := range cells {
		class := events.Retention(cell.Class)
		if months[class] == nil {
			months[class] = map[vault.Month]uint64{}
		}
		months[class][cell.Month]++
	}
	return months
}

// cellsOf are months by class, those that follow each other in one row.
func cellsOf(months map[events.Retention]map[vault.Month]uint64) (all []report.Cells) {
	for _, class := range slices.Sorted(maps.Keys(months)) {
		var last vault.Month
		for _, m := range slices.Sorted(maps.Keys(months[class])) {
			if n := len(all); n > 0 && all[n-1].Class == class.String() && m == last+1 {
				all[n-1].To, all[n-1].Keys = month(m), all[n-1].Keys+months[class][m]
			} else {
				all = append(all, report.Cells{Class: class.String(), From: month(m), To: month(m), Keys: months[class][m]})
			}
			last = m
		}
	}
	return all
}

// month is one as a certificate has it.
func month(m vault.Month) report.Month { return report.Month(m.String()) }
