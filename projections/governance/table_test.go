package governance

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// examples has an event of every kind of the family, with all that its key is made of.
func examples() []fact {
	hash := strings.Repeat("0a", 32)
	at := begin().Add(-time.Nanosecond)
	employee := tag("e7").String()
	list := []fact{
		{"party-registered", `,"party":"acme","name":"Acme","roles":["client"],"country":"BE","subprocessor_of":["cloud","mail"]`, WhatParty, []string{"acme"}, []string{"acme", "cloud", "mail"}, at},
		{"agreement-signed", `,"party":"acme","agreement":"dpa:1/a","kind":"processing","from":"2026-01-01"`, WhatAgreement, []string{"acme", "dpa:1/a"}, []string{"acme"}, at},
		{"agreement-ended", `,"party":"acme","agreement":"dpa:1/a","at":"2026-02-01"`, WhatAgreement, []string{"acme", "dpa:1/a"}, []string{"acme"}, at},
		{"processor-assessed", `,"party":"acme","kind":"ex-ante","outcome":"pass"`, WhatProcessorAssessment, []string{"acme"}, []string{"acme"}, at},
		{"subprocessor-changed", `,"party":"acme","subprocessor":"cloud","state":"declared","from":"2026-01-01"`, WhatSubprocessor, []string{"acme", "cloud"}, []string{"acme", "cloud"}, at},
		{"transfer-tool-registered", `,"party":"acme","tool":"A46-2-c","tool_ref":"scc:1","from":"2026-01-01"`, WhatTransferTool, []string{"acme", "A46-2-c", "scc:1"}, []string{"acme"}, at},
		{"retention-set", `,"retention":"cv-2y","dataset":"cv","category":"contact","role":"candidate","period":"P2Y","trigger":"collected"`, WhatRetention, []string{"cv-2y", "cv", "contact", "candidate"}, nil, at},
		{"retention-set", `,"retention":"cv-2y","dataset":"cv","period":"P2Y","trigger":"collected"`, WhatRetention, []string{"cv-2y", "cv", "", ""}, nil, at},
		{"retention-reviewed", `,"dataset":"cv","outcome":"kept"`, WhatRetentionReview, []string{"cv"}, nil, at},
		{"hold-placed", `,"hold":"hold:1","ground":"A17-3-e","subjects":[{"id":"candidate:1","role":"candidate"},{"id":"candidate:2","role":"candidate"}]`, WhatHold, []string{"hold:1"}, nil, at},
		{"hold-released", `,"hold":"hold:1"`, WhatHold, []string{"hold:1"}, nil, at},
		{"policy-published", `,"policy":"privacy","version":"3","sha256":"` + hash + `","effective_from":"2026-01-01T00:00:00Z"`, WhatPolicy, []string{"privacy"}, nil, at},
		{"authorisation-granted", `,"system":"ats","categories":["contact"],"employee":"employee:e7"`, WhatAuthorisation, []string{"ats", "", employee}, nil, at},
		{"authorisation-granted", `,"system":"ats","categories":["contact"],"role":"recruiter"`, WhatAuthorisation, []string{"ats", "recruiter", ""}, nil, at},
		{"authorisation-revoked", `,"cause":"left","employee":"employee:e7"`, WhatAuthorisation, []string{"", "", employee}, nil, at},
		{"confidentiality-bound", `,"employee":"employee:e7","from":"2026-01-01"`, WhatConfidentiality, []string{employee}, nil, at},
		{"activity-registered", `,"activity":"placement","purposes":["p"],"categories":["contact"],"recipients":["acme"],"on_behalf_of":"cloud","our_role":"processor"`, WhatActivity, []string{"placement"}, []string{"acme", "cloud"}, at},
		{"system-registered", `,"system":"ats","personal_data":true,"hosted_by":["cloud"]`, WhatSystem, []string{"ats"}, []string{"cloud"}, at},
		{"assessment-recorded", `,"kind":"tia","assessment":"tia:7","party":"acme","outcome":"sufficient","from":"2026-01-01"`, WhatAssessment, []string{"tia", "tia:7"}, []string{"acme"}, at},
		{"control-attested", `,"control":"mfa","system":"ats","outcome":"pass"`, WhatControl, []string{"mfa", "ats"}, nil, at},
		{"cookie-recorded", `,"site":"www","cookie":"_ga","state":"declared","party":"acme"`, WhatCookie, []string{"www", "_ga"}, []string{"acme"}, at},
		{"authority-requested", `,"party":"police","instrument":"warrant:1","statute":"cic-46bis"`, WhatAuthorityRequest, []string{"police", "warrant:1"}, []string{"police"}, at},
		{"review-recorded", `,"of":{"source":"/ats","id":"e1"},"kind":"access","outcome":"justified"`, WhatReview, []string{"/ats", "e1", "access"}, nil, at},
	}
	return list
}

// TestEveryKind folds an event of every kind, and finds it as the version of the right thing and beside the right
// parties.
func TestEveryKind(t *testing.T) {
	facts := examples()
	read(t, facts, func(r *Reader) {
		until := uint64(len(facts))
		for i, f := range facts {
			found := false
			for _, v := range all(t, r.History(f.what, until, f.key...)) {
				found = found || v.Position == uint64(i)+1 && v.Name == "governance."+f.kind && v.Source == "/register"
			}
			if !found {
				t.Errorf("%s: no version of %s %q", f.kind, f.what, f.key)
			}
			for _, code := range f.parties {
				if !slices.ContainsFunc(all(t, r.Things(code, begin(), until)), func(th Thing) bool {
					return th.What == f.what && slices.Equal(th.Key, f.key)
				}) {
					t.Errorf("%s: %s does not find %s %q", f.kind, code, f.what, f.key)
				}
			}
		}
	})
}

// TestTable holds that every governance event is a version of something, that the examples leave none out, and that
// each name in a row is one of the catalogue.
func TestTable(t *testing.T) {
	facts := examples()
	list := recorded(t, facts)
	for _, k := range events.Kinds() {
		r, ok := rowOf(k)
		if ok != (k.Family() == "governance") {
			t.Errorf("%s: in the table %t", k, ok)
		}
		i := slices.IndexFunc(list, func(e *projections.Event) bool { return e.Stored.Event.Kind == k })
		if !ok || i < 0 {
			if ok {
				t.Errorf("%s has no example", k)
			}
			continue
		}
		for _, field := range slices.Concat(r.key, r.parties) {
			name, _, _ := strings.Cut(field, ".")
			if _, known := list[i].Stored.Event.Data.With(name, events.TextOf("x")); !known {
				t.Errorf("%s has no field %s", k, name)
			}
		}
		if what, ok := ParseWhat(string(r.what)); !ok || !reflect.DeepEqual(what.Fields(), []string(r.key)) {
			t.Errorf("%s: %q has the key %q, its row %q", k, what, what.Fields(), r.key)
		}
	}
	if _, ok := ParseWhat("nothing"); ok || What("nothing").Fields() != nil {
		t.Error("a sort of thing that is not in the table was found")
	}
}

// TestNobody holds that versions have the clear data and nothing that identifies anybody.
func TestNobody(t *testing.T) {
	facts := append(examples(), fact{"party-registered",
		`,"party":"jane","name":"Jane Roe","contact":"Jane Roe at home","natural_person":true,"roles":["processor"],"country":"BE"`,
		WhatParty, []string{"jane"}, []string{"jane"}, begin()})
	read(t, facts, func(r *Reader) {
		for _, f := range facts {
			for _, v := range all(t, r.History(f.what, 1<<63, f.key...)) {
				text, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				for _, secret := range []string{"employee", "candidate:", "s-77", "because", "Jane", `"subjects":[`} {
					if strings.Contains(string(text), secret) {
						t.Errorf("%s holds %s", f.kind, secret)
					}
				}
				if !strings.HasPrefix(string(v.Data), `{"actor":{"role":"dpo"},`) {
					t.Errorf("%s: data %s", f.kind, v.Data)
				}
			}
		}
		jane, ok, err := r.Party("jane", begin(), 1<<63)
		if err != nil || !ok || !jane.Registration.NaturalPerson || jane.Registration.Name != "" || jane.Registration.Contact != "" {
			t.Errorf("%+v, %t, %v", jane.Registration, ok, err)
		}
		v, ok, err := r.At(WhatConfidentiality, begin(), 1<<63, tag("e7").String())
		if err != nil || !ok || v.Actor != tag("d01") || !slices.Equal(v.Named, []projections.Tag{tag("d02"), tag("e7")}) {
			t.Errorf("tags %v %v, %t, %v", v.Actor, v.Named, ok, err)
		}
		if c := v.Cell(); c != (projections.Cell{Class: events.Governance, Role: projections.Actor, Month: 56*12 + 1}) {
			t.Errorf("cell %+v", c)
		}
		placed := all(t, r.History(WhatHold, 1<<63, "hold:1"))[0]
		if placed.Subjects != 2 {
			t.Errorf("a hold over %d subjects", placed.Subjects)
		}
	})
}
