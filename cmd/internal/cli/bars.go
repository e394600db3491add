package cli

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// bar is a count with its name. Label is how a table shows the name; a bar
// without one stands for a gap.
type bar struct {
	value  string
	label  string
	count  uint64
	colour colour
}

// bars draws counts as bars, the longest as long as the terminal lets it be.
func (s *session) bars(e *exchange, bars []bar) {
	label, digits, most := 0, 0, uint64(1)
	for _, b := range bars {
		label = max(label, utf8.RuneCountInString(oneLine(b.label)))
		digits = max(digits, len(count(b.count)))
		most = max(most, b.count)
	}
	room := max(10, s.width()-label-digits-4)
	for _, b := range bars {
		if b.label == "" {
			fmt.Fprintln(e, "...")
			continue
		}
		name := oneLine(b.label)
		name += strings.Repeat(" ", label-utf8.RuneCountInString(name))
		line := fmt.Sprintf("%s  %*s  %s", name, digits, count(b.count), blocks(b.count, most, room))
		line = strings.TrimRight(line, " ")
		if b.colour != "" {
			line = e.paint(b.colour, line)
		}
		fmt.Fprintln(e, line)
	}
}

// blocks is a bar for n of most, in eighths of a character; none but 0 is empty.
func blocks(n, most uint64, room int) string {
	if n == 0 {
		return ""
	}
	eighths := max(1, int(math.Round(float64(n)/float64(most)*float64(room)*8)))
	line := strings.Repeat("█", eighths/8)
	if part := eighths % 8; part > 0 {
		line += string([]rune("▏▎▍▌▋▊▉")[part-1])
	}
	return line
}

// width is how many characters fit on a line of the terminal; where there is
// none, 80.
func (s *session) width() int {
	if f, ok := s.Stdout.(*os.File); ok && s.outFile == "" {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
