package cli

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/forget"
	papers "github.com/imalink/custody/cmd/internal/report"
)

// TestSecondPersonIsWaitedFor: with --wait until somebody approves, and no longer
// than that.
func TestSecondPersonIsWaitedFor(t *testing.T) {
	d := &desk{}
	d.answer = func(w http.ResponseWriter, r *http.Request, body map[string]any) bool {
		switch {
		case r.URL.Path == "/v1/approvals/ab12":
			io.WriteString(w, `{"id":"ab12","act":"reveal actors","terms":{"reason":"court-order","case":"c-1"},"by":"desk","expires":"2026-03-02T09:00:00.000Z","approved_by":"deputy"}`)
		case r.URL.Path == "/v1/approvals":
			io.WriteString(w, `{"approvals":[{"id":"ab12","act":"erase","terms":{"reason":"request","keep":["access:A17-3-e","breach:A17-3-b"],"now":true,"identifiers":2,"acts":1234},"by":"desk","asked":"2026-03-02T08:00:00.000Z","expires":"2026-03-02T09:00:00.000Z"}]}`)
		case body["approval"] == nil || len(d.asked) < 3:
			refuse(w, 409, "second-person", `"approval":{"id":"ab12","by":"desk"}`)
		default:
			fmt.Fprintf(w, `{%s,"items":[{"pointer":"/actor/id","mask":"actor-1","id":"employee:r02"}],"unresolved":2,"recorded":[9]}`, asOfJSON)
		}
		return true
	}
	i := deskOf(t, d)
	stdout, stderr := i.runs(t, done, "reveal", "7", "--reason", "court-order", "--words", "asked by the court", "--wait", "1m", "-o", "csv")
	if want := "mask,identifier,where\nactor-1,employee:r02,/actor/id\n"; stdout != want || !strings.Contains(stderr, "custody approve ab12") || !strings.Contains(stderr, "2 tags of people who were erased") {
		t.Errorf("%q, %q", stdout, stderr)
	}
	if got := fmt.Sprint(d.asked[0].body, d.asked[2].body); got != "map[position:7 reason:court-order who:actors words:asked by the court] map[approval:ab12 position:7 reason:court-order who:actors words:asked by the court]" {
		t.Errorf("sent %s", got)
	}
	if stdout, _ := i.runs(t, done, "approve", "-o", "csv"); !strings.Contains(stdout, `ab12,desk,,`) || !strings.Contains(stdout, `,erase,"reason=request keep=access:A17-3-e,breach:A17-3-b now identifiers=2 acts=1,234"`) {
		t.Errorf("waiting:\n%s", stdout)
	}
	if stdout, _ := i.runs(t, done, "approve", "ab12"); !strings.Contains(stdout, "reveal actors") || !strings.Contains(stdout, "reason=court-order case=c-1") || d.lines()[len(d.lines())-1] != "POST /v1/approvals/ab12" {
		t.Errorf("approved:\n%s", stdout)
	}
}

// Every one of the terms that two people agree on is shown.
func TestTermsAreShown(t *testing.T) {
	var all forget.Terms
	v := reflect.ValueOf(&all).Elem()
	for n := range v.NumField() {
		switch f := v.Field(n); f.Kind() {
		case reflect.String:
			f.SetString("x" + v.Type().Field(n).Name)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int:
			f.SetInt(int64(100 + n))
		case reflect.Uint64:
			f.SetUint(uint64(100 + n))
		default:
			f.Set(reflect.ValueOf([]string{"access:A17-3-e"}))
		}
	}
	if words := strings.Fields(exactly(all)); len(words) != v.NumField() {
		t.Errorf("%d of %d: %q", len(words), v.NumField(), words)
	}
	if text := exactly(forget.Terms{}); text != "" {
		t.Errorf("of nothing: %q", text)
	}
}

// TestRetainBySecondPerson: by hand it may take two, and a schedule one agreement a
// rule.
func TestRetainBySecondPerson(t *testing.T) {
	d := &desk{objects: map[string]string{"/v1/retention/access": `{` + asOfJSON + `,"events":12,"held":0,"months":[{"month":"2020-01","cells":2}],"blocking":[]}`}}
	d.answer = func(w http.ResponseWriter, r *http.Request, body map[string]any) bool {
		switch {
		case r.Method != "POST":
			return false
		case body["approval"] == nil:
			refuse(w, 409, "second-person", `"approval":{"id":"ab12","by":"desk"}`)
		default:
			io.WriteString(w, issued(t, papers.Retained))
		}
		return true
	}
	i := deskOf(t, d)
	if _, stderr := i.runs(t, failed, "retain", "--class", "access", "--before", "2023-07"); !strings.Contains(stderr, "--approval ab12") {
		t.Errorf("%q", stderr)
	}
	if stdout, _ := i.runs(t, done, "retain", "--class", "access", "--before", "2023-07", "--approval", "ab12"); !strings.Contains(stdout, "the keys are destroyed") {
		t.Errorf("%s", stdout)
	}
	schedule := filepath.Join(t.TempDir(), "s.json")
	if err := os.WriteFile(schedule, []byte(`{"format":1,"keep":[{"class":"access","months":3}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	i.runs(t, failed, "retain", "--schedule", schedule)
	if stdout, _ := i.runs(t, done, "retain", "--schedule", schedule, "--wait", "1m"); !strings.Contains(stdout, " forgotten") {
		t.Errorf("%s", stdout)
	}
}
