package ask

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// TestPlanReplay holds plans of drawn lives against reading everything again.
func TestPlanReplay(t *testing.T) {
	for seed := range 4 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			l := &lives{rig: r}
			var everybody []object
			for i, id := range folk { // nobody is unknown
				everybody = append(everybody, object{"specversion": "1.0", "source": "/ats", "id": fmt.Sprintf("p-%d", i), "time": january, "type": "eu.custody.subject.request-withdrawn.v1",
					"data": object{"actor": object{"id": "service:match", "role": "service"}, "subjects": []object{{"id": id, "role": "candidate"}}, "request": "R-1"}})
			}
			l.live(append(everybody, rapid.Custom(drawLives).Example(seed)...))
			rapid.Check(t, func(t *rapid.T) {
				l.own()
				id := pick(t, folk)
				o := PlanOptions{Case: "c-1", Reason: "objection", AsActor: rapid.Bool().Draw(t, "as actor")}
				for _, class := range rapid.SliceOfNDistinct(rapid.SampledFrom(classes()), 0, 2, rapid.ID).Draw(t, "keep") {
					o.Keep = append(o.Keep, events.Keeping{Class: class, Ground: pick(t, events.KeepGrounds())})
				}
				got, err := r.ErasurePlan(r.t.Context(), dpo(), id, o)
				if err != nil {
					t.Fatal(err)
				}
				want, linkers := l.plan(id, o)
				samePlan(r.t, got, want)
				l.sameRows(t, got, want)
				if shown := r.shown[got.Recorded]; got.Recorded != r.ledger.Head().Position || !slices.Equal(shown.Subjects, got.Subjects()) || !slices.Equal(shown.Actors, linkers) ||
					shown.Case != "c-1" || shown.ReasonCode != "objection" || shown.Role != "dpo" || shown.Token != "dpo-1" {
					t.Fatalf("recorded for %s, with %d linkers, want %d", shown.Case, len(shown.Actors), len(linkers))
				}
			})
		})
	}
}

// sameRows holds the rows of a plan, and the chains that stay of each, against
// what is said to stay.
func (l *lives) sameRows(t *rapid.T, got, want Plan) {
	rows := map[vault.PersonID][]vault.Chain{}
	for _, one := range want.Identifiers {
		row, err := l.rig.vault.RowOf(vault.Identifier(one.ID))
		if err != nil {
			t.Fatal(err)
		}
		rows[row] = nil
		for _, stays := range one.Stays {
			class, _ := parseClass(stays.Class)
			rows[row] = append(rows[row], vault.Chain{Class: uint8(class), Role: map[string]vault.Role{"subject": vault.Subject, "actor": vault.Actor}[stays.Role]})
		}
	}
	if !maps.EqualFunc(got.Rows, rows, slices.Equal) {
		t.Fatalf("rows %v, want %v", got.Rows, rows)
	}
	cells := l.going(want, got.AsOf.Position)
	for _, cell := range got.Cells {
		if !cells[cell] {
			t.Fatalf("cell %v: its keys stay, or there are none", cell)
		}
		delete(cells, cell)
	}
	if len(cells) != 0 {
		t.Fatalf("cells are missing: %v", slices.Collect(maps.Keys(cells)))
	}
}

// going are the cells of the events that list a person or in which it is somebody
// who acts, but for what stays.
func (l *lives) going(p Plan, until uint64) map[vault.CellID]bool {
	cells := map[vault.CellID]bool{}
	for _, one := range p.Identifiers {
		id := string(one.ID)
		for i := range l.all {
			e := &l.all[i]
			if e.position > until {
				continue
			}
			handlers, _ := e.data["handlers"].([]any)
			for role, is := range map[vault.Role]bool{
				vault.Subject: slices.Contains(e.subjects, id),
				vault.Actor: e.text("actor", "id") == id || e.text("actor", "for") == id || e.text("employee") == id || slices.Contains(handlers, any(id)) ||
					slices.Contains(l.rig.shown[e.position].Actors, id),
			} {
				class, _ := parseClass(e.retention())
				if is && !slices.ContainsFunc(one.Stays, func(s Staying) bool { return s.Class == e.retention() && s.Role == role.String() }) {
					cells[vault.CellID{Class: uint8(class), Role: role, Month: vault.MonthOf(e.at)}] = true
				}
			}
		}
	}
	return cells
}
