package access

import "slices"

// A Role is what a token is for.
type Role string

// The roles. Their names are part of the stored format: never renamed.
const (
	RoleProducer     Role = "producer"     // sends events of its own source
	RoleRelay        Role = "relay"        // sends events of any registered source
	RoleDPO          Role = "dpo"          // data protection officer
	RoleInvestigator Role = "investigator" // reads what happened
	RoleAuditor      Role = "auditor"      // verifies
	RoleOperator     Role = "operator"     // runs the ledger; sees no person
	RoleSubject      Role = "subject"      // a person, for the own record only
)

// An Action is something the API can be asked to do.
type Action uint8

// The actions. The zero Action is allowed to nobody.
const (
	_               Action = iota
	Record                 // send events
	Replay                 // read the stored events
	ReplayEnvelope         // read what the stored events are, not what they say
	Status                 // read the state of the ledger
	ManageProducers        // list, add, change and remove producers
	ManageTokens           // list, make and revoke tokens
	Metrics                // read the metrics from elsewhere than this machine
	QueryPersons           // ask about a person, and how many people an answer is about
	QueryActors            // ask about somebody who acted, or about a session
	QuerySearch            // ask for events by any combination of facets
	QueryEvent             // ask for one event in full
	Reveal                 // be shown whose identifiers are behind an answer
	QueryParties           // ask about parties; about their people only with QueryPersons
	QueryTransfers         // ask what left, where to and on what ground
	QueryRegister          // ask what the register said
	Explain                // ask why an event has its class
	QueryCoverage          // ask what is missing
	ManageViews            // have the views filled anew
	OwnRecord              // ask about oneself: the person that the token is for
	Erase                  // open, cancel and finish the erasure of a person, and be told of them
	Retain                 // end how long a class of events is kept
	Approve                // be the second person where two must agree
	Backup                 // have the backup brought up to date
	Prove                  // be given proofs that open records, and statements
	Cosign                 // leave cosignatures of checkpoints
	ManageKeys             // change the keys that sign, announce who cosigns
)

// permission is one row of the table of rights.
type permission struct {
	role    Role
	actions []Action
}

// permissions is the only place that allows anything. A role or an action that
// does not stand here is refused. A token that is boxed has fewer rights than
// its role, never more, see [Principal].
func permissions() []permission {
	people := []Action{QueryPersons, QueryActors, QuerySearch, QueryEvent}
	officer := []Action{Reveal, Erase, Retain, Approve}
	nobody := []Action{QueryParties, QueryTransfers, QueryRegister, Explain, QueryCoverage}
	return []permission{
		{RoleProducer, []Action{Record}},
		{RoleRelay, []Action{Record}},
		{RoleDPO, slices.Concat([]Action{Replay, Status}, people, officer, nobody, []Action{Prove})},
		{RoleInvestigator, slices.Concat([]Action{Replay, Status}, people, nobody)},
		{RoleAuditor, slices.Concat([]Action{Replay, Status, Prove, Cosign}, nobody)},
		{RoleOperator, []Action{ReplayEnvelope, Status, ManageProducers, ManageTokens, Metrics, QueryCoverage, ManageViews, Backup, ManageKeys}},
		{RoleSubject, []Action{OwnRecord}},
	}
}

// Roles returns every role, in the order of the table.
func Roles() []Role {
	var list []Role
	for _, row := range permissions() {
		list = append(list, row.role)
	}
	return list
}

// Actions returns every action.
func Actions() []Action {
	return []Action{Record, Replay, ReplayEnvelope, Status, ManageProducers, ManageTokens, Metrics,
		QueryPersons, QueryActors, QuerySearch, QueryEvent, Reveal,
		QueryParties, QueryTransfers, QueryRegister, Explain, QueryCoverage, ManageViews, OwnRecord,
		Erase, Retain, Approve, Backup, Prove, Cosign, ManageKeys}
}

// RolesOf returns the roles that are allowed action a, in the order of the table.
func RolesOf(a Action) []Role {
	var list []Role
	for _, row := range permissions() {
		for _, allowed := range row.actions {
			if allowed == a {
				list = append(list, row.role)
			}
		}
	}
	return list
}

// actionSet has bit a set for each action a.
type actionSet uint32

func (s actionSet) has(a Action) bool { return a != 0 && s>>a&1 != 0 }

func actionsOf(r Role) actionSet {
	var set actionSet
	for _, row := range permissions() {
		if row.role == r {
			for _, a := range row.actions {
				set |= 1 << a
			}
		}
	}
	return set
}

// String returns the name of a, as the documentation uses it.
func (a Action) String() string {
	switch a {
	case Record:
		return "record"
	case Replay:
		return "replay"
	case ReplayEnvelope:
		return "replay-envelope"
	case Status:
		return "status"
	case ManageProducers:
		return "manage-producers"
	case ManageTokens:
		return "manage-tokens"
	case Metrics:
		return "metrics"
	case QueryPersons:
		return "query-persons"
	case QueryActors:
		return "query-actors"
	case QuerySearch:
		return "query-search"
	case QueryEvent:
		return "query-event"
	case Reveal:
		return "reveal"
	case QueryParties:
		return "query-parties"
	case QueryTransfers:
		return "query-transfers"
	case QueryRegister:
		return "query-register"
	case Explain:
		return "explain"
	case QueryCoverage:
		return "query-coverage"
	case ManageViews:
		return "manage-views"
	case OwnRecord:
		return "own-record"
	case Erase:
		return "erase"
	case Retain:
		return "retain"
	case Approve:
		return "approve"
	case Backup:
		return "backup"
	case Prove:
		return "prove"
	case Cosign:
		return "cosign"
	case ManageKeys:
		return "manage-keys"
	}
	return "none"
}
