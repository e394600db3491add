package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// demonstration is custody demo, running in this process.
type demonstration struct {
	guide
	stop func() (status int, stderr string)
}

// demonstrationOf runs custody demo on directories below dir until its guide is there.
func demonstrationOf(t *testing.T, dir string, args ...string) *demonstration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	var stderr bytes.Buffer
	status := make(chan int, 1)
	go func() {
		status <- RunContext(ctx, Env{
			Args:   append([]string{"demo", "-o", "ndjson", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--keys", filepath.Join(dir, "keys")}, args...),
			Stdout: out, Stderr: &stderr, Getenv: func(string) string { return "" },
		})
		out.Close()
	}()
	d := &demonstration{stop: func() (int, string) {
		cancel()
		return <-status, stderr.String()
	}}
	line, err := bufio.NewReader(in).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &d.guide) != nil {
		cancel()
		t.Fatalf("%v, exit status %d: %s", err, <-status, stderr.String())
	}
	return d
}

// shell runs a command of the guide as the shell of a visitor would, with more arguments.
func (d *demonstration) shell(t *testing.T, command string, more ...string) string {
	t.Helper()
	words := strings.Fields(strings.ReplaceAll(command, "$DEMO", d.Data))
	i := invocation{env: map[string]string{"CUSTODY_URL": d.URL}}
	if !slices.Contains(words, "--token-file") {
		i.env["CUSTODY_TOKEN_FILE"] = filepath.Join(d.Data, "dpo.token")
	}
	if words[0] != "custody" {
		t.Fatalf("%q is not of this program", command)
	}
	stdout, _ := i.runs(t, done, append(words[1:], more...)...)
	return stdout
}

// answerTo decodes what a command of the guide answers.
func answerTo[T any](t *testing.T, d *demonstration, command string) (v T) {
	t.Helper()
	text := d.shell(t, command, "-o", "json")
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q: %v\n%s", command, err, text)
	}
	return v
}

type (
	summed  struct{ Events, Persons int }
	classes struct{ Counts map[string]int }
	faceted struct {
		Total  int
		Facets map[string][]facetCount
	}
	listed struct{ Items []map[string]any }
)

func (f faceted) of(facet, value string) int {
	for _, v := range f.Facets[facet] {
		if v.Value == value {
			return int(v.Count)
		}
	}
	return 0
}

// outside are the classes that there are, but for T0, of which there must be some.
func (c classes) outside(t *testing.T) map[string]int {
	t.Helper()
	if c.Counts["T0"] == 0 {
		t.Error("nothing stayed inside")
	}
	rest := map[string]int{}
	for class, n := range c.Counts {
		if class != "T0" && n > 0 {
			rest[class] = n
		}
	}
	return rest
}

func (l listed) having(path, value string) (n int) {
	for _, item := range l.Items {
		if textAt(item, path, nil) == value {
			n++
		}
	}
	return n
}

// missing is how many events of a producer did not arrive, where some did not.
func (c covered) missing() map[string]uint64 {
	some := map[string]uint64{}
	for _, p := range c.Producers {
		if p.MissingCount > 0 {
			some[p.Producer] += p.MissingCount
		}
	}
	return some
}

// tellings hold every command of the guide against what its story says. The order
// is that of the guide.
func tellings() []func(t *testing.T, d *demonstration, command string) {
	type check = func(t *testing.T, d *demonstration, command string)
	is := func(t *testing.T, what string, got, want any) {
		t.Helper()
		if g, w := text(got, nil), text(want, nil); g != w {
			t.Errorf("%s: %s, want %s", what, g, w)
		}
	}
	only := func(class string, n int) check {
		return func(t *testing.T, d *demonstration, command string) {
			got := answerTo[classes](t, d, command).outside(t)
			if len(got) > min(n, 1) || got[class] != n {
				t.Errorf("%v, want %d of class %s and none of another", got, n, class)
			}
		}
	}
	agreements := func(n int) check {
		return func(t *testing.T, d *demonstration, command string) {
			got := answerTo[struct{ Register struct{ Agreements []any } }](t, d, command)
			is(t, "agreements", len(got.Register.Agreements), n)
		}
	}
	return []check{
		func(t *testing.T, d *demonstration, command string) {
			got := answerTo[summed](t, d, command)
			is(t, "events", got.Events, 120)
			is(t, "persons", got.Persons, 112)
		},
		func(t *testing.T, d *demonstration, command string) {
			got := answerTo[faceted](t, d, command)
			is(t, "health data", got.of("category", "sensitive_health"), 20)
			is(t, "downloads", got.of("mode", "download"), 120)
		},
		func(t *testing.T, d *demonstration, command string) {
			got := answerTo[listed](t, d, command)
			is(t, "accesses", len(got.Items), 26)
			last := textAt(got.Items[25], "actor.mask", nil)
			is(t, "by the colleague", got.having("actor.mask", last), 20)
			is(t, "by account managers", got.having("actor.role", "account_manager"), 20)
		},
		func(t *testing.T, d *demonstration, command string) {
			got := answerTo[faceted](t, d, command)
			is(t, "without agreement", got.Total-got.of("agreement", "dpa:letterbird"), 9)
		},
		func(t *testing.T, d *demonstration, command string) {
			is(t, "after the agreement", answerTo[summed](t, d, command).Events, 9)
		},
		agreements(1), agreements(0),
		only("T5", 30), only("", 0),
		func(t *testing.T, d *demonstration, command string) {
			got := answerTo[listed](t, d, command)
			is(t, "rows of the organisation", got.having("party", "pact-hq"), 2)
			is(t, "rows of the helpdesk", got.having("party", "nightdesk"), 2)
			is(t, "rows of 12", got.having("events", "12"), 2)
			is(t, "rows of 18 to India", got.having("region", "IN"), 2)
			is(t, "rows", len(got.Items), 4)
		},
		func(t *testing.T, d *demonstration, command string) {
			is(t, "events", len(answerTo[listed](t, d, command).Items), 12)
			other := answerTo[listed](t, d, strings.Replace(command, "candidate:10011", "wren.hollow@candidates.example", 1))
			is(t, "events under the address", len(other.Items), 12)
		},
		only("", 0), only("T5", 7),
		func(t *testing.T, d *demonstration, command string) {
			is(t, "missing", answerTo[covered](t, d, command).missing()["files"], 7)
		},
		func(t *testing.T, d *demonstration, command string) {
			got := answerTo[covered](t, d, command)
			missing := got.missing()
			is(t, "missing", missing["mail"], 3)
			is(t, "producers that miss something", len(missing), 1)
			if len(got.Unregistered) != 1 || got.Unregistered[0].Party != "quickform" || got.Unregistered[0].Received != 4 {
				t.Errorf("unregistered %+v", got.Unregistered)
			}
		},
	}
}

// Every command that the demonstration tells its visitor to try answers exactly
// what the story says, in any year; stopped and begun again it is the same.
func TestStoriesAreTrue(t *testing.T) {
	for _, year := range [][]string{
		{"--seed", "1", "--size", "1000", "--until", "2025-11-22"},
		{"--seed", "17", "--size", "2345", "--until", "2025-03-31"},
	} {
		dir := t.TempDir()
		d := demonstrationOf(t, dir, year...)
		var commands []string
		for _, story := range d.Stories {
			commands = append(commands, story.Commands...)
		}
		checks := tellings()
		if len(commands) != len(checks) {
			t.Fatalf("%d commands, and %d checks of them", len(commands), len(checks))
		}
		for i, command := range commands {
			t.Run(command, func(t *testing.T) {
				checks[i](t, d, command)
				if d.shell(t, command) == "" {
					t.Error("nothing is shown")
				}
			})
		}
		if status, stderr := d.stop(); status != done || stderr != "" {
			t.Errorf("stopped with exit status %d: %s", status, stderr)
		}
		again := demonstrationOf(t, dir)
		if again.Spec != d.Spec || !slices.Equal(again.Tokens, d.Tokens) {
			t.Errorf("begun again it is %+v", again.guide)
		}
		checks[0](t, again, commands[0])
		again.stop()
	}
}

// The tokens may do what is said of them, and no more.
func TestTokensOfTheDemonstration(t *testing.T) {
	d := demonstrationOf(t, t.TempDir(), "--size", "1000", "--until", "2025-11-22")
	defer d.stop()
	for _, try := range []struct {
		role string
		want int
		args []string
	}{
		{"dpo", done, []string{"person", "candidate:10011"}},
		{"investigator", failed, []string{"transfers", "--from", "2025-01-01"}},
		{"investigator", failed, []string{"log", "--session", "sess-owl", "--case", "another", "--summary"}},
		{"auditor", done, []string{"transfers", "--summary"}},
		{"auditor", failed, []string{"person", "candidate:10011"}},
		{"operator", done, []string{"status"}},
		{"operator", failed, []string{"transfers", "--summary"}},
	} {
		i := slices.IndexFunc(d.Tokens, func(g guideToken) bool { return g.Role == try.role })
		if i < 0 {
			t.Fatalf("no token of the %s", try.role)
		}
		run := invocation{env: map[string]string{"CUSTODY_URL": d.URL, "CUSTODY_TOKEN": d.Tokens[i].Value}}
		if status, _, stderr := run.run(t, try.args...); status != try.want {
			t.Errorf("%s %q: exit status %d, want %d: %s", try.role, try.args, status, try.want, stderr)
		}
	}
}
