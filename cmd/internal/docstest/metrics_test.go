package docstest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// series are what /metrics showed: by metric, by label, the values there were.
type series map[string]map[string]map[string]bool

// shown asks the program for its metrics, after something of every sort has happened.
func shown(t *testing.T) series {
	t.Helper()
	p := serving(t)
	p.run("producer", "add", "ats", "--families", "data")
	token := p.run("token", "create", "--role", "producer", "--name", "ats", "--producer", "ats")
	blocks := sections(t, "events/emitting.md")[0].blocks
	event := blocks[slices.IndexFunc(blocks, func(b block) bool { return b.info == "json" })].text
	p.post(token, event, 200)
	p.post(token, event, 200)
	p.post(token, strings.Replace(event, `"mode"`, `"moed"`, 1), 400)
	all := series{}
	for line := range strings.Lines(p.ask("GET", "/metrics", p.token, nil, 200)) {
		m := regexp.MustCompile(`^(\w+)(?:\{(.*)\})? `).FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if all[m[1]] == nil {
			all[m[1]] = map[string]map[string]bool{}
		}
		for _, l := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(m[2], -1) {
			if all[m[1]][l[1]] == nil {
				all[m[1]][l[1]] = map[string]bool{}
			}
			all[m[1]][l[1]][l[2]] = true
		}
	}
	return all
}

// others are metrics that somebody else shows: Prometheus itself, node_exporter.
func others() series {
	mount := map[string]map[string]bool{"mountpoint": {}}
	return series{"up": {}, "node_filesystem_avail_bytes": mount, "node_filesystem_size_bytes": mount}
}

// An expression is PromQL as far as names go.
var (
	texts     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	ranges    = regexp.MustCompile(`\[[^\]]*\]`)
	selectors = regexp.MustCompile(`\b([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{([^}]*)\}`)
	matchers  = regexp.MustCompile(`([a-z_]+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"`)
	groupings = regexp.MustCompile(`\b(by|without|on|ignoring)\s*\(([^)]*)\)`)
	names     = regexp.MustCompile(`\b[a-zA-Z_:][a-zA-Z0-9_:]*\b`)
	numbers   = regexp.MustCompile(`\b[0-9][0-9.]*\b`)
)

// judge reports what an expression names and the program does not show: a metric, a label, or a value
// that a label must have. It gives the labels that its metrics have.
func (all series) judge(expr string) (labels map[string]bool, faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	labels = map[string]bool{"job": true, "instance": true}
	for _, m := range selectors.FindAllStringSubmatch(expr, -1) {
		for _, l := range matchers.FindAllStringSubmatch(m[2], -1) {
			values, known := all[m[1]][l[1]]
			if !known && l[1] != "job" && l[1] != "instance" {
				fault("%s has no label %s", m[1], l[1])
			}
			if known && l[2] == "=" && !values[l[3]] {
				fault("%s has no %s %q", m[1], l[1], l[3])
			}
		}
	}
	bare := ranges.ReplaceAllString(regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(expr, ""), "")
	grouped := groupings.FindAllStringSubmatch(bare, -1)
	bare = numbers.ReplaceAllString(texts.ReplaceAllString(groupings.ReplaceAllString(bare, ""), ""), "")
	functions := []string{"and", "or", "unless", "sum", "max", "rate", "increase", "deriv", "changes", "histogram_quantile"}
	found := 0
	for _, name := range names.FindAllString(bare, -1) {
		if slices.Contains(functions, name) {
			continue
		}
		found++
		if all[name] == nil {
			fault("there is no metric %s", name)
		}
		for label := range all[name] {
			labels[label] = true
		}
	}
	if found == 0 {
		fault("it names no metric")
	}
	for _, g := range grouped {
		for label := range strings.SplitSeq(g[2], ",") {
			if !labels[strings.TrimSpace(label)] {
				fault("no metric of it has the label %s", strings.TrimSpace(label))
			}
		}
	}
	return labels, faults
}

// TestJudge: what is wrong in an expression is found.
func TestJudge(t *testing.T) {
	all := series{"custody_a_total": {"producer": {"ats": true}}}
	for expr, want := range map[string]int{
		`sum by (producer) (rate(custody_a_total{producer="ats",job=~"x"}[5m])) > 0.5`: 0,
		`sum by (view) (rate(custody_a_total[5m]))`:                                    1,
		`rate(custody_b_total[5m])`:                                                    1,
		`custody_a_total{view="x"}`:                                                    1,
		`custody_a_total{producer="crm"}`:                                              1,
		`rate(1)`:                                                                      1,
	} {
		if _, faults := all.judge(expr); len(faults) != want {
			t.Errorf("%s: %q, want %d", expr, faults, want)
		}
	}
}

// withOthers adds what is not the program's.
func withOthers(all series) series {
	both := maps.Clone(all)
	maps.Copy(both, others())
	return both
}
