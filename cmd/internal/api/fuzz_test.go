package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/access"
)

// FuzzPostEvents sends anything in every mode: the answer is always one that
// the document describes, and no fault of ours.
func FuzzPostEvents(f *testing.F) {
	lines, _ := mixed()
	types := []string{structuredType, batchType, linesType, jsonType}
	for i := range types {
		f.Add(i, []byte(strings.Join(lines, "\n")))
		f.Add(i, []byte("["+lines[0]+","+lines[1]+"]"))
		f.Add(i, []byte(event("/ats", "a")))
	}
	r := newRig(f)
	f.Fuzz(func(t *testing.T, mode int, body []byte) {
		r.t = t
		a := r.send(access.RoleRelay, "POST", "/v1/events", string(body), "Content-Type", types[uint(mode)%4], "Ce-Specversion", "1.0", "Ce-Id", "a")
		if a.StatusCode != 200 {
			var p struct {
				Problem
				Results []eventResult `json:"results"`
			}
			strict(t, a.body, &p)
			if a.StatusCode >= 500 || p.Status != a.StatusCode {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
			return
		}
		for _, res := range parse(t, a) {
			if (res.Status == "refused") != (res.Error != nil) || (res.Status == "refused") != (res.Position == 0) {
				t.Fatalf("%+v", res)
			}
		}
	})
}

// FuzzIdentity holds that what is repeated has the form of a source and an id.
func FuzzIdentity(f *testing.F) {
	f.Add([]byte(event("/ats", "a")))
	f.Add([]byte(`{"ID":"\u0041","source":"/a\u0000"}`))
	sourceForm, idForm := regexp.MustCompile(`^/[a-z0-9][a-z0-9-]{0,31}$`), regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)
	f.Fuzz(func(t *testing.T, raw []byte) {
		source, id := identity(raw)
		if source != "" && !sourceForm.MatchString(source) || id != "" && !idForm.MatchString(id) {
			t.Fatalf("%q %q", source, id)
		}
	})
}

// FuzzRequest sends any query and header to the routes that read them.
func FuzzRequest(f *testing.F) {
	f.Add("from=1&to=2&since=2026-01-01T00:00:00Z&follow=false", linesType)
	f.Add("cursor=YQ&limit=3", "application/json;q=0.1")
	f.Add("limit=3", "text/json;,0000")
	r := newRig(f)
	f.Fuzz(func(t *testing.T, query, accept string) {
		r.t = t
		for _, path := range []string{"/v1/events/stream", "/v1/producers"} {
			req, err := http.NewRequest("GET", path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if req.URL.RawQuery = query; strings.Contains(query, "follow") {
				return // it may go on for ever
			}
			req.Header.Set("Accept", accept)
			req.Header.Set("Authorization", "Bearer "+r.tokens[access.RoleOperator])
			a := r.do(req)
			if a.StatusCode >= 500 {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
			for text := range strings.Lines(a.body) {
				if !json.Valid([]byte(text)) {
					t.Fatalf("%d %s", a.StatusCode, a.body)
				}
			}
		}
		wantsLines([]string{accept})
	})
}

// FuzzStrict reads any body: what is wrong with it is said without a word of it,
// but for names that say nothing, and what is taken is what everybody else reads.
func FuzzStrict(f *testing.F) {
	for _, body := range []string{`{"reason":"a","keep":[{"x":1},{"x":1,"X":2}]}`, `{"reason":1,"reason":2}`, `{"85073003328":1,"85073003328":2}`, `[[[{"a":{"b":1,"b":2}}]]]`, `{`, `{"a":1}{}`, "\"\xff\"", ``} {
		f.Add([]byte(body))
	}
	format := strictFormat(func() map[string]bool { return map[string]bool{"reason": true, "keep": true} })
	pathForm := regexp.MustCompile(`^(/([a-z_]{1,32}|[0-9]+))*$`)
	f.Fuzz(func(t *testing.T, body []byte) {
		var v, again any
		err := format.Unmarshal(body, &v)
		if fault, is := errors.AsType[*bodyFault](err); is {
			if got, ok := faultOf(err.Error()); !ok || got != *fault || !pathForm.MatchString(fault.path) {
				t.Fatalf("%q is %+v", err, got)
			}
			return
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		if err := json.Unmarshal(body, &again); err != nil || !reflect.DeepEqual(v, again) {
			t.Fatalf("%v, %v: %v", v, again, err)
		}
	})
}
