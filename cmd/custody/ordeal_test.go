package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// live OPERATOR waits until every view serves and none is being rebuilt.
func live(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "live OPERATOR")
	a := newAsker(ts)
	a.token = strings.TrimSpace(ts.ReadFile(args[0]))
	for {
		var list struct {
			Views []struct{ Name, State, Error string }
		}
		ts.Check(a.call(http.MethodGet, "/v1/views", nil, &list))
		busy := 0
		for _, v := range list.Views {
			switch v.State {
			case "live":
			case "building", "rebuilding":
				busy++
			default:
				ts.Fatalf("the view %s: %s", v.Name, v.Error)
			}
		}
		if len(list.Views) == 0 {
			ts.Fatalf("there are no views")
		}
		if busy == 0 {
			return
		}
	}
}

// ordeal D K EVENTS ROUNDS sends the events, a few at a time, to the server of D,
// and kills it, ROUNDS times, at a random moment while some are on their way and
// somebody is asking. After each kill and start every event that was acknowledged
// must be there, and answers must be those of a brute force over a replay. In the
// end all events have been acknowledged.
func ordeal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 4, "ordeal D K EVENTS ROUNDS")
	rounds, err := strconv.Atoi(args[3])
	ts.Check(err)
	o := &feed{asker: newAsker(ts), relay: strings.TrimSpace(ts.ReadFile("relay.token")), events: ts.ReadFile(args[2])}
	o.lines = strings.SplitAfter(strings.TrimSuffix(o.events, "\n"), "\n")
	for round := range rounds {
		until := len(o.lines) * (round + 1) / (rounds + 1)
		o.fed(ts, until, func() { crash(ts, false, args[:1]) })
		serve(ts, false, args[:2])
		o.at(ts.Getenv("CUSTODY_URL"))
		o.judge(ts)
	}
	o.fed(ts, len(o.lines), nil)
	if o.acked != len(o.lines) {
		ts.Fatalf("%d of %d lines were acknowledged", o.acked, len(o.lines))
	}
}

// feed is what is being sent.
type feed struct {
	*asker
	relay  string
	events string
	lines  []string
	acked  int // lines from the first that were acknowledged
}

// fed sends lines up to one, or until the server is killed while a request is on
// its way. It asks meanwhile, so that views commit.
func (o *feed) fed(ts *testscript.TestScript, until int, kill func()) {
	began := make(chan struct{}) // a request is about to be sent
	ended := make(chan error, 1)
	sizes := rand.New(rand.NewPCG(o.random.Uint64(), 0))
	go func() {
		defer close(began)
		for o.acked < until {
			n := min(1+sizes.IntN(200), until-o.acked)
			began <- struct{}{}
			if err := o.send(o.lines[o.acked : o.acked+n]); err != nil {
				ended <- err
				return
			}
			o.acked += n
		}
		ended <- nil
	}()
	requests := 1 + o.random.IntN(15)
	for range began {
		if requests--; requests == 0 && kill != nil {
			for range o.random.IntN(6) { // some time, which others use
				o.call(http.MethodGet, "/healthz", nil, &struct{}{})
			}
			kill()
		} else if kill != nil {
			o.about("persons", fmt.Sprintf("candidate:%d", 10000+o.random.IntN(300)), "timeline", 100) // whoever it is, by now
		}
	}
	if err := <-ended; err != nil && kill == nil {
		ts.Fatalf("sending: %v", err)
	}
}

// send posts lines; nil says that all of them were acknowledged.
func (o *feed) send(lines []string) error {
	request, err := http.NewRequest(http.MethodPost, o.url+"/v1/events", strings.NewReader(strings.Join(lines, "")))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+o.relay)
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if n := strings.Count(string(answer), `"position":`); response.StatusCode != http.StatusOK || n != len(lines) {
		return errors.New(response.Status + ": not everything was recorded")
	}
	return nil
}

// judge holds the answers against a replay, and the replay against what was
// acknowledged. Of the people it asks about some.
func (o *feed) judge(ts *testscript.TestScript) {
	log, err := o.run("log", "-o", "ndjson")
	ts.Check(err)
	there := map[string]bool{}
	right := bruteForce(ts, o.events, string(log))
	for line := range strings.Lines(string(log)) {
		_, rest, _ := strings.Cut(line, `"id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		there[id] = true
	}
	for i, line := range o.lines[:o.acked] {
		_, rest, _ := strings.Cut(line, `"id":"`)
		if id, _, _ := strings.Cut(rest, `"`); !there[id] {
			ts.Fatalf("line %d was acknowledged, and is not there", i+1)
		}
	}
	ts.Check(o.hold(slices.Concat(o.people(right, 3, 60), o.totals(right))))
	ts.Logf("%d lines acknowledged, %d events replayed", o.acked, strings.Count(string(log), "\n")-1)
}
