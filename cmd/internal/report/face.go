package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// A face is a font at a size, with the height of a line.
type face struct {
	style   string  // "" regular, "B" bold, "M" of one width
	size    float64 // points
	leading float64 // mm
}

// The faces of a document.
func wordmark() face { return face{"B", 15, 7} }
func titling() face  { return face{"B", 21, 9} }
func heading() face  { return face{"B", 12.5, 6} }
func lesser() face   { return face{"B", 9.5, 5} }
func body() face     { return face{"", 9.5, 4.7} }
func strong() face   { return face{"B", 9.5, 4.7} }
func fine() face     { return face{"", 8, 3.9} }
func headers() face  { return face{"B", 8, 3.9} }
func machine() face  { return face{"M", 8, 3.9} }

// addFonts gives a document the Go fonts. The library pads tables in place when
// it makes a subset, so each document has bytes of its own.
func addFonts(pdf *fpdf.Fpdf) {
	pdf.AddUTF8FontFromBytes("go", "", bytes.Clone(goregular.TTF))
	pdf.AddUTF8FontFromBytes("go", "B", bytes.Clone(gobold.TTF))
	pdf.AddUTF8FontFromBytes("mono", "", bytes.Clone(gomono.TTF))
}

// A repertoire says what the Go fonts can show: Latin, Greek and Cyrillic. The
// three have the same.
type repertoire struct {
	font *sfnt.Font
	buf  sfnt.Buffer
}

func newRepertoire() (*repertoire, error) {
	font, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("reading the font: %w", err)
	}
	return &repertoire{font: font}, nil
}

// shown writes what the fonts cannot show, and what does not show at all, by its
// code point: ‹U+202E›. So nothing is lost, and nothing can pass for something
// else by turning or hiding text.
func (r *repertoire) shown(text string) string {
	var b strings.Builder
	for _, c := range text {
		if glyph, err := r.font.GlyphIndex(&r.buf, c); err == nil && glyph != 0 && unicode.IsPrint(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "‹U+%04X›", c)
		}
	}
	return b.String()
}

// wrap breaks text into lines no wider than width: at a space, else after a mark
// inside a long word, else anywhere. A line feed always breaks.
func wrap(text string, width float64, measure func(rune) float64) (lines []string) {
	for _, part := range strings.Split(text, "\n") {
		lines = append(lines, wrapPart([]rune(part), width, measure)...)
	}
	return lines
}

func wrapPart(text []rune, width float64, measure func(rune) float64) (lines []string) {
	for {
		fits, wide := 0, 0.0
		for fits < len(text) {
			if wide += measure(text[fits]); wide > width+1e-9 && fits > 0 {
				break
			}
			fits++
		}
		if fits == len(text) {
			return append(lines, string(text))
		}
		end, next := breakAt(text, fits)
		lines, text = append(lines, string(text[:end])), text[next:]
	}
}

// breakAt says where a line of at most fits runes ends and the next begins.
func breakAt(text []rune, fits int) (end, next int) {
	for i := fits; i > 0; i-- {
		if text[i] == ' ' {
			return i, i + 1
		}
	}
	for i := fits; i > fits/2; i-- {
		if strings.ContainsRune("/:@._-", text[i-1]) {
			return i, i
		}
	}
	return fits, fits
}
