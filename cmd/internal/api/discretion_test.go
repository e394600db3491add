package api

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/ledger/access"
)

// TestDiscretion asks everything, rightly and wrongly, and then looks for those
// who were asked about where they must not be: in the log, at every level, in the
// metrics, in problems, and in what the ledger recorded of the questions.
func TestDiscretion(t *testing.T) {
	r := newReading(t)
	cause := errors.New("something about candidate:88001")
	var problems strings.Builder
	for _, fail := range []*error{nil, &cause} {
		questions := r.questions()
		r.unwritten.Store(fail)
		for _, q := range questions {
			for _, role := range []access.Role{access.RoleDPO, access.RoleInvestigator, access.RoleAuditor, access.RoleOperator, access.RoleRelay, access.RoleSubject} {
				for _, asked := range []asking{q, q.with("nosuch", "1"), q.with("limit", "0"), q.with("cursor", `"x"`)} {
					if a := r.ask(role, q.method(), asked.target, asked.body); a.StatusCode != 200 {
						problems.WriteString(a.body)
					}
				}
			}
		}
		for _, id := range somebody() {
			for _, kind := range []string{"persons", "actors", "sessions"} {
				for _, body := range []string{`{"identifier":"nobody:%s"}`, `{"session":"%s"`, `{"identifier":7,"%s":"x"}`, `{"%s":"x"}`, `%s`} {
					a := r.ask(access.RoleDPO, "POST", "/v1/"+kind+"/lookup", fmt.Sprintf(body, id))
					problems.WriteString(a.body)
				}
			}
			problems.WriteString(r.ask(access.RoleDPO, "GET", "/v1/events/"+id, "").body)
			problems.WriteString(r.ask(access.RoleDPO, "GET", "/v1/parties/"+id, "").body)
			problems.WriteString(r.ask(access.RoleDPO, "GET", "/v1/"+id, "").body)
		}
		r.unwritten.Store(nil)
	}
	metrics := r.ask(access.RoleOperator, "GET", "/metrics", "").body
	stream := r.ask(access.RoleDPO, "GET", "/v1/events/stream", "").body
	for what, text := range map[string]string{"the log": r.log.String(), "the metrics": metrics, "a problem": problems.String(), "the ledger": stream} {
		if len(text) < 100 {
			t.Errorf("%s is too short to tell: %s", what, text)
		}
		for _, id := range somebody() {
			if regexp.MustCompile(`[:"=/]` + id + `\b`).MatchString(text) {
				t.Errorf("%s names somebody", what)
			}
		}
	}
}

// TestWhileEventsArrive asks from several sides at once while events arrive and
// every view is being rebuilt: every answer holds exactly what had been recorded
// up to the position that it states.
func TestWhileEventsArrive(t *testing.T) {
	r := newReading(t)
	const writers, asked = 300, 60
	before := r.ledger.Head().Position
	var mu sync.Mutex
	at := map[string]uint64{} // positions of the events that arrive, by id
	var work sync.WaitGroup
	work.Go(func() {
		for i := range writers {
			id := fmt.Sprintf("w-%d", i)
			a := r.ask(access.RoleRelay, "POST", "/v1/events", strings.Replace(event("/ats", id), "candidate:10412", "candidate:88004", 1))
			_, text, _ := strings.Cut(a.body, `"position":`)
			var position uint64
			if _, err := fmt.Sscanf(text, "%d", &position); err != nil {
				t.Errorf("recording: %d %s", a.StatusCode, a.body)
				return
			}
			mu.Lock()
			at[id] = position
			mu.Unlock()
		}
	})
	work.Go(func() {
		for _, name := range []string{"search", "person", "access", "recipients", "transfers", "governance", "coverage", "search", "person"} {
			// A rebuild may still be under way: that is refused, and no harm.
			if a := r.ask(access.RoleOperator, "POST", "/v1/views/"+name+"/rebuild", ""); a.StatusCode != 202 && a.StatusCode != 409 {
				t.Errorf("rebuilding %s: %d %s", name, a.StatusCode, a.body)
			}
		}
	})
	handle := r.handle(access.RoleDPO, "persons", "candidate:88004")
	pages := make([]ask.Page, asked)
	for side := range 3 {
		work.Go(func() {
			for i := side; i < asked; i += 3 {
				pages[i] = r.everyPage("/v1/persons/" + handle + "/accesses?limit=40")
			}
		})
	}
	work.Wait()
	for _, page := range pages {
		want := uint64(6) // of small
		for _, position := range at {
			if position <= page.AsOf.Position {
				want++
			}
		}
		if page.Total != want || uint64(len(page.Items)) != want || page.AsOf.Position < before {
			t.Errorf("as of position %d: total %d, %d items, want %d", page.AsOf.Position, page.Total, len(page.Items), want)
		}
		for _, item := range page.Items {
			if item.Position > page.AsOf.Position || strings.HasPrefix(item.ID, "w-") && at[item.ID] != item.Position {
				t.Errorf("%s at position %d, as of %d", item.ID, item.Position, page.AsOf.Position)
			}
		}
	}
}

// everyPage reads a list to its end, as one page.
func (r *reading) everyPage(target string) (all ask.Page) {
	for next := target; ; next = target + "&cursor=" + url.QueryEscape(all.Next) {
		var page ask.Page
		if err := decode(r.ask(access.RoleDPO, "GET", next, ""), &page); err != nil {
			r.t.Errorf("asking: %v", err)
			return all
		}
		if all.Items = append(all.Items, page.Items...); next == target {
			all.AsOf, all.Total = page.AsOf, page.Total
		}
		if all.Next = page.Next; page.Next == "" {
			return all
		}
	}
}
