package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
)

// one completes a flag that takes one of some words.
func one(words []string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// several completes a flag that takes some of the words, separated by commas:
// after the last comma, any that does not stand before it.
func several(words []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		given := strings.Split(before, ",")
		var left []cobra.Completion
		for _, word := range words {
			if !slices.Contains(given, word) {
				left = append(left, before+word)
			}
		}
		return left, cobra.ShellCompDirectiveNoFileComp
	}
}

// familyNames are those of events, in the order of the catalogue.
func familyNames() []string {
	var names []string
	for _, k := range events.Kinds() {
		if !slices.Contains(names, k.Family()) {
			names = append(names, k.Family())
		}
	}
	return names
}

// allKindNames are the names of all kinds, those that the ledger itself records
// included.
func allKindNames() []string {
	var names []string
	for _, k := range events.Kinds() {
		names = append(names, k.Name())
	}
	return names
}

func roles() []string {
	var names []string
	for _, r := range access.Roles() {
		names = append(names, string(r))
	}
	return names
}
