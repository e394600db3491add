package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// tour FILE runs every command of the blocks of a page that begin with "$ ", in
// its order and in one shell, and holds what they print against what stands
// there. "…" stands for anything, white space is not compared, and what is
// printed on standard error counts only where the page shows it.
func tour(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "tour FILE")
	page, err := os.ReadFile(args[0])
	ts.Check(err)
	steps := stepsOf(string(page))
	if len(steps) == 0 {
		ts.Fatalf("%s has no command", args[0])
	}
	outputs := perform(ts, steps)
	for i, step := range steps {
		out, both := outputs[2*i], outputs[2*i+1]
		if want := step.shown(); !want.MatchString(bare(out)) && !want.MatchString(bare(out+both)) {
			ts.Fatalf("$ %s\n%s%s\ninstead of\n%s", step.command, out, both, step.output)
		}
	}
}

// A step is a command of a page, and what the page says it prints.
type step struct{ command, output string }

func stepsOf(page string) (steps []step) {
	for n, block := range strings.Split(page, "```") {
		if n%2 == 0 || !strings.HasPrefix(strings.TrimSpace(block), "$ ") {
			continue
		}
		for line := range strings.Lines(strings.TrimLeft(block, "\n")) {
			if command, is := strings.CutPrefix(line, "$ "); is {
				steps = append(steps, step{command: strings.TrimSpace(command)})
			} else {
				steps[len(steps)-1].output += line
			}
		}
	}
	return steps
}

// perform runs the commands in one shell, and gives of each what it printed, and
// what it said on standard error.
func perform(ts *testscript.TestScript, steps []step) []string {
	const mark = "\x1e"
	var script strings.Builder
	for _, s := range steps {
		script.WriteString(s.command + " 2>said; printf '" + mark + "'; cat said; printf '" + mark + "'\n")
	}
	url := ts.Getenv("CUSTODY_URL")
	cmd := exec.Command("bash", "-c", strings.ReplaceAll(script.String(), "http://127.0.0.1:8420", url))
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.MkAbs(".")}
	cmd.Stderr = ts.Stderr()
	out, err := cmd.Output()
	ts.Check(err)
	return slices.Collect(strings.SplitSeq(string(out), mark))
}

// shown is what the output must be.
func (s step) shown() *regexp.Regexp {
	parts := strings.Split(bare(s.output), "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, ".*") + "$")
}

// bare is a text without white space.
func bare(text string) string { return strings.Join(strings.Fields(text), "") }
