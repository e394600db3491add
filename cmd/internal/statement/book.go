package statement

import (
	"slices"
	"strings"
	"time"

	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// A book is what was registered up to an event: of each thing every version, in
// order of position.
type book struct {
	parties map[string][]party
	rules   map[string][]ruling   // by party: what ledger.Explain asks for
	tools   map[[3]string]string  // party, tool, reference: the assessment of the transfer
	systems map[string][]system   // by code
	engaged map[[2]string][]state // by processor and sub-processor
	checks  map[string][]Attestation
	policy  map[string][]Policy
	keys    map[string]Cosigner // by key: who keeps it
}

// A party is one registration.
type party struct {
	position        uint64
	day             law.Day
	country         string
	storage, access []string
	io              bool
	parent          string
	roles, of       []string
	assertion       string
	confirmed       Day
}

// A ruling is a governance event that classes depend on.
type ruling struct {
	position uint64
	st       *events.Stored
}

// A system is one registration.
type system struct {
	position        uint64
	day             law.Day
	personal        bool
	producer        string
	storage, access []string
	assertion       string
}

// A state is what one party engaging another came to.
type state struct {
	position uint64
	from     law.Day
	ended    bool
}

func newBook() *book {
	return &book{
		parties: map[string][]party{}, rules: map[string][]ruling{}, tools: map[[3]string]string{}, systems: map[string][]system{},
		engaged: map[[2]string][]state{}, checks: map[string][]Attestation{}, policy: map[string][]Policy{}, keys: map[string]Cosigner{},
	}
}

// add takes in what an event registers.
func (b *book) add(e *entry) {
	d := e.st.Event.Data
	code := d.Get("party").Text()
	switch e.st.Event.Kind {
	case events.GovernancePartyRegistered:
		b.parties[code] = append(b.parties[code], partyOf(e))
	case events.GovernanceTransferTool:
		b.tools[[3]string{code, d.Get("tool").Text(), d.Get("tool_ref").Text()}] = d.Get("tia_ref").Text()
	case events.GovernanceSystemRegistered:
		name := d.Get("system").Text()
		b.systems[name] = append(b.systems[name], systemOf(e))
	case events.GovernanceSubprocessorChanged:
		key := [2]string{code, d.Get("subprocessor").Text()}
		from, err := law.ParseDay(d.Get("from").Text())
		if err != nil {
			from = e.day
		}
		word := d.Get("state").Text()
		b.engaged[key] = append(b.engaged[key], state{e.position, from, word == "ended" || word == "objected"})
	case events.GovernanceControlAttested:
		b.attest(e)
	case events.GovernancePolicyPublished:
		b.publish(e)
	case events.LedgerKeyAnnounced:
		b.announce(e)
	}
	switch e.st.Event.Kind {
	case events.GovernancePartyRegistered, events.GovernanceTransferTool, events.GovernanceAgreementSigned, events.GovernanceAgreementEnded:
		b.rules[code] = append(b.rules[code], ruling{e.position, e.st})
	}
}

func partyOf(e *entry) party {
	d := e.st.Event.Data
	return party{
		position: e.position, day: e.day, country: d.Get("country").Text(),
		storage: d.Get("storage").Texts(), access: d.Get("access").Texts(), io: d.Get("international_organisation").Bool(),
		parent: d.Get("parent_country").Text(), roles: d.Get("roles").Texts(), of: d.Get("subprocessor_of").Texts(),
		assertion: d.Get("assertion").Text(), confirmed: Day(d.Get("confirmed_at").Text()),
	}
}

func systemOf(e *entry) system {
	d := e.st.Event.Data
	return system{
		position: e.position, day: e.day, personal: d.Get("personal_data").Bool(), producer: d.Get("producer").Text(),
		storage: d.Get("storage").Texts(), access: d.Get("access").Texts(), assertion: d.Get("assertion").Text(),
	}
}

// attest notes that a control was looked at.
func (b *book) attest(e *entry) {
	d := e.st.Event.Data
	a := Attestation{
		Position: e.position, System: d.Get("system").Text(), Outcome: d.Get("outcome").Text(),
		From: Day(d.Get("from").Text()), To: Day(d.Get("to").Text()), Assertion: d.Get("assertion").Text(),
	}
	if v := d.Get("unmapped"); !v.IsZero() {
		n := uint64(v.Int())
		a.Unmapped = &n
	}
	control := d.Get("control").Text()
	b.checks[control] = append(b.checks[control], a)
}

func (b *book) publish(e *entry) {
	d := e.st.Event.Data
	from, err := time.Parse(time.RFC3339, d.Get("effective_from").Text())
	if err != nil {
		from = e.st.Event.At // a leap second
	}
	p := Policy{Position: e.position, Policy: d.Get("policy").Text(), Version: d.Get("version").Text(), SHA256: d.Get("sha256").Text(), From: report.At(from)}
	b.policy[p.Policy] = append(b.policy[p.Policy], p)
}

// announce notes who keeps a key; of one that was retired, nobody any more.
func (b *book) announce(e *entry) {
	d := e.st.Event.Data
	parts := strings.SplitN(d.Get("key").Text(), "+", 3)
	if len(parts) < 2 {
		return
	}
	key := parts[0] + "+" + parts[1]
	delete(b.keys, key)
	if d.Get("state").Text() == "added" {
		b.keys[key] = Cosigner{Role: d.Get("what").Text(), Announced: e.position, Operator: d.Get("operator").Text()}
	}
}

// cosigner says of a cosignature who keeps its key.
func (b *book) cosigner(c Cosignature) Cosigner {
	out := Cosigner{Key: c.Key, Role: c.Role, At: report.At(c.Time)}
	if known, ok := b.keys[c.Key]; ok && known.Role == c.Role {
		out.Announced, out.Operator = known.Announced, known.Operator
	}
	return out
}

// registered reports whether a party was registered.
func (b *book) registered(code string) bool { return len(b.parties[code]) > 0 }

// at is the registration at a position.
func (b *book) at(code string, position uint64) party {
	for _, p := range b.parties[code] {
		if p.position == position {
			return p
		}
	}
	return party{position: position}
}

// partyOn is the registration in force on a day: of those that happened by then,
// the one recorded last.
func (b *book) partyOn(code string, d law.Day) (p party, ok bool) {
	for _, v := range b.parties[code] {
		if v.day <= d {
			p, ok = v, true
		}
	}
	return p, ok
}

// systemOn is likewise that of a system.
func (b *book) systemOn(code string, d law.Day) (s system, ok bool) {
	for _, v := range b.systems[code] {
		if v.day <= d {
			s, ok = v, true
		}
	}
	return s, ok
}

// policiesIn are the versions of policies in force on a day of the span.
func (b *book) policiesIn(s span) (all []Policy) {
	for _, code := range sortedKeys(b.policy) {
		versions := slices.Clone(b.policy[code])
		slices.SortStableFunc(versions, func(a, b Policy) int { return a.From.Compare(b.From.Time) })
		for i, p := range versions {
			last := i+1 == len(versions)
			if p.From.Before(begins(s.to+1)) && (last || versions[i+1].From.After(begins(s.from))) {
				all = append(all, p)
			}
		}
	}
	return all
}

// outsideOn are the places outside the EEA on a day, sorted, each once; a code that
// is no place is not among them.
func outsideOn(d law.Day, lists ...[]string) (outside []string) {
	for _, list := range lists {
		for _, code := range list {
			if status := law.PlaceOn(law.Canonical(code), d).Status; code != "" && status != law.Unknown && !status.Inside() {
				outside = append(outside, law.Canonical(code))
			}
		}
	}
	slices.Sort(outside)
	return slices.Compact(outside)
}
