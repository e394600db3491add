package report

import (
	"codeberg.org/go-pdf/fpdf"
)

// The page, in mm: A4, and what is written on.
const (
	pageWide, pageHigh  = 210.0, 297.0
	left, right         = 20.0, 190.0
	top, bottom         = 24.0, 272.0
	labelWide, textWide = 48.0, right - left
)

// A sheet is a document that is being written, from top to bottom. The first
// error of the library stays and is that of the document.
type sheet struct {
	pdf   *fpdf.Fpdf
	glyph *repertoire
	texts *texts
	frame frame
	y     float64 // of the next line, mm from the top
	face  face
}

// A frame is what stands on every page.
type frame struct {
	title string
	about string // which ledger and erasure
	dry   bool
	total int // pages; 0 while they are counted
}

func newSheet(t *texts, glyph *repertoire, f frame) *sheet {
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetCatalogSort(true)
	addFonts(pdf)
	s := &sheet{pdf: pdf, glyph: glyph, texts: t, frame: f}
	s.turn()
	return s
}

// turn begins a page.
func (s *sheet) turn() {
	s.pdf.AddPage()
	if s.frame.dry {
		s.stamp()
	}
	s.foot()
	s.y = top
	if s.pdf.PageNo() > 1 {
		s.write(headers(), left, 13, "Custody")
		s.writeRight(fine(), right, 13, s.frame.title)
		s.rule(18.5, 0.2, 0)
		return
	}
	s.write(wordmark(), left, 13, "Custody")
	s.rule(21, 0.6, 0)
	s.y = 27
}

// stamp lays the mark of a dry run across the page and a band at its top.
func (s *sheet) stamp() {
	mark := face{"B", 84, 30}
	s.use(mark)
	text := s.texts.say("mark")
	if wide := s.pdf.GetStringWidth(text); wide > 200 {
		mark.size *= 200 / wide
		s.use(mark)
	}
	s.pdf.SetTextColor(232, 232, 232)
	s.pdf.TransformBegin()
	s.pdf.TransformRotate(52, pageWide/2, pageHigh/2)
	s.pdf.Text((pageWide-s.pdf.GetStringWidth(text))/2, pageHigh/2+10, text)
	s.pdf.TransformEnd()
	s.pdf.SetFillColor(0, 0, 0)
	s.pdf.Rect(0, 0, pageWide, 9, "F")
	s.pdf.SetTextColor(255, 255, 255)
	s.write(headers(), left, 2.6, s.texts.say("band"))
	s.pdf.SetTextColor(0, 0, 0)
}

// foot writes the foot of the page.
func (s *sheet) foot() {
	s.rule(280, 0.2, 0)
	s.write(fine(), left, 282, s.frame.about)
	s.writeRight(fine(), right, 282, s.texts.say("page", s.texts.number(uint64(s.pdf.PageNo())), s.texts.number(uint64(s.frame.total))))
}

// use takes a face.
func (s *sheet) use(f face) {
	if f == s.face && f.size != 0 {
		return
	}
	family, style := "go", f.style
	if style == "M" {
		family, style = "mono", ""
	}
	s.pdf.SetFont(family, style, f.size)
	s.face = f
}

func (s *sheet) measure(c rune) float64 { return s.pdf.GetStringWidth(string(c)) }

// lines breaks text for a face and a width.
func (s *sheet) lines(f face, text string, width float64) []string {
	s.use(f)
	return wrap(text, width, s.measure)
}

// write writes one line whose top is at y.
func (s *sheet) write(f face, x, y float64, line string) {
	if line == "" {
		return
	}
	s.use(f)
	s.pdf.Text(x, y+f.leading*0.74, line)
}

func (s *sheet) writeRight(f face, x, y float64, line string) {
	s.use(f)
	s.write(f, x-s.pdf.GetStringWidth(line), y, line)
}

// rule draws a line across what is written on.
func (s *sheet) rule(y, thick float64, grey int) {
	s.pdf.SetLineWidth(thick)
	s.pdf.SetDrawColor(grey, grey, grey)
	s.pdf.Line(left, y, right, y)
}

// room turns the page unless so much is left on it.
func (s *sheet) room(high float64) {
	if s.y+high > bottom {
		s.turn()
	}
}

// gap leaves some space.
func (s *sheet) gap(high float64) { s.y += high }
