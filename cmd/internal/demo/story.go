package demo

import "fmt"

// A Story is something to find in a year.
type Story struct {
	Title    string   `json:"title"`
	Shows    string   `json:"shows"`    // what to look at in the answer, with its exact numbers
	Commands []string `json:"commands"` // lines for a shell in which DEMO is the data directory
}

// Stories are what there is to find, in the order in which to look.
func (y *Year) Stories() []Story {
	quarter := func(s span) string {
		return fmt.Sprintf("custody transfers --summary --from %s --to %s", s.first(), s.last())
	}
	month := quarter(y.late)
	before, after := y.known()
	return []Story{
		{
			"A session was stolen, three nights before the year ends: whose data did it touch?",
			fmt.Sprintf("%d downloads between two and five, %d people, health data among them. The token of the investigator sees that day and no other.", downloads, robbed),
			[]string{
				"custody log --session " + stolenSession + " --summary --token-file $DEMO/investigator.token",
				"custody log --session " + stolenSession + " --facets category,mode --token-file $DEMO/investigator.token",
			},
		},
		{
			"A colleague looks into a former partner's file, without a case.",
			fmt.Sprintf("6 accesses by recruitment while there was a vacancy; then %d by one account manager, all in the evening.", glances),
			[]string{"custody person " + former + " --show accesses"},
		},
		{
			fmt.Sprintf("The agreement with a mailing processor ended on %s; the data went on.", y.broken.last()),
			fmt.Sprintf("Not all mailings were under the agreement: the last %d were not. Of the party, the register still shows an agreement on that day, and none on the next.", lapsedMailings),
			[]string{
				"custody log --party letterbird --kind data.transferred --facets agreement",
				fmt.Sprintf("custody log --party letterbird --kind data.transferred --from %s --summary", y.clean.first()),
				fmt.Sprintf("custody party letterbird --at %s", y.broken.last()),
				fmt.Sprintf("custody party letterbird --at %s", y.clean.first()),
			},
		},
		{
			"Did anything leave the EEA? Two quarters, two answers.",
			fmt.Sprintf("%d transfers without a ground in the first: %d to an international organisation \"in Belgium\", %d to a helpdesk that reads in India. The quarter after it is clean.",
				pactShares+deskTransfers, pactShares, deskTransfers),
			[]string{quarter(y.broken), quarter(y.clean), fmt.Sprintf("custody transfers --map --class T5 --from %s --to %s", y.broken.first(), y.broken.last())},
		},
		{
			"One person under two identifiers, a number and an address.",
			fmt.Sprintf("Asked about by either, all %d events: %d under the number, %d under the address, and the one that links them.",
				underNumber+underAddress+1, underNumber, underAddress),
			[]string{"custody person " + twice},
		},
		{
			fmt.Sprintf("Late evidence: %s, as known two weeks later, and as known since.", y.late.from.Format("January 2006")),
			fmt.Sprintf("Clean, then %d transfers to the United States without a ground. Nothing was rewritten; and that %d events of the file store were missing, the ledger said all along.", lateShares, lateShares),
			[]string{month + " --known-at " + before, month + " --known-at " + after, "custody coverage --known-at " + before},
		},
		{
			"What the ledger does not hold.",
			fmt.Sprintf("%d events of the mailing system never arrived, and %d went to a party that nobody registered.", lostMails, unregistered),
			[]string{"custody coverage"},
		},
	}
}
