package cli

import (
	"slices"
	"strings"
	"testing"
)

func transfersDesk() *desk {
	return &desk{
		lists: map[string][]string{
			"/v1/transfers": eventsAt(1, 2, 3),
			"/v1/transfers/map": {`{"category":"career_cv","party":"acme-bank","region":"IN","countries":["BE","IN"],"purpose":"placement","tool":"A46-2-c","class":"T3","events":1200,"first":"2025-03-04T09:00:00.000Z","last":"2025-03-05T09:00:00.000Z"}`,
				`{"category":"contact","party":"acme-bank","region":"","countries":["BE"],"purpose":"placement","tool":"","class":"T0","events":7,"first":"2025-03-04T09:00:00.000Z","last":"2025-03-05T09:00:00.000Z"}`},
			"/v1/parties": {`{"party":"acme-bank","registered":true,"country":"BE","events":533,"persons":199,"unresolved":0,"first":"2025-03-04T09:00:00.000Z","last":"2025-03-05T09:00:00.000Z","classes":{"T3":2,"T0":531},"roles":["client"]}`,
				`{"party":"ghost-saas","registered":false,"events":1,"persons":1,"unresolved":0,"first":"2025-03-04T09:00:00.000Z","last":"2025-03-04T09:00:00.000Z","classes":{"U":1},"roles":["processor"]}`},
		},
		objects: map[string]string{
			"/v1/transfers/summary": `{` + asOfJSON + `,"counts":{"U":40,"T0":1800,"T3":900,"X":1}}`,
			"/v1/parties/acme-bank": `{` + asOfJSON + `,"party":{"party":"acme-bank","classes":{"T0":531},"first":"2025-03-04T09:00:00.000Z"},"registration":{"country":"BE","position":2,"storage":["BE","DE"]},` +
				`"agreements":[{"code":"dpa-1","since":"2025-01-01"},{"code":"dpa-2"}],"assessments":[],"tools":null}`,
		},
	}
}

func TestTransfers(t *testing.T) {
	d := transfersDesk()
	stdout, _ := deskOf(t, d).runs(t, done, "transfers", "--class", "T3,U", "-o", "ndjson", "--newest")
	prints(t, stdout, eventsAt(1, 2, 3)...)
	if want := []string{"GET /v1/transfers?class=T3%2CU&limit=1000&order=newest", "GET /v1/transfers?class=T3%2CU&cursor=2&limit=1000&order=newest"}; !slices.Equal(d.lines(), want) {
		t.Errorf("asked %q", d.lines())
	}
}

func TestTransferSummary(t *testing.T) {
	i := deskOf(t, transfersDesk())
	stdout, stderr := i.runs(t, done, "transfers", "--summary", "-o", "ndjson")
	prints(t, stdout, `{`+asOfJSON+`,"counts":{"U":40,"T0":1800,"T3":900,"X":1}}`)
	if !strings.Contains(stderr, "as of position 10541") {
		t.Errorf("stderr %q", stderr)
	}
	stdout, _ = i.runs(t, done, "transfers", "--summary", "-o", "csv")
	prints(t, stdout, "class,events", "T0,1800", "T3,900", "U,40", "X,1")
	stdout, _ = i.runs(t, done, "transfers", "--summary")
	prints(t, stdout,
		"T0   inside the EEA       1,800  "+strings.Repeat("█", 47),
		"T3   safeguards, Art. 46    900  "+strings.Repeat("█", 23)+"▌",
		"U    not known               40  █",
		"X                             1  ▏")
	stdout, _ = i.runs(t, done, "transfers", "--summary", "-o", "json")
	if !strings.Contains(stdout, "\n  \"counts\": {\n    \"U\": 40,") {
		t.Errorf("json %s", stdout)
	}
	for _, object := range []string{`{}`, `{"counts":[]}`, `[]`} {
		d := &desk{objects: map[string]string{"/v1/transfers/summary": object}}
		if stdout, _ := deskOf(t, d).runs(t, failed, "transfers", "--summary", "-o", "json"); stdout != "" {
			t.Errorf("%s is shown as %s", object, stdout)
		}
	}
}

func TestTransferMap(t *testing.T) {
	i := deskOf(t, transfersDesk())
	stdout, _ := i.runs(t, done, "transfers", "--map", "--tz", "UTC")
	prints(t, stdout,
		"CLASS  CATEGORY              PARTY                 REGION  COUNTRIES     PURPOSE                   TOOL              EVENTS  FIRST                    LAST",
		"T3     career_cv             acme-bank             IN      BE,IN         placement                 A46-2-c             1200  2025-03-04 09:00:00.000  2025-03-05 09:00:00.000",
		"T0     contact               acme-bank                     BE            placement                                        7  2025-03-04 09:00:00.000  2025-03-05 09:00:00.000")
	stdout, _ = i.runs(t, done, "transfers", "--map", "-o", "csv")
	if !strings.HasPrefix(stdout, "class,category,party,region,countries,purpose,tool,events,first,last\nT3,career_cv,acme-bank,IN,\"BE,IN\",placement,A46-2-c,1200,2025-03-04T09:00:00.000Z,") {
		t.Errorf("csv %s", stdout)
	}
}

func TestParties(t *testing.T) {
	d := transfersDesk()
	i := deskOf(t, d)
	stdout, _ := i.runs(t, done, "party", "list", "-o", "ndjson")
	prints(t, stdout, d.lists["/v1/parties"]...)
	stdout, stderr := i.runs(t, done, "party", "list", "--limit", "1", "-o", "ndjson")
	if prints(t, stdout, d.lists["/v1/parties"][0]); !strings.Contains(stderr, "the first 1; there are more") {
		t.Errorf("stderr %q", stderr)
	}
	stdout, _ = i.runs(t, done, "party", "list")
	if !strings.Contains(stdout, "acme-bank             true        BE            533       199           0  T0=531 T3=2") {
		t.Errorf("table\n%s", stdout)
	}
	for _, args := range [][]string{{"party", "acme-bank"}, {"party", "show", "acme-bank"}} {
		stdout, stderr := i.runs(t, done, append(args, "--tz", "UTC", "--at", "2025-06-30")...)
		prints(t, stdout, "party",
			"  party                   acme-bank",
			"  classes",
			"    T0                    531",
			"  first                   2025-03-04 09:00:00.000",
			"", "registration",
			"  country                 BE",
			"  position                2",
			"  storage                 BE,DE",
			"", "agreements",
			"  1",
			"    code                  dpa-1",
			"    since                 2025-01-01",
			"  2",
			"    code                  dpa-2")
		if !strings.Contains(stderr, "as of position 10541") {
			t.Errorf("stderr %q", stderr)
		}
	}
	stdout, _ = i.runs(t, done, "party", "acme-bank", "-o", "csv")
	if !strings.Contains(stdout, "\nregistration.storage,\"BE,DE\"\nagreements.1.code,dpa-1\n") || !strings.HasPrefix(stdout, "name,value\nas_of.position,10541\n") {
		t.Errorf("csv\n%s", stdout)
	}
	stdout, _ = i.runs(t, done, "party", "acme-bank", "-o", "ndjson")
	prints(t, stdout, d.objects["/v1/parties/acme-bank"])
	i.runs(t, failed, "party", "nosuch")
	if stdout, _ := i.runs(t, done, "party"); !strings.Contains(stdout, "custody party list") {
		t.Errorf("party alone: %s", stdout)
	}
}
