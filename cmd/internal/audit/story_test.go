package audit

import "fmt"

// Positions of events of the story, from 1. Commits come in between.
const transferred = "ats-20" // its id

// story is what an honest ledger recorded: parties, accesses with numbers of their producer, and transfers.
func story() (lines []string) {
	const officer = `"actor":{"id":"employee:zulu77","role":"dpo","kind":"human"}`
	lines = append(lines,
		event("register", "r-1", "governance.party-registered", "2026-01-01T08:00:00.000Z", "", officer+`,"party":"acme-bank","name":"Acme Bank","roles":["client"],"country":"BE","storage":["BE"],"access":["BE"]`),
		event("register", "r-2", "governance.party-registered", "2026-01-01T08:00:01.000Z", "", officer+`,"party":"us-mail","name":"US Mail","roles":["processor"],"country":"US","storage":["US"],"access":["US"]`))
	for i := 1; i <= 40; i++ {
		numbered := fmt.Sprintf(`"producerseq":"%d",`, i)
		at := fmt.Sprintf("2026-02-%02dT09:00:00.120Z", 1+i%28)
		kind, data := "data.accessed", about(i)+`,"mode":"view","result_count":1`
		switch {
		case i%10 == 0:
			kind, data = "data.transferred", about(i)+`,"recipient":{"party":"us-mail","role":"processor"}`
		case i%10 == 5:
			kind, data = "data.shared", about(i)+`,"recipient":{"party":"acme-bank","role":"client"}`
		}
		lines = append(lines, event("ats", fmt.Sprintf("ats-%d", i), kind, at, numbered, data))
	}
	return lines
}
