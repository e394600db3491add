package docstest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs is where the pages are.
const docs = "../../../docs"

// A section is what stands under one heading, up to the next of any level.
type section struct {
	page, title string
	text        string // without its tables and fenced blocks
	tables      [][][]string
	blocks      []block
}

// A block is fenced text; info is what stands after the fence.
type block struct{ info, text string }

// sections reads a page of docs. What stands before its second heading belongs to the first.
func sections(t *testing.T, page string) []section {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(docs, page))
	if err != nil {
		t.Fatal(err)
	}
	var all []section
	var now *section
	var fence *block
	inTable := false
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		cells, isRow := cellsOf(line)
		switch {
		case fence != nil && line == "```":
			now.blocks, fence = append(now.blocks, *fence), nil
		case fence != nil:
			fence.text += line + "\n"
		case strings.HasPrefix(line, "```"):
			fence = &block{info: line[3:]}
		case headings.MatchString(line):
			all = append(all, section{page: page, title: headings.ReplaceAllString(line, "")})
			now = &all[len(all)-1]
		case now == nil:
			t.Fatalf("%s does not begin with a heading", page)
		case isRow && !inTable:
			now.tables = append(now.tables, [][]string{cells})
		case isRow:
			rows := &now.tables[len(now.tables)-1]
			*rows = append(*rows, cells)
		default:
			now.text += line + "\n"
		}
		inTable = isRow && fence == nil
	}
	if fence != nil {
		t.Fatalf("%s: a fence is not closed", page)
	}
	return all
}

var (
	headings = regexp.MustCompile(`^#{1,6} `)
	links    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	quoted   = regexp.MustCompile("`([^`]+)`")
)

// cellsOf cuts a row of a table; the line under its head is a row of dashes.
func cellsOf(line string) ([]string, bool) {
	line, begins := strings.CutPrefix(line, "|")
	line, ends := strings.CutSuffix(line, "|")
	if !begins || !ends {
		return nil, false
	}
	cells := strings.Split(line, "|")
	for i, c := range cells {
		cells[i] = strings.TrimSpace(c)
	}
	return cells, true
}

// table gives the rows of the only table of a section whose head is this, nil if there is none.
func (s *section) table(t *testing.T, head ...string) [][]string {
	t.Helper()
	var found [][]string
	for _, table := range s.tables {
		if strings.Join(table[0], "|") != strings.Join(head, "|") {
			continue
		}
		if found != nil {
			t.Errorf("%s: %q has two tables of %s", s.page, s.title, strings.Join(head, ", "))
		}
		for _, row := range table[2:] {
			if len(row) != len(head) {
				t.Errorf("%s: %q: a row has %d cells, want %d: %q", s.page, s.title, len(row), len(head), row)
				continue
			}
			found = append(found, row)
		}
	}
	return found
}

// words are what stands in backticks.
func words(text string) (all []string) {
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// anchor is what a link to a heading says after the #.
func anchor(title string) string {
	title = strings.ToLower(strings.ReplaceAll(title, " ", "-"))
	return regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(title, "")
}
