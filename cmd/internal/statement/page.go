package statement

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// A page is what the template is given.
type page struct {
	*Statement
	*speaker
	Lang  Lang
	Style template.CSS
}

// Page writes s as a page to read: HTML with its style, without scripts and without
// anything from elsewhere. It has every language; lang is the one shown first. The
// error wraps [ErrInvalid] or [ErrLang], and nothing is written then. If w fails,
// it may have had part of it; the same statement gives the same bytes.
func (s *Statement) Page(w io.Writer, lang Lang) error {
	if err := s.check(); err != nil {
		return err
	}
	text, _, err := s.page(lang)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

//go:embed page.html page.css
var files embed.FS

func (s *Statement) page(lang Lang) (string, *speaker, error) {
	if _, err := textsOf(lang); err != nil {
		return "", nil, err
	}
	p, err := newSpeaker()
	if err != nil {
		return "", nil, err
	}
	style, err := files.ReadFile("page.css")
	if err != nil {
		return "", nil, fmt.Errorf("reading the style of the page: %w", err)
	}
	form, err := template.New("page.html").Funcs(template.FuncMap{
		"say": p.say, "word": func(parts ...string) word { return word(strings.Join(parts, "")) },
		"number": number, "instant": instant, "position": func(n uint64) position { return position(n) },
		"count": func(name string, n uint64) counted { return counted{name, n} },
		"as":    page{s, p, lang, ""}.As,
		"join":  func(list []string) string { return strings.Join(list, " ") },
		"list":  func(list []string) string { return strings.Join(list, ", ") },
	}).ParseFS(files, "page.html")
	if err != nil {
		return "", nil, fmt.Errorf("reading the form of the page: %w", err)
	}
	var b strings.Builder
	if err := form.Execute(&b, page{s, p, lang, template.CSS(style)}); err != nil {
		return "", nil, fmt.Errorf("making the page: %w", err)
	}
	if p.missing != "" {
		return "", nil, fmt.Errorf("making the page: no text %s", p.missing)
	}
	return b.String(), p, nil
}
