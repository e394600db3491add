package demo

import (
	"fmt"
	"strings"
	"time"
)

// parties are who the company deals with, as registered on the first day.
// quickform is not among them: nobody ever registers it.
func parties() []string {
	return []string{
		`"party":"imalink","name":"Imalink NV","roles":["self"],"country":"BE","storage":["BE"],"access":["BE"]`,
		`"party":"larkspur-bank","name":"Larkspur Bank","sector":"finance","roles":["client"],"country":"BE","storage":["BE"],"access":["BE"]`,
		`"party":"tidewater-energy","name":"Tidewater Energy","sector":"energy","roles":["client"],"country":"NL","storage":["NL","DE"],"access":["NL"]`,
		`"party":"copperfield-insurance","name":"Copperfield Insurance","sector":"finance","roles":["client"],"country":"DE","storage":["DE"],"access":["DE","AT"]`,
		`"party":"marmot-logistics","name":"Marmot Logistics","sector":"transport","roles":["client"],"country":"FR","storage":["FR"],"access":["FR"]`,
		`"party":"quill-fund","name":"Quill Fund","sector":"finance","roles":["client"],"country":"LU","storage":["LU"],"access":["LU","FR"]`,
		`"party":"pact-hq","name":"Pact of Lanterns, headquarters","roles":["client"],"country":"BE","storage":["BE"],"access":["BE"],"international_organisation":true`,
		`"party":"cloudloft","name":"Cloudloft","roles":["processor"],"country":"IE","storage":["IE","DE"],"access":["IE"],"parent_country":"US"`,
		`"party":"cellar-nine","name":"Cellar Nine","roles":["subprocessor"],"country":"RO","storage":["RO"],"access":["RO"],"subprocessor_of":["cloudloft"]`,
		`"party":"payhouse","name":"Payhouse","roles":["processor"],"country":"BE","storage":["BE"],"access":["BE"]`,
		`"party":"letterbird","name":"Letterbird Mailings","roles":["processor"],"country":"FR","storage":["FR"],"access":["FR"]`,
		`"party":"nightdesk","name":"Nightdesk Support","roles":["processor"],"country":"BE","storage":["IE"],"access":["IE","IN"]`,
		`"party":"lisbon-dev","name":"Lisbon Dev","roles":["processor"],"country":"PT","storage":["PT"],"access":["PT"]`,
		`"party":"alpine-vault","name":"Alpine Vault","roles":["processor"],"country":"CH","storage":["CH"],"access":["CH"]`,
		`"party":"pacific-crm","name":"Pacific CRM","roles":["processor"],"country":"US","storage":["US"],"access":["US"],"dpf":{"listed":true}`,
		`"party":"sunrise-dev","name":"Sunrise Dev","roles":["processor"],"country":"IN","storage":["IN"],"access":["IN"]`,
		`"party":"harbour-metrics","name":"Harbour Metrics","roles":["processor"],"country":"US","storage":["US"],"access":["US"],"dpf":{"listed":false}`,
		`"party":"wayfarer-travel","name":"Wayfarer Travel","roles":["other_controller"],"country":"NL","storage":["NL"],"access":["NL"]`,
		`"party":"coral-hotels","name":"Coral Hotels","roles":["other_controller"],"country":"TH","storage":["TH"],"access":["TH"]`,
	}
}

// processors are the parties with an agreement under Art. 28 GDPR and an
// assessment before it.
func processors() []string {
	return strings.Fields("cloudloft payhouse letterbird nightdesk lisbon-dev alpine-vault pacific-crm sunrise-dev harbour-metrics")
}

// register writes the register as it is on the first day, within its quiet hours.
func (w *writing) register() {
	next := w.start.Add(time.Minute)
	say := func(kind, data string, args ...any) {
		w.exactly(register, "governance."+kind, next, "{"+dpo+","+data+"}", args...)
		next = next.Add(20 * time.Second)
	}
	first := w.start.Format(time.DateOnly)
	say("policy-published", `"policy":"privacy","version":"2","sha256":"d82d98d509711b7bd15b6c7fe37f6ebb0029dc1f0cb4de71f14ec9b49321d443","effective_from":%q,"languages":["en"]`,
		w.start.UTC().Format(time.RFC3339))
	for _, p := range parties() {
		say("party-registered", "%s", p)
	}
	for _, p := range processors() {
		to := ""
		if p == "letterbird" {
			to = fmt.Sprintf(`,"to":%q`, w.broken.last())
		}
		say("processor-assessed", `"party":%q,"kind":"ex-ante","outcome":"pass","scope":["security","agreement"],"next_due":%q`, p, w.start.AddDate(0, 6, 0).Format(time.DateOnly))
		say("agreement-signed", `"party":%q,"agreement":"dpa:%s","kind":"processing","version":"1","subprocessors":"specific","from":%q%s`, p, p, first, to)
	}
	say("subprocessor-changed", `"party":"cloudloft","subprocessor":"cellar-nine","state":"authorised","from":%q`, first)
	say("transfer-tool-registered", `"party":"sunrise-dev","tool":"A46-2-c","tool_ref":"scc:sunrise-dev","tia_ref":"tia:sunrise-dev","instrument":"scc-2021-914","module":"m2","from":%q`, first)
	say("assessment-recorded", `"kind":"tia","assessment":"tia:sunrise-dev","party":"sunrise-dev","outcome":"acceptable","from":%q`, first)
	say("assessment-recorded", `"kind":"lia","assessment":"lia:relations","activity":"relations","outcome":"acceptable","from":%q`, first)
	say("assessment-recorded", `"kind":"dpia","assessment":"dpia:matching","activity":"placement","outcome":"acceptable","from":%q`, first)
	for _, r := range [...][4]string{{"cv-2y", "career_cv", "P2Y", "last_contact"}, {"staff-5y", "staff_file", "P5Y", "contract_end"}, {"contacts-3y", "client_contacts", "P3Y", "last_contact"}} {
		say("retention-set", `"retention":%q,"dataset":%q,"period":%q,"trigger":%q,"action":"erase"`, r[0], r[1], r[2], r[3])
	}
	for _, a := range [...]string{
		`"activity":"placement","system":"ats","dataset":"career_cv","purposes":["service_provision"],"grounds":[{"purpose":"service_provision","basis":"A6-1-b"}],"categories":["contact","career_cv"],"subject_roles":["candidate"],"retention":"cv-2y","owner":"recruitment"`,
		`"activity":"relations","system":"crm","dataset":"client_contacts","purposes":["relationship"],"grounds":[{"purpose":"relationship","basis":"A6-1-f","assessment":"lia:relations"}],"categories":["contact"],"subject_roles":["client_contact"],"retention":"contacts-3y","owner":"sales"`,
		`"activity":"payroll","system":"hrm","dataset":"staff_file","purposes":["run_business"],"grounds":[{"purpose":"run_business","basis":"A6-1-c"}],"categories":["contact","financial"],"subject_roles":["employee"],"recipients":["payhouse"],"retention":"staff-5y","owner":"hr"`,
		`"activity":"newsletter","system":"mailing","dataset":"contact_list","purposes":["marketing"],"grounds":[{"purpose":"marketing","basis":"A6-1-a"}],"categories":["contact"],"subject_roles":["candidate"],"recipients":["letterbird"],"owner":"marketing"`,
	} {
		say("activity-registered", "%s", a)
	}
	for _, s := range [...]string{
		`"system":"ats","personal_data":true,"producer":"ats","hosted_by":["cloudloft"],"storage":["IE","DE"],"access":["BE"]`,
		`"system":"mailing","personal_data":true,"producer":"mail","hosted_by":["letterbird"],"storage":["FR"],"access":["BE","FR"]`,
		`"system":"files","personal_data":true,"producer":"files","storage":["BE"],"access":["BE"]`,
	} {
		say("system-registered", "%s", s)
	}
	for _, role := range [...]string{"recruiter", "hr_officer"} {
		say("authorisation-granted", `"system":"ats","categories":["contact","career_cv"],"purposes":["service_provision"],"role":%q,"from":%q`, role, first)
	}
	say("cookie-recorded", `"site":"imalink-web","cookie":"returning_visitor","state":"declared","purpose":"run_business","ttl_days":90`)
}
