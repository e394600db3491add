package statement

import "github.com/imalink/custody/events/law"

// Verdicts are never collapsed to yes and no: kept is complete and clean evidence,
// unproven is evidence that lacks something but contradicts nothing.
const (
	Kept     = "kept"
	Broken   = "broken"
	Unproven = "unproven"
	NA       = "n/a"
)

// Verdicts lists the verdicts.
func Verdicts() []string { return []string{Kept, Broken, Unproven, NA} }

// How the row of a class is known.
const (
	Proven      = "proven"       // by the proofs beside the statement; T1 and T1f together
	Asserted    = "asserted"     // read from stored events, not proven
	NotRecorded = "not-recorded" // stored events cannot tell
)

// Where a location comes from.
const (
	Register = "register" // the registration of a party
	Own      = "event"    // events themselves
	OfSystem = "system"   // the registration of a system
)

// How a sub-processor outside is known.
const (
	Recorded   = "recorded"
	Registered = "registered"
)

// What a fact of U can be that is missing, as [law.Classify] decides.
const (
	NoParty   = "party" // not registered when the event was recorded
	NoStorage = "storage"
	NoAccess  = "access"
	NoPlace   = "place" // a code that is no place
)

// Missings lists them.
func Missings() []string { return []string{NoParty, NoStorage, NoAccess, NoPlace} }

// Results of a control.
const (
	Met        = "met"
	Failed     = "failed"
	Reconciled = "reconciled" // attested for the whole range, with good outcomes and nothing unmapped
	Attested   = "attested"   // attested, but for less than that
	Unanswered = "unanswered" // the ledger cannot answer it, and nobody attested it
)

// Results lists the results.
func Results() []string { return []string{Met, Failed, Reconciled, Attested, Unanswered} }

// Roles of cosigners: of whatever grew consistently, and of what was recomputed.
const (
	Witness = "witness"
	Replay  = "replay"
)

// Why a grade is not better, from the gravest on.
const (
	WhyTransfer     = "transfer"     // events of T2 to T5
	WhyUnknown      = "unknown"      // events of U
	WhyGap          = "gap"          // numbers missing in the range
	WhyUnnumbered   = "unnumbered"   // events without a number
	WhyRepeated     = "repeated"     // events whose number another had
	WhyLost         = "lost"         // positions
	WhyHeartbeat    = "heartbeat"    // days of registered systems without one
	WhyBare         = "bare"         // days for which no system was registered
	WhyUnregistered = "unregistered" // systems that reported and are not registered
	WhyMute         = "mute"         // registered systems with personal data that no producer reports of
	WhyPlaces       = "places"       // processors without a place of storage or access
	WhyStale        = "stale"        // places of parties not confirmed in time
	WhyOnward       = "onward"       // sub-processors outside, of whom nothing is recorded
	WhySystem       = "system"       // systems registered as stored or used outside
	WhyAgain        = "again"        // events that would now be T2 to T5 or U
	WhyUnmapped     = "unmapped"     // what controls found and nobody accounted for
	WhyControl      = "control"      // controls not reconciled
	WhyDeclared     = "declared"     // locations that nobody observed or reconciled
)

// whys gives the grade that each reason allows at best, in order.
func whys() []Reason {
	var all []Reason
	for _, g := range []struct {
		grade string
		whys  []string
	}{
		{"F", []string{WhyTransfer}},
		{"C", []string{WhyUnknown, WhyGap, WhyUnnumbered, WhyRepeated, WhyLost, WhyHeartbeat, WhyBare, WhyUnregistered, WhyMute, WhyPlaces, WhyStale, WhyOnward, WhySystem, WhyAgain}},
		{"B", []string{WhyUnmapped, WhyControl, WhyDeclared}},
	} {
		for _, why := range g.whys {
			all = append(all, Reason{Grade: g.grade, Why: why})
		}
	}
	return all
}

// Plain is what controls count that is no reason in itself.
func Plain() []string {
	return []string{"producers", "heartbeats", "expected", "systems", "without-data", "processors"}
}

// Limits is what a statement cannot show, always whole.
func Limits() []string {
	return []string{"unsent", "wrong", "time", "screens", "devices", "intelligence", "false", "onward", "law"}
}

// controls are the codes of the eight controls, by number from 1. The last five
// are those that governance.control-attested names.
func controls() []string {
	return []string{"sequence", "producers", "party_register", "egress_reconciliation", "mail_reconciliation",
		"signin_reconciliation", "cloud_configuration", "supplier_reconciliation"}
}

// good are the outcomes of an attested control that found nothing wrong.
func good() []string { return []string{"effective", "reconciled", "pass"} }

// classes are the rows of the table of verdicts: what an event's class can be, and
// the situations that no class tells.
func classes() (names []string) {
	for _, c := range law.Classes() {
		names = append(names, c.String())
	}
	return append(names, "T6", "T7", "T8", "T9", "T10")
}

// shown is how the row of a class is known.
func shown(name string) string {
	switch _, class := law.ParseClass(name); {
	case class:
		return Proven
	case name == "T7" || name == "T9":
		return Asserted
	}
	return NotRecorded
}
