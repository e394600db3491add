package evidence

import "time"

// Closed reports whether the period that was asked about was over when the answer was made, and a grace after it in
// which events come late: the quorum of witnesses cosigned then, and of LIGHT nothing else is under the checkpoint, or
// the commit was made then too, by the ledger's clock. at is when that quorum had cosigned. Of positions there is no
// period.
func (v *Verdict) Closed() (at time.Time, ok bool) {
	var end time.Time
	switch v.Question.Of {
	case Days:
		end = time.UnixMilli(int64(v.Question.To+1) * dayMillis)
	case Instants:
		end = time.UnixMilli(int64(v.Question.To))
	default:
		return time.Time{}, false
	}
	end = end.Add(lateAfter)
	at = v.Head.WitnessedAt()
	if v.Overtaken() && time.UnixMilli(v.Leaf.Record.Time).Before(end) {
		return at, false
	}
	return at, !at.Before(end)
}

// Overtaken reports whether records that an answer of class LIGHT does not look at are under its checkpoint, beside
// the commit itself.
func (v *Verdict) Overtaken() bool { return v.Type == TypeLight && v.Head.Size > v.Upto+1 }
