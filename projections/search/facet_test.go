package search

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// TestFacets reads the facets of events as they are written here.
func TestFacets(t *testing.T) {
	const person = `"actor":{"id":"employee:1","role":"recruiter","kind":"contractor","party":"dev","unit":"it","session":"s-1"},"subjects":[{"id":"c:1","role":"candidate","country":"FR"},{"id":"c:2","role":"employee"}]`
	importer := &events.Party{Code: "acme", Country: "US", Storage: []string{"IE"}, Access: []string{"US", "IN"}, Agreement: "dpa:1", Tool: "A46-2-c"}
	for _, test := range []struct {
		name, kind, data, want string
		facts                  events.Facts
		relay                  string
	}{
		{name: "shared", kind: "data.shared", relay: "bus",
			data: person + `,"system":"ats","dataset":"cv","environment":"prod","categories":["contact","cv"],"purpose":"placing","basis":"A6-1-b","activity":"placement",
				"assertion":"observed","our_role":"processor","on_behalf_of":"bank","secrecy":"inquiry","recipient":{"party":"acme","role":"client","via":"portal"},
				"location":{"storage":["BE"],"access":["BE","FR"]},"artefact":{"type":"cv","id":"a:1"}`,
			facts: events.Facts{Class: "T3", Region: "ZZ", Special: true, Art10: true, Forgotten: true, Party: importer},
			want: `kind=data.shared family=data retention=disclosure producer=ats relay=bus system=ats dataset=cv environment=prod category=contact,cv purpose=placing
				basis=A6-1-b activity=placement recipient=acme recipient_role=client party=dev,bank,acme,portal actor_party=dev actor_kind=contractor actor_role=recruiter
				unit=it country=BE,FR,US,IE,IN region=ZZ class=T3 agreement=dpa:1 tool=A46-2-c subject_role=candidate,employee special=true art10=true forgotten=true
				secrecy=inquiry our_role=processor assertion=observed artefact=cv`},
		{name: "own agreement and tool", kind: "data.transferred",
			data:  person + `,"activity":"x","recipient":{"party":"acme","role":"processor"},"agreement":"dpa:2","transfer":{"tool":"A49-1-b"}`,
			facts: events.Facts{Class: "T4", Region: "US", Party: importer},
			want: `kind=data.transferred family=data retention=disclosure producer=ats activity=x recipient=acme recipient_role=processor party=dev,acme actor_party=dev
				actor_kind=contractor actor_role=recruiter unit=it country=US,IE,IN region=US class=T4 agreement=dpa:2 tool=A49-1-b subject_role=candidate,employee`},
		{name: "to the subject", kind: "data.shared", data: person + `,"activity":"x","recipient":{"party":"themselves","role":"subject"}`,
			want: `kind=data.shared family=data retention=disclosure producer=ats activity=x recipient_role=subject party=dev actor_party=dev actor_kind=contractor
				actor_role=recruiter unit=it subject_role=candidate,employee`},
		{name: "emergency", kind: "data.accessed", data: person + `,"activity":"x","mode":"view","break_glass":true`,
			want: `kind=data.accessed family=data retention=access producer=ats activity=x party=dev actor_party=dev actor_kind=contractor actor_role=recruiter unit=it
				mode=view subject_role=candidate,employee break_glass=true`},
		{name: "request", kind: "subject.request-received", data: person + `,"request":"r:1","right":"A15","channel":"email"`,
			want: `kind=subject.request-received family=subject retention=legal-state producer=ats party=dev actor_party=dev actor_kind=contractor actor_role=recruiter
				unit=it subject_role=candidate,employee channel=email right=A15`},
		{name: "registration", kind: "governance.party-registered", data: `"actor":{"id":"e:1","role":"dpo"},"party":"acme","name":"Acme","roles":["processor"],"country":"US","storage":["IE"],"access":["IN"],"subprocessor_of":["host"]`,
			want: `kind=governance.party-registered family=governance retention=governance producer=ats party=acme,host actor_role=dpo country=US,IE,IN`},
		{name: "activity", kind: "governance.activity-registered", data: `"actor":{"id":"e:1","role":"dpo"},"activity":"x","purposes":["p","q"],"categories":["c"],"recipients":["acme"],"countries":["BE"]`,
			want: `kind=governance.activity-registered family=governance retention=governance producer=ats category=c purpose=p,q activity=x party=acme actor_role=dpo country=BE`},
	} {
		t.Run(test.name, func(t *testing.T) {
			event, err := events.Decode(fmt.Appendf(nil, `{"specversion":"1.0","id":"1","source":"/ats","type":"eu.custody.%s.v1","time":"2025-01-01T00:00:00Z","data":{%s}}`, test.kind, test.data))
			if err != nil {
				t.Fatal(err)
			}
			o := newOracle([]*projections.Event{{Position: 1, Stored: &events.Stored{Event: event, Facts: test.facts, Relay: test.relay}}})
			var got []string
			for _, f := range Facets() {
				if texts := o[0].values[f]; len(texts) > 0 {
					got = append(got, f.String()+"="+strings.Join(texts, ","))
				}
			}
			if want := strings.Fields(test.want); !slices.Equal(got, want) {
				t.Errorf("%v\nwant %v", got, want)
			}
		})
	}
}

// TestNobody: no value of a facet is a person, a session or a reference of the year.
func TestNobody(t *testing.T) {
	secret := map[string]bool{}
	all := base(t)
	for _, e := range all {
		d := e.Stored.Event.Data
		for _, s := range d.Get("subjects").List() {
			secret[s.Object().Get("id").Text()] = true
		}
		actor := d.Get("actor").Object()
		for _, text := range []string{actor.Get("id").Text(), actor.Get("for").Text(), actor.Get("session").Text(), d.Get("reference").Text(), d.Get("basis_ref").Text()} {
			secret[text] = true
		}
	}
	delete(secret, "")
	distinct := map[string]bool{}
	for _, e := range newOracle(all) {
		for _, texts := range e.values {
			for _, text := range texts {
				distinct[text] = true
			}
		}
	}
	for text := range maps.Keys(distinct) {
		if secret[text] {
			t.Errorf("a value of a facet is somebody")
		}
	}
	if len(secret) < 300 || len(distinct) < 100 {
		t.Errorf("%d secrets, %d values", len(secret), len(distinct))
	}
}
