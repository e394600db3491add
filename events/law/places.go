package law

import (
	"slices"
	"strings"
)

// Status says how the law of the EEA looks at a place on a day.
type Status uint8

// The statuses. Only the first four count as inside.
const (
	Unknown         Status = iota // not one place: no ISO 3166-1 code, or a group of states such as "EU"
	Member                        // a member of the EU or EEA, or a part of one where the GDPR applies in full
	TreatedAsMember               // Union law applied as if it were a member
	Bridged                       // transmissions were "not considered as transfer to a third country"
	Outside                       // a third country or territory
	Review                        // outside until somebody decides otherwise: the law is unsettled there
)

// Inside reports whether data in such a place has not left the EEA.
func (s Status) Inside() bool { return s == Member || s == TreatedAsMember || s == Bridged }

// String returns the status as a phrase for an explanation.
func (s Status) String() string {
	switch s {
	case Member:
		return "inside the EEA"
	case TreatedAsMember:
		return "treated as inside the EEA"
	case Bridged:
		return "bridged: not considered a transfer"
	case Outside:
		return "outside the EEA"
	case Review:
		return "outside the EEA, status unsettled"
	}
	return "not a place the tables know"
}

// A Place is one row of the table of places.
type Place struct {
	Codes  string // ISO 3166-1 alpha-2, separated by spaces
	Status Status
	Interval
	Source   string
	Verified bool // somebody checked the row against its source
	Note     string
}

// Sources that several rows share.
const (
	eeaAgreement = "EEA Agreement, OJ L 1, 3.1.1994, p. 3 (21994A0103(01))"
	accession72  = "Treaty of Accession 1972, OJ L 73, 27.3.1972 (11972B)"
	accession94  = "Treaty of Accession 1994, OJ C 241, 29.8.1994 (11994N)"
	withdrawal   = "Withdrawal Agreement Art. 126-127, OJ L 29, 31.1.2020, p. 7 (12020W/TXT)"
	bridge       = "Trade and Cooperation Agreement Art. FINPROV.10A (now 782), OJ L 149, 30.4.2021, p. 10 (22021A0430(01))"
	outermost    = "TFEU Art. 349 and 355(1)"
	overseas     = "TFEU Art. 198 and 355(2), Annex II"
	gdprInEEA    = "; GDPR by Joint Committee Decision 154/2018 of 2018-07-06, in force 2018-07-20"
)

// places is where the law of the EEA applies, beyond the plain rule that a country of ISO 3166-1 is
// outside. Part of Cyprus (Protocol 10) and the bases Akrotiri and Dhekelia have no code and cannot be told here.
var places = []Place{
	// Members
	{"BE DE DK ES FR GR IE IT LU NL PT", Member, from(on(1994, 1, 1)), eeaAgreement, false, "EU members when the Agreement began"},
	{"AT FI SE", Member, from(on(1994, 1, 1)), eeaAgreement + "; " + accession94, false, "EFTA in 1994, EU since 1995-01-01"},
	{"IS NO", Member, from(on(1994, 1, 1)), eeaAgreement + gdprInEEA, true, "Directive 95/46/EC applied until 2018-07-19: no gap"},
	{"LI", Member, from(on(1995, 5, 1)), "EEA Council Decision 1/95, OJ L 86, 20.4.1995, p. 58" + gdprInEEA, false, ""},
	{"CY CZ EE HU LT LV MT PL SI SK", Member, from(on(2004, 5, 1)), "Treaty of Accession 2003, OJ L 236, 23.9.2003 (12003T)", false, ""},
	{"BG RO", Member, from(on(2007, 1, 1)), "Treaty of Accession 2005, OJ L 157, 21.6.2005 (12005S)", false, "EU; EEA provisionally since 2007-08-01"},
	{"HR", Member, from(on(2013, 7, 1)), "Treaty of Accession 2011, OJ L 112, 24.4.2012 (12012J)", false, "EU; EEA provisionally since 2014-04-12"},

	// The United Kingdom and Gibraltar
	{"GB", Member, during(on(1973, 1, 1), on(2020, 2, 1)), accession72, false, "left 2020-01-31 23:00 UTC"},
	{"GB", TreatedAsMember, during(on(2020, 2, 1), on(2021, 1, 1)), withdrawal, false, "transition period"},
	{"GB", Bridged, during(on(2021, 1, 1), on(2021, 6, 28)), bridge, false, "ended early by the adequacy decision"},
	{"GI", Member, during(on(1973, 1, 1), on(2020, 2, 1)), accession72 + " Art. 28; TFEU Art. 355(3)", false, ""},
	{"GI", TreatedAsMember, during(on(2020, 2, 1), on(2021, 1, 1)), withdrawal, false, "transition period"},
	{"GI", Outside, from(on(2021, 1, 1)), bridge, false, "neither bridged nor in the adequacy decision; the later treaty on Gibraltar is not evaluated"},

	// Territories of members where the GDPR applies in full
	{"GP MQ GF RE MF", Member, from(on(1994, 1, 1)), outermost, true, "French outermost regions; MF within GP until 2007"},
	{"YT", Review, during(on(1994, 1, 1), on(2014, 1, 1)), overseas, false, "overseas territory until 2014"},
	{"YT", Member, from(on(2014, 1, 1)), "European Council Decision 2012/419/EU, OJ L 204, 31.7.2012, p. 131", true, "outermost region since 2014-01-01"},
	{"AX", Member, from(on(1995, 1, 1)), accession94 + " Protocol 2", false, "own tax status only"},
	{"EA IC", Member, from(on(1994, 1, 1)), outermost, false, "Ceuta, Melilla and the Canaries: own tax status only"},

	// Territories of members where it does not, or not certainly
	{"BL", Member, during(on(1994, 1, 1), on(2012, 1, 1)), outermost, false, "outermost region, within GP until 2007"},
	{"BL", Review, from(on(2012, 1, 1)), "European Council Decision 2010/718/EU, OJ L 325, 9.12.2010, p. 4", true, "French law extends the GDPR since 2019-06-01; whether a transfer occurs is open"},
	{"PM", Review, from(on(1994, 1, 1)), overseas, true, "French law extends the GDPR since 2019-06-01; whether a transfer occurs is open"},
	{"NC PF TF WF", Review, from(on(1994, 1, 1)), overseas, true, "French law extends the GDPR since 2019-06-01; whether a transfer occurs is open"},
	{"CP", Review, from(on(1994, 1, 1)), "no provision found", false, "Clipperton"},
	{"SJ", Review, from(on(1994, 1, 1)), eeaAgreement + " Protocol 40", false, "one code for Svalbard, outside the Agreement, and Jan Mayen, inside it"},
	{"BV", Outside, from(on(1994, 1, 1)), eeaAgreement, false, "Bouvet is outside the Agreement's territory"},
	{"GL", Outside, from(on(1985, 2, 1)), "Greenland Treaty, OJ L 29, 1.2.1985, p. 1; " + overseas, false, "own data protection act, no decision"},
	{"FO", Outside, from(Past), "TFEU Art. 355(5)(a)", false, "never EU"},
	{"AN", Outside, during(Past, on(2010, 10, 10)), overseas, false, "Netherlands Antilles, dissolved 2010-10-10"},
	{"AW BQ CW SX", Outside, from(Past), overseas, false, "own acts, no decision"},
	{"GG IM JE", Outside, from(Past), "TFEU Art. 355(5)(c)", false, "never EU"},
}

// countries are the codes of ISO 3166-1, and then those it reserves exceptionally or for use by others. A
// code that stands in no row of places on a day is outside on that day.
const countries = `
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT
MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
AC AN CP DG EA IC TA XK`

// Places returns the table of places.
func Places() []Place { return slices.Clone(places) }

// Canonical returns the ISO 3166-1 code that code stands for: EL is GR, UK and XI are GB.
func Canonical(code string) string {
	switch code {
	case "EL":
		return "GR"
	case "UK", "XI":
		return "GB"
	}
	return code
}

// elsewhere is the row of a country that the table does not name on the day.
var elsewhere = Place{Status: Outside, Interval: Always(), Source: "ISO 3166-1; no rule brings it inside", Verified: true}

// nowhere is the row of a code that is no country's.
var nowhere = Place{Status: Unknown, Interval: Always(), Source: "ISO 3166-1", Verified: true}

// byCode holds, for every country, its rows.
var byCode = indexPlaces(places)

func indexPlaces(rows []Place) map[string][]Place {
	index := make(map[string][]Place)
	for _, code := range strings.Fields(countries) {
		index[code] = nil
	}
	for _, row := range rows {
		for _, code := range strings.Fields(row.Codes) {
			index[code] = append(index[code], row)
		}
	}
	return index
}

// PlaceOn returns the row that decides what code, or the code it is an alias of, is on day d.
func PlaceOn(code string, d Day) Place {
	rows, known := byCode[Canonical(code)]
	if !known {
		return nowhere
	}
	for _, row := range rows {
		if row.Holds(d) {
			return row
		}
	}
	return elsewhere
}
