package docstest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMonitoring: every metric, label and fixed value of a label that the dashboard, the alert rules and
// OPERATIONS name is shown by the program.
func TestMonitoring(t *testing.T) {
	all := shown(t)
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			labels, faults := all.judge(target.Expr)
			for _, f := range faults {
				t.Errorf("panel %q: %s: %s", p.Title, target.Expr, f)
			}
			for _, m := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(target.Legend, -1) {
				if !labels[m[1]] {
					t.Errorf("panel %q: the legend names a label %s that no metric of it has", p.Title, m[1])
				}
			}
		}
	}
	for _, a := range readAlerts(t) {
		if _, faults := withOthers(all).judge(a.expr); len(faults) > 0 {
			t.Errorf("alert %s: %q", a.name, faults)
		}
	}
	for _, s := range sections(t, "OPERATIONS.md") {
		for _, w := range words(s.text) {
			if strings.HasPrefix(w, "custody_") && all[w] == nil && all[w+"_bucket"] == nil {
				t.Errorf("%q: there is no metric %s", s.title, w)
			}
		}
	}
}

// dashboard is the part of Grafana's model that is looked at.
type dashboard struct {
	Panels []struct {
		ID         int
		Type       string
		Title      string
		Datasource struct{ Type, UID string }
		GridPos    struct{ X, Y, W, H int }
		Targets    []struct {
			Expr   string
			Legend string `json:"legendFormat"`
		}
	}
	Templating struct {
		List []struct{ Name, Type, Query any }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(docs, "monitoring/dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDashboard: panels have a title, a number and a place of their own, something to show, and the data
// source that whoever imports it chooses.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	ids, places := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if p.Title == "" || ids[p.ID] {
			t.Errorf("panel %d %q has no title, or the number of another", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.Type != "row" && (len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" || p.Datasource.Type != "prometheus") {
			t.Errorf("panel %q shows nothing, or not from the data source that was chosen", p.Title)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := places[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q covers %q, or stands outside", p.Title, other)
				}
				places[[2]int{x, y}] = p.Title
			}
		}
	}
	if len(ids) < 20 || len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" {
		t.Error("panels are missing, or the data source cannot be chosen")
	}
}

// An alert is one rule.
type alert struct{ name, expr, summary, runbook string }

// TestAlerts: every rule says what it is, and leads to a section of OPERATIONS under Alarms; every section
// there has a rule.
func TestAlerts(t *testing.T) {
	led := map[string]bool{}
	for _, a := range readAlerts(t) {
		if a.expr == "" || a.summary == "" {
			t.Errorf("%s has no expression or no summary", a.name)
		}
		name, ok := strings.CutPrefix(a.runbook, "https://github.com/imalink/custody/blob/main/docs/OPERATIONS.md#")
		if !ok || !hasAnchor(t, "OPERATIONS.md", name) {
			t.Errorf("%s leads to no section of OPERATIONS: %s", a.name, a.runbook)
		}
		led[name] = true
	}
	under := false
	for _, s := range sections(t, "OPERATIONS.md") {
		switch {
		case s.title == "Alarms":
			under = true
		case s.title == "Log lines":
			under = false
		case under && !led[anchor(s.title)]:
			t.Errorf("no alert leads to %q", s.title)
		}
	}
}

// yamlLine is the only sort of line that alerts.yaml has, besides comments: a name, and a value that is a
// plain word or in single quotes. So no reader of YAML can take it for anything else.
var yamlLine = regexp.MustCompile(`^( *)(- )?([a-z_]+):(?: ('(?:[^']|'')*'|[A-Za-z0-9][A-Za-z0-9_]*))?$`)

func readAlerts(t *testing.T) (all []alert) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(docs, "monitoring/alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		m := yamlLine.FindStringSubmatch(line)
		if m == nil || len(m[1])%2 != 0 {
			t.Fatalf("alerts.yaml has a line that may be taken in several ways: %s", line)
		}
		value := strings.ReplaceAll(strings.Trim(m[4], "'"), "''", "'")
		if m[3] == "alert" {
			all = append(all, alert{name: value})
		}
		if len(all) == 0 {
			continue
		}
		a := &all[len(all)-1]
		switch m[3] {
		case "expr":
			a.expr = value
		case "summary":
			a.summary = value
		case "runbook_url":
			a.runbook = value
		}
	}
	return all
}
