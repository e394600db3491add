package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A question that cannot be meant is not asked: exit status 2, one clear line
// and perhaps a hint, and no value repeated.
func TestMisusedQuestions(t *testing.T) {
	const value = "candidate:99887"
	for _, test := range []struct{ args, want string }{
		{"person", "usage: custody person"},
		{"person", "takes 1 argument, not 0"},
		{"person a b", "takes 1 argument, not 2"},
		{"party a b", "takes at most 1 argument, not 2"},
		{"coverage a b", "takes no arguments, not 2"},
		{"views rebuild", "takes at least 1 argument, not 0"},
		{"person a --case DSAR-1", "--case takes 1 to 64"},
		{"person a --case -1", "--case takes 1 to 64"},
		{"coverage --case " + value, "--case takes 1 to 64"},
		{"person a --country be", "two capital letters"},
		{"transfers --country BE,BEL", "two capital letters"},
		{"log --facet region=i1", "two capital letters"},
		{"person a --show reads,accesses", "--show is one of timeline, accesses"},
		{"actor a --show disclosures", "--show is one of timeline, accesses"},
		{"person a --nosuch=" + value, "unknown flag --nosuch"},
		{"person a --limit " + value, "--limit takes a int"},
		{"person a --limit -1", "--limit is a number from 1"},
		{"person a --from " + value, "--from takes a day"},
		{"person a --from 2025-03-02 --to 2025-03-01", "--from is not before --to"},
		{"person a --at " + value, "--at takes a day"},
		{"person a --known-at " + value, "--known-at takes a day"},
		{"person a --known-at -3", "--known-at takes a day"},
		{"person a --tz " + value, "--tz is not the name"},
		{"person a --kind " + value, "kind"},
		{"person a --class " + value, "there are T0, T1, T1f"},
		{"person a --facet " + value, "--facet is of the form"},
		{"person a --facet " + value + "=x", "there are kind, family"},
		{"person a --facet categry=x", "did you mean category?"},
		{"person a --facet purpose=", "--facet is of the form"},
		{"person a --facet purpose=x,", "a value of purpose is empty"},
		{"person a --facet class=" + value, "there are T0, T1, T1f"},
		{"person a -o " + value, "--output is one of"},
		{"transfers " + value, "usage: custody transfers"},
		{"transfers --summary --map", "exclude each other"},
		{"transfers --summary --limit 3", "lists of events"},
		{"transfers --summary --newest", "lists of events"},
		{"transfers --map --newest", "lists of events"},
		{"transfers --limit -1", "--limit is a number"},
		{"log --summary --facets all", "exclude each other"},
		{"log --summary --limit 1", "lists of events"},
		{"log --facets " + value, "there are kind, family"},
		{"log --facets kind,,class", "there are kind, family"},
		{"log --facets knd", "did you mean kind?"},
		{"log --histogram fortnight", "--histogram is one of hour, day"},
		{"log --person a --follow", "--follow is for a replay"},
		{"log --session a --from-position 3", "--from-position is for a replay"},
		{"log --system a --to-position 3", "--to-position is for a replay"},
		{"log --system a --from " + value, "--from takes a day"},
		{"log --person a --limit -1", "--limit is a number"},
		{"log --person -", "standard input holds no person"},
		{"party a b", "usage: custody party"},
		{"party list a", "usage: custody party list"},
		{"party list --limit -1", "--limit is a number"},
		{"party show", "usage: custody party show"},
		{"coverage " + value, "usage: custody coverage"},
		{"coverage --from 2025-01-01", "unknown flag --from"},
		{"explain", "usage: custody explain"},
		{"explain /" + value, "/producer/id"},
		{"event /" + value + "/", "/producer/id"},
		{"register " + value, "there are party, agreement"},
		{"register --limit -1", "--limit is a number"},
		{"erase a --reason bogus", "there are retention, consent_withdrawn"},
		{"erase a --reason request --keep " + value, "there are access, disclosure"},
		{"erase a --reason request --keep access", "the grounds are A17-3-a"},
		{"erase a --reason request --keep access:A17-9", "the grounds are A17-3-a"},
		{"erase a --reason request --keep access:A17-3-e --keep access:A17-3-d", "a class twice"},
		{"erase a --reason request --as-actor", "--as-actor and --ground go together"},
		{"erase a --reason request --ground left", "--as-actor and --ground go together"},
		{"erase a --reason request --as-actor --ground Left", "--ground takes 1 to 64"},
		{"erase a --reason request --case " + value, "--case takes 1 to 64"},
		{"erase a --reason request --due never", "--due takes a day"},
		{"erase a --reason request --due 9999-01-01", "--due is at most three months from now"},
		{"erasure cancel 7 --reason " + value, "--reason takes 1 to 64"},
		{"erasure cancel 7 --reason x --case " + value, "--case takes 1 to 64"},
		{"erasure shred 7 --case " + value, "--case takes 1 to 64"},
		{"reveal 7 --reason " + value, "--reason takes 1 to 64"},
		{"reveal 7 --reason c --who " + value, "there are actors, subjects, all"},
		{"retain --class acces --before 2025-07", "there are access, disclosure"},
		{"retain --class access --before 2025-13", "--before takes a month"},
		{"retain --class access --before " + value, "--before takes a month"},
		{"retain --class access --before 2025-07 --case " + value, "--case takes 1 to 64"},
		{"retain --schedule s --approval ab12", "wait for each"},
		{"retain --schedule s --case " + value, "--case takes 1 to 64"},
		{"views " + value, "no such command"},
		{"views rebuild", "usage: custody views rebuild"},
	} {
		d := &desk{}
		stdout, stderr := deskOf(t, d).runs(t, misused, strings.Fields(test.args)...)
		if stdout != "" || !strings.Contains(stderr, test.want) || strings.Contains(stderr, "99887") || strings.Count(stderr, "\n") > 2 {
			t.Errorf("%s: stdout %q, stderr %q, want %q", test.args, stdout, stderr, test.want)
		}
		if len(d.asked) > 0 {
			t.Errorf("%s: asked %q", test.args, d.lines())
		}
	}
}

func TestQuestionsComplete(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"person --show a", "accesses"},
		{"actor --show ", "timeline accesses"},
		{"transfers --class T5,T1", "T5,T1 T5,T1f"},
		{"person --kind data.sh", "data.shared"},
		{"log --facets kind,cla", "kind,class"},
		{"log --facets al", "all"},
		{"log --histogram q", "quarter"},
		{"person cand", ""},
	} {
		args := strings.Split(test.args, " ")
		if got := strings.Join(completed(t, args...), " "); got != test.want {
			t.Errorf("%s: %q, want %q", test.args, got, test.want)
		}
	}
	names, directive := completeFacet(nil, nil, "")
	if !slices.Contains(names, "basis=") || directive&cobra.ShellCompDirectiveNoSpace == 0 {
		t.Errorf("--facet offers %q, %v", names, directive)
	}
}

// Whatever has a flag of its own is a facet.
func TestFacetFlagsAreFacets(t *testing.T) {
	for _, f := range facetFlags() {
		if err := facetNamed(f.name, "facet"); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
	}
}

// Colours do not shift columns.
func TestListingColours(t *testing.T) {
	got := printed(t, "table", func(a *answer) error {
		a.paint = func(c colour, text string) string { return "<" + string(c) + ">" + text + "</>" }
		l := a.listing(column{"class", 6}, column{"events", -8}, column{"note", 0})
		l.tint = sheet{{head: "class"}, {head: "events"}, {head: "registered"}}.tinted
		for _, row := range [][]string{{"T5", "12", "false"}, {"T0", "1234567890", "true"}, {"", "", "x"}} {
			if err := l.row(nil, row...); err != nil {
				return err
			}
		}
		return l.end(nil)
	})
	want := "<1>CLASS     EVENTS  NOTE</>\n<31>T5</>            12  <31>false</>\n<32>T0</>      1234567890  true\n                  x\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
