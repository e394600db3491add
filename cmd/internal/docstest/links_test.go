package docstest

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLinks follows every link between pages, to the heading.
func TestLinks(t *testing.T) {
	followed := 0
	for _, page := range pages(t) {
		for _, s := range sections(t, page) {
			text := s.text
			for _, table := range s.tables {
				for _, row := range table {
					text += strings.Join(row, " ") + "\n"
				}
			}
			for _, m := range links.FindAllStringSubmatch(text, -1) {
				if !strings.Contains(m[1], "://") {
					follow(t, page, m[1])
					followed++
				}
			}
		}
	}
	if followed < 100 {
		t.Errorf("only %d links were found", followed)
	}
}

// follow fails unless the link leads somewhere.
func follow(t *testing.T, page, link string) {
	t.Helper()
	file, name, named := strings.Cut(link, "#")
	target := page
	if file != "" {
		target = filepath.Join(filepath.Dir(page), file)
	}
	if _, err := os.Stat(filepath.Join(docs, target)); err != nil {
		t.Errorf("%s: the link %s leads nowhere", page, link)
		return
	}
	if named && !hasAnchor(t, target, name) {
		t.Errorf("%s: the link %s leads to no heading", page, link)
	}
}

func hasAnchor(t *testing.T, page, name string) bool {
	t.Helper()
	return slices.ContainsFunc(sections(t, page), func(s section) bool { return anchor(s.title) == name })
}

// pages lists the Markdown files of docs.
func pages(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir(docs, func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			path, err = filepath.Rel(docs, path)
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
