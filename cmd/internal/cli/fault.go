package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit statuses.
const (
	done    = 0
	failed  = 1
	misused = 2
	unsound = 3
)

// fault is an error that knows its exit status and, perhaps, the next step.
type fault struct {
	status int
	err    error
	hint   string
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// misuse reports a command line that cannot be meant. Nothing has been tried.
func misuse(format string, args ...any) error {
	return &fault{status: misused, err: fmt.Errorf(format, args...)}
}

// advise adds the next step to an error, which keeps its exit status.
func advise(err error, hint string, args ...any) error {
	return &fault{status: status(err), err: err, hint: fmt.Sprintf(hint, args...)}
}

func status(err error) int {
	if err == nil {
		return done
	}
	if f, ok := errors.AsType[*fault](err); ok {
		return f.status
	}
	return failed
}

// report prints err, if any, and returns the exit status. It is the only place
// that prints errors.
func (s *session) report(err error) int {
	if err == nil {
		return done
	}
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	fmt.Fprintln(s.Stderr, paint(s.Stderr, s.Getenv, red, "custody:"), oneLine(text))
	for f, ok := errors.AsType[*fault](err); ok; f, ok = errors.AsType[*fault](f.err) {
		if f.hint != "" {
			fmt.Fprintln(s.Stderr, "  "+oneLine(f.hint))
		}
	}
	return status(err)
}

// note tells the person at the terminal something about the run.
func (s *session) note(format string, args ...any) {
	fmt.Fprintln(s.Stderr, oneLine(fmt.Sprintf(format, args...)))
}

// group is what a command does that only holds others: it shows its help, or
// says which of them might have been meant.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	err := misuse("%s has no such command", cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2 // letters
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return advise(err, "did you mean %s?", strings.Join(near, " or "))
	}
	return advise(err, "see %s --help", cmd.CommandPath())
}

// arguments checks the number of arguments that are not flags; most < 0 is any.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return advise(misuse("%s takes %s, not %d", cmd.CommandPath(), howMany(least, most), len(args)), "usage: %s", cmd.UseLine())
		}
		return nil
	}
}

// howMany says how many arguments there are between two numbers of them.
func howMany(least, most int) string {
	switch {
	case most == 0:
		return "no arguments"
	case least == most:
		return some(least, "argument")
	case most < 0:
		return "at least " + some(least, "argument")
	}
	return "at most " + some(most, "argument")
}

// flagMisuse says which flag is wrong without repeating what was given for it.
func flagMisuse(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		err = misuse("unknown short flag")
	case errors.As(err, &unknown):
		err = misuse("unknown flag --%s", unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		err = misuse("--%s needs a value", missing.GetFlag().Name)
	case errors.As(err, &invalid):
		err = misuse("--%s takes a %s", invalid.GetFlag().Name, invalid.GetFlag().Value.Type())
	default:
		err = misuse("a flag is not written as flags are")
	}
	return advise(err, "see %s --help", cmd.CommandPath())
}

// required refuses a command line on which one of the flags has no value.
func required(cmd *cobra.Command, flags ...string) error {
	for _, name := range flags {
		if cmd.Flag(name).Value.String() == "" {
			return advise(misuse("%s needs --%s", cmd.CommandPath(), name), "see %s --help", cmd.CommandPath())
		}
	}
	return nil
}

// oneLine makes text safe to print: control characters, which could move the
// cursor or forge a line, become spaces.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
