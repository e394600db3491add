package ask

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/imalink/custody/projections/search"
)

// Those who occur in what is drawn. Some are both looked at and looking.
var (
	people   = []string{"candidate:1", "candidate:2", "candidate:3", "candidate:4", "crm:1", "crm:2", "person5@candidates.example", "employee:1"}
	staff    = []string{"employee:1", "employee:2", "employee:3", "firm-a:eng1"}
	sessions = []string{"sess-1", "sess-2", "sess-3"}
	parties  = []string{"firm-a", "firm-b", "firm-c", "ghost"}
	places   = []string{"BE", "FR", "IN", "US", "CH"}
)

type object = map[string]any

// drawEvents draws valid events of several months, some of them sent twice, in
// the order they come: late ones come last.
func drawEvents(t *rapid.T) (lines []string) {
	n := rapid.IntRange(60, 140).Draw(t, "events")
	for i := range n {
		e := drawEvent(t)
		e["specversion"], e["id"], e["time"] = "1.0", fmt.Sprintf("e-%d", i), drawTime(t)
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
		if rapid.IntRange(0, 9).Draw(t, "again") == 0 {
			lines = append(lines, lines[rapid.IntRange(0, len(lines)-1).Draw(t, "which")])
		}
	}
	return lines
}

// drawTime draws an instant, often one near which clocks change or a month ends.
func drawTime(t *rapid.T) string {
	around := rapid.SampledFrom([]string{"2025-01-15T12:00:00Z", "2025-01-31T23:00:00Z", "2025-03-30T01:00:00Z", "2025-03-31T22:00:00Z",
		"2025-06-30T23:59:59Z", "2025-10-26T00:00:00Z", "2025-10-26T01:00:00Z"}).Draw(t, "around")
	at, err := time.Parse(time.RFC3339, around)
	if err != nil {
		t.Fatal(err)
	}
	by := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "unit")
	at = at.Add(time.Duration(rapid.IntRange(-90, 90).Draw(t, "by")) * by)
	return at.In(time.FixedZone("", rapid.IntRange(-2, 5).Draw(t, "offset")*3600)).Format("2006-01-02T15:04:05.000Z07:00")
}

func drawEvent(t *rapid.T) object {
	switch rapid.SampledFrom([]string{"access", "access", "share", "share", "link", "unlink", "register", "agreement", "consent", "heartbeat"}).Draw(t, "sort") {
	case "share":
		data := drawProcessing(t)
		data["recipient"] = object{"party": pick(t, parties), "role": pick(t, []string{"client", "processor", "subject"})}
		if rapid.Bool().Draw(t, "tool") {
			data["transfer"] = object{"tool": pick(t, []string{"A46-2-c", "A49-1-a"}), "tool_ref": "SCC-1"}
		}
		return object{"source": "/ats", "type": pick(t, []string{"eu.custody.data.shared.v1", "eu.custody.data.transferred.v1"}), "data": data}
	case "link", "unlink":
		a := rapid.IntRange(0, len(people)-1).Draw(t, "a")
		b := (a + rapid.IntRange(1, len(people)-1).Draw(t, "b")) % len(people)
		if b == (a+4)%len(people) { // links make few crowds
			return linking("eu.custody.subject.identifiers-linked.v1", people[a], people[b])
		}
		return linking("eu.custody.subject.identifiers-unlinked.v1", people[a], people[b])
	case "register":
		country := pick(t, places)
		return object{"source": "/register", "type": "eu.custody.governance.party-registered.v1", "data": object{
			"actor": object{"id": "employee:3", "role": "dpo", "kind": "human"}, "party": pick(t, parties[:3]), "name": "Some Firm",
			"roles": []string{"processor"}, "country": country, "storage": []string{country}, "access": []string{pick(t, places)}}}
	case "agreement":
		return object{"source": "/register", "type": "eu.custody.governance.agreement-signed.v1", "data": object{
			"actor": object{"id": "employee:3", "role": "dpo", "kind": "human"}, "party": pick(t, parties[:3]), "agreement": "DPA-" + pick(t, parties),
			"kind": "processing", "from": "2025-01-01"}}
	case "consent":
		return object{"source": "/crm", "type": "eu.custody.subject.consent-given.v1", "data": object{
			"actor": object{"id": pick(t, people), "role": "self", "kind": "subject"}, "subjects": drawSubjects(t), "purposes": []string{"marketing", "service"},
			"method": "electronic", "channel": pick(t, []string{"web", "mail"})}}
	case "heartbeat":
		return object{"source": "/crm", "type": "eu.custody.ledger.heartbeat.v1", "data": object{"state": "running"}}
	}
	data := drawProcessing(t)
	data["mode"] = pick(t, []string{"view", "search", "download"})
	if rapid.IntRange(0, 5).Draw(t, "urgent") == 0 {
		data["break_glass"] = true
	}
	if rapid.IntRange(0, 5).Draw(t, "special") == 0 {
		data["special"], data["a9"] = []string{"health"}, "A9-2-b"
	}
	return object{"source": pick(t, []string{"/ats", "/crm"}), "type": "eu.custody.data.accessed.v1", "data": data}
}

func linking(kind, a, b string) object {
	return object{"source": "/ats", "type": kind, "data": object{"actor": object{"id": "service:match", "role": "service", "kind": "service"},
		"subjects": []object{{"id": a, "role": "candidate"}, {"id": b, "role": "candidate"}}}}
}

func pick(t *rapid.T, from []string) string { return rapid.SampledFrom(from).Draw(t, "one") }

func drawSubjects(t *rapid.T) (list []object) {
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(people), 1, 4, rapid.ID).Draw(t, "subjects") {
		list = append(list, object{"id": id, "role": pick(t, []string{"candidate", "employee"})})
	}
	return list
}

func drawProcessing(t *rapid.T) object {
	actor := object{"id": pick(t, staff), "role": pick(t, []string{"recruiter", "support"}), "kind": "human", "unit": pick(t, []string{"sales", "hr"})}
	if rapid.IntRange(0, 3).Draw(t, "outside staff") == 0 {
		actor["kind"], actor["party"] = "contractor", pick(t, parties)
	}
	if rapid.Bool().Draw(t, "in a session") {
		actor["session"] = pick(t, sessions)
	}
	data := object{"actor": actor, "subjects": drawSubjects(t), "system": pick(t, []string{"ats", "crm"}), "dataset": "career_cv",
		"categories": rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"contact", "career_cv", "salary"}), 1, 3, rapid.ID).Draw(t, "categories"),
		"purpose":    pick(t, []string{"service_provision", "marketing"}), "basis": "A6-1-b"}
	if rapid.IntRange(0, 3).Draw(t, "elsewhere") == 0 {
		data["location"] = object{"access": []string{pick(t, places)}}
	}
	return data
}

// drawQuestion draws a question that is likely to be about something.
func drawQuestion(t *rapid.T, o *oracle) Question {
	q := Question{Name: "events", Case: "c-1", Any: map[search.Facet][]string{}, Newest: rapid.Bool().Draw(t, "newest"), Limit: rapid.IntRange(1, 40).Draw(t, "limit")}
	event := func(label string) row { return o.rows[rapid.IntRange(0, len(o.rows)-1).Draw(t, label)] }
	for range rapid.IntRange(0, 3).Draw(t, "facets") {
		facet := rapid.SampledFrom(search.Facets()).Draw(t, "facet")
		for range rapid.IntRange(1, 4).Draw(t, "values") {
			if has := event("with value").facets[facet]; len(has) > 0 {
				q.Any[facet] = append(q.Any[facet], pick(t, has))
			}
		}
	}
	near := func(label string) time.Time {
		return event(label).at.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, label+" by")) * 500 * time.Microsecond)
	}
	if rapid.IntRange(0, 3).Draw(t, "has from") == 0 {
		q.From = near("from")
	}
	if rapid.IntRange(0, 3).Draw(t, "has to") == 0 {
		q.To = near("to")
	}
	if rapid.IntRange(0, 4).Draw(t, "has at") == 0 {
		q.At = near("at")
	}
	if rapid.IntRange(0, 2).Draw(t, "knows less") == 0 {
		q.KnownAt = strconv.FormatUint(event("known").position, 10)
	}
	one := func(label string, from []string) string {
		if rapid.IntRange(0, 3).Draw(t, label) > 0 {
			return ""
		}
		return pick(t, from)
	}
	q.About = Identified(one("person", people), one("actor", staff), one("session", sessions))
	return q
}
