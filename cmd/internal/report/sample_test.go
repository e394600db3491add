package report

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// at is a time n minutes into a morning.
func at(n int) Instant {
	return At(time.Date(2026, 11, 2, 9, 14, 5, 0, time.UTC).Add(time.Duration(n) * time.Minute))
}

// hexed is n hexadecimal digits that begin with a text.
func hexed(begin string, n int) string { return begin + strings.Repeat("7", n-len(begin)) }

// erased is a certificate in which everything is said, each thing once.
func erased() *Certificate {
	return &Certificate{
		Version: Format, Kind: Erased, Issued: at(30_000),
		Ledger: Ledger{"imalink-be", hexed("1ed9e2", 32)},
		Erasure: &Erasure{
			Position: 104_171, Opened: at(1), Reason: "consent_withdrawn", Request: "req:2026-29",
			By: Who{"dpo", "officer-one", "officer-two"}, Restricted: at(-3000), Due: at(43_000), AsActor: true, Ground: "left-company",
		},
		Identifiers: &Identifiers{Shown: true, Count: 3, List: []Linked{
			{Identifier: Named("candidate:10412")},
			{Identifier: Named("mail:ilse.d’hondt@example.org"), Links: []Link{{90_001, Named("employee:marc.léonard")}, {90_417, Named("employee:yüksel")}}, Acted: 12},
			{Identifier: Named("crm:Ελένη Παπαδοπούλου/Źdźbło"), Links: []Link{{90_533, Identifier{}}}, Acted: 7, Stays: true},
		}},
		Shredding: &Shredding{Position: 118_233, At: at(20_000), Digest: hexed("d19e57", 64), By: Who{"operator", "night-run", ""},
			RootBefore: 41, RootAfter: 42, Shards: 103, Rows: 107},
		Cells: []Cells{{"access", "2025-01", "2026-02", 23}, {"disclosure", "2025-03", "2025-04", 29}},
		Holds: []Hold{{88_123, "hold:court-7", "A17-3-e", "payroll", "2027-01-31"}, {88_124, "hold:tax", "A17-3-b", "", ""}},
		Kept:  []Kept{{KeptClass, "legal-state", "A17-3-e", 31, 37}, {KeptActor, "", "", 5, 19}},
		Remains: Remains{
			Events: []Count{{"access", "data", 61, at(-500_000), at(-400_000)}, {"disclosure", "subject", 1467, at(-300_000), at(-200_000)}},
			Shared: 71, Crowd: 109, Clear: ClearFields(), Learnable: Learnable(false),
		},
		Recipients: []Recipient{
			{"acme-bank", 83, at(-90_000), at(-80_000), Due, Instant{}, 0},
			{"cloud-host", 89, at(-70_000), at(-60_000), "acknowledged", at(1500), 111_321},
			{"old-firm", 97, at(-50_000), at(-40_000), "impossible", at(3000), 111_322},
			{"mailer", 113, at(-30_000), at(-20_000), "disproportionate", at(6000), 111_323},
			{"job-site", 127, at(-10_000), at(-5000), "sent", at(9000), 111_324},
		},
		Legs: []Leg{
			{"deletion:2026-204", "backup", "", Due, "2026-12-06", Instant{}, ""},
			{"deletion:2026-204", "processor", "cloud-host", Done, "2026-11-05", at(4000), "attest:host-88"},
			{"deletion:2026-205", "index", "", Due, "2026-11-07", Instant{}, ""},
		},
		Copies:   []Copy{{Escrow, Done, 41, 43, at(21_000)}, {Backup, Due, 41, 0, Instant{}}, {Device, Done, 41, 42, at(22_000)}, {Other, Unknown, 41, 0, Instant{}}},
		Evidence: Evidence{118_240, at(20_100), hexed("4ead", 64), []string{"custody check", "custody erasure show 104171"}},
	}
}

// ofKind is a certificate of a kind, of a person or, if it can be, of a class.
func ofKind(kind Kind, retention bool) *Certificate {
	c := erased()
	c.Kind = kind
	if kind != Erased && kind != Retained {
		c.Shredding = nil
		c.Copies = []Copy{{Escrow, Due, 41, 41, at(1)}, {Backup, None, 0, 0, Instant{}}, {Other, Unknown, 41, 0, Instant{}}}
	}
	if kind == DryRun {
		c.Erasure.Position, c.Erasure.Opened = 0, Instant{}
	}
	if retention || kind == Retained {
		c.Erasure, c.Identifiers, c.Recipients, c.Legs = nil, nil, nil, nil
		c.Retention = &Retention{Class: "access", Before: "2025-07", Cells: 14, Held: 2, Schedule: "access-log"}
		c.Remains.Learnable = Learnable(true)
	}
	return c
}

// every gives a certificate of each sort that there is, by name.
func every() map[string]*Certificate {
	again, bare := erased(), ofKind(Restricted, false)
	again.Identifiers = &Identifiers{Count: 3}
	bare.Cells, bare.Holds, bare.Kept, bare.Recipients, bare.Legs, bare.Remains.Events = nil, nil, nil, nil, nil, nil
	bare.Copies[0] = Copy{Kind: Escrow, State: None}
	return map[string]*Certificate{
		"erased": erased(), "again": again, "bare": bare,
		"restricted": ofKind(Restricted, false), "dry": ofKind(DryRun, false),
		"retention": ofKind(Retained, true), "dry-retention": ofKind(DryRun, true),
	}
}

// long is a certificate whose lists go over many pages.
func long(n int) *Certificate {
	c := erased()
	for i := range n {
		c.Identifiers.List = append(c.Identifiers.List, Linked{Identifier: Named(fmt.Sprintf("number:%06d", i))})
		c.Recipients = append(c.Recipients, Recipient{Party: fmt.Sprintf("party-%06d", i), First: at(0), Last: at(1), State: Due})
	}
	c.Identifiers.Count += uint64(n)
	return c
}

func mustPDF(t *testing.T, c *Certificate, lang Lang) []byte {
	t.Helper()
	var b strings.Builder
	if err := c.PDF(&b, lang); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}
