package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// An act is one event of the script.
type act struct {
	event
	data string // JSON
	beat bool   // a heartbeat: the data are made when its number is known
}

// writing is the script while it is being written.
type writing struct {
	*Year
	rng  *rand.Rand
	acts []act
}

// all writes everything that is not left to the background.
func (w *writing) all() {
	w.register()
	w.heartbeats()
	w.lawful()
	w.quarter()
	w.evidence()
	w.lapse()
	w.colleague()
	w.twoNames()
	w.requests()
	w.theft()
}

// sorted is the script in order of time, of one moment in the order written.
func (w *writing) sorted() []act {
	slices.SortStableFunc(w.acts, func(a, b act) int { return a.at.Compare(b.at) })
	return w.acts
}

// add writes an event that happened on a day between two hours.
func (w *writing) add(from producer, kind string, day time.Time, hours [2]int, data string, args ...any) *act {
	minute := hours[0]*60 + w.rng.IntN(60*(hours[1]-hours[0]))
	at := on(day, 0, minute).Add(time.Duration(w.rng.IntN(60_000)) * time.Millisecond)
	return w.exactly(from, kind, at, data, args...)
}

// exactly writes an event that happened at a moment.
func (w *writing) exactly(from producer, kind string, at time.Time, data string, args ...any) *act {
	w.acts = append(w.acts, act{event: event{from: from, kind: kind, at: at}, data: fmt.Sprintf(data, args...)})
	return &w.acts[len(w.acts)-1]
}

// office are the hours of a working day.
func office() [2]int { return [2]int{9, 17} }

// Fields that many events share.
const (
	dpo       = `"actor":{"id":"employee:d01","role":"dpo","kind":"human","unit":"dpo"}`
	recruiter = `"actor":{"id":"employee:r02","role":"recruiter","kind":"human","unit":"recruitment"}`
	marketer  = `"actor":{"id":"employee:m01","role":"marketer","kind":"human","unit":"marketing"}`
	career    = `"system":"ats","dataset":"career_cv","categories":["contact","career_cv"],"purpose":"service_provision","basis":"A6-1-b"`
	mailing   = `"system":"mailing","dataset":"contact_list","categories":["contact"],"purpose":"marketing","basis":"A6-1-a"`
)

// candidate is a subject; somebody is one of the background's.
func candidate(id string) string { return fmt.Sprintf(`{"id":%q,"role":"candidate"}`, id) }

func (w *writing) somebody() string {
	return candidate(fmt.Sprint("candidate:", firstCandidate+w.rng.IntN(w.pool)))
}

// different are n candidates of the background, none twice, as identifiers.
func (w *writing) different(n int) []string {
	list := make([]string, n)
	for i, k := range w.rng.Perm(w.pool)[:n] {
		list[i] = fmt.Sprint("candidate:", firstCandidate+k)
	}
	return list
}

// heartbeats say of every service, every week, or every day where that is few
// among the events, that it is there, and which number it is at.
func (w *writing) heartbeats() {
	days := 7
	if w.Size >= 50_000 {
		days = 1
	}
	for day := w.start.AddDate(0, 0, 1); day.Before(w.end); day = day.AddDate(0, 0, days) {
		for from := range register {
			a := w.exactly(from, "ledger.heartbeat", on(day, 4, int(from)), "")
			a.beat = true
			if from == mail && day.Sub(w.mixed.from).Abs() < time.Duration(days)*12*time.Hour {
				a.lost = lostMails // a queue that was emptied by hand
			}
		}
	}
}

// lostMails is how many events of the mailing system never arrived.
const lostMails = 3
