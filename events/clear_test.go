package events

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// accessed is an event with the given envelope id, subject, session and further fields of its data.
func accessed(id, subject, session, fields string) string {
	return `{"specversion":"1.0","id":"` + id + `","source":"/ats","type":"eu.custody.data.accessed.v1","time":"2026-03-02T09:14:05Z","data":{` +
		`"subjects":[{"id":"` + subject + `","role":"candidate"}],"actor":{"id":"employee:jdp","role":"recruiter","session":"` + session + `"},` +
		`"activity":"placement","mode":"view"` + fields + `}}`
}

// registered is a party's registration.
func registered(fields string) string {
	return `{"specversion":"1.0","id":"r1","source":"/register","type":"eu.custody.governance.party-registered.v1","time":"2026-03-02T09:14:05Z","data":{` +
		`"actor":{"id":"employee:d01","role":"dpo"},"party":"acme-bank","roles":["client"],"country":"BE"` + fields + `}}`
}

func TestOwnIdentifiers(t *testing.T) {
	for _, c := range []struct{ name, raw, path string }{
		{"none", accessed("a1", "candidate:10412", "sess-0289", ""), ""},
		{"a subject in a code", accessed("a1", "anna", "s1", `,"dataset":"cv-anna"`), "/data/dataset"},
		{"a subject in another case", accessed("x-CANDIDATE:10412-1", "Candidate:10412", "s1", ""), "/id"},
		{"a subject beyond ASCII", accessed("a1", "Ελένη", "s1", ""), ""},
		{"an actor in a category", strings.ReplaceAll(accessed("a1", "candidate:1", "s1", `,"categories":["contact","of-employee:jdp"]`), "employee:jdp", "employee.jdp"), "/data/categories/1"},
		{"the session in the id", accessed("sess-0289.1", "candidate:1", "sess-0289", ""), "/id"},
		{"the session in an instance", strings.Replace(accessed("a1", "candidate:1", "node", ""), `"source"`, `"producerinstance":"my-node","source"`, 1), "/producerinstance"},
		{"a subject in the trace", strings.Replace(accessed("a1", "4bf92f", "s1", ""), `"source"`, `"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","source"`, 1), "/traceparent"},
		{"short identifiers are not searched", accessed("a1", "a1", "s", ""), ""},
		{"joinable references do not stay clear", accessed("a1", "candidate:10412", "s1", `,"reference":"for:candidate:10412","basis_ref":"candidate:10412"`), ""},
		{"the reason does not stay clear", accessed("a1", "candidate:10412", "s1", `,"reason":"about candidate:10412"`), ""},
		{"another identifier does not stay clear", accessed("a1", "employee:jdp", "s1", ""), ""},
		{"vocabularies are not searched", accessed("a1", "candidate", "view", `,"basis":"A6-1-b","location":{"storage":["BE"]}`), ""},
		{"nor lists of them", strings.Replace(registered(`,"name":"Acme"`), "employee:d01", "client", 1), ""},
		{"a correlation does not stay clear", strings.Replace(accessed("a1", "candidate:10412", "s1", ""), `"source"`, `"correlationid":"candidate:10412","causationid":"x/candidate:10412","source"`, 1), ""},
		{"nor the producer's name", accessed("a1", "ats", "s1", ""), ""},
		{"nor dates", accessed("a1", "2026", "s1", ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode([]byte(c.raw))
			want := OwnIdentifier
			if c.path == "" {
				want = ""
			}
			if got := refusalOf(t, err); got.Path != c.path || got.Type != want {
				t.Errorf("got %q at %q, want %q at %q", got.Type, got.Path, want, c.path)
			}
		})
	}
}

// TestOwnIdentifierOfMany: among thousands of subjects the one that a clear string holds is found,
// wherever it is, and the first such string is named.
func TestOwnIdentifierOfMany(t *testing.T) {
	raw := string(crowded(MaxSubjects))
	for _, subject := range []int{10_000, 12_345, 14_999} {
		held := strings.ReplaceAll(raw, "candidate:", "Candidate.")
		held = strings.Replace(held, `"activity":"placement"`, fmt.Sprintf(`"activity":"placement","system":"x.candidate.%d"`, subject), 1)
		if _, err := Decode([]byte(held)); refusalOf(t, err).Path != "/data/system" {
			t.Errorf("subject %d: %v", subject, err)
		}
	}
}

// TestOwnIdentifiersIsASearch holds the search against the obvious one.
func TestOwnIdentifiersIsASearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[abAB01\x00é]{0,6}`)
		identifiers := rapid.SliceOfN(text, 0, 400).Draw(t, "identifiers")
		clear := rapid.SliceOfN(rapid.StringMatching(`[abAB01\x00é]{0,12}`), 0, 8).Draw(t, "clear")
		var ids, texts []byte
		for _, s := range identifiers {
			ids = appendFolded(ids, s)
		}
		for _, s := range clear {
			texts = appendFolded(texts, s)
		}
		want := slices.IndexFunc(clear, func(c string) bool {
			return slices.ContainsFunc(identifiers, func(id string) bool { return len(id) >= shortestSearched && strings.Contains(fold1(c), fold1(id)) })
		})
		if got := ownIdentifiers(ids, texts); got.contains != want {
			t.Fatalf("found in %d, want %d", got.contains, want)
		}
	})
}

func fold1(s string) string { return strings.ReplaceAll(strings.ToLower(s), "\x00", " ") }

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want []string
	}{
		{accessed("a1", "candidate:10412", "sess-0289", ""), nil},
		{accessed("row-10412", "candidate:10412", "s1", `,"system":"ats10412","dataset":"ats910412","purpose":"p0412"`), []string{"/id", "/data/system"}},
		{accessed("a1", "candidate:10412", "sess-0289", `,"system":"node-0289"`), []string{"/data/system"}},
		{accessed("row-041", "candidate:041", "s1", ""), nil},
	} {
		e, err := Decode([]byte(c.raw))
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.Equal(e.Warnings, c.want) {
			t.Errorf("%s: warnings %q, want %q", c.raw, e.Warnings, c.want)
		}
	}
}

func TestPersonalData(t *testing.T) {
	for _, c := range []struct{ name, raw, path string }{
		{"in a reason", accessed("a1", "candidate:1", "s1", `,"reason":"mail to jan.peeters@example.org"`), "/data/reason"},
		{"in an escaped reason", accessed("a1", "candidate:1", "s1", `,"reason":"mail to jan.peeters\u0040example.org"`), "/data/reason"},
		{"in a session", accessed("a1", "candidate:1", "jan.peeters@example.org", ""), "/data/actor/session"},
		{"in a reference", accessed("a1", "candidate:1", "s1", `,"reference":"BE68539007547034"`), "/data/reference"},
		{"in a correlation", strings.Replace(accessed("a1", "candidate:1", "s1", ""), `"source"`, `"correlationid":"BE68539007547034","source"`, 1), "/correlationid"},
		{"in an id", accessed("BE68539007547034", "candidate:1", "s1", ""), "/id"},
		{"identifiers may be addresses", accessed("a1", "jan.peeters@example.org", "s1", ""), ""},
		{"an organisation's mailbox", registered(`,"name":"Acme","contact":"privacy@example.org"`), ""},
		{"an organisation's number", registered(`,"name":"Acme","contact":"+32 2 555 12 12"`), ""},
		{"an organisation's account", registered(`,"name":"Acme","contact":"BE68 5390 0754 7034"`), "/data/contact"},
		{"a mailbox for a name", registered(`,"name":"privacy@example.org"`), "/data/name"},
		{"a person's mailbox", registered(`,"name":"Jan Peeters","natural_person":true,"contact":"jan.peeters@example.org"`), "/data/contact"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode([]byte(c.raw))
			got := refusalOf(t, err)
			if got.Path != c.path || c.path != "" && got.Type != PersonalData {
				t.Errorf("got %q at %q, want %q", got.Type, got.Path, c.path)
			}
		})
	}
}

func TestPersonalDataInDocuments(t *testing.T) {
	published := func(document string) []byte {
		return []byte(`{"specversion":"1.0","id":"a1","source":"/register","type":"eu.custody.governance.policy-published.v1","time":"2026-03-02T09:14:05Z",` +
			`"data":{"actor":{"id":"employee:d01","role":"dpo"},"policy":"privacy","version":"1","sha256":"` + strings.Repeat("00", 32) +
			`","effective_from":"2026-03-02T09:14:05Z","document":` + document + `}}`)
	}
	for document, want := range map[string]string{
		`{"title":"Privacy policy","rules":[{"keep":3}]}`:       "",
		`{"rules":[{"x":"a"},{"who":"jan@example.org"}]}`:       PersonalData + " /data/document/rules/1/who",
		`{"rules":{"jan@example.org":1}}`:                       PersonalData + " /data/document/rules",
		`{"rules":{"a b":{"who":"jan@example.org"}}}`:           PersonalData + " /data/document/rules",
		`{"rules":{"who":"by Employee:D01"}}`:                   OwnIdentifier + " /data/document/rules/who",
		`{"n":85073003328}`:                                     PersonalData + " /data/document/n",
		`{"n":[85073,true,null,-1.5e3,"a\"b\\c\n","x"],"e":{}}`: "",
	} {
		_, err := Decode(published(document))
		got := ""
		if err != nil {
			got = refusalOf(t, err).Type + " " + refusalOf(t, err).Path
		}
		if got != want {
			t.Errorf("%s: %q, want %q", document, got, want)
		}
	}
}
