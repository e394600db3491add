package evidence

import "time"

// Closed reports whether the period that was asked about was over when the answer was made, and a grace after it in
// which events come late: a witness cosigned then, and of LIGHT nothing else is under the checkpoint, or the commit
// was made then too. at is when the last witness cosigned. Of positions there is no period.
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
	for _, c := range v.Head.Witnesses {
		if c.Time.After(at) {
			at = c.Time
		}
	}
	if v.Type == TypeLight && v.Head.Size > v.Upto+1 && time.UnixMilli(v.Leaf.Record.Time).Before(end) {
		return at, false
	}
	return at, !at.Before(end)
}
