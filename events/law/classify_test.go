package law_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/imalink/custody/events/law"
)

// at is a party that is established, stores and works in one country, with what else is shown of it.
func at(country string, shown ...func(*law.Party)) *law.Party {
	p := &law.Party{Country: country, Storage: []string{country}, Access: []string{country}}
	for _, show := range shown {
		show(p)
	}
	return p
}

func listed(until law.Day) func(*law.Party) {
	return func(p *law.Party) { p.DPF = law.Through(law.Past, until) }
}

func pipeda(p *law.Party)       { p.PIPEDA = true }
func organisation(p *law.Party) { p.InternationalOrganisation = true }
func silent(p *law.Party)       { p.Storage, p.Access = nil, nil }

func with(tools ...law.RegisteredTool) func(*law.Party) {
	return func(p *law.Party) { p.Tools = tools }
}

func tool(code, ref string) law.Tool { return law.Tool{Code: code, Reference: ref} }

func registered(code, ref, instrument string, days law.Interval) law.RegisteredTool {
	return law.RegisteredTool{Tool: tool(code, ref), Instrument: instrument, Interval: days}
}

func date(t testing.TB, text string) law.Day {
	t.Helper()
	d, err := law.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// shared is a disclosure to a recipient.
func shared(d law.Day, p *law.Party, own law.Tool) law.Facts {
	return law.Facts{Day: d, Data: true, ActorKind: "human", RecipientRole: "processor", RecipientParty: p, Tool: own}
}

// TestDateEdges walks over the last and first day of everything that is dated.
func TestDateEdges(t *testing.T) {
	var (
		none    law.Tool
		forever = listed(law.Forever)
		shield  = tool("privacy-shield", "ps:1")
		harbour = tool("safe-harbour", "sh:1")
	)
	for _, c := range []struct {
		day   string
		party *law.Party
		own   law.Tool
		class string
	}{
		{"2020-01-31", at("GB"), none, "T0"}, // member
		{"2020-02-01", at("GB"), none, "T0"}, // treated as one
		{"2020-12-31", at("GB"), none, "T0"},
		{"2021-01-01", at("GB"), none, "T0"}, // bridged
		{"2021-06-27", at("GB"), none, "T0"},
		{"2021-06-28", at("GB"), none, "T2"}, // adequate
		{"2025-06-27", at("GB"), none, "T2"},
		{"2025-06-28", at("GB"), none, "T2"}, // extended
		{"2025-12-27", at("GB"), none, "T2"},
		{"2025-12-28", at("GB"), none, "T2"}, // renewed
		{"2031-12-27", at("GB"), none, "T2"},
		{"2031-12-28", at("GB"), none, "T5"},
		{"2020-12-31", at("GI"), none, "T0"},
		{"2021-01-01", at("GI"), none, "T5"}, // not bridged
		{"2021-06-28", at("GI"), none, "T5"}, // not in the decision

		{"2000-10-31", at("US"), harbour, "T5"},
		{"2000-11-01", at("US"), harbour, "T2"},
		{"2015-10-05", at("US"), harbour, "T2"},
		{"2015-10-06", at("US"), harbour, "T5"},
		{"2016-07-31", at("US"), shield, "T5"},
		{"2016-08-01", at("US"), shield, "T2"},
		{"2020-07-15", at("US"), shield, "T2"},
		{"2020-07-15", at("US"), tool("privacy-shield", ""), "T5"},
		{"2020-07-15", at("US"), none, "T5"},
		{"2020-07-15", at("US", forever), none, "T5"}, // the framework did not exist
		{"2020-07-15", at("US", with(registered("privacy-shield", "ps:1", "", law.Always()))), none, "T2"},
		{"2020-07-16", at("US"), shield, "T5"},
		{"2020-07-17", at("US"), shield, "T5"},
		{"2020-07-17", at("US", with(registered("privacy-shield", "ps:1", "", law.Always()))), none, "T5"},
		{"2023-07-09", at("US", forever), none, "T5"},
		{"2023-07-10", at("US", forever), none, "T2"},
		{"2025-03-15", at("US", listed(date(t, "2025-03-15"))), none, "T2"}, // listed until and with
		{"2025-03-16", at("US", listed(date(t, "2025-03-15"))), none, "T5"},
		{"2025-03-16", at("US"), none, "T5"},

		{"2000-07-25", at("CH"), none, "T5"},
		{"2000-07-26", at("CH"), none, "T2"},
		{"2026-11-22", at("CH"), none, "T2"},
		{"2001-12-19", at("CA", pipeda), none, "T5"},
		{"2001-12-20", at("CA", pipeda), none, "T2"},
		{"2025-01-01", at("CA"), none, "T5"},
		{"2019-01-22", at("JP"), none, "T5"},
		{"2019-01-23", at("JP"), none, "T2"},
		{"2021-12-16", at("KR"), none, "T5"},
		{"2021-12-17", at("KR"), none, "T2"},
		{"2026-01-25", at("BR"), none, "T5"},
		{"2026-01-26", at("BR"), none, "T2"},

		{"2004-04-30", at("PL"), none, "T5"},
		{"2004-05-01", at("PL"), none, "T0"},
		{"2004-04-30", at("HU"), none, "T2"}, // adequate until it joined
		{"2004-05-01", at("HU"), none, "T0"},
		{"2006-12-31", at("RO"), none, "T5"},
		{"2007-01-01", at("RO"), none, "T0"},
		{"2013-06-30", at("HR"), none, "T5"},
		{"2013-07-01", at("HR"), none, "T0"},
		{"1995-04-30", at("LI"), none, "T5"},
		{"1995-05-01", at("LI"), none, "T0"},
		{"2011-12-31", at("BL"), none, "T0"},
		{"2012-01-01", at("BL"), none, "T5"},
		{"2013-12-31", at("YT"), none, "T5"},
		{"2014-01-01", at("YT"), none, "T0"},

		{"2025-07-14", at("BE", organisation), none, "T5"},
		{"2025-07-15", at("BE", organisation), none, "T5"},
		{"2025-07-15", at("CH", organisation), none, "T5"},
		{"2025-07-15", at("BE", organisation), tool("A46-2-a", "treaty:1"), "T3"},
		{"2025-07-15", at("BE", organisation), tool("A49-1-d", ""), "T4"},
	} {
		v := law.Classify(shared(date(t, c.day), c.party, c.own))
		check(t, law.Facts{}, v)
		if v.Class.String() != c.class {
			t.Errorf("%s on %s with %q: %s, want %s; %+v", c.party.Country, c.day, c.own.Code, v.Class, c.class, v.Why)
		}
	}
}

// TestTools tries every tool, on a country nothing else helps.
func TestTools(t *testing.T) {
	day := "2025-03-15"
	during := func(first, last string) law.Interval { return law.Through(date(t, first), date(t, last)) }
	clauses := func(instrument string, days law.Interval) law.RegisteredTool {
		return registered("A46-2-c", "scc:1", instrument, days)
	}
	for _, row := range law.Tools() {
		want := map[law.Ground]law.Class{law.SafeguardGround: law.T3, law.DerogationGround: law.T4, law.AdequacyGround: law.T5}[row.Ground]
		if got := law.Classify(shared(date(t, day), at("IN"), tool(row.Code, "ref:1"))).Class; got != want {
			t.Errorf("%s with a reference: %s, want %s", row.Code, got, want)
		}
		if want == law.T3 {
			want = law.T5
		}
		if got := law.Classify(shared(date(t, day), at("IN"), tool(row.Code, ""))).Class; got != want {
			t.Errorf("%s without a reference: %s, want %s", row.Code, got, want)
		}
	}
	for name, c := range map[string]struct {
		day   string
		own   law.Tool
		tools []law.RegisteredTool
		class law.Class
	}{
		"unknown tool":                   {day, tool("A46-9-z", "x:1"), nil, law.T5},
		"day before":                     {"2025-03-14", law.Tool{}, []law.RegisteredTool{clauses("", during("2025-03-15", "2025-03-20"))}, law.T5},
		"first day":                      {"2025-03-15", law.Tool{}, []law.RegisteredTool{clauses("", during("2025-03-15", "2025-03-20"))}, law.T3},
		"last day":                       {"2025-03-20", law.Tool{}, []law.RegisteredTool{clauses("", during("2025-03-15", "2025-03-20"))}, law.T3},
		"day after":                      {"2025-03-21", law.Tool{}, []law.RegisteredTool{clauses("", during("2025-03-15", "2025-03-20"))}, law.T5},
		"own bad tool, good other":       {day, tool("A46-2-c", ""), []law.RegisteredTool{clauses("", law.Always())}, law.T5},
		"own derogation":                 {day, tool("A49-1-b", ""), []law.RegisteredTool{clauses("", law.Always())}, law.T4},
		"two registered":                 {day, law.Tool{}, []law.RegisteredTool{registered("A49-1-a", "c:1", "", law.Always()), clauses("", law.Always())}, law.T3},
		"two registered, other order":    {day, law.Tool{}, []law.RegisteredTool{clauses("", law.Always()), registered("A49-1-a", "c:1", "", law.Always())}, law.T3},
		"new clauses, eve":               {"2021-06-26", law.Tool{}, []law.RegisteredTool{clauses("scc-2021-914", during("2021-06-27", "2030-01-01"))}, law.T5},
		"new clauses, first day":         {"2021-06-27", law.Tool{}, []law.RegisteredTool{clauses("scc-2021-914", during("2021-06-27", "2030-01-01"))}, law.T3},
		"new clauses before":             {"2021-07-01", law.Tool{}, []law.RegisteredTool{clauses("scc-2021-914", during("2021-06-01", "2030-01-01"))}, law.T5},
		"old clauses, last day":          {"2022-12-26", law.Tool{}, []law.RegisteredTool{clauses("scc-2010-87", during("2015-01-01", "2030-01-01"))}, law.T3},
		"old clauses, dead":              {"2022-12-27", law.Tool{}, []law.RegisteredTool{clauses("scc-2010-87", during("2015-01-01", "2030-01-01"))}, law.T5},
		"old clauses, signed last":       {"2022-01-01", law.Tool{}, []law.RegisteredTool{clauses("scc-2004-915", during("2021-09-26", "2030-01-01"))}, law.T3},
		"old clauses, signed on the day": {"2022-01-01", law.Tool{}, []law.RegisteredTool{clauses("scc-2010-87", during("2021-09-27", "2030-01-01"))}, law.T5},
		"old clauses, signed late":       {"2022-01-01", law.Tool{}, []law.RegisteredTool{clauses("scc-2001-497", during("2021-09-27", "2030-01-01"))}, law.T5},
		"other clauses":                  {day, law.Tool{}, []law.RegisteredTool{clauses("other", law.Always())}, law.T3},
		"registered privacy shield":      {day, law.Tool{}, []law.RegisteredTool{registered("privacy-shield", "ps:1", "", law.Always())}, law.T5},
	} {
		v := law.Classify(shared(date(t, c.day), at("IN", with(c.tools...)), c.own))
		if v.Class != c.class {
			t.Errorf("%s: %s, want %s; %+v", name, v.Class, c.class, v.Why)
		}
	}
}

// TestWho goes through which events have a class, and whose places decide it.
func TestWho(t *testing.T) {
	day := date(t, "2025-03-15")
	staff := func(kind string, p *law.Party, access ...string) law.Facts {
		return law.Facts{Day: day, Data: true, ActorKind: kind, ActorParty: p, Access: access}
	}
	sent := func(p *law.Party, storage, access []string) law.Facts {
		return law.Facts{Day: day, Data: true, ActorKind: "human", RecipientRole: "client", RecipientParty: p, Storage: storage, Access: access}
	}
	to := func(f law.Facts, role string, p *law.Party) law.Facts {
		f.RecipientRole, f.RecipientParty = role, p
		return f
	}
	notData := func(f law.Facts) law.Facts { f.Data = false; return f }
	is := func(codes ...string) []string { return codes }
	for name, c := range map[string]struct {
		facts   law.Facts
		class   law.Class
		region  string
		outside []string
	}{
		"own staff at home":                {staff("human", nil, "BE"), law.None, "", nil},
		"own staff anywhere":               {staff("human", nil), law.None, "", nil},
		"own staff outside":                {staff("human", nil, "BE", "US"), law.T1, "US", is("US")},
		"own staff somewhere adequate":     {staff("human", nil, "CH"), law.T1, "CH", is("CH")},
		"own staff in several countries":   {staff("human", nil, "CH", "US"), law.T1, "ZZ", is("CH", "US")},
		"own staff somewhere in the EU":    {staff("human", nil, "EU"), law.U, "ZZ", nil},
		"own staff, not data":              {notData(staff("human", nil, "US")), law.None, "", nil},
		"a service outside":                {staff("service", nil, "US"), law.None, "", nil},
		"the data subject":                 {to(staff("human", nil), "subject", nil), law.None, "", nil},
		"the data subject, from outside":   {to(staff("human", nil, "US"), "subject", nil), law.T1, "US", is("US")},
		"contractor inside, at home":       {staff("contractor", at("PT"), "PT"), law.T0, "", nil},
		"contractor inside, outside":       {staff("contractor", at("PT"), "BR"), law.T1f, "BR", is("BR")},
		"contractor inside, registered":    {staff("contractor", &law.Party{Country: "PT", Access: is("IN")}, "PT"), law.T1f, "IN", is("IN")},
		"contractor inside, silent":        {staff("contractor", at("PT", silent)), law.U, "ZZ", nil},
		"contractor outside":               {staff("contractor", at("RS"), "BE"), law.T5, "RS", is("RS")},
		"contractor adequate":              {staff("contractor", at("CH"), "BE"), law.T2, "CH", is("CH")},
		"contractor not registered":        {staff("contractor", nil, "BE"), law.U, "ZZ", nil},
		"contractor organisation":          {staff("contractor", at("BE", organisation), "BE"), law.T5, "", nil},
		"contractor, not data":             {notData(staff("contractor", at("RS"), "RS")), law.None, "", nil},
		"processor stores where it is":     {staff("processor", at("BE", silent), "BE"), law.T0, "", nil},
		"processor, no access place known": {staff("processor", at("BE", silent)), law.U, "ZZ", nil},
		"processor from outside":           {staff("processor", at("BE"), "IN"), law.T5, "IN", is("IN")},
		"processor not registered":         {staff("processor", nil, "BE"), law.U, "ZZ", nil},
		"recipient not registered":         {sent(nil, is("BE"), is("BE")), law.U, "ZZ", nil},
		"recipient silent":                 {sent(at("DE", silent), nil, nil), law.U, "ZZ", nil},
		"recipient without access":         {sent(at("DE", silent), is("DE"), nil), law.U, "ZZ", nil},
		"recipient without storage":        {sent(at("DE", silent), nil, is("DE")), law.U, "ZZ", nil},
		"recipient placed by the event":    {sent(at("DE", silent), is("DE"), is("DE")), law.T0, "", nil},
		"recipient outside without places": {sent(at("RS", silent), nil, nil), law.U, "ZZ", is("RS")},
		"an event cannot narrow":           {sent(at("IN"), is("BE"), is("BE")), law.T5, "IN", is("IN")},
		"an event can widen":               {sent(at("BE"), is("BE"), is("BE", "MA")), law.T5, "MA", is("MA")},
		"one of two adequate":              {sent(at("CH"), nil, is("MA")), law.T5, "ZZ", is("CH", "MA")},
		"both adequate":                    {sent(at("CH"), nil, is("IL")), law.T2, "ZZ", is("CH", "IL")},
		"a group is no place":              {sent(at("BE"), is("EU"), nil), law.U, "ZZ", nil},
		"adequate and no place":            {sent(at("CH"), is("EEA"), nil), law.U, "ZZ", is("CH")},
		"outside and no place":             {sent(at("IN"), is("XX"), nil), law.T5, "ZZ", is("IN")},
		"alias":                            {sent(at("EL"), is("GR"), is("EL")), law.T0, "", nil},
		"aliases of one country":           {sent(at("UK"), is("XI"), is("GB")), law.T2, "GB", is("GB")},
		"not data":                         {notData(sent(at("IN"), nil, nil)), law.T5, "IN", is("IN")},
		"outermost region":                 {sent(at("GP"), is("FR"), nil), law.T0, "", nil},
		"unsettled territory":              {sent(at("NC"), is("FR"), nil), law.T5, "NC", is("NC")},
		"Greenland":                        {sent(at("GL"), is("DK"), nil), law.T5, "GL", is("GL")},
		"two importers, actor graver":      {to(staff("contractor", at("RS"), "BE"), "client", at("BE")), law.T5, "RS", is("RS")},
		"two importers, recipient graver":  {to(staff("processor", at("BE"), "BE"), "client", at("IN")), law.T5, "IN", is("IN")},
		"two importers, two countries":     {to(staff("processor", at("CH"), "BE"), "client", at("IN")), law.T5, "ZZ", is("IN", "CH")},
		"two importers, one unknown":       {to(staff("processor", nil, "BE"), "client", at("IN")), law.T5, "ZZ", is("IN")},
		"two importers, unknown recipient": {to(staff("processor", at("IN"), "BE"), "client", nil), law.T5, "ZZ", is("IN")},
		"two importers, unknown is graver": {to(staff("processor", nil, "BE"), "client", at("CH")), law.U, "ZZ", is("CH")},
	} {
		v := law.Classify(c.facts)
		check(t, c.facts, v)
		if v.Class != c.class || v.Region != c.region || !slices.Equal(v.Outside, c.outside) {
			t.Errorf("%s: %s %q %v, want %s %q %v; %+v", name, v.Class, v.Region, v.Outside, c.class, c.region, c.outside, v.Why)
		}
	}
}

func TestWhy(t *testing.T) {
	v := law.Classify(shared(date(t, "2025-03-15"), at("BE"), law.Tool{}))
	want := "[{BE inside the EEA EEA Agreement, OJ L 1, 3.1.1994, p. 3 (21994A0103(01)) false}]"
	if got := fmt.Sprint(v.Why); got != want {
		t.Errorf("why %s, want %s", got, want)
	}
	v = law.Classify(shared(date(t, "2025-03-15"), at("US"), law.Tool{}))
	var findings []string
	for _, step := range v.Why {
		findings = append(findings, step.Fact+": "+step.Finding)
	}
	wants := []string{
		"US: outside the EEA",
		"US: a decision is in force, but nothing shows: listed under the Data Privacy Framework",
		"US: no adequacy decision covers it",
		"transfer: no tool grounds it",
	}
	if !slices.Equal(findings, wants) {
		t.Errorf("why %q, want %q", findings, wants)
	}
}

// TestWhyTool: the last step of a transfer without a ground says what was wrong with its tool.
func TestWhyTool(t *testing.T) {
	for _, c := range []struct {
		own     law.Tool
		finding string
	}{
		{tool("privacy-shield", "ps:1"), "no tool on the day"},
		{tool("A45-3", "d:1"), "neither safeguards nor a derogation"},
		{tool("A46-2-c", ""), "safeguards named without a reference"},
		{tool("A46-9-z", "x:1"), "neither safeguards nor a derogation"},
	} {
		v := law.Classify(shared(date(t, "2025-03-15"), at("IN"), c.own))
		if last := v.Why[len(v.Why)-1]; last.Fact != c.own.Code || last.Finding != c.finding || last.Source == "" {
			t.Errorf("%s: %+v, want %q", c.own.Code, last, c.finding)
		}
	}
}

func TestParseClass(t *testing.T) {
	for c := law.None; c <= law.U; c++ {
		if got, ok := law.ParseClass(c.String()); !ok || got != c {
			t.Errorf("ParseClass(%q) = %v, %t", c, got, ok)
		}
	}
	if _, ok := law.ParseClass("T6"); ok {
		t.Error("T6 accepted")
	}
}

func BenchmarkClassify(b *testing.B) {
	f := shared(date(b, "2025-03-15"), &law.Party{Country: "US", Storage: []string{"IE", "US"}, Access: []string{"US", "IN"}}, tool("A46-2-c", "scc:1"))
	b.ReportAllocs()
	for b.Loop() {
		law.Classify(f)
	}
}
