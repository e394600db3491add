package ask

import (
	"fmt"

	"pgregory.net/rapid"
)

// Those in drawn lives. All act, and have things done to them.
var (
	folk     = []string{"candidate:1", "crm:1", "mail:1", "candidate:2", "crm:2", "employee:1", "employee:2"}
	holdRefs = []string{"H-1", "H-2"}
	datasets = []string{"career_cv", "payroll"}
)

// drawLives draws events that decide what an erasure does.
func drawLives(t *rapid.T) (all []object) {
	for i := range rapid.IntRange(100, 200).Draw(t, "events") {
		e := drawLife(t)
		e["specversion"], e["source"], e["id"], e["time"] = "1.0", "/ats", fmt.Sprintf("l-%d", i), drawTime(t)
		all = append(all, e)
	}
	return all
}

func drawLife(t *rapid.T) object {
	sort := pick(t, []string{"access", "access", "share", "share", "link", "link", "unlink", "hold", "hold", "release", "deleted", "told", "told", "restricted", "lifted", "case", "self", "granted"})
	data := object{"actor": object{"id": pick(t, folk), "role": "recruiter", "kind": pick(t, []string{"human", "service", "subject"})}}
	if rapid.IntRange(0, 4).Draw(t, "for") == 0 {
		data["actor"].(object)["for"] = pick(t, folk)
	}
	of := func(kind string) object { return object{"type": "eu.custody." + kind + ".v1", "data": data} }
	if sort != "hold" && sort != "release" && sort != "granted" {
		data["subjects"] = drawFolk(t)
	}
	switch sort {
	case "access", "share", "deleted", "self":
		data["system"], data["dataset"], data["categories"], data["purpose"] = "ats", pick(t, datasets), []string{"contact"}, "service_provision"
	}
	switch sort {
	case "access":
		data["mode"] = "view"
		return of("data.accessed")
	case "self":
		id := pick(t, folk)
		data["actor"], data["subjects"] = object{"id": id, "role": "self", "kind": "subject"}, []object{{"id": id, "role": "candidate"}}
		return of("data.altered")
	case "share":
		data["recipient"] = object{"party": pick(t, parties[:3]), "role": pick(t, []string{"client", "processor", "authority", "subject"})}
		return of(pick(t, []string{"data.shared", "data.transferred"}))
	case "link", "unlink":
		data["subjects"] = drawSome(t, folk[:5], 2, 3)
		return of("subject.identifiers-" + sort + "ed")
	case "hold":
		drawHold(t, data)
		return of("governance.hold-placed")
	case "release":
		data["hold"] = pick(t, holdRefs)
		return of("governance.hold-released")
	case "deleted":
		drawDeleted(t, data)
		return of("data.deleted")
	case "told":
		data["recipient"] = object{"party": pick(t, parties[:2]), "role": "client"}
		data["about"], data["outcome"] = pick(t, []string{"erasure", "erasure", "rectification"}), pick(t, []string{"sent", "impossible"})
		return of("subject.recipient-notified")
	case "restricted", "lifted":
		for name, values := range map[string][]string{"system": {"ats", "crm"}, "dataset": datasets} {
			if rapid.Bool().Draw(t, name) {
				data[name] = pick(t, values)
			}
		}
		if sort == "lifted" {
			return of("data.unrestricted")
		}
		data["ground"] = "A18-1-a"
		return of("data.restricted")
	case "case":
		data["case"], data["kind"], data["state"], data["handlers"] = "C-1", "placement", "joined", []string{pick(t, folk)}
		return of("subject.case-changed")
	}
	data["system"], data["categories"], data["employee"] = "ats", []string{"contact"}, pick(t, folk)
	return of("governance.authorisation-granted")
}

func drawFolk(t *rapid.T) []object {
	list := drawSome(t, folk, 1, 3)
	if rapid.IntRange(0, 5).Draw(t, "many") == 0 {
		for i := range rapid.IntRange(13, 16).Draw(t, "how many") {
			list = append(list, object{"id": fmt.Sprintf("crowd:%d", i), "role": "candidate"})
		}
	}
	return list
}

func drawSome(t *rapid.T, from []string, least, most int) (list []object) {
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(from), least, most, rapid.ID).Draw(t, "some") {
		list = append(list, object{"id": id, "role": "candidate"})
	}
	return list
}

func drawHold(t *rapid.T, data object) {
	data["hold"], data["ground"] = pick(t, holdRefs), pick(t, []string{"A17-3-b", "A17-3-e"})
	if rapid.Bool().Draw(t, "of a dataset") {
		data["dataset"] = pick(t, datasets)
	}
	if rapid.Bool().Draw(t, "of people") {
		data["subjects"] = drawSome(t, folk, 1, 2)
	}
	if rapid.Bool().Draw(t, "reviewed") {
		data["review_due"] = "2027-01-31"
	}
}

func drawDeleted(t *rapid.T, data object) {
	data["deletion"], data["method"], data["trigger"] = pick(t, []string{"D-1", "D-2"}), "erase", "request"
	if rapid.IntRange(0, 3).Draw(t, "no legs") == 0 {
		return
	}
	var legs []object
	for _, kind := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"live", "backup", "processor"}), 1, 3, rapid.ID).Draw(t, "legs") {
		leg := object{"kind": kind, "state": pick(t, []string{"done", "due"})}
		if kind == "processor" {
			leg["party"] = pick(t, parties)
		}
		if leg["state"] == "due" {
			leg["due"] = pick(t, []string{"2025-05-01", "2025-06-01"})
		} else if rapid.Bool().Draw(t, "confirmed") {
			leg["confirmed_at"] = "2025-04-01T10:00:00.000Z"
		}
		legs = append(legs, leg)
	}
	data["legs"] = legs
}
