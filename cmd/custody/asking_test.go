package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// asker asks the server of a script, by the program or over HTTP.
type asker struct {
	url, token string
	env        []string
	random     *rand.Rand
}

// newAsker prints its seed; JUDGE_SEED in the environment repeats a run.
func newAsker(ts *testscript.TestScript) *asker {
	seed, err := strconv.ParseUint(os.Getenv("JUDGE_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	ts.Logf("JUDGE_SEED=%d", seed)
	a := &asker{token: ts.Getenv("CUSTODY_TOKEN"), random: rand.New(rand.NewPCG(seed, 0))}
	for _, name := range []string{"CUSTODY_TOKEN", "HOME", "PATH"} {
		a.env = append(a.env, name+"="+ts.Getenv(name))
	}
	a.at(ts.Getenv("CUSTODY_URL"))
	return a
}

// at says where the server is from now on.
func (a *asker) at(url string) {
	a.url = url
	a.env = append(a.env, "CUSTODY_URL="+url) // the last one counts
}

// run runs the program and returns what it printed on standard output.
func (a *asker) run(args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("custody", args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = a.env, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, &stderr)
	}
	return stdout.Bytes(), nil
}

// listed is one item of any list.
type listed struct {
	ID, Class, Party string
	Registered       bool
	received
}

// list runs a command whose answer is a list.
func (a *asker) list(args ...string) (items []listed, err error) {
	out, err := a.run(append(args, "-o", "ndjson")...)
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(out) {
		var item listed
		if err := json.Unmarshal(line, &item); err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// object runs a command whose answer is an object.
func (a *asker) object(v any, args ...string) error {
	out, err := a.run(append(args, "-o", "json")...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, v)
}

// about asks over HTTP what is shown of somebody, in pages of at most limit.
func (a *asker) about(kind, who, show string, limit int) (items []listed, err error) {
	type page struct {
		Handle, Next string
		Total        int
		Items        []listed
	}
	body, err := json.Marshal(map[string]any{"identifier": who, "show": show, "limit": limit})
	if err != nil {
		return nil, err
	}
	var p page
	if err := a.call(http.MethodPost, "/v1/"+kind+"/lookup", body, &p); err != nil {
		return nil, err
	}
	handle, total := p.Handle, p.Total
	items = p.Items
	for p.Next != "" {
		next := fmt.Sprintf("/v1/%s/%s/%s?limit=%d&cursor=%s", kind, handle, show, limit, p.Next)
		p = page{}
		if err := a.call(http.MethodGet, next, nil, &p); err != nil {
			return nil, err
		}
		items = append(items, p.Items...)
	}
	if len(items) != total {
		return nil, fmt.Errorf("%d items on the pages of an answer of %d", len(items), total)
	}
	return items, nil
}

func (a *asker) call(method, path string, body []byte, out any) error {
	request, err := http.NewRequest(method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, answer)
	}
	return json.Unmarshal(answer, out)
}

// A check is one question, and the comparison of its answer with the right one.
type check struct {
	name string
	ask  func() error
}

// askers is how many questions are asked at once.
const askers = 4

// hold asks every question, in random order, and returns the first answers that
// are not right, at most five.
func (a *asker) hold(checks []check) error {
	a.random.Shuffle(len(checks), func(i, j int) { checks[i], checks[j] = checks[j], checks[i] })
	next := make(chan check)
	var mu sync.Mutex
	var wrong []string // under mu
	var work sync.WaitGroup
	for range askers {
		work.Go(func() {
			for c := range next {
				if err := c.ask(); err != nil {
					mu.Lock()
					wrong = append(wrong, c.name+": "+err.Error())
					mu.Unlock()
				}
			}
		})
	}
	for _, c := range checks {
		next <- c
	}
	close(next)
	work.Wait()
	if len(wrong) > 0 {
		return fmt.Errorf("%d of %d answers are wrong:\n%s", len(wrong), len(checks), strings.Join(wrong[:min(len(wrong), 5)], "\n"))
	}
	return nil
}

// people are questions about people, drawn by lot: some by the program, and some
// over HTTP, which is quicker; fewer if there are not so many.
func (a *asker) people(right *answers, byProgram, byHTTP int) (checks []check) {
	type question struct{ kind, command, who, show string }
	var all []question
	want := map[question][]string{}
	add := func(kind, command, show string, lists map[string][]string) {
		for _, who := range slices.Sorted(maps.Keys(lists)) {
			q := question{kind, command, who, show}
			all = append(all, q)
			want[q] = sortedCopy(lists[who])
		}
	}
	for _, show := range []string{"accesses", "disclosures", "timeline"} {
		add("persons", "person", show, right.lists()[show])
	}
	add("actors", "actor", "accesses", right.Actors)
	a.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, q := range all[:min(len(all), byProgram+byHTTP)] {
		limit := 20 + a.random.IntN(300)
		checks = append(checks, check{strings.Join([]string{q.command, q.who, q.show}, " "), func() error {
			var items []listed
			var err error
			if i < byProgram {
				items, err = a.list(q.command, q.who, "--show", q.show)
			} else {
				items, err = a.about(q.kind, q.who, q.show, limit)
			}
			if err != nil {
				return err
			}
			got := make([]string, len(items))
			for i := range items {
				got[i] = items[i].ID
			}
			return equal(sortedCopy(got), want[q])
		}})
	}
	return checks
}

func equal(got, want any) error {
	if g := reflect.ValueOf(got); g.Kind() != reflect.Struct && g.Len() == 0 && reflect.ValueOf(want).Len() == 0 {
		return nil // of nothing it does not matter how it is written
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s", different(got, want))
	}
	return nil
}

// totals are the questions that are about nobody in particular.
func (a *asker) totals(right *answers) []check {
	return []check{
		{"party list", func() error { return a.parties(right) }},
		{"transfers", func() error {
			items, err := a.list("transfers")
			got := map[string]string{}
			for _, item := range items {
				got[item.ID] = item.Class
			}
			if err != nil || len(got) != len(items) {
				return fmt.Errorf("%d items, %d ids: %v", len(items), len(got), err)
			}
			return equal(got, right.Class)
		}},
		{"transfers --summary", func() error { return a.counts(right.Counts) }},
		{"first quarter", func() error {
			return a.counts(right.Quarters["Q1"], "--from", "2025-01-01T00:00:00Z", "--to", "2025-04-01T00:00:00Z")
		}},
		{"second quarter", func() error {
			return a.counts(right.Quarters["Q2"], "--from", "2025-04-01", "--to", "2025-06-30", "--tz", "UTC")
		}},
		{"third quarter", func() error {
			return a.counts(right.Quarters["Q3"], "--from", "2025-07-01T02:00:00+02:00", "--to", "2025-10-01T00:00:00Z")
		}},
		{"fourth quarter", func() error {
			return a.counts(right.Quarters["Q4"], "--from", "2025-10-01T00:00:00Z", "--to", "2026-01-01T00:00:00Z")
		}},
		{"session", func() error { return a.session(right.Stolen) }},
		{"coverage", func() error { return a.coverage(right) }},
		{"unknown", func() error {
			if _, err := a.run("person", "candidate:77777777"); err == nil || !strings.Contains(err.Error(), "exit status 1: custody: not known") {
				return fmt.Errorf("somebody unknown: %v", err)
			}
			return nil
		}},
	}
}

func (a *asker) parties(right *answers) error {
	items, err := a.list("party", "list")
	if err != nil {
		return err
	}
	got := map[string]received{}
	var unregistered []string
	for _, item := range items {
		got[item.Party] = item.received
		if !item.Registered {
			unregistered = append(unregistered, item.Party)
		}
	}
	if err := equal(got, right.Recipients); err != nil {
		return err
	}
	return equal(unregistered, right.Unregistered)
}

func (a *asker) counts(want map[string]int, window ...string) error {
	var got struct{ Counts map[string]int }
	if err := a.object(&got, append([]string{"transfers", "--summary"}, window...)...); err != nil {
		return err
	}
	return equal(got.Counts, want)
}

func (a *asker) session(want extent) error {
	items, err := a.list("log", "--session", "sess-stolen")
	if err != nil || len(items) != want.Events {
		return fmt.Errorf("%d events, want %d: %v", len(items), want.Events, err)
	}
	var got struct {
		received
		Categories []string
	}
	if err := a.object(&got, "log", "--session", "sess-stolen", "--summary"); err != nil {
		return err
	}
	if err := equal(got.received, received{want.Events, len(want.Persons), want.First, want.Last}); err != nil {
		return err
	}
	return equal(got.Categories, want.Categories)
}

func (a *asker) coverage(right *answers) error {
	var got struct {
		Producers []struct {
			Producer string
			Missing  []uint64
		}
		Unregistered []string `json:"unregistered_parties"`
	}
	if err := a.object(&got, "coverage"); err != nil {
		return err
	}
	gaps := map[string][]uint64{}
	for _, p := range got.Producers {
		if len(p.Missing) > 0 {
			gaps["/"+p.Producer] = p.Missing
		}
	}
	if err := equal(gaps, right.Gaps); err != nil {
		return err
	}
	return equal(got.Unregistered, right.Unregistered)
}

// judgeanswers N M asks the server of CUSTODY_URL what the answers about the year
// of input hold, in random order: N questions about people by the program and M
// over HTTP, drawn by lot, and all that are about nobody in particular.
func judgeAnswers(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "judgeanswers N M")
	byProgram, err := strconv.Atoi(args[0])
	ts.Check(err)
	byHTTP, err := strconv.Atoi(args[1])
	ts.Check(err)
	a, right := newAsker(ts), ofYear(ts)
	ts.Check(a.hold(slices.Concat(a.people(right, byProgram, byHTTP), a.totals(right))))
}
