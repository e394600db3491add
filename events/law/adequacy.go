package law

import "slices"

// Condition is what must be shown about the importer before a decision covers it.
type Condition uint8

// The conditions. Scope limits that no event can show stand in a decision's note.
const (
	Unconditional Condition = iota
	ListedDPF               // on the Data Privacy Framework list on the day
	UnderPIPEDA             // subject to Canada's Personal Information Protection and Electronic Documents Act
	NamesShield             // the transfer names Privacy Shield, with a reference to the listing
	NamesHarbour            // the transfer names Safe Harbour, with a reference to the listing
)

// String returns the condition as a phrase for an explanation.
func (c Condition) String() string {
	switch c {
	case ListedDPF:
		return "listed under the Data Privacy Framework"
	case UnderPIPEDA:
		return "subject to PIPEDA"
	case NamesShield:
		return "listed under Privacy Shield"
	case NamesHarbour:
		return "listed under Safe Harbour"
	}
	return "none"
}

// A Decision is one adequacy decision: GDPR Art. 45(3), or Directive 95/46/EC Art. 25(6) kept by Art. 45(9).
type Decision struct {
	Code string // ISO 3166-1 alpha-2; "EPO" for the organisation, which no country code reaches
	Interval
	Condition Condition
	Source    string
	Verified  bool // somebody checked the row against its source
	Note      string
}

// confirmed is where the Commission found the decisions of the Directive's time still adequate.
const confirmed = "; confirmed by COM(2024) 7 of 2024-01-15"

var decisions = []Decision{
	{"CH", from(on(2000, 7, 26)), Unconditional, "2000/518/EC (32000D0518)" + confirmed, true, ""},
	{"HU", during(on(2000, 7, 26), on(2004, 5, 1)), Unconditional, "2000/519/EC (32000D0519)", false, "until accession"},
	{"US", during(on(2000, 11, 1), on(2015, 10, 6)), NamesHarbour, "2000/520/EC (32000D0520); invalid: C-362/14 of 2015-10-06", false, "Safe Harbour, in force 2000-07-26, could be joined from 2000-11-01"},
	{"CA", from(on(2001, 12, 20)), UnderPIPEDA, "2002/2/EC (32002D0002)" + confirmed, true, "commercial recipients; not the public sector"},
	{"AR", from(on(2003, 6, 30)), Unconditional, "2003/490/EC (32003D0490)" + confirmed, true, ""},
	{"GG", from(on(2003, 11, 21)), Unconditional, "2003/821/EC (32003D0821)" + confirmed, true, ""},
	{"IM", from(on(2004, 4, 28)), Unconditional, "2004/411/EC (32004D0411)" + confirmed, true, ""},
	{"JE", from(on(2008, 5, 8)), Unconditional, "2008/393/EC (32008D0393)" + confirmed, true, ""},
	{"FO", from(on(2010, 3, 5)), Unconditional, "2010/146/EU (32010D0146)" + confirmed, true, "recipients under the Faroese act"},
	{"AD", from(on(2010, 10, 19)), Unconditional, "2010/625/EU (32010D0625)" + confirmed, true, ""},
	{"IL", from(on(2011, 1, 31)), Unconditional, "2011/61/EU (32011D0061)" + confirmed, true, "automated transfers and processing; the State of Israel as international law defines it"},
	{"UY", from(on(2012, 8, 21)), Unconditional, "2012/484/EU (32012D0484)" + confirmed, true, ""},
	{"NZ", from(on(2012, 12, 19)), Unconditional, "2013/65/EU (32013D0065)" + confirmed, true, ""},
	{"US", during(on(2016, 8, 1), on(2020, 7, 16)), NamesShield, "(EU) 2016/1250 (32016D1250); invalid: C-311/18 of 2020-07-16", false, "Privacy Shield, in force 2016-07-12, could be joined from 2016-08-01"},
	{"JP", from(on(2019, 1, 23)), Unconditional, "(EU) 2019/419 (32019D0419)", false, "business operators under APPI and the Supplementary Rules"},
	{"GB", during(on(2021, 6, 28), on(2025, 12, 28)), Unconditional, "(EU) 2021/1772 (32021D1772), extended from 2025-06-27 to 2025-12-27 by (EU) 2025/1226 (32025D1226)", false, "not transfers for immigration control"},
	{"KR", from(on(2021, 12, 17)), Unconditional, "(EU) 2022/254 (32022D0254)", false, "not religious missions, nomination of candidates, or credit data under the FSC"},
	{"US", from(on(2023, 7, 10)), ListedDPF, "(EU) 2023/1795 (32023D1795); upheld: T-553/23 of 2025-09-03", true, "data of an employment relationship need HR coverage; appeal C-703/25 P pending in mid-2026"},
	{"EPO", from(on(2025, 7, 15)), Unconditional, "Commission decision of 2025-07-15, number not established", true, "European Patent Organisation; parties are not known by organisation, so it is not evaluated"},
	{"GB", during(on(2025, 12, 28), on(2031, 12, 28)), Unconditional, "Commission decision of 2025-12-19, number not established", true, "renewal until and with 2031-12-27; an exception for immigration control is likely"},
	{"BR", from(on(2026, 1, 26)), Unconditional, "Commission decision of 2026-01-26, number not established", true, "scope of the LGPD; reviewed after four years"},
}

// Decisions returns the table of adequacy decisions.
func Decisions() []Decision { return slices.Clone(decisions) }
