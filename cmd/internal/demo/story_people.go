package demo

import (
	"fmt"
	"strings"
	"time"
)

// What the stories about people count.
const (
	downloads      = 120 // of the stolen session
	robbed         = 112 // people in them: eight are downloaded twice
	delicate       = 20  // downloads of files about health
	glances        = 20  // at the former partner's file
	lapsedMailings = 9   // after the agreement had ended
	addressees     = 40  // of each mailing
	underNumber    = 6   // events about the person with two identifiers, under one
	underAddress   = 5   // and the other; one more links them
)

// The people of the stories.
const (
	stolenSession = "sess-owl"
	theftCase     = "breach-owl"
	former        = "candidate:10007" // whose file is looked at
	curious       = "employee:a03"    // by whom
	twice         = "candidate:10011"
	twiceToo      = "wren.hollow@candidates.example"
)

// night is when the session is stolen: so short ago that the 72 hours of Art. 33
// GDPR are running when the year ends.
func (y *Year) night() time.Time { return y.end.AddDate(0, 0, -3) }

// theft writes the session, and what was known of it since.
func (w *writing) theft() {
	people := w.different(robbed)
	at := on(w.night(), 2, 7)
	for i := range downloads {
		dataset, more := `"dataset":"career_cv","categories":["contact","career_cv"]`, ""
		if i%(downloads/delicate) == 0 {
			dataset, more = `"dataset":"medical_notes","categories":["contact","sensitive_health"]`, `,"special":["health"],"a9":"A9-2-b"`
		}
		at = at.Add(time.Duration(50_000+w.rng.IntN(50_000)) * time.Millisecond)
		w.exactly(files, "data.accessed", at, `{"actor":{"id":"employee:r04","role":"recruiter","kind":"human","unit":"recruitment","session":%q},"subjects":[%s],`+
			`"system":"files",%s,"purpose":"service_provision","basis":"A6-1-b","mode":"download","result_count":1%s}`, stolenSession, candidate(people[i%robbed]), dataset, more)
	}
	morning := on(w.night(), 8, 40)
	next := w.night().AddDate(0, 0, 1)
	w.exactly(rights, "breach.suspected", morning, "{"+dpo+`,"breach":%q,"detected_at":%q,"reported_by":"it"}`, theftCase, stamp(morning))
	w.exactly(rights, "breach.confirmed", on(next, 9, 30), "{"+dpo+`,"breach":%q,"aware_at":%q,"kinds":["confidentiality"],"categories":["contact","career_cv","sensitive_health"],"records":%d}`,
		theftCase, stamp(on(next, 9, 15)), downloads)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// colleague writes how somebody looks into a former partner's file: first those
// who work on the case, then, after it ended, somebody who has none.
func (w *writing) colleague() {
	begins := w.broken.from
	w.add(atsA, "subject.case-changed", workday(begins), office(), "{"+recruiter+`,"subjects":[%s],"system":"ats","case":"vacancy:171","kind":"vacancy","state":"joined","party":"quill-fund"}`, candidate(former))
	for i := range 6 {
		w.add(atsA, "data.accessed", workday(begins.AddDate(0, 0, 3+4*i)), office(), "{"+recruiter+`,"subjects":[%s],"reference":"vacancy:171",`+career+`,"mode":"view","result_count":1}`, candidate(former))
	}
	w.add(atsA, "subject.case-changed", workday(begins.AddDate(0, 0, 35)), office(), "{"+recruiter+`,"subjects":[%s],"system":"ats","case":"vacancy:171","kind":"vacancy","state":"ended","party":"quill-fund"}`, candidate(former))
	for i := range glances {
		w.add(atsB, "data.accessed", w.clean.from.AddDate(0, 0, 4*i), [2]int{20, 23}, `{"actor":{"id":%q,"role":"account_manager","kind":"human","unit":"sales"},"subjects":[%s],`+career+
			`,"mode":"view","result_count":1}`, curious, candidate(former))
	}
}

// lapse writes a mailing every week, and nine more after the agreement with the
// processor that sends them has ended, on the last day of the broken quarter.
func (w *writing) lapse() {
	first := w.start
	for first.Weekday() != time.Tuesday {
		first = first.AddDate(0, 0, 1)
	}
	n := 0
	for day := first.AddDate(0, 0, 7); n < lapsedMailings; day = day.AddDate(0, 0, 7) {
		if !day.Before(w.clean.from) {
			n++
		}
		people := w.different(addressees)
		for i := range people {
			people[i] = candidate(people[i])
		}
		w.add(mail, "data.transferred", day, [2]int{10, 11}, "{"+marketer+`,"subjects":[%s],`+mailing+`,"recipient":{"party":"letterbird","role":"processor"}}`, strings.Join(people, ","))
	}
}

// twoNames writes about one person who is known by a number and by an address,
// until somebody notices.
func (w *writing) twoNames() {
	day := func(n int) time.Time { return workday(w.mixed.from.AddDate(0, 0, n)) }
	number, address := candidate(twice), candidate(twiceToo)
	w.add(atsA, "data.collected", day(5), office(), "{"+recruiter+`,"subjects":[%s],`+career+`,"origin":"web_form","context":"job_application"}`, number)
	for i := range 3 {
		w.add(atsA, "data.accessed", day(8+9*i), office(), "{"+recruiter+`,"subjects":[%s],`+career+`,"mode":"view","result_count":1}`, number)
	}
	for i, party := range [...]string{"larkspur-bank", "tidewater-energy"} {
		w.add(atsA, "data.shared", day(20+6*i), office(), "{"+recruiter+`,"subjects":[%s],`+career+`,"recipient":{"party":%q,"role":"client"},"artefact":{"type":"imalink_cv"}}`, number, party)
	}
	w.add(mail, "subject.consent-given", day(12), office(), "{"+marketer+`,"subjects":[%s],"system":"mailing","purposes":["marketing"],"method":"electronic"}`, address)
	for i := range 3 {
		w.add(mail, "data.contacted", day(15+7*i), office(), "{"+marketer+`,"subjects":[%s],`+mailing+`,"channel":"email","class":"marketing","promotional":true,"optout_present":true}`, address)
	}
	w.add(mail, "subject.consent-withdrawn", day(40), office(), "{"+marketer+`,"subjects":[%s],"system":"mailing","purposes":["marketing"],"channel":"email"}`, address)
	w.add(crm, "subject.identifiers-linked", day(100), office(), `{"actor":{"id":"service:match","role":"match","kind":"service"},"subjects":[%s,%s],"system":"crm"}`, number, address)
}

// requests writes rights requests: of those received last, one is due in three
// days, and one is overdue, when the year ends.
func (w *writing) requests() {
	for i, r := range [...]struct {
		before int // days before the end
		right  string
		answer int // days later; 0 is not yet
	}{{230, "A15", 12}, {160, "A16", 4}, {95, "A17", 26}, {41, "A15", 0}, {28, "A17", 0}, {6, "A15", 0}} {
		day := workday(w.end.AddDate(0, 0, -r.before))
		about := fmt.Sprintf(`{%s,"subjects":[%s],"system":"dpo-desk","request":"request-%c"`, dpo, w.somebody(), 'a'+i)
		w.add(rights, "subject.request-received", day, [2]int{9, 12}, "%s,\"right\":%q,\"channel\":\"email\"}", about, r.right)
		w.add(rights, "subject.request-acknowledged", day, [2]int{13, 17}, "%s}", about)
		if r.answer > 0 {
			w.add(rights, "subject.request-answered", workday(day.AddDate(0, 0, r.answer)), office(), "%s,\"outcome\":\"full\"}", about)
		}
	}
}
