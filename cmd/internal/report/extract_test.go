package report

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
)

// contentsOf reads what is drawn on each page of a PDF. It knows of PDF what the
// library writes.
func contentsOf(t *testing.T, pdf []byte) (pages []string) {
	t.Helper()
	streams := regexp.MustCompile(`(?s)<</Filter /FlateDecode /Length \d+>>\nstream\n(.*?)\nendstream`)
	for _, m := range streams.FindAllSubmatch(pdf, -1) {
		in, err := zlib.NewReader(bytes.NewReader(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, string(content))
	}
	if len(pages) == 0 {
		t.Fatal("no page found")
	}
	return pages
}

// pagesOf is the text of each page without spaces, as lines break anywhere.
func pagesOf(t *testing.T, pdf []byte) (pages []string) {
	t.Helper()
	shows := regexp.MustCompile(`(?s)\(((?:\\.|[^\\)])*)\) Tj`)
	for _, content := range contentsOf(t, pdf) {
		var page strings.Builder
		for _, show := range shows.FindAllStringSubmatch(content, -1) {
			page.WriteString(unescaped(t, []byte(show[1])))
		}
		pages = append(pages, tight(page.String()))
	}
	return pages
}

// textOf is the text of all pages.
func textOf(t *testing.T, pdf []byte) string {
	t.Helper()
	return strings.Join(pagesOf(t, pdf), "")
}

// unescaped reads a string of a PDF as UTF-16.
func unescaped(t *testing.T, raw []byte) string {
	t.Helper()
	var b []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' {
			i++
			if raw[i] == 'r' {
				raw[i] = '\r'
			}
		}
		b = append(b, raw[i])
	}
	if len(b)%2 != 0 {
		t.Fatal("text of half a character")
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units))
}

// tight is a text without spaces.
func tight(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return -1
		}
		return c
	}, text)
}
