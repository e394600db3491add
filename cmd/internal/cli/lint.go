package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/events"
)

const lintLong = `Checks events on this machine, without a server: every event of the file
against the catalogue and the rules for personal data in clear, with the path of
what is wrong, what was expected, and what may have been meant.

The input is as for emit: one event per line, or one JSON array.

Only a server knows what it has recorded and who may send what, so an event
that lint passes may still be refused; emit --dry-run asks the server.

Exit status 1 if any event is wrong. Warnings do not count.`

// finding is one thing lint has to say. It holds no value of the event.
type finding struct {
	Line       int    `json:"line"`
	Path       string `json:"path"`
	Type       string `json:"type"`
	Detail     string `json:"detail"`
	DidYouMean string `json:"did_you_mean,omitempty"`
}

func (s *session) lintCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lint FILE|-",
		Short: "Check events offline: path, what was expected, did you mean",
		Long:  lintLong,
		Example: `  custody lint events.ndjson
  custody lint -o ndjson - < events.json`,
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return s.lint(cmd.Context(), args) },
	}
}

func (s *session) lint(ctx context.Context, args []string) error {
	in, size, err := s.opened(args)
	if err != nil {
		return err
	}
	defer in.Close()
	a, err := s.answer()
	if err != nil {
		return err
	}
	list := a.listing(column{"line", 7}, column{"path", 28}, column{"type", 17}, column{"detail", 0})
	bar := s.progress("checking", size, true)
	total, wrong := 0, 0
	for it, readErr := range items(in) {
		if err = errors.Join(readErr, ctx.Err()); err != nil {
			break
		}
		total++
		found, sound := judge(it)
		if !sound {
			wrong++
		}
		for _, f := range found {
			bar.clear()
			if err = list.row(f, f.cells()...); err != nil {
				return list.end(err)
			}
		}
		bar.set(it.end)
	}
	bar.finish()
	if err = list.end(err); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%s of %s wrong", count(wrong), some(total, "event"))
	}
	s.note("%s, nothing wrong", some(total, "event"))
	return nil
}

// judge says all there is to say about one event, and whether it is sound.
func judge(it item) (found []finding, sound bool) {
	if e := it.refusedHere(); e != nil {
		return []finding{{Line: it.line, Type: e.Type, Detail: e.Detail}}, false
	}
	event, err := events.Decode(it.raw)
	if wrong, ok := errors.AsType[*events.Error](err); ok {
		return []finding{{it.line, wrong.Path, wrong.Type, wrong.Detail, events.Suggest(it.raw, wrong)}}, false
	}
	if err != nil {
		return []finding{{Line: it.line, Type: events.NotJSON, Detail: err.Error()}}, false
	}
	for _, path := range event.Warnings {
		found = append(found, finding{Line: it.line, Path: path, Type: "warning",
			Detail: "stays in clear and ends in the same number as one of the event's identifiers"})
	}
	return found, true
}

func (f finding) cells() []string {
	detail := f.Detail
	if f.DidYouMean != "" {
		detail += "; did you mean " + f.DidYouMean + "?"
	}
	return []string{fmt.Sprint(f.Line), f.Path, f.Type, detail}
}
