package report

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
)

// A shape is the JSON Schema of anything.
type shape struct {
	Ref        string            `json:"$ref"`
	Const      string            `json:"const"`
	Enum       []string          `json:"enum"`
	Items      *shape            `json:"items"`
	Properties map[string]*shape `json:"properties"`
	If, Then   *shape
	AllOf      []shape           `json:"allOf"`
	Defs       map[string]*shape `json:"$defs"`
}

func published(t *testing.T) *shape {
	t.Helper()
	s := &shape{}
	if err := json.Unmarshal(events.AppendSchema(nil), s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shape) followed(of *shape) *shape {
	if name, ok := strings.CutPrefix(of.Ref, "#/$defs/"); ok {
		of = s.Defs[name]
	}
	if of.Items != nil {
		return s.followed(of.Items)
	}
	return of
}

// dataOf is the data of each kind, by its name.
func (s *shape) dataOf() map[string]*shape {
	all := map[string]*shape{}
	for _, rule := range s.AllOf {
		kind, _ := events.ParseType(rule.If.Properties["type"].Const)
		all[kind.Name()] = rule.Then.Properties["data"]
	}
	return all
}

// TestVocabularies holds the words that events have too against the catalogue.
func TestVocabularies(t *testing.T) {
	s := published(t)
	legs := s.followed(s.dataOf()["data.deleted"].Properties["legs"])
	if got := legs.Properties["kind"].Enum; !slices.Equal(got, LegKinds()) {
		t.Errorf("legs are of the kinds %v", got)
	}
	if got := legs.Properties["state"].Enum; !slices.Equal(got, []string{Done, Due}) {
		t.Errorf("legs have the states %v", got)
	}
	if got := s.dataOf()["subject.recipient-notified"].Properties["outcome"].Enum; !slices.Equal(got, RecipientStates()[1:]) {
		t.Errorf("recipients have the states %v", got)
	}
	if got := s.dataOf()["governance.hold-placed"].Properties["ground"].Enum; !slices.Equal(got, events.KeepGrounds()) {
		t.Errorf("holds have the grounds %v", got)
	}
	states := map[string][]string{}
	for _, kind := range CopyKinds() {
		states["copies."+kind] = CopyStates(kind)
	}
	for name, words := range states {
		for _, word := range words {
			if english()[name+"."+word] == "" {
				t.Errorf("no text for %s %s", name, word)
			}
		}
	}
	for name, words := range map[string][]string{"reason": events.ErasureReasons(), "ground": events.KeepGrounds(), "class": classes(), "family": families(),
		"leg": LegKinds(), "told": RecipientStates(), "clear": ClearFields(), "learn": append(Learnable(false), Learnable(true)...)} {
		for _, word := range words {
			if english()[name+"."+word] == "" {
				t.Errorf("no text for %s %s", name, word)
			}
		}
	}
}

// TestClear holds what is said to stay in clear against the catalogue: each field
// of an event about people is hidden, or of a group that the certificate names.
func TestClear(t *testing.T) {
	group := map[string]string{}
	for name, fields := range groups() {
		for _, field := range strings.Fields(fields) {
			if of, twice := group[field]; twice {
				t.Errorf("%s is of %s and of %s", field, of, name)
			}
			group[field] = name
			if !slices.Contains(append(ClearFields(), "hidden"), name) {
				t.Errorf("the certificate does not name %s", name)
			}
		}
	}
	s := published(t)
	seen := map[string]bool{}
	var walk func(inside string, of *shape)
	walk = func(inside string, of *shape) {
		for field, value := range of.Properties {
			if value = s.followed(value); value.Properties != nil {
				walk(field+".", value)
				continue
			}
			seen[inside+field] = true
			if _, ok := group[inside+field]; !ok {
				t.Errorf("%s is in no group", inside+field)
			}
		}
	}
	for _, data := range s.dataOf() {
		if _, about := data.Properties["subjects"]; about {
			walk("", data)
		}
	}
	envelope := maps.Clone(s.Properties)
	delete(envelope, "data")
	walk("/", &shape{Properties: envelope})
	for field, name := range group {
		if !seen[field] {
			t.Errorf("%s, said to be of %s, is no field", field, name)
		}
	}
}

// groups are the fields of the envelope, which begin with a stroke, and of the data of every kind that is about
// people, by the group that the certificate names. What is hidden is tagged or sealed (docs/events).
func groups() map[string]string {
	return map[string]string{
		"hidden": `subjects.id actor.id actor.for actor.session handlers reference basis_ref reason special a9
			/correlationid /causationid`,
		"time":       "/time",
		"kind":       "/type /specversion /datacontenttype assertion",
		"producer":   "/source",
		"numbers":    "/id /producerinstance /producerseq /traceparent",
		"system":     "system dataset environment operation",
		"purpose":    "purpose purposes basis activity statute exception secrecy context",
		"categories": "categories art10",
		"role":       "subjects.role subjects.country actor.role actor.kind actor.unit actor.party our_role",
		"recipient":  "recipient.party recipient.role recipient.via party origin_party on_behalf_of legs.party reported_by",
		"country":    "location.storage location.access",
		"transfer":   "transfer.tool transfer.tool_ref transfer.tia_ref",
		"references": `request deletion artefact.id bulk.id bulk.part bulk.parts case agreement instrument evidence_ref grounds_ref
			notice_ref human_review_ref test_ref covers from legs.attest_ref campaign of.source of.id text_sha256 report_sha256 hold breach`,
		"details": `origin mode result_count break_glass automation effect profiling trigger format delivered_to technique channel content
			class promotional optout_present suppression_version method state ground informed_at retention to explicit expires
			text_version outcome version right doubt evidence authenticated evidence_destroyed_at reason_code remedies_named about
			review_due detected_at aware_at consequences kinds sent_at kind scope articles policy_version records volume.records
			legs.kind legs.state legs.due legs.confirmed_at artefact.type artefact.template fee.cents fee.ground
			subjects_unknown.upper_bound secrecy_until`,
	}
}
