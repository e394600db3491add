package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	papers "github.com/imalink/custody/cmd/internal/report"
)

// issued is a certificate as the server gives it.
func issued(t *testing.T, kind papers.Kind) string {
	t.Helper()
	at := papers.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	who := papers.Who{Role: "dpo", Token: "desk"}
	c := &papers.Certificate{Version: papers.Format, Kind: kind, Issued: at, Ledger: papers.Ledger{Name: "l", ID: strings.Repeat("7", 32)},
		Remains:  papers.Remains{Shared: 3, Clear: papers.ClearFields(), Learnable: papers.Learnable(kind == papers.Retained)},
		Evidence: papers.Evidence{AsOf: 90, At: at, Digest: strings.Repeat("7", 64), Verify: []string{"custody check"}}}
	if kind == papers.Erased || kind == papers.Retained {
		c.Shredding = &papers.Shredding{Position: 88, At: at, Digest: strings.Repeat("8", 64), By: who, RootBefore: 4, RootAfter: 5, Shards: 1, Rows: 2}
	}
	c.Copies = []papers.Copy{{Kind: papers.Escrow, State: papers.None}, {Kind: papers.Backup, State: papers.Due, Former: 4}, {Kind: papers.Other, State: papers.Unknown, Former: 4}}
	if kind == papers.Retained {
		c.Retention = &papers.Retention{Class: "access", Before: "2023-07", Cells: 14}
		c.Cells = []papers.Cells{{Class: "access", From: "2022-12", To: "2023-06", Keys: 14}}
	} else {
		c.Erasure = &papers.Erasure{Reason: "request", By: who}
		c.Identifiers = &papers.Identifiers{Shown: true, Count: 1, List: []papers.Linked{{Identifier: papers.Named("candidate:10001"), Links: []papers.Link{{Position: 7, By: papers.Named("employee:r01")}}}}}
		c.Recipients = []papers.Recipient{{Party: "acme-bank", Events: 2, First: at, Last: at, State: papers.Due}}
	}
	if kind == papers.Restricted || kind == papers.Erased {
		c.Erasure.Position, c.Erasure.Opened, c.Erasure.Restricted, c.Erasure.Due = 77, at, at, at
	}
	var b bytes.Buffer
	if err := c.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// certifying answers each of some requests with a certificate.
func certifying(t *testing.T, kinds map[string]papers.Kind) *desk {
	return &desk{answer: func(w http.ResponseWriter, r *http.Request, _ map[string]any) bool {
		kind, is := kinds[r.Method+" "+r.URL.Path]
		if is {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, issued(t, kind))
		}
		return is
	}}
}

// TestEraseSends: everything that was said goes into the body, and nothing that
// was not.
func TestEraseSends(t *testing.T) {
	d := certifying(t, map[string]papers.Kind{"POST /v1/erasures": papers.DryRun})
	i := deskOf(t, d)
	brussels, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	due := time.Now().In(brussels).AddDate(0, 3, 0) // to the end of that day
	end := time.Date(due.Year(), due.Month(), due.Day()+1, 0, 0, 0, 0, brussels)
	i.runs(t, done, "erase", "candidate:10001", "--reason", "request")
	i.stdin = "candidate:10001\n"
	i.runs(t, done, "erase", "-", "--reason", "objection", "--request", "dsar:2026/33", "--case", "c-1", "--keep", "disclosure:A17-3-e", "--keep", "access:A17-3-b",
		"--due", due.Format(time.DateOnly), "--as-actor", "--ground", "left", "--now", "--dry-run", "--approval", "ab12")
	for n, want := range []string{`map[identifier:candidate:10001 reason:request]`,
		`map[approval:ab12 as_actor:true case:c-1 dry_run:true due:` + end.UTC().Format(time.RFC3339) + ` ground:left identifier:candidate:10001 keep:[disclosure:A17-3-e access:A17-3-b] now:true reason:objection request:dsar:2026/33]`} {
		if got := fmt.Sprint(d.asked[n].body); got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	}
}

// TestEraseShows: what state it is in, who it is about, what is due; and that the
// files are written once, for their owner only, and are whole.
func TestEraseShows(t *testing.T) {
	dir := t.TempDir()
	file, pdf := filepath.Join(dir, "c.json"), filepath.Join(dir, "c.pdf")
	for kind, state := range map[papers.Kind]string{papers.DryRun: "dry run: nothing was changed", papers.Restricted: "open: the person is restricted, the keys are there", papers.Erased: "done: the keys are destroyed"} {
		i := deskOf(t, certifying(t, map[string]papers.Kind{"POST /v1/erasures": kind}))
		stdout, stderr := i.runs(t, done, "erase", "candidate:10001", "--reason", "request")
		for _, want := range []string{state, "candidate:10001", "at 7 by employee:r01", "recipients to be told (Art. 19)", "acme-bank",
			"the ledger's own copies\nCOPY      STATE      FORMER    FOUND  LOOKED AT\nescrow    none", "\nbackup    due             4", "\nother     unknown         4"} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: no %q in\n%s", kind, want, stdout)
			}
		}
		if strings.Contains(stderr, "10001") || strings.Contains(stdout, "root key") != (kind == papers.Erased) {
			t.Errorf("%s: stderr %q", kind, stderr)
		}
	}
	d := certifying(t, map[string]papers.Kind{"POST /v1/erasures": papers.Erased})
	i := deskOf(t, d)
	stdout, stderr := i.runs(t, done, "erase", "candidate:10001", "--reason", "request", "--now", "--certificate", file, "--pdf", pdf, "--lang", "nl", "-o", "json")
	kept, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	if c, err := papers.Decode(kept); err != nil || c.Kind != papers.Erased {
		t.Errorf("the file: %v", err)
	}
	if c, err := papers.Decode(strings.NewReader(stdout)); err != nil || c.Kind != papers.Erased || !strings.Contains(stderr, file) {
		t.Errorf("the answer: %v, %q", err, stderr)
	}
	if b, err := os.ReadFile(pdf); err != nil || !bytes.HasPrefix(b, []byte("%PDF-")) {
		t.Errorf("the PDF: %v", err)
	}
	if info, err := kept.Stat(); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	asked := len(d.lines())
	if _, stderr := i.runs(t, misused, "erase", "candidate:10001", "--reason", "request", "--now", "--certificate", file); !strings.Contains(stderr, "is there already") || len(d.lines()) != asked {
		t.Errorf("written over: %q", stderr)
	}
	i = deskOf(t, &desk{answer: func(w http.ResponseWriter, _ *http.Request, _ map[string]any) bool {
		io.WriteString(w, `{"kind":"erased"}`)
		return true
	}})
	if stdout, stderr := i.runs(t, failed, "erase", "candidate:10001", "--reason", "request"); stdout != "" || !strings.Contains(stderr, "not the JSON expected") {
		t.Errorf("no certificate: %q %q", stdout, stderr)
	}
}

// TestCertificatesStayOutside: none is written beside a ledger or its keys, by
// whatever way the path leads there, and nothing is asked before.
func TestCertificatesStayOutside(t *testing.T) {
	dir := t.TempDir()
	data, keys := filepath.Join(dir, "data"), filepath.Join(dir, "keys")
	for _, name := range []string{data + "/views/", keys + "/"} {
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{data + "/ledger.json", keys + "/root", keys + "/durable"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(data+"/views", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	d := certifying(t, map[string]papers.Kind{"POST /v1/erasures": papers.Restricted})
	i := deskOf(t, d)
	for _, path := range []string{data + "/c", data + "/views/c", keys + "/c", dir + "/link/c", dir + "/x/../data/c"} {
		if strings.Contains(path, "/x/") {
			os.Mkdir(dir+"/x", 0o700)
		}
		for _, args := range [][]string{{"erase", "candidate:10001", "--reason", "request", "--certificate"}, {"erase", "candidate:10001", "--reason", "request", "--pdf"},
			{"erase", "candidate:10001", "--reason", "request", "-o", "json", "--out"}, {"erasure", "show", "77", "--pdf"}, {"erasure", "shred", "77", "--certificate"},
			{"retain", "--class", "access", "--before", "2023-07", "--certificate"}} {
			if _, stderr := i.runs(t, misused, append(args, path)...); !strings.Contains(stderr, "neither in a data directory nor beside keys") {
				t.Errorf("%q %s: %q", args, path, stderr)
			}
			if _, err := os.Stat(path); err == nil {
				t.Errorf("%q wrote %s", args, path)
			}
		}
	}
	if d.lines() != nil {
		t.Errorf("asked %q", d.lines())
	}
	i.runs(t, done, "erase", "candidate:10001", "--reason", "request", "--certificate", dir+"/c")
	if status, _, _ := i.run(t, "erase", "candidate:10001", "--reason", "request", "--certificate", dir+"/nosuch/c"); status != failed {
		t.Errorf("a folder that is not there: %d", status)
	}
}

// TestForgettingMisused: nothing is asked that cannot be meant.
func TestForgettingMisused(t *testing.T) {
	d := &desk{}
	i := deskOf(t, d)
	schedule := filepath.Join(t.TempDir(), "s.json")
	for args, want := range map[string]string{
		"erase candidate:10001": "needs --reason",
		"erase":                 "takes 1 argument",
		"erase candidate:10001 --reason request --due soon":              "--due takes a day",
		"erase candidate:10001 --reason request --lang de":               "--lang is",
		"erase candidate:10001 --reason request --pdf a --certificate a": "two files",
		"erasure shred 0":                                          "custody erasure list",
		"erasure show candidate:10001":                             "named by its number",
		"erasure cancel 7":                                         "needs --reason",
		"retain --class access":                                    "needs --before",
		"retain --schedule a --class access":                       "--schedule says the classes",
		"retain --class access --before 2023-07 --dry-run --pdf a": "gives no certificate",
		"reveal --reason c":                                        "either an event or a --session",
		"reveal 7 --session stolen --reason c":                     "either an event or a --session",
		"reveal 7":                                                 "needs --reason",
		"approve a b":                                              "takes at most 1",
	} {
		if _, stderr := i.runs(t, misused, strings.Fields(args)...); !strings.Contains(stderr, want) || strings.Contains(stderr, "10001") {
			t.Errorf("%s: %q, want %q", args, stderr, want)
		}
	}
	if err := os.WriteFile(schedule, []byte(`{"format":1,"keep":[{"class":"acess","months":3}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr := i.runs(t, failed, "retain", "--schedule", schedule); !strings.Contains(stderr, "/keep/0/class") {
		t.Errorf("a schedule that is none: %q", stderr)
	}
	if d.lines() != nil {
		t.Errorf("asked %q", d.lines())
	}
}

// TestForgettingRefused: each problem has its exit status and next step.
func TestForgettingRefused(t *testing.T) {
	for _, test := range []struct {
		code             int
		word, more, want string
	}{
		{409, "held", `"holds":[{"hold":"claim:7","ground":"A17-3-e","position":12}]`, "hold claim:7 (A17-3-e, position 12)"},
		{409, "held", `"blocking":[{"position":12,"why":"hold-of-everybody"}]`, "hold of everybody (position 12)"},
		{409, "erasure-open", `"erasure":77`, "custody erasure show 77"},
		{409, "second-person", `"approval":{"id":"ab12","by":"desk"}`, "--approval ab12"},
		{409, "second-person", "", "Title of second-person"},
		{404, "not-known", "", "not known: Title of not-known"},
		{503, "unknown-outcome", "", "custody status"},
	} {
		i := deskOf(t, &desk{answer: func(w http.ResponseWriter, _ *http.Request, _ map[string]any) bool {
			refuse(w, test.code, test.word, test.more)
			return true
		}})
		for _, args := range [][]string{{"erase", "candidate:10001", "--reason", "request", "--now"}, {"reveal", "7", "--reason", "c"}} {
			stdout, stderr := i.runs(t, failed, args...)
			if stdout != "" || !strings.Contains(stderr, test.want) || strings.Contains(stderr, "10001") {
				t.Errorf("%s %q: stdout %q, stderr %q", test.word, args, stdout, stderr)
			}
		}
	}
	i := deskOf(t, &desk{})
	for _, args := range [][]string{{"erasure", "show", "7"}, {"erasure", "shred", "7"}, {"erasure", "cancel", "7", "--reason", "withdrawn"}} {
		if _, stderr := i.runs(t, failed, args...); !strings.Contains(stderr, "custody erasure list") {
			t.Errorf("%q: %q", args, stderr)
		}
	}
}

// TestErasureCommands: what each asks, and shows.
func TestErasureCommands(t *testing.T) {
	d := certifying(t, map[string]papers.Kind{"POST /v1/erasures/77/shred": papers.Erased, "GET /v1/erasures/77/certificate": papers.Restricted})
	d.lists = map[string][]string{"/v1/erasures": {`{"position":77,"opened":"2026-03-02T09:00:00.000Z","due":"2026-04-02T09:00:00.000Z","state":"shredded","reason_code":"request","request":"dsar:1","token":"desk","ended":{"position":88}}`}}
	d.objects = map[string]string{"/v1/erasures/77": `{` + asOfJSON + `,"position":77,"state":"open","pursuit":{"holds":[],"complete":false}}`}
	answer := d.answer
	d.answer = func(w http.ResponseWriter, r *http.Request, body map[string]any) bool {
		if r.URL.Path == "/v1/erasures/77/cancel" {
			io.WriteString(w, `{"position":91}`)
			return true
		}
		return answer(w, r, body)
	}
	i := deskOf(t, d)
	pdf := filepath.Join(t.TempDir(), "c.pdf")
	for _, test := range []struct{ args, want string }{
		{"erasure list --tz UTC", "77  2026-03-02 09:00:00.000  shredded   2026-04-02 09:00:00.000  request             dsar:1                desk          88"},
		{"erasure show 77 --case c-1", "state"},
		{"erasure show 77 --pdf " + pdf, "open: the person is restricted"},
		{"erasure shred 77 --case c-1", "version 4 destroyed, 5 in force"},
		{"erasure cancel 77 --reason withdrawn", "at position 91"},
	} {
		if stdout, _ := i.runs(t, done, strings.Fields(test.args)...); !strings.Contains(stdout, test.want) {
			t.Errorf("%s:\n%s", test.args, stdout)
		}
	}
	want := []string{"GET /v1/erasures?limit=1000", "GET /v1/erasures/77?case=c-1", "GET /v1/erasures/77/certificate", "POST /v1/erasures/77/shred", "POST /v1/erasures/77/cancel"}
	if !slices.Equal(d.lines(), want) || fmt.Sprint(d.asked[3].body, d.asked[4].body) != "map[case:c-1] map[reason:withdrawn]" {
		t.Errorf("asked %q", d.lines())
	}
}

// TestRetainCommand: by hand, and by a schedule, of which one rule does not hold
// up another; what was not done is said, by the exit status, too.
func TestRetainCommand(t *testing.T) {
	d := certifying(t, map[string]papers.Kind{"POST /v1/retention": papers.Retained})
	plan := func(months, blocking string) string {
		return `{` + asOfJSON + `,"events":12,"held":1,"months":[` + months + `],"blocking":[` + blocking + `]}`
	}
	d.objects = map[string]string{"/v1/retention/access": plan(`{"month":"2020-01","cells":2}`, ""), "/v1/retention/breach": plan("", ""),
		"/v1/retention/disclosure": plan(`{"month":"2020-01","cells":2}`, `{"position":12,"why":"hold-of-everybody"}`)}
	i := deskOf(t, d)
	stdout, _ := i.runs(t, done, "retain", "--class", "access", "--before", "2023-07", "--case", "c-1")
	if !strings.Contains(stdout, "done: the keys are destroyed") || !strings.Contains(stdout, "14") || fmt.Sprint(d.asked[0].body) != "map[before:2023-07 case:c-1 class:access]" {
		t.Errorf("sent %v, shown\n%s", d.asked[0].body, stdout)
	}
	stdout, _ = i.runs(t, done, "retain", "--class", "access", "--before", "2023-07", "--dry-run")
	if !strings.Contains(stdout, "2020-01") || d.lines()[1] != "GET /v1/retention/access?before=2023-07" {
		t.Errorf("asked %q, shown\n%s", d.lines(), stdout)
	}
	schedule := filepath.Join(t.TempDir(), "s.json")
	if err := os.WriteFile(schedule, []byte(`{"format":1,"keep":[{"class":"disclosure","months":3},{"class":"access","months":3},{"class":"breach","months":3}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := len(d.asked)
	stdout, _ = i.runs(t, done, "retain", "--schedule", schedule, "--dry-run")
	for _, want := range []string{"in the way: hold of everybody (position 12)", "would be forgotten", "nothing is older"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	for _, line := range d.lines()[asked:] {
		if !strings.HasPrefix(line, "GET ") {
			t.Errorf("a dry run asks %s", line)
		}
	}
	stdout, stderr := i.runs(t, failed, "retain", "--schedule", schedule)
	if !strings.Contains(stdout, "in the way: hold") || !strings.Contains(stdout, " forgotten") || !strings.Contains(stderr, "disclosure: something is in the way") {
		t.Errorf("%q\n%s", stderr, stdout)
	}
	if posted := strings.Count(strings.Join(d.lines()[asked:], "\n"), "POST "); posted != 1 {
		t.Errorf("%d classes were forgotten", posted)
	}
}

// TestRestrictedIsSaid with the answer about a person.
func TestRestrictedIsSaid(t *testing.T) {
	for more, want := range map[string]string{`{"since":"2026-03-02T09:00:00.000Z","erasure":77}`: "processing is restricted since 2026-03-02T09:00:00.000Z: erasure 77 is open\n",
		`{"since":"2026-03-02T09:00:00.000Z"}`: "processing is restricted since 2026-03-02T09:00:00.000Z\n"} {
		i := deskOf(t, &desk{answer: func(w http.ResponseWriter, _ *http.Request, _ map[string]any) bool {
			fmt.Fprintf(w, `{"handle":"h1","identifiers":1,"restricted":%s,%s,"total":0,"items":[]}`, more, asOfJSON)
			return true
		}})
		if _, stderr := i.runs(t, done, "person", "candidate:10001"); !strings.Contains(stderr, want) {
			t.Errorf("%q", stderr)
		}
	}
}
