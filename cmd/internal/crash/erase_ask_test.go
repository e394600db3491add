package crash_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// What was said to somebody who asked for an erasure at once.
type outcome uint8

const (
	unsure    outcome = iota // nothing was said
	erasedNow                // the keys are destroyed
	unknown                  // nobody is known by this identifier
)

// post sends JSON.
func (srv *server) post(path, token string, body, out any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return srv.ask("POST", path, token, "application/json", raw, out)
}

// erase asks for the erasure of whoever has an identifier, at once.
func (srv *server) erase(token, id string) (outcome, error) {
	var c struct{ Kind string }
	err := srv.post("/v1/erasures", token, map[string]any{"identifier": id, "reason": "request", "now": true}, &c)
	switch {
	case isStatus(err, http.StatusNotFound):
		return unknown, nil
	case err == nil && c.Kind != "erased":
		return unsure, fmt.Errorf("the certificate is of kind %q", c.Kind)
	case err != nil:
		return unsure, err
	}
	return erasedNow, nil
}

// retain asks that accesses before a month be forgotten. That nothing is older is an
// answer, too.
func (srv *server) retain(token, before string) error {
	var ignored any
	err := srv.post("/v1/retention", token, map[string]string{"class": "access", "before": before}, &ignored)
	if isStatus(err, http.StatusConflict) {
		return nil
	}
	return err
}

func isStatus(err error, want int) bool {
	status := errStatus(0)
	return errors.As(err, &status) && int(status) == want
}

// An answer is what is said of somebody.
type answer struct {
	known   bool
	shown   map[string]bool // events, by id
	erasure uint64          // the number of one that is open, 0 if none is
}

// timeline asks about somebody under each of the identifiers, and waits while views
// are being filled.
func (srv *server) timeline(t *testing.T, token string, p *person) answer {
	t.Helper()
	a := answer{shown: map[string]bool{}}
	for _, id := range p.ids {
		var found struct {
			Total      int
			Items      []struct{ ID string }
			Restricted struct{ Erasure uint64 }
		}
		srv.insist(t, func() error {
			return srv.post("/v1/persons/lookup", token, map[string]any{"identifier": id, "show": "timeline", "limit": 1000}, &found)
		}, &a.known)
		if found.Total != len(found.Items) {
			t.Fatalf("%d events of somebody, %d are shown", found.Total, len(found.Items))
		}
		for _, item := range found.Items {
			a.shown[item.ID] = true
		}
		a.erasure = max(a.erasure, found.Restricted.Erasure)
	}
	return a
}

// insist asks again while the server says that it cannot answer yet. found becomes
// true unless it says that there is nobody.
func (srv *server) insist(t *testing.T, ask func() error, found *bool) {
	t.Helper()
	for limit := time.Now().Add(patience); ; {
		err := ask()
		switch {
		case err == nil:
			*found = true
			return
		case isStatus(err, http.StatusNotFound):
			return
		case !isStatus(err, http.StatusServiceUnavailable) || time.Now().After(limit) || srv.gone(10*time.Millisecond):
			t.Fatalf("asking: %v\n%s", err, srv.out)
		}
	}
}

// crowd is how many of the crowd are there.
func (srv *server) crowd(t *testing.T, token string) int {
	t.Helper()
	var found struct{ Summary struct{ Persons int } }
	var ok bool
	srv.insist(t, func() error {
		return srv.post("/v1/events/search", token, map[string]any{"dataset": []string{"crowd"}, "show": "summary"}, &found)
	}, &ok)
	return found.Summary.Persons
}

// openErasures are the numbers of the erasures that are neither carried out nor
// cancelled.
func (srv *server) openErasures(t *testing.T, token string) (numbers []uint64) {
	t.Helper()
	var list struct {
		Items []struct {
			Position uint64
			State    string
		}
	}
	var ok bool
	srv.insist(t, func() error { return srv.ask("GET", "/v1/erasures?limit=1000", token, "", nil, &list) }, &ok)
	for _, e := range list.Items {
		if e.State == "open" {
			numbers = append(numbers, e.Position)
		}
	}
	return numbers
}
