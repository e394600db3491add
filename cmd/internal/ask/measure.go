package ask

import "context"

// A Measure is how much an erasure is about, in figures that do not move because
// somebody asks: what the ledger records itself does not count.
type Measure struct {
	Identifiers int
	Events      uint64 // of producers, that list the person
	Acts        uint64 // events of producers in which the person acted, or is named as somebody who acts
}

// Measure is how much a plan is about.
func (p *Plan) Measure() Measure {
	m := Measure{Identifiers: len(p.Identifiers)}
	for _, one := range p.Identifiers {
		m.Acts += one.Acts
	}
	for _, kind := range ofProducers() {
		m.Events += p.Events.Kinds[kind.Name()]
	}
	return m
}

// ErasureMeasure is how much erasing a person would be about, for somebody else to
// agree to. It shows no identifier, and is recorded as a question about the person;
// its errors are those of [Desk.ErasurePlan].
func (d *Desk) ErasureMeasure(ctx context.Context, a Asker, identifier string, o PlanOptions) (Measure, error) {
	s, p, _, err := d.planning(ctx, a, identifier, o)
	if err != nil {
		return Measure{}, err
	}
	return given(ctx, s, p.Measure(), 1, false)
}
