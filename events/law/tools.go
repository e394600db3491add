package law

import "slices"

// Ground says what kind of ground a tool gives a transfer.
type Ground uint8

// The grounds.
const (
	NoGround         Ground = iota
	AdequacyGround          // Art. 45: an adequacy decision; counts only through [Decisions]
	SafeguardGround         // Art. 46: appropriate safeguards
	DerogationGround        // Art. 49: a derogation for a specific situation
)

// A ToolRule is one row of the table of transfer tools.
type ToolRule struct {
	Code   string // as events name it
	Ground Ground
	Interval
	Source   string
	Verified bool // somebody checked the row against its source
	Note     string
}

var tools = []ToolRule{
	{"A45-3", AdequacyGround, Always(), "GDPR Art. 45(3)", false, "names a decision; the country's row decides"},
	{"safe-harbour", AdequacyGround, during(on(2000, 11, 1), on(2015, 10, 6)), "C-362/14 of 2015-10-06", false, "no period of grace"},
	{"privacy-shield", AdequacyGround, during(on(2016, 8, 1), on(2020, 7, 16)), "C-311/18 of 2020-07-16", false, "no period of grace"},

	{"A46-2-a", SafeguardGround, Always(), "GDPR Art. 46(2)(a)", false, "binding instrument between public bodies"},
	{"A46-2-b", SafeguardGround, Always(), "GDPR Art. 46(2)(b), 47", false, "binding corporate rules"},
	{"A46-2-c", SafeguardGround, Always(), "GDPR Art. 46(2)(c)", false, "the Commission's standard clauses; see instruments"},
	{"A46-2-d", SafeguardGround, Always(), "GDPR Art. 46(2)(d)", false, "an authority's standard clauses"},
	{"A46-2-e", SafeguardGround, Always(), "GDPR Art. 46(2)(e), 40", false, "approved code of conduct"},
	{"A46-2-f", SafeguardGround, Always(), "GDPR Art. 46(2)(f), 42", false, "approved certification"},
	{"A46-3-a", SafeguardGround, Always(), "GDPR Art. 46(3)(a)", false, "contractual clauses an authority authorised"},
	{"A46-3-b", SafeguardGround, Always(), "GDPR Art. 46(3)(b)", false, "administrative arrangement an authority authorised"},

	{"A49-1-a", DerogationGround, Always(), "GDPR Art. 49(1)(a)", false, "explicit consent"},
	{"A49-1-b", DerogationGround, Always(), "GDPR Art. 49(1)(b)", false, "contract with the data subject; occasional (recital 111)"},
	{"A49-1-c", DerogationGround, Always(), "GDPR Art. 49(1)(c)", false, "contract in the data subject's interest; occasional (recital 111)"},
	{"A49-1-d", DerogationGround, Always(), "GDPR Art. 49(1)(d)", false, "important reasons of public interest"},
	{"A49-1-e", DerogationGround, Always(), "GDPR Art. 49(1)(e)", false, "legal claims; occasional (recital 111)"},
	{"A49-1-f", DerogationGround, Always(), "GDPR Art. 49(1)(f)", false, "vital interests"},
	{"A49-1-g", DerogationGround, Always(), "GDPR Art. 49(1)(g)", false, "public register"},
	{"A49-2", DerogationGround, Always(), "GDPR Art. 49(1), second subparagraph", false, "compelling legitimate interests; not repetitive, authority informed"},
}

// An Instrument is a set of standard clauses under which an Art. 46(2)(c) tool was signed.
type Instrument struct {
	Code     string   // as events name it
	Signable Interval // when a contract could be concluded on it
	Interval          // when a contract concluded on it gives safeguards
	Source   string
	Verified bool // somebody checked the row against its source
	Note     string
}

var instruments = []Instrument{
	{"scc-2001-497", during(on(2001, 9, 3), on(2021, 9, 27)), during(on(2001, 9, 3), on(2022, 12, 27)), "2001/497/EC (32001D0497); repealed by (EU) 2021/914 Art. 4", false, "controller to controller, set I"},
	{"scc-2004-915", during(on(2005, 4, 1), on(2021, 9, 27)), during(on(2005, 4, 1), on(2022, 12, 27)), "2004/915/EC (32004D0915); repealed by (EU) 2021/914 Art. 4", false, "controller to controller, set II"},
	{"scc-2010-87", during(on(2010, 5, 15), on(2021, 9, 27)), during(on(2010, 5, 15), on(2022, 12, 27)), "2010/87/EU (32010D0087); repealed by (EU) 2021/914 Art. 4", false, "controller to processor"},
	{"scc-2021-914", from(on(2021, 6, 27)), from(on(2021, 6, 27)), "(EU) 2021/914 (32021D0914)", false, "not made for importers under the GDPR by Art. 3(2)"},
}

// Tools returns the table of transfer tools.
func Tools() []ToolRule { return slices.Clone(tools) }

// Instruments returns the table of standard contractual clauses.
func Instruments() []Instrument { return slices.Clone(instruments) }

// toolRule returns the row of a tool; an unknown code gives a row without ground.
func toolRule(code string) ToolRule {
	for _, row := range tools {
		if row.Code == code {
			return row
		}
	}
	return ToolRule{Code: code, Source: "GDPR Chapter V"}
}
