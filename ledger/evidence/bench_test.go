package evidence_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// year is a ledger of a year's events, 1.5 % of them late, by up to a year. A share of the records outside its
// third quarter has T5, and a commit covers all. Which they are follows from the seed.
func year(size int, share float64, seed uint64) (*evidencetest.Ledger, evidence.Committed) {
	const days, millis = 365, 24 * 60 * 60 * 1000
	random := rand.New(rand.NewPCG(seed, uint64(size)))
	l := evidencetest.New(1)
	for i := range size {
		r := evidence.Record{Kind: 6, Flags: evidence.T0 | evidence.Shared, Producer: 1, Sequence: uint64(i + 1)}
		day := i * days / size
		if random.Float64() < 0.015 {
			r.Flags |= evidence.Late
			day = max(0, day-1-random.IntN(days))
		}
		if (day < 181 || day > 272) && random.Float64() < share {
			r.Flags = r.Flags&^evidence.T0 | evidence.T5
		}
		r.Time = int64(evidencetest.FirstDay+day)*millis + random.Int64N(millis)
		r.Digest[0], r.Digest[1], r.Digest[2], r.Digest[3] = byte(i), byte(i>>8), byte(i>>16), byte(i>>24)
		l.Add(r)
	}
	by := l.Commit()
	return l, by
}

// thirdQuarter asks whether T5 was recorded of its days.
var thirdQuarter = evidence.Question{What: evidence.Absence, Flags: evidence.T5, Of: evidence.Days, From: evidencetest.FirstDay + 181, To: evidencetest.FirstDay + 272}

// BenchmarkLight proves and verifies the absence of a flag in a quarter, where a share of the other records has it.
// It reports the size of the whole proof, and that of the annotated tree in it; and of five ledgers the largest proof,
// but for the largest ledger.
func BenchmarkLight(b *testing.B) {
	trust := evidencetest.Trust()
	for _, size := range []int{1e3, 1e4, 1e5, 1e6, 1e7} {
		for _, share := range []float64{0.0001, 0.001, 0.01} {
			most := 0
			for seed := range uint64(4) {
				if size > 1e6 {
					break
				}
				l, by := year(size, share, seed+2)
				most = max(most, len(must(evidence.ProveLight(l, l.Note(l.Size(), evidencetest.Everybody), thirdQuarter, by))))
			}
			l, by := year(size, share, 1)
			note := l.Note(l.Size(), evidencetest.Everybody)
			proof := must(evidence.ProveLight(l, note, thirdQuarter, by))
			without := len(must(evidence.ProveLight(l, note, evidence.Question{What: evidence.Absence, Flags: evidence.T3, Of: evidence.Days}, by)))
			b.Run(fmt.Sprintf("prove/%d/%g%%", size, share*100), func(b *testing.B) {
				for b.Loop() {
					must(evidence.ProveLight(l, note, thirdQuarter, by))
				}
				b.ReportMetric(float64(len(proof)), "bytes/proof")
				b.ReportMetric(float64(len(proof)-without), "bytes/tree")
				b.ReportMetric(float64(max(most, len(proof))), "bytes/largest")
			})
			b.Run(fmt.Sprintf("verify/%d/%g%%", size, share*100), func(b *testing.B) {
				for b.Loop() {
					must(evidence.Verify(proof, trust))
				}
				b.ReportMetric(float64(len(proof)), "bytes/proof")
			})
		}
	}
}

// BenchmarkReplay verifies a count over all records, and reports how many a second.
func BenchmarkReplay(b *testing.B) {
	l, _ := year(100_000, 0.001, 1)
	proof := must(evidence.ProveReplay(l, l.Note(l.Size(), evidencetest.Log), evidence.Question{What: evidence.Count, Flags: evidence.T5, Of: evidence.Days, To: 65000}))
	for b.Loop() {
		must(evidence.Verify(proof, nil))
	}
	b.ReportMetric(float64(l.Size())*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkEvent verifies that an event is in a log of a hundred thousand.
func BenchmarkEvent(b *testing.B) {
	l, _ := year(100_000, 0.001, 1)
	proof := must(evidence.ProveEvent(l, l.Note(l.Size(), evidencetest.Log|evidencetest.Witness), 77_777, nil))
	trust := evidencetest.Trust()
	for b.Loop() {
		must(evidence.Verify(proof, trust))
	}
	b.ReportMetric(float64(len(proof)), "bytes/proof")
}

// BenchmarkAccumulator adds records up to both roots.
func BenchmarkAccumulator(b *testing.B) {
	l, _ := year(10_000, 0.001, 1)
	records := must(l.Records(evidence.Span{To: 10_000}))
	var a evidence.Accumulator
	i := 0
	for b.Loop() {
		if err := a.Append(records[i%10_000*evidence.RecordSize:][:evidence.RecordSize]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkBlock makes blocks of the annotated tree, and reports entries a second.
func BenchmarkBlock(b *testing.B) {
	entries := make([]evidence.Entry, evidence.BlockSize)
	for i := range entries {
		entries[i] = evidence.Entry{Flags: uint16(evidence.T0 | evidence.Shared), Day: uint16(20000 + i/100)}
	}
	for b.Loop() {
		evidence.Block(entries)
	}
	b.ReportMetric(float64(b.N)*evidence.BlockSize/b.Elapsed().Seconds(), "entries/s")
}
