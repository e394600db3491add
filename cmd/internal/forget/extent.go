package forget

import (
	"cmp"
	"fmt"
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

// cells puts in the cells in which the person's keys go: of the subject's role,
// and of the actor's if that goes, too. A key goes unless it stays of every row.
func (o *Office) cells(c *report.Certificate, rows map[vault.PersonID][]vault.Chain) error {
	stay := map[vault.Chain]int{} // of how many rows
	var id vault.Identifier
	for row, chains := range rows {
		for _, chain := range chains {
			stay[chain]++
		}
		var err error
		if id, err = o.Ledger.Vault().IdentifierOf(row); err != nil {
			return fmt.Errorf("finding what goes: %w", err)
		}
	}
	months := map[events.Retention]map[vault.Month]uint64{}
	for _, role := range []vault.Role{vault.Subject, vault.Actor} {
		if role == vault.Actor && !c.Erasure.AsActor {
			continue
		}
		tags, err := o.Ledger.Vault().TagsOf(id, role) // of every row
		if err != nil {
			return fmt.Errorf("finding what goes: %w", err)
		}
		seen := map[vault.CellID]bool{}
		for _, t := range tags {
			class := events.Retention(t.Cell.Class)
			if seen[t.Cell] || stay[vault.Chain{Class: t.Cell.Class, Role: role}] == len(rows) {
				continue
			}
			seen[t.Cell] = true
			if months[class] == nil {
				months[class] = map[vault.Month]uint64{}
			}
			months[class][t.Cell.Month]++
		}
	}
	c.Cells = cellsOf(months)
	return nil
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
