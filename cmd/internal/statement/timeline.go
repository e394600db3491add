package statement

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/imalink/custody/events/law"
)

// The picture, in units of its own.
const (
	pictureWide, pictureHigh = 1000.0, 190.0
	chartLeft, chartTop      = 34.0, 8.0
	chartHigh                = 132.0
	stripTop, stripHigh      = 144.0, 9.0
	mostBars                 = 400
)

// A bar is what was examined on some days that follow each other.
type bar struct {
	from                         law.Day
	inside, work, unknown, moved uint64
	without, bare                bool
}

func (b *bar) sum() uint64 { return b.inside + b.work + b.unknown + b.moved }

// Bin is how many days a bar has: one, unless there are too many of them.
func (p page) Bin() uint64 {
	s := p.span()
	return (uint64(s.to-s.from) + mostBars) / mostBars
}

// bars are the days of the range.
func (p page) bars() []bar {
	s, bin := p.span(), law.Day(p.Bin())
	bars := make([]bar, (s.to-s.from)/bin+1)
	for i := range bars {
		bars[i].from = s.from + law.Day(i)*bin
	}
	on := func(d Day) *bar {
		day, _ := law.ParseDay(string(d))
		return &bars[(day-s.from)/bin]
	}
	each := func(all []Days, mark func(*bar)) {
		for _, d := range all {
			for b, last := on(d.From), on(d.To); ; b = on(dayOf(b.from + bin)) {
				if mark(b); b == last {
					break
				}
			}
		}
	}
	each(p.Unknowns.Bare, func(b *bar) { b.bare = true })
	for _, row := range p.Systems {
		for _, d := range row.Days {
			on(d.Day).inside += d.Examined
		}
		each(row.Without, func(b *bar) { b.without = true })
	}
	for _, it := range p.Transfers {
		b := on(it.Day)
		b.inside--
		if it.Class == "U" {
			b.unknown++
		} else {
			b.moved++
		}
	}
	for _, it := range p.Working {
		b := on(it.Day)
		b.inside--
		b.work++
	}
	return bars
}

// Timeline draws the examined events of each day, and marks the days on which
// something that should have reported was silent.
func (p page) Timeline() template.HTML {
	bars := p.bars()
	top := uint64(1)
	for i := range bars {
		top = max(top, bars[i].sum())
	}
	wide := (pictureWide - chartLeft) / float64(len(bars))
	gap := min(1, wide*0.2)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-hidden="true">`, pictureWide, pictureHigh)
	b.WriteString(`<defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="4" height="4" class="paper"/><rect width="2" height="4" class="unknown"/></pattern></defs>`)
	grid(&b, top)
	for i, day := range bars {
		x, y := chartLeft+float64(i)*wide, chartTop+chartHigh
		for _, part := range []struct {
			class string
			n     uint64
		}{{"moved", day.moved}, {"hatched", day.unknown}, {"work", day.work}, {"inside", day.inside}} {
			if part.n == 0 {
				continue
			}
			high := chartHigh * float64(part.n) / float64(top)
			y -= high
			fmt.Fprintf(&b, `<rect class="%s" x="%.2f" y="%.2f" width="%.2f" height="%.2f"/>`, part.class, x, y, wide-gap, high)
		}
		strip := ""
		switch {
		case day.without:
			strip = "beat"
		case day.bare:
			strip = "bare"
		}
		if strip != "" {
			fmt.Fprintf(&b, `<rect class="%s" x="%.2f" y="%g" width="%.2f" height="%g"/>`, strip, x, stripTop, wide-gap, stripHigh)
		}
	}
	months(&b, bars, wide)
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// grid draws the axis of counts: none, half and most.
func grid(b *strings.Builder, top uint64) {
	for _, n := range []uint64{0, top / 2, top} {
		y := chartTop + chartHigh*(1-float64(n)/float64(top))
		fmt.Fprintf(b, `<path class="grid" d="M%g %.2fH%g"/><text class="count" x="%g" y="%.2f">%s</text>`, chartLeft, y, pictureWide, chartLeft-5, y+3.5, number(n))
	}
}

// months names the first of each month, or of each year where there are many.
func months(b *strings.Builder, bars []bar, wide float64) {
	last, free := "", 0.0
	for i, day := range bars {
		month := dayOf(day.from)[:7]
		x := chartLeft + float64(i)*wide
		if string(month) == last {
			continue
		}
		last = string(month)
		fmt.Fprintf(b, `<path class="tick" d="M%.2f %gV%g"/>`, x, stripTop+stripHigh+2, stripTop+stripHigh+8)
		if x >= free && x < pictureWide-44 {
			fmt.Fprintf(b, `<text x="%.2f" y="%g">%s</text>`, x, stripTop+stripHigh+21, month)
			free = x + 56
		}
	}
}
