package report

// section begins a part of the document, with a mark for the reader's outline.
func (s *sheet) section(number, title string) {
	s.gap(5)
	s.room(heading().leading + 16) // not alone at the foot of a page
	s.use(heading())
	s.pdf.Bookmark(title, 0, s.y)
	s.write(heading(), left, s.y, number)
	s.write(heading(), left+8, s.y, title)
	s.y += heading().leading + 1.5
}

// subtitle begins a part of a section, and wants room for what follows.
func (s *sheet) subtitle(text string, follows float64) {
	s.gap(2)
	s.room(lesser().leading + follows)
	s.write(lesser(), left, s.y, text)
	s.y += lesser().leading + 0.6
}

// paragraph writes text over the whole width.
func (s *sheet) paragraph(f face, text string) {
	s.block(f, left, s.lines(f, text, textWide))
	s.gap(1.2)
}

// block writes lines at x, over pages if need be, but no single line of several
// at the foot of a page.
func (s *sheet) block(f face, x float64, lines []string) {
	s.room(f.leading * float64(min(len(lines), 2)))
	for _, line := range lines {
		s.room(f.leading)
		s.write(f, x, s.y, line)
		s.y += f.leading
	}
}

// none says that there is nothing.
func (s *sheet) none() { s.paragraph(body(), s.texts.say("none")) }

// A pair is a label and what stands behind it.
type pair struct {
	label, value string
	face         face // of the value; zero is that of running text
}

// pairs writes labels with their values. One without a value is left out.
func (s *sheet) pairs(list []pair) {
	for _, p := range list {
		if p.value == "" {
			continue
		}
		if p.face == (face{}) {
			p.face = body()
		}
		p.face.leading = body().leading // one line for label and value
		labels := s.lines(strong(), p.label, labelWide-3)
		values := s.lines(p.face, p.value, textWide-labelWide)
		high := body().leading * float64(max(len(labels), len(values)))
		s.room(high)
		for i, line := range labels {
			s.write(strong(), left, s.y+body().leading*float64(i), line)
		}
		for i, line := range values {
			s.write(p.face, left+labelWide, s.y+body().leading*float64(i), line)
		}
		s.y += high + 0.5
	}
	s.gap(2)
}

// items writes a list whose items have a letter, or a dash, before them.
func (s *sheet) items(mark func(i int) string, list []string) {
	const indent = 8
	for i, text := range list {
		lines := s.lines(body(), text, textWide-indent)
		s.room(body().leading * float64(len(lines)))
		s.write(body(), left, s.y, mark(i))
		s.block(body(), left+indent, lines)
		s.gap(0.7)
	}
	s.gap(0.5)
}

// box writes paragraphs between two lines, together on a page.
func (s *sheet) box(f face, list []string) {
	var all [][]string
	high := 4.0
	for _, text := range list {
		lines := s.lines(f, text, textWide-6)
		all = append(all, lines)
		high += f.leading*float64(len(lines)) + 1.2
	}
	s.room(high)
	start := s.y
	s.y += 2.4
	for _, lines := range all {
		for _, line := range lines {
			s.write(f, left+4, s.y, line)
			s.y += f.leading
		}
		s.y += 1.2
	}
	s.pdf.SetLineWidth(0.9)
	s.pdf.SetDrawColor(0, 0, 0)
	s.pdf.Line(left, start, left, s.y+0.4)
	s.gap(1.5)
}
