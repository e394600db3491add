package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completed is what of that which the shell is offered at the end of a command
// line begins with what is typed: the rest it leaves out by itself.
func completed(t *testing.T, args ...string) []string {
	t.Helper()
	status, stdout, stderr := invocation{}.run(t, append([]string{cobra.ShellCompNoDescRequestCmd}, args...)...)
	words := strings.Split(strings.TrimSpace(stdout), "\n")
	directive := words[len(words)-1]
	if status != done || directive != ":4" { // no names of files
		t.Errorf("%q: %d %q %q", args, status, stdout, stderr)
	}
	typed := args[len(args)-1]
	if strings.HasPrefix(typed, "--") {
		_, typed, _ = strings.Cut(typed, "=")
	}
	return slices.DeleteFunc(words[:len(words)-1], func(word string) bool { return !strings.HasPrefix(word, typed) })
}

func TestFlagsComplete(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"producer", "add", "ats", "--families", ""}, "data subject governance breach ledger"},
		{[]string{"producer", "add", "ats", "--families", "data,s"}, "data,subject"},
		{[]string{"producer", "add", "ats", "--families", "data,subject,ledger,"}, "data,subject,ledger,governance data,subject,ledger,breach"},
		{[]string{"producer", "add", "ats", "--families=gov"}, "governance"},
		{[]string{"producer", "add", "ats", "--except", "data.del"}, "data.deleted"},
		{[]string{"producer", "add", "ats", "--except", "data.deleted,data.acc"}, "data.deleted,data.accessed"},
		{[]string{"token", "create", "--role", ""}, "producer relay dpo investigator auditor operator subject"},
		{[]string{"token", "create", "--role", "o"}, "operator"},
		{[]string{"log", "--kind", "data.sh"}, "data.shared"},
		{[]string{"log", "--kind", "breach.c"}, "breach.confirmed breach.closed"},
		{[]string{"log", "--kind", "ledger.ref"}, "ledger.refused"},
		{[]string{"log", "--kind", "data,governance.party"}, "data,governance.party-registered"},
		{[]string{"log", "-o", ""}, "table json ndjson csv"},
		{[]string{"producer", "list", "--output", "nd"}, "ndjson"},
		{[]string{"serve", "--log-format", ""}, "text json"},
		{[]string{"prove", "absence", "--flag", "T"}, "T0 T1 T2 T3 T4 T5"},
		{[]string{"prove", "count", "--class", ""}, "light replay"},
		{[]string{"statement", "non-transfer", "--lang", ""}, "en nl fr"},
	} {
		if got := completed(t, test.args...); strings.Join(got, " ") != test.want {
			t.Errorf("%q: %q, want %q", test.args, got, test.want)
		}
	}
}

// Every kind can be recorded by its name, and shown, whoever records it.
func TestKindsComplete(t *testing.T) {
	offered := completed(t, "log", "--kind", "")
	for _, name := range slices.Concat(familyNames(), allKindNames()) {
		if !slices.Contains(offered, name) {
			t.Errorf("log --kind does not offer %s", name)
		}
	}
	if _, err := typesOf(offered); err != nil {
		t.Errorf("log --kind offers what it does not take: %v", err)
	}
	if got := completed(t, "record", ""); !slices.Equal(got, kindNames()) {
		t.Errorf("record offers %q", got)
	}
}

// A flag takes a number, or anything, or completes.
func TestEveryFlagIsOpenOrCompletes(t *testing.T) {
	open := strings.Fields(`url token token-file out tz data keys name listen nats tls-cert tls-key from to producer source csv
		at known-at case person actor session system category purpose party country
		reason request ground due approval certificate pdf before schedule retention words
		backup escrow escrow-to from identity pkcs11 pkcs11-token pkcs11-pin
		origin trust operator from-day to-day from-position to-position state receipts`)
	eachCommand(t, func(t *testing.T, cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			_, completes := cmd.GetFlagCompletionFunc(f.Name)
			words := f.Value.Type() == "string" || f.Value.Type() == "stringSlice"
			if words && completes == slices.Contains(open, f.Name) && !(completes && f.Name == "reason") {
				t.Errorf("--%s takes words: it completes, %t", f.Name, completes)
			}
		})
	})
}
