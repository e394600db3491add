package governance

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/imalink/custody/events"
)

// The oracle answers from all facts, each question on its own. Facts are those known, their positions from 1 on.
type oracle struct {
	facts []fact
	at    time.Time
}

// said is what facts can say of parties.
type said struct {
	Party, Agreement, Kind, From, To, At, Outcome, Country, Subprocessor, State, Tool string
	Name                                                                              string
	ToolRef                                                                           string   `json:"tool_ref"`
	TIARef                                                                            string   `json:"tia_ref"`
	SubprocessorOf                                                                    []string `json:"subprocessor_of"`
	Roles                                                                             []string
}

func (f fact) says() (s said) {
	if err := json.Unmarshal([]byte(actor+f.data+"}"), &s); err != nil {
		return said{}
	}
	return s
}

func (o oracle) origin(i int) Origin {
	return Origin{Position: uint64(i) + 1, Source: "/register", ID: "e" + string(events.IntOf(int64(i)).AppendJSON(nil)),
		Time: o.facts[i].at.UTC(), Recorded: begin().Add(time.Duration(i) * time.Millisecond)}
}

// party is what is known of a party on the oracle's day, and whether anything is.
func (o oracle) party(code string) (Party, bool) {
	today := o.at.Format(time.DateOnly)
	p := Party{Code: code, Day: today, Agreements: []Agreement{}, Assessments: []Assessment{}, TransferTools: []TransferTool{},
		Subprocessors: []Subprocessor{}, SubprocessorOf: []Subprocessor{}}
	known := false
	agreements, acts, tools := map[string]Agreement{}, map[string]Assessment{}, map[string]TransferTool{}
	engaged, engagedBy := map[string]Subprocessor{}, map[string]Subprocessor{}
	for i, f := range o.facts {
		s, from := f.says(), o.origin(i)
		known = known || slices.Contains(f.parties, code)
		mine := s.Party == code
		switch f.kind {
		case "party-registered":
			if mine && !f.at.After(o.at) {
				p.Registration = &Registration{Origin: from, Party: code, Name: s.Name, Roles: s.Roles, Country: s.Country, SubprocessorOf: s.SubprocessorOf}
			}
		case "agreement-signed":
			if mine {
				agreements[s.Agreement] = Agreement{Origin: from, Party: code, Agreement: s.Agreement, Kind: s.Kind, From: s.From, To: s.To}
			}
		case "agreement-ended":
			if a, ok := agreements[s.Agreement]; ok && mine {
				a.To, a.EndedPosition = s.At, from.Position
				agreements[s.Agreement] = a
			}
		case "processor-assessed":
			if before, ok := acts[s.Kind]; mine && !f.at.After(o.at) && (!ok || !f.at.Before(before.Time)) {
				acts[s.Kind] = Assessment{Origin: from, Kind: s.Kind, Outcome: s.Outcome}
			}
		case "transfer-tool-registered":
			if mine {
				tools[s.ToolRef] = TransferTool{Origin: from, Tool: s.Tool, ToolRef: s.ToolRef, TIARef: s.TIARef, TIA: o.assessed(s.TIARef), From: s.From, To: s.To}
			}
		case "subprocessor-changed":
			n := Subprocessor{Origin: from, Party: s.Party, Subprocessor: s.Subprocessor, State: s.State, From: s.From}
			if s.From > today {
				continue
			}
			if mine {
				engaged[s.Subprocessor] = n
			} else if s.Subprocessor == code {
				engagedBy[s.Party] = n
			}
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(agreements)) {
		if a := agreements[ref]; a.From <= today && (a.To == "" || a.To >= today) {
			p.Agreements = append(p.Agreements, a)
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(tools)) {
		if a := tools[ref]; a.From <= today && (a.To == "" || a.To >= today) {
			p.TransferTools = append(p.TransferTools, a)
		}
	}
	p.Assessments = append(p.Assessments, inOrder(acts)...)
	p.Subprocessors = append(p.Subprocessors, inOrder(engaged)...)
	p.SubprocessorOf = append(p.SubprocessorOf, inOrder(engagedBy)...)
	return p, known
}

func inOrder[V any](m map[string]V) (list []V) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[k])
	}
	return list
}

// assessed is the transfer impact assessment of a reference, as last recorded.
func (o oracle) assessed(ref string) (a *TransferAssessment) {
	for i, f := range o.facts {
		if s := f.says(); f.kind == "assessment-recorded" && slices.Equal(f.key, []string{"tia", ref}) {
			a = &TransferAssessment{Origin: o.origin(i), Outcome: s.Outcome, From: s.From}
		}
	}
	return a
}
