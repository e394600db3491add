package api

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"
)

// TestPage holds docs/API.md against the program: it has every route, by its method, and every
// type of problem, with its status.
func TestPage(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/API.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "| ") {
			rows = append(rows, line)
		}
	}
	has := func(words ...string) bool {
		for _, row := range rows {
			first := strings.Split(row, "|")[1]
			found := true
			for _, w := range words {
				found = found && strings.Contains(first, w)
			}
			if found {
				return true
			}
		}
		return false
	}
	for _, op := range operations(t, newRig(t)) {
		method, route, _ := strings.Cut(op, " ")
		if !has(method, route) && !has(method, path.Dir(route)+"/", "`"+path.Base(route)+"`") {
			t.Errorf("the page does not have %s", op)
		}
	}
	for w, m := range meanings() {
		found := false
		for _, row := range rows {
			cells := strings.Split(row, "|")
			found = found || strings.Contains(cells[1], "`"+string(w)+"`") && strings.Contains(cells[2], fmt.Sprint(m.status))
		}
		if !found {
			t.Errorf("the page does not have the problem %s, status %d", w, m.status)
		}
	}
}
