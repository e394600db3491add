package demo

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// A habit is something that happens all year round.
type habit struct {
	weight   int
	from     producer
	kind     string
	transfer bool   // has a transfer class: T0, always, and never late
	data     string // what is behind a % is filled in by [draw.fill]
}

// atWork is what people do, and who helps them.
func atWork() []habit {
	return []habit{
		{170, atsA, "data.accessed", false, `{"actor":%R,"reference":"vacancy:%v","subjects":[%c],"activity":"placement","mode":"view","result_count":1}`},
		{170, atsB, "data.accessed", false, `{"actor":%R,"reference":"vacancy:%v","subjects":[%c],"activity":"placement","mode":"view","result_count":1}`},
		{45, atsA, "data.accessed", false, `{"actor":%R,"subjects":[%s],"system":"ats","dataset":"career_cv","categories":["contact","career_cv"],"purpose":"service_provision","basis":"A6-1-b","mode":"search"}`},
		{45, atsB, "data.used", false, `{"actor":%R,"reference":"vacancy:%v","subjects":[%s],"activity":"placement","automation":"partial","effect":"none"}`},
		{30, atsA, "data.altered", false, `{"actor":%R,"subjects":[%c],"activity":"placement","trigger":"correction"}`},
		{26, atsB, "data.collected", false, `{"actor":%R,"subjects":[%d],"activity":"placement","origin":%o,"context":"job_application","retention":"cv-2y"}`},
		{20, atsB, "subject.notice-given", false, `{"actor":%R,"subjects":[%c],"system":"ats","articles":["A13"],"policy_version":"2","channel":"email","purposes":["service_provision"]}`},
		{40, atsA, "data.shared", true, `{"actor":%R,"reference":"vacancy:%v","subjects":[%c],"system":"ats","dataset":"career_cv","categories":["contact","career_cv"],"purpose":"service_provision","basis":"A6-1-b","recipient":{"party":%p,"role":"client"},"artefact":{"type":"imalink_cv","template":"3"}}`},
		{40, atsB, "data.shared", true, `{"actor":%R,"reference":"vacancy:%v","subjects":[%c],"system":"ats","dataset":"career_cv","categories":["contact","career_cv"],"purpose":"service_provision","basis":"A6-1-b","recipient":{"party":%p,"role":"client"},"artefact":{"type":"imalink_cv","template":"4"}}`},
		{90, crm, "data.accessed", false, `{"actor":%A,"subjects":[%k],"activity":"relations","mode":"view","result_count":1}`},
		{35, crm, "data.used", false, `{"actor":%A,"subjects":[%k],"activity":"relations"}`},
		{15, crm, "data.altered", false, `{"actor":%A,"subjects":[%k],"activity":"relations","trigger":"correction"}`},
		{45, hr, "data.accessed", false, `{"actor":%H,"subjects":[%e],"activity":"payroll","mode":"view","result_count":1}`},
		{8, hr, "data.transferred", true, `{"actor":%H,"subjects":[%e],"activity":"payroll","recipient":{"party":"payhouse","role":"processor"},"agreement":"dpa:payhouse"}`},
		{2, hr, "data.collected", false, `{"actor":%H,"subjects":[%e],"system":"hrm","dataset":"staff_file","categories":["sensitive_health"],"special":["health"],"a9":"A9-2-b","purpose":"health_safety","basis":"A6-1-c","statute":"arbeidsongevallenwet","origin":"in_course_of_service","context":"accident"}`},
		{30, files, "data.accessed", false, `{"actor":%R,"reference":"vacancy:%v","subjects":[%c],"system":"files","dataset":"career_cv","categories":["career_cv"],"purpose":"service_provision","basis":"A6-1-b","mode":"print"}`},
		{25, mail, "data.contacted", false, `{"actor":%M,"subjects":[%c],"activity":"newsletter","channel":"email","content":"project","class":"service","promotional":false,"optout_present":true}`},
		{12, mail, "subject.consent-given", false, `{"actor":%M,"subjects":[%c],"system":"mailing","purposes":["marketing"],"method":"electronic","text_version":"2","channel":"web"}`},
		{4, mail, "subject.objection-raised", false, `{"actor":%M,"subjects":[%c],"system":"mailing","scope":"direct_marketing","purposes":["marketing"],"channel":"email"}`},
		{20, desk, "data.accessed", false, `{"actor":%D,"subjects":[%c],"system":"desk","dataset":"tickets","categories":["contact","communications"],"purpose":"service_provision","basis":"A6-1-b","mode":"view","result_count":1}`},
	}
}

// atNight is mostly what services do.
func atNight() []habit {
	return []habit{
		{50, atsA, "data.used", false, `{"actor":{"id":"service:matcher","role":"matcher","kind":"service"},"subjects":[%s],"activity":"placement","automation":"partial","effect":"none","profiling":true}`},
		{25, files, "data.hosted", true, `{"actor":{"id":"service:backup","role":"backup","kind":"service"},"subjects":[%s],"system":"files","dataset":"career_cv","categories":["contact","career_cv"],"purpose":"run_business","basis":"A6-1-f","recipient":{"party":"cloudloft","role":"processor"}}`},
		{8, atsB, "data.deleted", false, `{"actor":{"id":"service:retention","role":"retention","kind":"service"},"subjects":[%c],"activity":"placement","deletion":"night-%n","method":"erase","trigger":"retention","legs":[{"kind":"live","state":"done"},{"kind":"backup","state":"due"}]}`},
		{12, atsB, "data.accessed", false, `{"actor":%R,"reference":"vacancy:%v","subjects":[%c],"activity":"placement","mode":"view","result_count":1}`},
		{5, crm, "data.accessed", false, `{"actor":%A,"subjects":[%k],"activity":"relations","mode":"view","result_count":1}`},
	}
}

// A draw fills the background in, by chance alone. It belongs to one caller.
type draw struct {
	rng        *rand.Rand
	pool       int // of candidates
	day        int // of the year
	work, rest []habit
	ofWork     int // all weights together
	ofRest     int
	start      time.Time
	data       []byte
}

func newDraw(y *Year) *draw {
	d := &draw{rng: rand.New(rand.NewPCG(y.Seed, forBackground)), pool: y.pool, work: atWork(), rest: atNight(), start: y.start}
	d.ofWork, d.ofRest = weights(d.work), weights(d.rest)
	return d
}

func weights(list []habit) (sum int) {
	for _, h := range list {
		sum += h.weight
	}
	return sum
}

// habit is what happens next, in an hour.
func (d *draw) habit(h hour) *habit {
	d.day = int(h.begins.Sub(d.start) / (24 * time.Hour))
	list, left := d.rest, d.ofRest
	if h.office {
		list, left = d.work, d.ofWork
	}
	n := d.rng.IntN(left)
	for i := range list {
		if n -= list[i].weight; n < 0 {
			return &list[i]
		}
	}
	return nil // the weights add up
}

// delay is how much later than others an event arrives: mostly not at all. What is
// late of the file store is in a story.
func (d *draw) delay(h *habit) time.Duration {
	if d.rng.IntN(400) > 0 || h.transfer || h.from == files {
		return 0
	}
	return time.Hour + time.Duration(d.rng.Int64N(int64(9*24*time.Hour)))
}

// again is when an event is sent a second time because its answer was lost; 0 mostly.
func (d *draw) again() time.Duration {
	switch n := d.rng.IntN(400); {
	case n == 0:
		return time.Hour + time.Duration(d.rng.Int64N(int64(time.Hour)))
	case n < 3:
		return time.Second + time.Duration(d.rng.Int64N(int64(time.Minute)))
	}
	return 0
}

// few is a number below n, mostly a small one: few people are in most events. The
// square stays the same on every machine, where an exponential would not.
func (d *draw) few(n int) int {
	u := d.rng.Uint64N(1 << 20)
	return int((u * u >> 20) * uint64(n) >> 20)
}

// fill appends a habit's data.
func (d *draw) fill(b []byte, text string) []byte {
	from := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			continue
		}
		b = append(b, text[from:i]...)
		i++
		b = d.verb(b, text[i])
		from = i + 1
	}
	return append(b, text[from:]...)
}

// verb appends what stands behind a %.
func (d *draw) verb(b []byte, verb byte) []byte {
	switch verb {
	case 'c': // a candidate
		return person(b, "candidate:", firstCandidate+d.few(d.pool), `","role":"candidate"}`)
	case 'd': // a candidate from Belgium
		return person(b, "candidate:", firstCandidate+d.few(d.pool), `","role":"candidate","country":"BE"}`)
	case 's': // several candidates
		return d.several(b)
	case 'k': // a contact at a client
		return person(b, "contact:", 5000+d.few(d.pool/4), `","role":"client_contact"}`)
	case 'e': // an employee, as a person whose data it is
		return person(b, "employee:e", 100+d.few(80), `","role":"employee"}`)
	case 'R':
		return d.actor(b, "r", 12, `","role":"recruiter","kind":"human","unit":"recruitment","session":"s-`)
	case 'A':
		return d.actor(b, "a", 6, `","role":"account_manager","kind":"human","unit":"sales","session":"s-`)
	case 'H':
		return d.actor(b, "h", 2, `","role":"hr_officer","kind":"human","unit":"hr","session":"s-`)
	case 'M':
		return d.actor(b, "m", 2, `","role":"marketer","kind":"human","unit":"marketing","session":"s-`)
	case 'D':
		return d.actor(b, "s", 4, `","role":"support","kind":"human","unit":"desk","session":"s-`)
	case 'v': // a vacancy
		return strconv.AppendInt(b, int64(100+d.day*2+d.rng.IntN(60)), 10)
	case 'n': // the night
		return strconv.AppendInt(b, int64(d.day), 10)
	case 'p':
		return append(b, [...]string{`"larkspur-bank"`, `"tidewater-energy"`, `"copperfield-insurance"`, `"marmot-logistics"`, `"quill-fund"`}[d.few(5)]...)
	case 'o':
		return append(b, [...]string{`"advert_response"`, `"web_form"`, `"cv_match"`, `"referral"`, `"own_initiative"`}[d.few(5)]...)
	}
	return b
}

// firstCandidate is the number of the first candidate of the background. The
// people of the stories have lower ones.
const firstCandidate = 20_000

func person(b []byte, prefix string, n int, rest string) []byte {
	b = append(append(b, `{"id":"`...), prefix...)
	return append(strconv.AppendInt(b, int64(n), 10), rest...)
}

// several are three to six different candidates.
func (d *draw) several(b []byte) []byte {
	first := d.few(d.pool)
	for i := range 3 + d.rng.IntN(4) {
		if i > 0 {
			b = append(b, ',')
		}
		b = person(b, "candidate:", firstCandidate+(first+i*17)%d.pool, `","role":"candidate"}`)
	}
	return b
}

// actor is somebody of the staff, at work in the session of the day.
func (d *draw) actor(b []byte, unit string, people int, rest string) []byte {
	n := 1 + d.few(people)
	b = append(append(b, `{"id":"employee:`...), unit...)
	b = append(b, byte('0'+n/10), byte('0'+n%10))
	b = append(append(b, rest...), unit...)
	return append(strconv.AppendInt(b, int64(100*d.day+n), 10), `"}`...)
}
