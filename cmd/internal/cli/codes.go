package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/events"
)

// code refuses what is no code, before anything is asked; "" is none.
func code(flag, text string) error {
	if !isCase(text) {
		return misuse("--%s takes 1 to 64 of a-z, 0-9, _, . and -, beginning with a letter or a digit", flag)
	}
	return nil
}

// oneOf refuses what is none of some words.
func oneOf(flag, text string, words []string) error {
	if !slices.Contains(words, text) {
		return advise(misuse("--%s is not one that there is", flag), "there are %s", strings.Join(words, ", "))
	}
	return nil
}

// retentionClasses are the names of the classes that events are kept by.
func retentionClasses() []string {
	return []string{"access", "disclosure", "legal-state", "governance", "breach", "operation"}
}

// check refuses an erasure that cannot be meant.
func (o *eraseOptions) check() error {
	if err := oneOf("reason", o.reason, events.ErasureReasons()); err != nil {
		return err
	}
	if o.asActor != (o.ground != "") {
		return misuse("a ground is given for erasing what somebody did as an actor, and for nothing else: --as-actor and --ground go together")
	}
	if err := code("ground", o.ground); err != nil {
		return err
	}
	if err := code("case", o.reference); err != nil {
		return err
	}
	return keepings(o.keep)
}

// keepings refuses what is not a class, each once, with a ground of Art. 17(3).
func keepings(texts []string) error {
	kept := map[string]bool{}
	for _, text := range texts {
		class, ground, _ := strings.Cut(text, ":")
		if err := oneOf("keep", class, retentionClasses()); err != nil {
			return err
		}
		if !slices.Contains(events.KeepGrounds(), ground) {
			return advise(misuse("--keep takes a class and a ground, as disclosure:A17-3-e"), "the grounds are %s", strings.Join(events.KeepGrounds(), ", "))
		}
		if kept[class] {
			return misuse("--keep names a class twice")
		}
		kept[class] = true
	}
	return nil
}

// dueBy reads --due; the zero time is that nothing was said.
func (s *session) dueBy(text string) (time.Time, error) {
	zone, err := s.location()
	if err != nil {
		return time.Time{}, err
	}
	due, err := moment("due", text, zone, 1)
	if err == nil && due.After(forget.Latest(time.Now())) {
		err = misuse("--due is at most three months from now (GDPR Art. 12(3))")
	}
	return due, err
}

// check refuses a class or a month that there is not.
func (o *retainOptions) check() error {
	if err := oneOf("class", o.class, retentionClasses()); err != nil {
		return err
	}
	if _, err := forget.ParseMonth(o.before); err != nil {
		return misuse("--before takes a month such as 2025-07")
	}
	return nil
}
