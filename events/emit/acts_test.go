package emit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
)

// full has every field of every act set.
func full() []emit.Act {
	p := emit.Processing{
		Subjects: append(emit.Subjects(emit.RoleCandidate, "candidate:10412"), emit.Subject{ID: emit.ID("candidate:77"), Role: emit.RoleOther, Country: "FR"}),
		Actor: emit.Actor{ID: emit.ID("employee:jdp"), Role: "support", Kind: emit.ActorProcessor, Party: "helpdesk", Unit: "tier1",
			Session: "sess-9", For: emit.ID("employee:abc")},
		Activity: "placement", System: "ats", Dataset: "career_cv", Categories: []string{"contact", "career_cv"}, Purpose: "service_provision",
		Basis: emit.BasisContract, BasisRef: "precontract:771", Statute: "law-2", Exception: emit.ExceptClaims, Special: []string{"health"}, Condition: "A9-2-b", Criminal: true,
		Operation: "dpv:Consult", Environment: "prod", OurRole: emit.OurProcessor, OnBehalfOf: "acme", Storage: []string{"BE"}, Access: []string{"BE", "FR"},
		Records: emit.Count(0), Reference: "vacancy:2291", Reason: "asked by the client", Assertion: emit.Observed, Bulk: emit.Bulk{ID: "b:1", Part: 2, Parts: 2},
	}
	a := emit.About{Subjects: p.Subjects, Actor: p.Actor, System: "ats", OurRole: p.OurRole, OnBehalfOf: p.OnBehalfOf, Reference: p.Reference,
		Reason: p.Reason, Assertion: emit.Declared, Bulk: emit.Bulk{ID: "b:2", Part: 1}}
	to := emit.Recipient{Party: "acme-bank", Role: emit.ToClient, Via: "broker"}
	tool := emit.Transfer{Tool: emit.ToolClauses, ToolRef: "scc:1", AssessmentRef: "tia:1"}
	return []emit.Act{
		emit.Collected{Processing: p, Origin: emit.OriginReferral, OriginParty: "agency", Context: "fair", NoticeRef: "notice:1", Retention: "cv2y"},
		emit.Accessed{Processing: p, Mode: emit.ModeSearch, ResultCount: emit.Count(0), BreakGlass: true},
		emit.Used{Processing: p, Automation: emit.AutomationFull, Significant: true, HumanReviewRef: "r:1", Profiling: true},
		emit.Shared{Processing: p, Recipient: to, Artefact: emit.Artefact{ID: "cv:1", Type: "imalink_cv", Template: "3"}, Agreement: "dpa:1", Instrument: "order:1", Transfer: tool},
		emit.Transferred{Processing: p, Recipient: to, Transfer: tool, Agreement: "dpa:1"},
		emit.Deleted{Processing: p, Deletion: "del:1", Method: emit.Erase, Trigger: emit.CauseRequest, Request: "req:1", Legs: []emit.Leg{
			{Kind: emit.LegLive, State: emit.LegDone, ConfirmedAt: "2026-03-02T09:14:05Z"}, {Kind: emit.LegProcessor, State: emit.LegDue, Party: "host", Due: "2026-04-01", AttestRef: "a:1"}}},
		emit.Contacted{Processing: p, Channel: emit.ByEmail, Class: emit.ContactMarketing, Content: emit.ContentEvent, Campaign: "spring", Promotional: true, OptOutPresent: true, SuppressionVersion: emit.Count(4)},
		emit.ConsentGiven{About: a, Purposes: []string{"marketing"}, Method: emit.ConsentElectronic, Explicit: true, Channel: "web", TextVersion: "v3",
			TextSHA256: strings.Repeat("0a", 32), EvidenceRef: "e:1", Expires: "2027-01-01"},
		emit.ConsentWithdrawn{About: a, Purposes: []string{"marketing"}, Channel: "web", Request: "req:2"},
		emit.ObjectionRaised{About: a, Scope: emit.ScopeDirectMarketing, Purposes: []string{"marketing"}, Channel: "mail", Request: "req:3"},
		emit.ObjectionDecided{About: a, Scope: emit.ScopeProfiling, Overridden: true, GroundsRef: "lia:1"},
	}
}

// TestEveryFieldArrives has every act say all it can: the catalogue takes it, and no field of the kind is left.
func TestEveryFieldArrives(t *testing.T) {
	t.Parallel()
	for _, act := range full() {
		e, err := emit.New("ats", act, emit.Correlation("place-2291"), emit.Causation("c:1"),
			emit.Trace("00-"+strings.Repeat("a1", 16)+"-"+strings.Repeat("b2", 8)+"-01"), emit.At(time.Date(2026, 3, 2, 9, 14, 5, 0, time.UTC)))
		if err != nil {
			t.Errorf("%s: %v", act.Kind(), err)
			continue
		}
		if e.Kind != act.Kind() || e.Time != "2026-03-02T09:14:05.000Z" || e.Correlation == "" || e.Causation == "" || e.Trace == "" {
			t.Errorf("%s: the envelope is %s %s", act.Kind(), e.Kind, e.Time)
		}
		for field, missing := range missingFields(e) {
			if missing {
				t.Errorf("%s cannot say %s", act.Kind(), field)
			}
		}
	}
}

// missingFields tries every field of the catalogue's data that the event does not have.
func missingFields(e *events.Event) map[string]bool {
	m := map[string]bool{}
	for _, name := range fieldNames() {
		if _, known := e.Data.With(name, events.TextOf("x")); known && e.Data.Get(name).IsZero() {
			// secrecy is for inquiries, which are no common act.
			m[name] = name != "secrecy"
		}
	}
	return m
}

func fieldNames() []string {
	return strings.Fields(`actor assertion reference reason subjects system bulk our_role on_behalf_of secrecy dataset environment operation categories
		special a9 art10 purpose basis basis_ref statute exception activity volume location origin origin_party context notice_ref retention mode
		result_count break_glass automation effect human_review_ref profiling recipient artefact agreement instrument transfer deletion method trigger
		legs request channel content campaign promotional optout_present suppression_version class purposes explicit text_version text_sha256 evidence_ref
		expires scope outcome grounds_ref`)
}

// TestEveryWordIsInItsVocabulary puts each constant into the field it is for.
func TestEveryWordIsInItsVocabulary(t *testing.T) {
	t.Parallel()
	p, a := processing(), emit.About{Subjects: processing().Subjects, Actor: processing().Actor}
	for _, w := range words(t) {
		var act emit.Act = access()
		p := p
		switch w.of {
		case "SubjectRole":
			p.Subjects = emit.Subjects(emit.SubjectRole(w.value), "candidate:1")
		case "ActorKind":
			p.Actor.Kind, p.Actor.Party = emit.ActorKind(w.value), "helpdesk"
		case "Assertion":
			p.Assertion = emit.Assertion(w.value)
		case "OurRole":
			p.OurRole, p.OnBehalfOf = emit.OurRole(w.value), "acme"
		case "Basis":
			p.Basis = emit.Basis(w.value)
		case "Exception":
			p.Exception = emit.Exception(w.value)
		}
		act = emit.Accessed{Processing: p, Mode: emit.ModeView}
		switch w.of {
		case "Mode":
			act = emit.Accessed{Processing: p, Mode: emit.Mode(w.value)}
		case "Origin":
			act = emit.Collected{Processing: p, Origin: emit.Origin(w.value)}
		case "RecipientRole":
			act = emit.Shared{Processing: p, Recipient: emit.Recipient{Party: "x", Role: emit.RecipientRole(w.value)}}
		case "TransferTool":
			act = emit.Transferred{Processing: p, Recipient: emit.Recipient{Party: "x", Role: emit.ToClient}, Transfer: emit.Transfer{Tool: emit.TransferTool(w.value)}}
		case "Erasure":
			act = emit.Deleted{Processing: p, Deletion: "d:1", Method: emit.Erasure(w.value), Trigger: emit.CauseRetention}
		case "DeletionCause":
			act = emit.Deleted{Processing: p, Deletion: "d:1", Method: emit.Erase, Trigger: emit.DeletionCause(w.value)}
		case "LegKind":
			act = emit.Deleted{Processing: p, Deletion: "d:1", Method: emit.Erase, Trigger: emit.CauseRetention, Legs: []emit.Leg{{Kind: emit.LegKind(w.value), State: emit.LegDone}}}
		case "LegState":
			act = emit.Deleted{Processing: p, Deletion: "d:1", Method: emit.Erase, Trigger: emit.CauseRetention, Legs: []emit.Leg{{Kind: emit.LegLive, State: emit.LegState(w.value)}}}
		case "Medium":
			act = emit.Contacted{Processing: p, Channel: emit.Medium(w.value), Class: emit.ContactService}
		case "Content":
			act = emit.Contacted{Processing: p, Channel: emit.ByEmail, Class: emit.ContactService, Content: emit.Content(w.value)}
		case "ContactClass":
			act = emit.Contacted{Processing: p, Channel: emit.ByEmail, Class: emit.ContactClass(w.value)}
		case "ConsentMethod":
			act = emit.ConsentGiven{About: a, Purposes: []string{"x"}, Method: emit.ConsentMethod(w.value)}
		case "Scope":
			act = emit.ObjectionRaised{About: a, Scope: emit.Scope(w.value)}
		case "Automation":
			act = emit.Used{Processing: p, Automation: emit.Automation(w.value)}
		}
		e, err := emit.New("ats", act)
		if err != nil {
			t.Errorf("%s %q: %v", w.of, w.value, err)
		} else if !bytes.Contains(e.AppendJSON(nil), []byte(`"`+w.value+`"`)) {
			t.Errorf("%s %q is not tried", w.of, w.value)
		}
	}
}

type wordOf struct{ of, value string }

// words reads the typed constants from words.go itself, so that none is forgotten.
func words(t *testing.T) (list []wordOf) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "words.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if ok && len(v.Values) == 1 {
			value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, wordOf{v.Type.(*ast.Ident).Name, value})
		}
		return true
	})
	if len(list) < 70 {
		t.Fatalf("%d words", len(list))
	}
	return list
}

// TestNothingPrintsItself tries every way to print an act, what it is made of, and what holds it.
func TestNothingPrintsItself(t *testing.T) {
	t.Parallel()
	type holder struct {
		inner emit.Identifier
		Outer emit.Identifier
	}
	values := []any{emit.ID("candidate:10412"), holder{emit.ID("candidate:10412"), emit.ID("candidate:10412")}, processing(), processing().Actor, processing().Subjects,
		emit.Other{Of: events.DataAltered, Data: []byte(`{"subjects":[{"id":"candidate:10412"}]}`)}}
	for _, act := range full() {
		values = append(values, act)
	}
	for _, v := range values {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
			fmt.Fprintf(&out, verb+" ", v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		for _, secret := range []string{"10412", "jdp", "asked by", "63616e6469"} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%T prints itself: %s", v, out.String())
			}
		}
	}
}
