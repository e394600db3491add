package demo

import "time"

// What the stories about transfers count.
const (
	pactShares    = 12 // CVs given to the international organisation
	deskTransfers = 18 // tickets opened to a helpdesk that reads them in India
	lateShares    = 7  // uploads of which the evidence came late

	abroad, freelance, adequate, safeguarded, derogated, unregistered = 5, 4, 9, 6, 3, 4 // T1, T1f, T2, T3, T4, U
)

// weekdays spreads n events over the working days of a span.
func weekdays(s span, n int) []time.Time {
	days := int(s.to.Sub(s.from).Hours()/24) - 3 // the last may be a holiday and two closed days away
	list := make([]time.Time, n)
	for i := range list {
		list[i] = workday(s.from.AddDate(0, 0, i*days/n))
	}
	return list
}

// lawful writes one of each kind of transfer that is no breach by itself, in the
// two months before the one with the late evidence.
func (w *writing) lawful() {
	season := span{w.mixed.from, w.late.from}
	const work = `,"subjects":[%s],"reference":"vacancy:88",` + career
	for i, day := range weekdays(season, abroad) {
		country := [...]string{"US", "MA", "TR"}[i%3]
		w.add(atsA, "data.accessed", day, office(), "{"+recruiter+work+`,"mode":"view","location":{"access":[%q]}}`, w.somebody(), country)
	}
	for _, day := range weekdays(season, freelance) {
		w.add(atsB, "data.accessed", day, office(), `{"actor":{"id":"employee:c07","role":"developer","kind":"contractor","party":"lisbon-dev"}`+work+
			`,"mode":"api","location":{"access":["CL"]}}`, w.somebody())
	}
	for i, day := range weekdays(season, adequate) {
		party := [...]string{"alpine-vault", "pacific-crm"}[i%2]
		w.add(files, "data.transferred", day, office(), "{"+recruiter+work+`,"recipient":{"party":%q,"role":"processor"}}`, w.somebody(), party)
	}
	for _, day := range weekdays(season, safeguarded) {
		w.add(files, "data.transferred", day, office(), "{"+recruiter+work+`,"recipient":{"party":"sunrise-dev","role":"processor"}}`, w.somebody())
	}
	for _, day := range weekdays(season, derogated) {
		w.add(hr, "data.shared", day, office(), `{"actor":{"id":"employee:h01","role":"hr_officer","kind":"human","unit":"hr"},"subjects":[{"id":"employee:e101","role":"employee"}],`+
			`"system":"hrm","dataset":"staff_file","categories":["contact"],"purpose":"run_business","basis":"A6-1-b","recipient":{"party":"coral-hotels","role":"other_controller"},"transfer":{"tool":"A49-1-b","tool_ref":"trip:conference"}}`)
	}
	for _, day := range weekdays(season, unregistered) {
		w.add(crm, "data.shared", day, office(), "{"+recruiter+work+`,"recipient":{"party":"quickform","role":"processor"}}`, w.somebody())
	}
}

// quarter writes the broken one, and at its end what mends it: the helpdesk lets
// nobody in India read any more.
func (w *writing) quarter() {
	for _, day := range weekdays(w.broken, pactShares) {
		w.add(atsA, "data.shared", day, office(), "{"+recruiter+`,"subjects":[%s],"reference":"vacancy:204",`+career+
			`,"recipient":{"party":"pact-hq","role":"client"},"artefact":{"type":"imalink_cv","template":"4"}}`, w.somebody())
	}
	for _, day := range weekdays(w.broken, deskTransfers) {
		w.add(desk, "data.transferred", day, [2]int{18, 23}, `{"actor":{"id":"employee:s01","role":"support","kind":"human","unit":"desk"},"subjects":[%s],`+
			`"system":"desk","dataset":"tickets","categories":["contact","communications"],"purpose":"service_provision","basis":"A6-1-b",`+
			`"recipient":{"party":"nightdesk","role":"processor"},"agreement":"dpa:nightdesk"}`, w.somebody())
	}
	w.exactly(register, "governance.party-registered", on(w.clean.from, 0, 0).Add(-6*time.Hour),
		"{"+dpo+`,"party":"nightdesk","name":"Nightdesk Support","roles":["processor"],"country":"BE","storage":["IE"],"access":["IE"],"confirmed_at":%q}`, w.broken.last())
}

// known are the days on which the month is asked about: before and after the evidence came.
func (y *Year) known() (before, after string) {
	return y.late.to.AddDate(0, 0, 14).Format(time.DateOnly), y.late.to.AddDate(0, 2, -1).Format(time.DateOnly)
}

// evidence writes what happened in one month and became known six weeks after it:
// uploads to a party in the United States that no list shows.
func (w *writing) evidence() {
	found := on(workday(w.late.to.AddDate(0, 1, 13)), 11, 0)
	for i, day := range weekdays(w.late, lateShares) {
		a := w.add(files, "data.transferred", day, office(), "{"+recruiter+`,"subjects":[%s],`+career+`,"recipient":{"party":"harbour-metrics","role":"processor"},"assertion":"reconciled"}`, w.somebody())
		a.delay = found.Add(time.Duration(i) * time.Second).Sub(a.at)
	}
}
