package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// colour is an ANSI code for the foreground.
type colour string

const (
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
	bold   colour = "1"
)

// terminal reports whether a person is looking at w.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// paint colours text if w is a terminal whose user has not said no
// (https://no-color.org).
func paint(w io.Writer, getenv func(string) string, c colour, text string) string {
	if !terminal(w) || getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// progress shows how far long work is, on a terminal only. The zero value shows
// nothing.
type progress struct{ bar *progressbar.ProgressBar }

// progress begins showing work of total units, or of unknown length when total
// is 0. Bytes says that the units are bytes. Nothing is shown unless standard
// error is a terminal and the answer is not being printed between the updates.
func (s *session) progress(what string, total int64, bytes bool) progress {
	if !terminal(s.Stderr) || s.outFile == "" && s.format != "table" && terminal(s.Stdout) {
		return progress{}
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(s.Stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(bytes),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionFullWidth(),
		progressbar.OptionEnableColorCodes(false),
		progressbar.OptionClearOnFinish(),
	}
	if total > 0 || bytes { // else there is nothing to count
		options = append(options, progressbar.OptionShowCount())
	}
	if total <= 0 {
		total = -1
	}
	return progress{progressbar.NewOptions64(total, options...)}
}

func (p progress) set(n int64) {
	if p.bar != nil {
		p.bar.Set64(n)
	}
}

// clear takes the bar off the screen, so that lines can be printed; the next
// set brings it back.
func (p progress) clear() {
	if p.bar != nil {
		p.bar.Clear()
	}
}

func (p progress) finish() {
	if p.bar != nil {
		p.bar.Finish()
	}
}

// count writes n with a comma between thousands.
func count[N ~int | ~int64 | ~uint64](n N) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// some is a number of things, such as "1 event" and "2 events".
func some(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return count(n) + " " + thing
}
