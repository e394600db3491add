package report

import "slices"

// A column of a table.
type column struct {
	title  string
	wide   float64 // mm; those of a table make textWide
	face   face    // zero is fine print
	number bool    // at the right
	gap    float64 // after it, mm; the table sets it
}

// A row has a cell for each column; a line feed begins a line of a cell.
type row []string

const (
	cellGap = 2.5 // between columns, mm; twice that after numbers
	rowGap  = 1.6 // within a row, above and below together
)

// table writes rows over as many pages as it takes, each with the titles of the
// columns. The last row is a total if total is set. A table without rows says so.
func (s *sheet) table(columns []column, rows []row, total bool) {
	if len(rows) == 0 {
		s.none()
		return
	}
	for i := range columns {
		c := &columns[i]
		if c.face == (face{}) {
			c.face = fine()
		}
		switch {
		case i == len(columns)-1:
		case c.number:
			c.gap = 2 * cellGap
		default:
			c.gap = cellGap
		}
	}
	first := s.cells(columns, rows[0], false)
	s.room(s.titlesHigh(columns) + rowHigh(columns, first))
	s.titles(columns)
	for i, r := range rows {
		bold := total && i == len(rows)-1
		s.row(columns, s.cells(columns, r, bold), bold)
	}
	s.gap(2.5)
}

// cells breaks what stands in a row into lines.
func (s *sheet) cells(columns []column, r row, bold bool) (cells [][]string) {
	for i, c := range columns {
		f := c.face
		if bold {
			f = headers()
		}
		cells = append(cells, s.lines(f, r[i], c.wide-c.gap))
	}
	return cells
}

func rowHigh(columns []column, cells [][]string) float64 {
	high := 0.0
	for i, lines := range cells {
		high = max(high, columns[i].face.leading*float64(len(lines)))
	}
	return high + rowGap
}

func (s *sheet) titlesHigh(columns []column) float64 {
	n := 0
	for _, c := range columns {
		n = max(n, len(s.lines(headers(), c.title, c.wide-c.gap)))
	}
	return headers().leading*float64(n) + rowGap
}

// titles writes the titles of the columns.
func (s *sheet) titles(columns []column) {
	high, x := s.titlesHigh(columns), left
	for _, c := range columns {
		lines := s.lines(headers(), c.title, c.wide-c.gap)
		s.cell(headers(), c, x, s.y+high-rowGap-headers().leading*float64(len(lines)), lines)
		x += c.wide
	}
	s.y += high
	s.rule(s.y-0.6, 0.35, 0)
}

// row writes one row. One that is longer than a page goes on on the next.
func (s *sheet) row(columns []column, cells [][]string, bold bool) {
	if s.y+rowHigh(columns, cells) > bottom {
		s.turn()
		s.titles(columns)
	}
	for {
		rest := s.part(columns, cells, bold)
		if slices.IndexFunc(rest, func(lines []string) bool { return len(lines) > 0 }) < 0 {
			return
		}
		s.turn()
		s.titles(columns)
		cells = rest
	}
}

// part writes as many lines of each cell as the page has room for and returns the
// others.
func (s *sheet) part(columns []column, cells [][]string, bold bool) (rest [][]string) {
	x, high := left, 0.0
	for i, c := range columns {
		f := c.face
		if bold {
			f = headers()
		}
		n := min(len(cells[i]), int((bottom-s.y-rowGap)/f.leading))
		s.cell(f, c, x, s.y+rowGap/2, cells[i][:n])
		high = max(high, f.leading*float64(n))
		rest, x = append(rest, cells[i][n:]), x+c.wide
	}
	s.y += high + rowGap
	s.rule(s.y-0.2, 0.1, 150)
	return rest
}

// cell writes the lines of one cell.
func (s *sheet) cell(f face, c column, x, y float64, lines []string) {
	for i, line := range lines {
		if c.number {
			s.writeRight(f, x+c.wide-c.gap, y+f.leading*float64(i), line)
		} else {
			s.write(f, x, y+f.leading*float64(i), line)
		}
	}
}
