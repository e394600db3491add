package vault

import (
	"context"
	"fmt"
	"iter"
	"os"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// A cutLog stops in the middle of the second reading that it is asked for.
type cutLog struct {
	*memLog
	readings int
	last     uint64 // of the second reading
}

func (l *cutLog) Replay(ctx context.Context, from, to uint64) iter.Seq2[stream.Message, error] {
	l.readings++
	second := l.readings == 2
	return func(yield func(stream.Message, error) bool) {
		for m, err := range l.memLog.Replay(ctx, from, to) {
			if second && m.Sequence > l.last {
				yield(stream.Message{}, errFault)
				return
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// An index that is far behind is brought up in parts. Cut short after any of them,
// the next opening knows the table in force and every root that was ever made, as
// if there had been one part.
func TestIndexBroughtUpInParts(t *testing.T) {
	b := newBenchWith(t, bench{every: 3, escrow: &escrow{}})
	b.tag(march, "candidate:0")
	must(t, b.Close())
	behind, err := os.ReadFile(b.index)
	must(t, err)
	first := b.log.Last()
	b.open()
	for i := range 5 {
		b.tag(march, Identifier(fmt.Sprint("candidate:", i)))
	}
	want := b.tag(april, "candidate:1") // another table
	b.escrow.fails = []*fault{{}}
	wantErr(t, b.Rekey(t.Context(), nil), ErrAbandoned) // a root that never comes into force
	for i := range 9 {
		b.tag(march, Identifier(fmt.Sprint("candidate:", 10+i)))
	}
	must(t, b.Close())
	for last := first; last <= b.log.Last(); last++ {
		must(t, os.WriteFile(b.index, behind, 0o600))
		o := b.options()
		o.Log = &cutLog{memLog: b.log, last: last}
		if v, err := Open(t.Context(), o); err == nil {
			must(t, v.Close())
		} else {
			wantErr(t, err, errFault)
		}
		b.open()
		got, ok, err := b.TagOf(april, "candidate:1")
		if err != nil || !ok || got != want {
			t.Errorf("cut after %d: tag under a cell of the table in force: %v %t %v", last, got, ok, err)
		}
		equal(t, "next root", b.Next(), 3)
		b.sound()
		must(t, b.Close())
		b.Vault = nil
	}
}
