package law_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events/law"
)

// wire is what the class of an event needs of its JSON.
type wire struct {
	ID, Source, Type string
	Time             time.Time
	Data             struct {
		Actor struct{ Kind, Party string }

		Recipient *struct{ Party, Role string }
		Location  struct{ Storage, Access []string }
		Transfer  struct {
			Tool string
			Ref  string `json:"tool_ref"`
		}

		// governance.party-registered and governance.transfer-tool-registered
		Party, Country  string
		Storage, Access []string
		Organisation    bool `json:"international_organisation"`
		DPF             struct {
			Listed bool
			Until  string
		}
		PIPEDA     bool
		Tool       string
		Ref        string `json:"tool_ref"`
		Instrument string
		From, To   string
	}
}

// register is the fold of the governance events, as a ledger would keep it.
type register map[string]*law.Party

func (r register) apply(t *testing.T, e *wire) {
	d := &e.Data
	switch e.Type {
	case "eu.custody.governance.party-registered.v1":
		p := &law.Party{Country: d.Country, Storage: d.Storage, Access: d.Access,
			InternationalOrganisation: d.Organisation, PIPEDA: d.PIPEDA}
		if d.DPF.Listed {
			p.DPF = law.Through(law.Past, day(t, d.DPF.Until, law.Forever))
		}
		if old := r[d.Party]; old != nil {
			p.Tools = old.Tools
		}
		r[d.Party] = p
	case "eu.custody.governance.transfer-tool-registered.v1":
		p := r[d.Party]
		p.Tools = append(p.Tools, law.RegisteredTool{Tool: law.Tool{Code: d.Tool, Reference: d.Ref},
			Instrument: d.Instrument, Interval: law.Through(day(t, d.From, 0), day(t, d.To, law.Forever))})
	}
}

func (r register) facts(e *wire) law.Facts {
	d := &e.Data
	f := law.Facts{Day: law.DayOf(e.Time), Data: strings.HasPrefix(e.Type, "eu.custody.data."),
		ActorKind: d.Actor.Kind, ActorParty: r[d.Actor.Party],
		Storage: d.Location.Storage, Access: d.Location.Access,
		Tool: law.Tool{Code: d.Transfer.Tool, Reference: d.Transfer.Ref}}
	if d.Recipient != nil {
		f.RecipientRole, f.RecipientParty = d.Recipient.Role, r[d.Recipient.Party]
	}
	return f
}

func day(t *testing.T, text string, missing law.Day) law.Day {
	t.Helper()
	if text == "" {
		return missing
	}
	d, err := law.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func unzip(t *testing.T, name string) *gzip.Reader {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// TestYear classes a whole year of an ICT staffing company in order of arrival, against answers that
// another program computed.
func TestYear(t *testing.T) {
	var want struct {
		Class    map[string]string         `json:"transfer_class"`
		Counts   map[string]int            `json:"transfer_counts"`
		Quarters map[string]map[string]int `json:"transfer_quarters"`
	}
	if err := json.NewDecoder(unzip(t, "testdata/classes.json.gz")).Decode(&want); err != nil {
		t.Fatal(err)
	}
	known, seen := register{}, map[string]bool{}
	got, counts, quarters := map[string]string{}, map[string]int{}, map[string]map[string]int{}
	lines := bufio.NewScanner(unzip(t, "../testdata/events.ndjson.gz"))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e wire
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if seen[e.Source+" "+e.ID] {
			continue // a retry
		}
		seen[e.Source+" "+e.ID] = true
		known.apply(t, &e)
		v := law.Classify(known.facts(&e))
		check(t, known.facts(&e), v)
		if v.Class == law.None {
			continue
		}
		class := v.Class.String()
		got[e.ID] = class
		counts[class]++
		quarter := fmt.Sprintf("Q%d", (int(e.Time.UTC().Month())+2)/3)
		if quarters[quarter] == nil {
			quarters[quarter] = map[string]int{}
		}
		quarters[quarter][class]++
		if class != want.Class[e.ID] {
			t.Errorf("event %s: %s, want %q; %+v", e.ID, class, want.Class[e.ID], v.Why)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 10541 || len(got) != len(want.Class) {
		t.Errorf("%d events of which %d have a class, want 10541 and %d", len(seen), len(got), len(want.Class))
	}
	if !maps.Equal(counts, want.Counts) {
		t.Errorf("counts %v, want %v", counts, want.Counts)
	}
	for quarter, want := range want.Quarters {
		if !maps.Equal(quarters[quarter], want) {
			t.Errorf("%s: %v, want %v", quarter, quarters[quarter], want)
		}
	}
}

// check holds every verdict against what must be true of any.
func check(t *testing.T, f law.Facts, v law.Verdict) {
	t.Helper()
	several, none := len(v.Outside) > 1, len(v.Outside) == 0
	transfer := v.Class == law.T2 || v.Class == law.T3 || v.Class == law.T4 || v.Class == law.T5
	switch {
	case (v.Class == law.T0 || v.Class == law.None) && (v.Region != "" || !none):
		t.Errorf("%s with region %q, outside %v", v.Class, v.Region, v.Outside)
	case (v.Class == law.U || several) && v.Region != "ZZ":
		t.Errorf("%s with region %q, outside %v", v.Class, v.Region, v.Outside)
	case (v.Class == law.T1 || v.Class == law.T1f || v.Class == law.T2) && none:
		t.Errorf("%s without an outside country", v.Class)
	case transfer && len(v.Outside) == 1 && v.Region != v.Outside[0] && v.Region != "ZZ":
		t.Errorf("%s with region %q, outside %v", v.Class, v.Region, v.Outside)
	case v.Class != law.None && len(v.Why) == 0:
		t.Errorf("%s without a reason for %+v", v.Class, f)
	}
}
