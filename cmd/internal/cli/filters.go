package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/projections/search"
)

// facetNames are what events can be chosen and counted by. Never a person, an
// actor or a session: those are asked about by themselves.
func facetNames() []string {
	var names []string
	for _, f := range search.Facets() {
		names = append(names, f.String())
	}
	return names
}

// facetFlags are the facets that have a flag of their own.
func facetFlags() []struct{ name, usage string } {
	return []struct{ name, usage string }{
		{"kind", "only these kinds of events, such as data.shared; a family is all its kinds"},
		{"producer", "only events of these producers"},
		{"system", "only events in these systems"},
		{"category", "only events about these categories of data"},
		{"purpose", "only events for these purposes"},
		{"party", "only events that name one of these parties, in any part"},
		{"country", "only events with a place in these countries"},
		{"class", "only transfers of these classes, such as T3,T5,U"},
	}
}

// classNames are the classes of transfers, as events/law decides them.
func classNames() []string {
	var names []string
	for _, c := range []law.Class{law.T0, law.T1, law.T1f, law.T2, law.T3, law.T4, law.T5, law.U} {
		names = append(names, c.String())
	}
	return names
}

// filters are facets as given: events must have, of each facet, any of its values.
type filters struct {
	named map[string]*[]string
	other []string // name=value,value
}

// flags adds --facet and the flags of common facets, but for those that the
// command has already.
func (f *filters) flags(cmd *cobra.Command) {
	f.named = map[string]*[]string{}
	for _, facet := range facetFlags() {
		if cmd.Flags().Lookup(facet.name) == nil {
			values := new([]string)
			cmd.Flags().StringSliceVar(values, facet.name, nil, facet.usage)
			f.named[facet.name] = values
		}
	}
	cmd.Flags().StringArrayVar(&f.other, "facet", nil, "only events with this value, as name=value,value; may be repeated")
	if f.named["kind"] != nil {
		cmd.RegisterFlagCompletionFunc("kind", several(append(familyNames(), allKindNames()...)))
	}
	cmd.RegisterFlagCompletionFunc("class", several(classNames()))
	cmd.RegisterFlagCompletionFunc("facet", completeFacet)
}

func completeFacet(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names := facetNames()
	for i := range names {
		names[i] += "="
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// resolve gives the values by facet, each once. No value is repeated by an error.
func (f *filters) resolve() (map[string][]string, error) {
	all := map[string][]string{}
	for name, values := range f.named {
		if len(*values) > 0 {
			all[name] = slices.Clone(*values)
		}
	}
	for _, text := range f.other {
		name, values, ok := strings.Cut(text, "=")
		if !ok || values == "" {
			return nil, misuse("--facet is of the form name=value")
		}
		if err := facetNamed(name, "facet"); err != nil {
			return nil, err
		}
		all[name] = append(all[name], strings.Split(values, ",")...)
	}
	for name, values := range all {
		if slices.Contains(values, "") {
			return nil, misuse("a value of %s is empty", name)
		}
		slices.Sort(values)
		all[name] = slices.Compact(values)
	}
	if err := checkClasses(all["class"]); err != nil {
		return nil, err
	}
	if err := checkPlaces(all["country"], all["region"]); err != nil {
		return nil, err
	}
	return all, expandKinds(all)
}

// facetNamed refuses what is no facet, without repeating it.
func facetNamed(name, flag string) error {
	names := facetNames()
	if slices.Contains(names, name) {
		return nil
	}
	err := misuse("--%s names a facet that there is not", flag)
	if near := nearest(name, names); near != "" {
		return advise(err, "did you mean %s?", near)
	}
	return advise(err, "there are %s", strings.Join(names, ", "))
}

func checkClasses(given []string) error {
	for _, class := range given {
		if !slices.Contains(classNames(), class) {
			return advise(misuse("--class is not one that there is"), "there are %s", strings.Join(classNames(), ", "))
		}
	}
	return nil
}

// checkPlaces refuses what is no code of a country: it would find nothing, which
// is an answer too.
func checkPlaces(given ...[]string) error {
	for _, code := range slices.Concat(given...) {
		if len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return advise(misuse("a country or region is not a code of two capital letters"), "it is one of ISO 3166, such as BE")
		}
	}
	return nil
}

// expandKinds puts the full names of kinds for families and short names.
func expandKinds(all map[string][]string) error {
	if len(all["kind"]) == 0 {
		return nil
	}
	types, err := typesOf(all["kind"])
	if err != nil {
		return err
	}
	var names []string
	for t := range types {
		names = append(names, kindName(t))
	}
	slices.Sort(names)
	all["kind"] = names
	return nil
}
