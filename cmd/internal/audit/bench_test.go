package audit

import (
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// BenchmarkRecords audits records that are in memory, with a commit after every thousand.
func BenchmarkRecords(b *testing.B) {
	l := evidencetest.New(1)
	for range 100 {
		l.Grow(999)
		l.Commit()
	}
	all := make([]leaf, l.Size())
	for i := range all {
		all[i] = leaf{record: must(l.Records(evidence.Span{From: uint64(i), To: uint64(i) + 1})), event: l.Event(uint64(i))}
	}
	for b.Loop() {
		p := newPass(false)
		p.full = nobody
		for _, one := range all {
			if err := p.add(one); err != nil {
				b.Fatal(err)
			}
		}
		if len(p.faults)+len(p.far) > 0 || p.trail.Now().Root() != l.Root(l.Size()) {
			b.Fatal("not what is there")
		}
	}
	b.ReportMetric(float64(len(all))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkEvents audits stored events that are in memory.
func BenchmarkEvents(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		p := newPass(true)
		p.full = nobody
		for _, raw := range w.stored {
			if err := p.add(leaf{event: raw}); err != nil {
				b.Fatal(err)
			}
		}
		if len(p.faults) > 0 {
			b.Fatal(p.faults[0].why)
		}
	}
	b.ReportMetric(float64(len(w.stored))*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
