package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func document3(t *testing.T, r *rig) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(r.send("", "GET", "/openapi.json", "").body), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestDocument checks the structure of the OpenAPI document: every operation has
// an id of its own, answers with descriptions, and parameters for the braces in
// its path; every reference leads somewhere; nothing of huma's errors is left.
func TestDocument(t *testing.T) {
	r := newRig(t)
	doc := document3(t, r)
	if v := fmt.Sprint(doc["openapi"]); !regexp.MustCompile(`^3\.1\.\d+$`).MatchString(v) {
		t.Errorf("version %s", v)
	}
	ids := map[string]bool{}
	for path, item := range doc["paths"].(map[string]any) {
		for method, o := range item.(map[string]any) {
			op := o.(map[string]any)
			name := method + " " + path
			id, _ := op["operationId"].(string)
			if id == "" || ids[id] || op["summary"] == "" || op["security"] == nil {
				t.Errorf("%s: id %q, summary %v, security %v", name, id, op["summary"], op["security"])
			}
			ids[id] = true
			declared := map[string]bool{}
			params, _ := op["parameters"].([]any)
			for _, p := range params {
				p := p.(map[string]any)
				declared[fmt.Sprint(p["in"], " ", p["name"])] = true
			}
			for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
				if !declared["path "+m[1]] {
					t.Errorf("%s: no parameter %s", name, m[1])
				}
			}
			for status, answer := range op["responses"].(map[string]any) {
				if answer.(map[string]any)["description"] == "" || status == "422" || status == "default" {
					t.Errorf("%s: answer %s: %v", name, status, answer)
				}
			}
		}
	}
	refs := regexp.MustCompile(`"\$ref":"([^"]*)"`)
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	text := r.send("", "GET", "/openapi.json", "").body
	for _, m := range refs.FindAllStringSubmatch(text, -1) {
		if name, ok := strings.CutPrefix(m[1], "#/components/schemas/"); !ok || schemas[name] == nil {
			t.Errorf("%s leads nowhere", m[1])
		}
	}
	if strings.Contains(text, "ErrorModel") || schemas["Problem"] == nil || schemas["Results"] == nil {
		t.Errorf("schemas %v", slices.Sorted(maps.Keys(schemas)))
	}
}

// schema compiles a schema of the document.
func schema(t *testing.T, doc map[string]any, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("urn:doc", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:doc#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAnswersFollowDocument validates real answers against the document.
func TestAnswersFollowDocument(t *testing.T) {
	r := newRig(t)
	doc := document3(t, r)
	for name := range doc["components"].(map[string]any)["schemas"].(map[string]any) {
		schema(t, doc, name)
	}
	mixed, _ := mixed()
	for _, tt := range []struct {
		schema string
		a      answer
	}{
		{"Results", r.post(linesType, strings.Join(mixed, "\n"))},
		{"Results", r.post(structuredType, strings.Replace(event("/ats", "10412"), "career_cv", "cv_10412", 1))},
		{"Status", r.send(access.RoleOperator, "GET", "/v1/status", "")},
		{"ProducersOutputBody", r.send(access.RoleOperator, "GET", "/v1/producers", "")},
		{"PutProducer", r.send(access.RoleOperator, "POST", "/v1/producers", `{"name":"crm","families":["data"]}`, "Content-Type", "application/json")},
		{"MadeToken", r.send(access.RoleOperator, "POST", "/v1/tokens", `{"role":"dpo","name":"x","expires":"2099-01-01T00:00:00Z"}`, "Content-Type", "application/json")},
		{"TokensOutputBody", r.send(access.RoleOperator, "GET", "/v1/tokens", "")},
		{"Problem", r.send(access.RoleOperator, "GET", "/v1/events/stream?from=0", "")},
		{"Problem", r.send(access.RoleOperator, "POST", "/v1/tokens", `{}`, "Content-Type", "application/json")},
		{"Problem", r.send("", "GET", "/v1/status", "")},
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(tt.a.body))
		if err != nil {
			t.Fatalf("%s: %v in %s", tt.schema, err, tt.a.body)
		}
		if err := schema(t, doc, tt.schema).Validate(value); err != nil {
			t.Errorf("%s: %v in %s", tt.schema, err, tt.a.body)
		}
	}
}

// TestWordsInDocument shows that every type of problem is documented somewhere.
func TestWordsInDocument(t *testing.T) {
	text := newRig(t).send("", "GET", "/openapi.json", "").body
	for w, m := range meanings() {
		if w == methodNotAllowed {
			continue // of no operation
		}
		if !strings.Contains(text, problemPrefix+string(w)+": "+m.title) {
			t.Errorf("%s is not in the document", w)
		}
	}
}

// TestResultIsWhatIsDocumented holds the hand-written answer to the documented type.
func TestResultIsWhatIsDocumented(t *testing.T) {
	full := item{line: 3, event: &events.Event{Source: "/a", ID: "b"}, result: result{status: ledger.Recorded, position: 7, warnings: []string{"/data/x"}}}
	refused := item{line: 3, event: &events.Event{Source: "/a", ID: "b"}, result: result{status: ledger.Refused, err: &events.Error{Path: "/p", Type: "t", Detail: `"quoted" <d>`}}}
	for _, it := range []item{full, refused, {result: result{status: valid}}} {
		sent := it.append(nil)
		var r eventResult
		strict(t, string(sent), &r)
		again, err := json.Marshal(r)
		if err != nil || !bytes.Equal(again, sent) {
			t.Errorf("sent %s, documented %s, %v", sent, again, err)
		}
	}
	if n := reflect.TypeFor[result]().NumField(); n != 4 {
		t.Errorf("a result has %d fields: are all of them sent?", n)
	}
}
