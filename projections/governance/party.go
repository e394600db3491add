package governance

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/imalink/custody/events"
)

// A Party is what the register says of one party on a day.
type Party struct {
	Code           string         `json:"party"`
	Day            string         `json:"day"`          // the day asked for, YYYY-MM-DD
	Registration   *Registration  `json:"registration"` // the one in force; null when it was not registered by then
	Agreements     []Agreement    `json:"agreements"`   // in force on the day
	Assessments    []Assessment   `json:"assessments"`  // of each kind the last, in order of kind
	TransferTools  []TransferTool `json:"transfer_tools"`
	Subprocessors  []Subprocessor `json:"subprocessors"`   // whom it engages
	SubprocessorOf []Subprocessor `json:"subprocessor_of"` // who engages it
}

// A Registration is a party as registered. Days are YYYY-MM-DD, here and below, and included in what they bound.
type Registration struct {
	Origin
	Party          string   `json:"party"`
	Name           string   `json:"name,omitempty"` // "" of a natural person: it is sealed
	NaturalPerson  bool     `json:"natural_person,omitempty"`
	Contact        string   `json:"contact,omitempty"` // an organisation's own
	Sector         string   `json:"sector,omitempty"`
	Roles          []string `json:"roles"`
	Country        string   `json:"country"`
	Storage        []string `json:"storage,omitempty"`
	Access         []string `json:"access,omitempty"`
	International  bool     `json:"international_organisation,omitempty"`
	DPF            *DPF     `json:"dpf,omitempty"`
	PIPEDA         bool     `json:"pipeda,omitempty"`
	ConfirmedAt    string   `json:"confirmed_at,omitempty"`
	ParentCountry  string   `json:"parent_country,omitempty"`
	SubprocessorOf []string `json:"subprocessor_of,omitempty"` // who engages it, as registered
}

// DPF is what is registered about the list of the EU-US Data Privacy Framework.
type DPF struct {
	Listed bool   `json:"listed"`
	HR     bool   `json:"hr,omitempty"`
	Until  string `json:"until,omitempty"`
}

// An Agreement is one of Art. 26 or 28 GDPR, as last signed, and as ended if it was.
type Agreement struct {
	Origin
	Party         string   `json:"party"`
	Agreement     string   `json:"agreement"`
	Kind          string   `json:"kind"`
	Version       string   `json:"version,omitempty"`
	Countries     []string `json:"countries,omitempty"`
	Subprocessors string   `json:"subprocessors,omitempty"`
	From          string   `json:"from"`
	To            string   `json:"to,omitempty"`             // the last day, "" when open
	EndedPosition uint64   `json:"ended_position,omitempty"` // of the event that set To; 0 when the signature did
}

// An Assessment is one of a processor (Art. 28(1) GDPR).
type Assessment struct {
	Origin
	Kind     string   `json:"kind"`
	Outcome  string   `json:"outcome"`
	Scope    []string `json:"scope,omitempty"`
	NextDue  string   `json:"next_due,omitempty"`
	Evidence string   `json:"evidence_ref,omitempty"`
}

// A TransferTool is one of Art. 45 to 49 GDPR, with the assessment of the transfer it refers to.
type TransferTool struct {
	Origin
	Tool       string              `json:"tool"`
	ToolRef    string              `json:"tool_ref"`
	TIARef     string              `json:"tia_ref,omitempty"`
	TIA        *TransferAssessment `json:"tia"` // null when it refers to none, or to one that is not recorded
	Instrument string              `json:"instrument,omitempty"`
	Module     string              `json:"module,omitempty"`
	From       string              `json:"from"`
	To         string              `json:"to,omitempty"`
}

// A TransferAssessment is the transfer impact assessment that a tool refers to, as last recorded.
type TransferAssessment struct {
	Origin
	Outcome    string `json:"outcome"`
	NextReview string `json:"next_review,omitempty"`
	From       string `json:"from"`
}

// A Subprocessor is one party engaging another (Art. 28(2) GDPR), in the state of the day.
type Subprocessor struct {
	Origin
	Party        string `json:"party"`
	Subprocessor string `json:"subprocessor"`
	State        string `json:"state"` // declared, authorised, objected, ended
	From         string `json:"from"`
}

// Parties yields the parties that were registered, each by the registration in force, in order of their codes.
func (r *Reader) Parties(at time.Time, until uint64) iter.Seq2[Registration, error] {
	return func(yield func(Registration, error) bool) {
		for t, err := range r.List(WhatParty, at, until) {
			if err != nil {
				yield(Registration{}, err)
				return
			}
			p, err := registration(t.Version)
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// Party gives what the register said about a party. The day is that of at in at's own time zone; the registration
// and the assessments are those that had happened by at. It reports false when nothing is known of the party.
func (r *Reader) Party(code string, at time.Time, until uint64) (Party, bool, error) {
	p := Party{Code: code, Day: at.Format(time.DateOnly), Agreements: []Agreement{}, Assessments: []Assessment{},
		TransferTools: []TransferTool{}, Subprocessors: []Subprocessor{}, SubprocessorOf: []Subprocessor{}}
	known := false
	for thing, err := range r.naming(code, until) {
		if err != nil {
			return Party{}, false, err
		}
		what, _, err := split(thing)
		if err != nil {
			return Party{}, false, err
		}
		known = true
		if err := r.add(&p, what, thing, at, until); err != nil {
			return Party{}, false, err
		}
	}
	return p, known, nil
}

// add adds what a thing says about the party that it has named.
func (r *Reader) add(p *Party, what What, thing []byte, at time.Time, until uint64) error {
	versions := r.history(thing, until)
	switch what {
	case WhatParty:
		v, ok, err := r.at(thing, at, until)
		if err != nil || !ok {
			return err
		}
		q, err := registration(v)
		if q.Party == p.Code {
			p.Registration = &q
		}
		return err
	case WhatAgreement:
		a, ok, err := agreement(versions)
		if ok && holds(a.From, a.To, p.Day) {
			p.Agreements = append(p.Agreements, a)
		}
		return err
	case WhatProcessorAssessment:
		list, err := assessments(versions, at)
		p.Assessments = append(p.Assessments, list...)
		return err
	case WhatTransferTool:
		return r.addTool(p, thing, until)
	case WhatSubprocessor:
		s, ok, err := subprocessor(versions, p.Day)
		switch {
		case err != nil || !ok:
			return err
		case s.Party == p.Code:
			p.Subprocessors = append(p.Subprocessors, s)
		default:
			p.SubprocessorOf = append(p.SubprocessorOf, s)
		}
	}
	return nil
}

func registration(v Version) (Registration, error) {
	q := Registration{Origin: v.Origin}
	return q, v.into(&q)
}

// agreement folds what is known of an agreement, as the ledger's register does: a signature replaces what was
// known, an end sets the last day of what was signed.
func agreement(versions iter.Seq2[Version, error]) (a Agreement, ok bool, err error) {
	for v, err := range versions {
		if err != nil {
			return Agreement{}, false, err
		}
		if v.Kind == events.GovernanceAgreementSigned {
			a, ok = Agreement{Origin: v.Origin}, true
			if err := v.into(&a); err != nil {
				return Agreement{}, false, err
			}
			continue
		}
		var end struct {
			At string `json:"at"`
		}
		if err := v.into(&end); err != nil {
			return Agreement{}, false, err
		}
		a.To, a.EndedPosition = end.At, v.Position // of nothing, if nothing was signed before
	}
	return a, ok, nil
}

// assessments gives, of each kind, the one that happened last.
func assessments(versions iter.Seq2[Version, error], at time.Time) ([]Assessment, error) {
	last := map[string]Assessment{}
	for v, err := range versions {
		if err != nil {
			return nil, err
		}
		if !at.IsZero() && v.Time.After(at) {
			continue
		}
		a := Assessment{Origin: v.Origin}
		if err := v.into(&a); err != nil {
			return nil, err
		}
		if before, ok := last[a.Kind]; !ok || !a.Time.Before(before.Time) {
			last[a.Kind] = a
		}
	}
	return sorted(last), nil
}

// addTool adds a transfer tool if it is in force on the day.
func (r *Reader) addTool(p *Party, thing []byte, until uint64) error {
	v, ok, err := r.at(thing, time.Time{}, until)
	if err != nil || !ok {
		return err
	}
	t := TransferTool{Origin: v.Origin}
	if err := v.into(&t); err != nil || !holds(t.From, t.To, p.Day) {
		return err
	}
	if t.TIARef != "" {
		v, ok, err := r.At(WhatAssessment, time.Time{}, until, "tia", t.TIARef)
		if err != nil {
			return err
		}
		if ok {
			t.TIA = &TransferAssessment{Origin: v.Origin}
			if err := v.into(t.TIA); err != nil {
				return err
			}
		}
	}
	p.TransferTools = append(p.TransferTools, t)
	return nil
}

// subprocessor gives the state of an engagement on a day: of what is said to hold from then or before, what was
// recorded last.
func subprocessor(versions iter.Seq2[Version, error], day string) (s Subprocessor, ok bool, err error) {
	for v, err := range versions {
		if err != nil {
			return Subprocessor{}, false, err
		}
		next := Subprocessor{Origin: v.Origin}
		if err := v.into(&next); err != nil {
			return Subprocessor{}, false, err
		}
		if holds(next.From, "", day) {
			s, ok = next, true
		}
	}
	return s, ok, nil
}

// holds reports that a day is one of those from the first to the last, both included; "" leaves the end open.
// Days as they are written sort as they follow each other.
func holds(first, last, day string) bool { return first <= day && (last == "" || day <= last) }

func sorted(byKind map[string]Assessment) []Assessment {
	list := make([]Assessment, 0, len(byKind))
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		list = append(list, byKind[kind])
	}
	return list
}
