package evidence

import (
	"crypto/sha256"
	"io"
	"slices"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// lateAfter is how long after its time an event may be recorded and not be late.
const lateAfter = 24 * time.Hour

// RecordOf is the record of a stored event (docs/FORMAT.md, "Record"): a function of its bytes, but for the number of
// its producer, which depends on those before it. Only what stays clear is looked at, so st may have its event
// as it was sent.
func RecordOf(st *events.Stored, digest Hash, producer uint16) Record {
	r := Record{Kind: kindCode(st.Event.Kind), Flags: flagsOf(st), Time: st.Event.At.UnixMilli(), Producer: producer, Digest: digest}
	copy(r.Region[:], st.Facts.Region)
	if st.Event.Seq <= MaxSequence {
		r.Sequence = st.Event.Seq
	}
	return r
}

// kindCode is the kind's number, unless it tells of a breach or an inquiry.
func kindCode(k events.Kind) uint8 {
	if k == events.GovernanceAuthorityRequested || k.Family() == "breach" {
		return KindWithheld
	}
	return uint8(k)
}

func flagsOf(st *events.Stored) (f Flags) {
	e, facts := st.Event, &st.Facts
	set := func(flag Flags, on bool) {
		if on {
			f |= flag
		}
	}
	switch facts.Class {
	case "":
	case "T1f":
		f |= T1
	default:
		if i := slices.Index(flagNames[:], facts.Class); i >= 0 {
			f |= 1 << i & Classes
		}
	}
	f |= act(e.Kind)
	set(Special, facts.Special)
	set(NoBasis, e.Kind.Family() == "data" && e.Data.Get("basis").IsZero())
	set(Correction, e.Kind == events.LedgerCorrected)
	set(Late, st.Recorded.Sub(e.At) > lateAfter)
	set(Bulk, !e.Data.Get("bulk").IsZero())
	return f
}

// act is the flag of what is done with data.
func act(k events.Kind) Flags {
	switch k {
	case events.DataCollected:
		return Collected
	case events.DataAccessed, events.DataUsed, events.DataAltered, events.DataDerived, events.DataExported, events.DataContacted:
		return Used
	case events.DataShared, events.DataTransferred, events.DataHosted:
		return Shared
	case events.DataDeleted, events.DataAnonymised:
		return Deleted
	}
	return 0
}

// Rules is the hash of what the flags of this version mean: how they follow from a stored event, and the legal
// tables (docs/FORMAT.md, "Record"). The number is raised when anything else that a ledger decides of an event changes:
// who judges again relies on it.
func Rules() Hash {
	h := sha256.New()
	io.WriteString(h, "custody flags 1\n") // a hash never fails to write
	law.WriteTables(h)
	return Hash(h.Sum(nil))
}
