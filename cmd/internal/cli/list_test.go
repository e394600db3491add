package cli

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// An answer that is not whole is an error, and not taken for whole by a reader
// of JSON either.
func TestBrokenLists(t *testing.T) {
	first := `{` + asOfJSON + `,"total":3,"items":[{"position":1},{"position":2}],"next":"x"}`
	for name, test := range map[string]struct{ first, second, want string }{
		"no items":        {`{"total":0}`, "", "not the JSON expected"},
		"items null":      {`{"items":null}`, "", "not the JSON expected"},
		"no JSON":         {"<html>", "", "not the JSON expected"},
		"an array":        {"[]", "", "not the JSON expected"},
		"as_of is text":   {`{"as_of":"now","items":[]}`, "", "not the JSON expected"},
		"window is text":  {`{"window":"now","items":[]}`, "", "not the JSON expected"},
		"an item is text": {`{"items":["x"]}`, "", "not the JSON expected"},
		"too few":         {`{"total":3,"items":[{"position":1}]}`, "", "the server sent 1 item of 3"},
		"none of some":    {`{"total":3,"items":[]}`, "", "the server sent 0 items of 3"},
		"too many":        {`{"total":0,"items":[{"position":1}]}`, "", "the server sent 1 item of 0"},
		"cut":             {first, `{"items":[{"posi`, "the answer broke off: reading the server's answer: it is not"},
		"empty page":      {first, `{"items":[],"next":"y"}`, "an empty page that is not the last"},
		"no end":          {first, `{"items":[{"position":3}],"next":"x"}`, "do not come to an end"},
		"last page short": {first, `{"items":[]}`, "the server sent 2 items of 3"},
		"refused later":   {first, "503", "the answer broke off: Service Unavailable"},
		"expired":         {first, "410", "--from and --to"},
	} {
		for _, format := range formats {
			if name == "an item is text" && (format == "json" || format == "ndjson") {
				continue // passed on as it came
			}
			i := deskOf(t, &desk{answer: func(w http.ResponseWriter, r *http.Request, _ map[string]any) bool {
				body := test.first
				if r.URL.Query().Get("cursor") != "" {
					body = test.second
				}
				switch body {
				case "503":
					w.WriteHeader(503)
				case "410":
					refuse(w, 410, "handle-expired", "")
				default:
					io.WriteString(w, body)
				}
				return true
			}})
			stdout, stderr := i.runs(t, failed, "transfers", "-o", format)
			if !strings.Contains(stderr, test.want) || format == "json" && json.Valid([]byte(stdout)) {
				t.Errorf("%s as %s: stdout %q, stderr %q, want %q", name, format, stdout, stderr, test.want)
			}
		}
	}
}

// Nothing found is an answer.
func TestEmptyLists(t *testing.T) {
	for format, want := range map[string]string{
		"table": "", "ndjson": "", "json": "{" + asOfJSON + `,"window":{"from":"2025-02-28T23:00:00.000Z","to":"2025-03-31T22:00:00.000Z"},"total":0,"items":[]}` + "\n",
		"csv": strings.Join(plainHeads(eventCSV()), ",") + "\n",
	} {
		i := deskOf(t, &desk{lists: map[string][]string{"/v1/transfers": {}}})
		if stdout, stderr := i.runs(t, done, "transfers", "-o", format); stdout != want || !strings.Contains(stderr, "nothing was recorded that matches") {
			t.Errorf("%s: %q, want %q; stderr %q", format, stdout, want, stderr)
		}
	}
}

func plainHeads(s sheet) (heads []string) {
	for _, c := range s {
		heads = append(heads, c.head)
	}
	return heads
}

// What the server prints on many lines is one line of NDJSON.
func TestItemsAreLines(t *testing.T) {
	i := deskOf(t, &desk{lists: map[string][]string{"/v1/transfers": {"{\n \"position\": 1,\n \"id\": \"a\"\n}"}}})
	stdout, _ := i.runs(t, done, "transfers", "-o", "ndjson")
	prints(t, stdout, `{"position":1,"id":"a"}`)
}

// A question waits for views that are catching up, and not for anything else.
func TestAskWaits(t *testing.T) {
	for word, want := range map[string]int{"view-behind": 4, "not-ready": 4, "busy": 4, "halted": 1, "not-recorded": 1, "": 1} {
		synctest.Test(t, func(t *testing.T) {
			tries, notes := 0, 0
			e := &exchange{note: func(string, ...any) { notes++ }}
			e.client = clientOf(func(*http.Request) (*http.Response, error) {
				if tries++; tries == 4 {
					return answered(200, "application/json", `{}`), nil
				}
				r := answered(503, "application/problem+json", `{"type":"urn:custody:problem:`+word+`"}`)
				r.Header.Set("Retry-After", "2")
				return r, nil
			})
			began := time.Now()
			var out map[string]any
			err := e.ask(t.Context(), "GET", "/v1/transfers", nil, nil, &out)
			if tries != want || (err == nil) != (want == 4) || want == 4 && (notes != 1 || time.Since(began) < 6*time.Second) {
				t.Errorf("%s: %d tries, %d notes, %v in %v", word, tries, notes, err, time.Since(began))
			}
		})
	}
}

func TestAskGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &exchange{note: func(string, ...any) {}}
		e.client = clientOf(func(*http.Request) (*http.Response, error) {
			r := answered(503, "application/problem+json", `{"type":"urn:custody:problem:view-behind"}`)
			r.Header.Set("Retry-After", "1")
			return r, nil
		})
		began := time.Now()
		err := e.ask(t.Context(), "GET", "/v1/transfers", nil, nil, nil)
		if p, ok := errors.AsType[*problem](err); !ok || p.word() != "view-behind" || time.Since(began) > readTime {
			t.Errorf("%v in %v", err, time.Since(began))
		}
	})
}

func TestScopeIsUnderstood(t *testing.T) {
	s := &session{zone: "Europe/Brussels"}
	for _, test := range []struct {
		o    scope
		name string
		want string
	}{
		{scope{at: "2025-06-30"}, "at", "2025-06-30T21:59:59.999Z"},
		{scope{at: "2025-06-30T12:00:00+02:00"}, "at", "2025-06-30T10:00:00Z"},
		{scope{knownAt: "17"}, "known_at", "17"},
		{scope{knownAt: "2025-06-30"}, "known_at", "2025-06-30T21:59:59.999Z"},
		{scope{knownAt: "2025-06-30T12:00:00Z"}, "known_at", "2025-06-30T12:00:00Z"},
		{scope{from: "2025-03-30"}, "from", "2025-03-29T23:00:00Z"},
		{scope{to: "2025-03-30"}, "to", "2025-03-30T22:00:00Z"},
		{scope{reference: "c-1"}, "case", "c-1"},
	} {
		got, err := s.terms(test.o, nil)
		if err != nil || got.scope[test.name] != test.want || len(got.scope) != 1 {
			t.Errorf("%+v: %v, %v", test.o, got.scope, err)
		}
	}
}

// A look-up gives a handle, and a list that comes at once has no next page.
func TestForeignAnswers(t *testing.T) {
	for args, body := range map[string]string{
		"person candidate:10001":              `{"total":0,"items":[]}`,
		"party list":                          `{"items":[],"next":"x"}`,
		"party list --limit 1":                `{"items":[{"party":"a"}],"next":"x"}`,
		"person candidate:10001 --show reads": `{"handle":"h1"}`,
		"explain 7":                           `{"class":"T0"}`,
		"explain e-7 -o json":                 `{"position":0}`,
	} {
		i := deskOf(t, &desk{answer: func(w http.ResponseWriter, _ *http.Request, _ map[string]any) bool {
			io.WriteString(w, body)
			return true
		}})
		if stdout, stderr := i.runs(t, failed, strings.Fields(args)...); stdout != "" || !strings.Contains(stderr, "not the JSON expected") {
			t.Errorf("%s: stdout %q, stderr %q", args, stdout, stderr)
		}
	}
}
