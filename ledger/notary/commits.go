package notary

import (
	"context"
	"fmt"

	"github.com/imalink/custody/ledger/evidence"
)

// lookBack is how many records are read at once in search of a commit.
const lookBack = 4096

// lastCommit is the position of the last commit among the first size records, 0 if there is none, and of the last
// record that is no commit. A busy ledger commits every second: what is read does not grow with it.
func (n *Notary) lastCommit(size uint64) (commit, other uint64, err error) {
	for to := size; to > 0; {
		from := to - min(to, lookBack)
		records, err := n.log.Records(evidence.Span{From: from, To: to})
		if err != nil {
			return 0, 0, err
		}
		for i := to; i > from; i-- {
			isCommit := records[(i-1-from)*evidence.RecordSize+1] == evidence.KindCommitted
			if isCommit && commit == 0 {
				commit = i
			}
			if !isCommit && other == 0 {
				other = i
			}
			if commit != 0 && other != 0 {
				return commit, other, nil
			}
		}
		to = from
	}
	return commit, other, nil
}

// commitAt is what the commit at a position says.
func (n *Notary) commitAt(ctx context.Context, position uint64) (evidence.Commit, error) {
	rec, err := n.cfg.Stream.Event(ctx, position)
	if err != nil {
		return evidence.Commit{}, fmt.Errorf("reading the commit: %w", err)
	}
	c, err := evidence.ParseCommit(rec.Raw)
	if err != nil {
		return evidence.Commit{}, fmt.Errorf("position %d: %w", position, err)
	}
	return c, nil
}
