package events

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

const secretive = `{"specversion":"1.0","id":"a1","source":"/ats","type":"eu.custody.data.used.v1","time":"2026-03-02T09:14:05Z",` +
	`"correlationid":"corr:1","causationid":"cause:1","data":{"actor":{"id":"employee:jdp","role":"recruiter","session":"sess-1","for":"employee:boss"},` +
	`"reference":"ref:1","reason":"because","subjects":[{"id":"candidate:1","role":"candidate","country":"BE"},{"id":"candidate:2","role":"other"}],` +
	`"special":["health"],"a9":"A9-2-a","basis_ref":"basis:1","activity":"placement"}}`

// TestRewrite: everything that does not stay clear, and nothing else, passes through the function.
func TestRewrite(t *testing.T) {
	e := mustDecode(t, secretive)
	before := e.AppendJSON(nil)
	var seen []string
	r := e.Rewrite(func(ptr string, s Secrecy, v Value) Value {
		seen = append(seen, fmt.Sprintf("%d %s %s%s", s, ptr, v.Text(), v.Texts()))
		if s == Sealed {
			return Value{}
		}
		return TextOf(fmt.Sprint("t", len(seen)))
	})
	want := []string{
		"3 /correlationid corr:1[]", "3 /causationid cause:1[]",
		"2  employee:jdp[]", "3 /data/actor/session sess-1[]", "2  employee:boss[]",
		"3 /data/reference ref:1[]", "4 /data/reason because[]",
		"1  candidate:1[]", "1  candidate:2[]",
		"4 /data/special [health]", "4 /data/a9 A9-2-a[]", "3 /data/basis_ref basis:1[]",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("passed through:\n%q\nwant:\n%q", seen, want)
	}
	const rewritten = `{"specversion":"1.0","id":"a1","source":"/ats","type":"eu.custody.data.used.v1","time":"2026-03-02T09:14:05Z",` +
		`"datacontenttype":"application/json","correlationid":"t1","causationid":"t2","data":{"actor":{"id":"t3","role":"recruiter","session":"t4","for":"t5"},` +
		`"reference":"t6","subjects":[{"id":"t8","role":"candidate","country":"BE"},{"id":"t9","role":"other"}],"basis_ref":"t12","activity":"placement"}}`
	if got := string(r.AppendJSON(nil)); got != rewritten {
		t.Errorf("rewritten:\n%s\nwant:\n%s", got, rewritten)
	}
	if !bytes.Equal(e.AppendJSON(nil), before) {
		t.Error("the original has changed")
	}
}

// TestAppendRewritten: what is appended is what the rewritten event appends, with the seal in its place,
// for every event of the corpus and those that the other tests rewrite.
func TestAppendRewritten(t *testing.T) {
	appendsTheRewritten(t, []byte(secretive))
	appendsTheRewritten(t, []byte(registered(`,"name":"Jan","contact":"by post","natural_person":true`)))
	for _, line := range corpus(t) {
		appendsTheRewritten(t, line)
	}
}

func appendsTheRewritten(t *testing.T, line []byte) {
	t.Helper()
	sent := mustDecode(t, string(line))
	replace := func(dst []byte, _ string, s Secrecy, _ Value) []byte {
		if s == Sealed {
			return dst
		}
		return TextOf(tagText).AppendJSON(dst)
	}
	want := storedOf(sent)
	if got, want := sent.AppendRewritten(nil, replace), want.Event.AppendJSON(nil); !bytes.Equal(got, want) {
		t.Fatalf("rewritten:\n%s\nwant:\n%s", got, want)
	}
	stored := *want
	stored.Event, stored.Sealed = sent, nil
	for _, size := range []int{0, 6, 1000} {
		want.Sealed = make([]byte, size)
		got := stored.AppendRewritten([]byte("before"), replace, func() []byte { return want.Sealed })
		if want := want.Append([]byte("before")); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes sealed:\n%s\nwant:\n%s", size, got, want)
		}
	}
}

func TestRewriteOfAPerson(t *testing.T) {
	all := func(raw string) (seen []string) {
		mustDecode(t, raw).Rewrite(func(ptr string, s Secrecy, v Value) Value {
			seen = append(seen, fmt.Sprint(s, ptr))
			return v
		})
		return seen
	}
	if got := all(registered(`,"name":"Acme","contact":"privacy@example.org"`)); !slices.Equal(got, []string{"2"}) {
		t.Errorf("an organisation: %q", got)
	}
	person := all(registered(`,"name":"Jan Peeters","contact":"by post","natural_person":true`))
	if !slices.Equal(person, []string{"2", "4/data/name", "4/data/contact"}) {
		t.Errorf("a person: %q", person)
	}
}

func TestRewriteOfHandlersAndEmployees(t *testing.T) {
	const changed = `{"specversion":"1.0","id":"a1","source":"/ats","type":"eu.custody.subject.case-changed.v1","time":"2026-03-02T09:14:05Z","data":{` +
		`"subjects":[{"id":"candidate:1","role":"candidate"}],"actor":{"id":"employee:jdp","role":"recruiter"},"case":"c1","kind":"search","state":"joined",` +
		`"handlers":["employee:a","employee:b"]}}`
	const bound = `{"specversion":"1.0","id":"a1","source":"/hr","type":"eu.custody.governance.confidentiality-bound.v1","time":"2026-03-02T09:14:05Z","data":{` +
		`"actor":{"id":"employee:jdp","role":"hr"},"employee":"employee:c","from":"2026-01-01"}}`
	for _, raw := range []string{changed, bound} {
		r := mustDecode(t, raw).Rewrite(func(string, Secrecy, Value) Value { return TextOf(tagText) })
		if got := r.AppendJSON(nil); bytes.Contains(got, []byte("employee:")) || bytes.Contains(got, []byte("candidate:")) {
			t.Errorf("an identifier is left: %s", got)
		}
	}
}
