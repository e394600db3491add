package emit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
)

// TestReceiptOfAParty: the class follows from what the receipt says of the party, in force on the event's day.
func TestReceiptOfAParty(t *testing.T) {
	t.Parallel()
	party := func(country string, change func(*events.Party)) *events.Party {
		p := &events.Party{Code: "acme-bank", Position: 3, Country: country, Storage: []string{country}, Access: []string{country}}
		if change != nil {
			change(p)
		}
		return p
	}
	tool := func(code, ref string) func(*events.Party) {
		return func(p *events.Party) { p.Tool, p.ToolRef = code, ref }
	}
	for _, c := range []struct {
		party   *events.Party
		classes string // that it can have
	}{
		{nil, "U"},
		{party("BE", nil), "T0"},
		{party("JP", nil), "T2"},
		{party("IN", nil), "T5"},
		{party("IN", tool("A46-2-b", "bcr-1")), "T3"},
		{party("IN", tool("A46-2-b", "")), "T5"},
		{party("IN", tool("A46-2-c", "scc-1")), "T3 T5"}, // the clauses it was signed under are not shown
		{party("IN", tool("A49-1-a", "")), "T4"},
		{party("US", nil), "T5"},
		{party("US", func(p *events.Party) { p.DPF = &events.DPF{Listed: true} }), "T2"},
		{party("US", func(p *events.Party) { p.DPF = &events.DPF{Listed: true, Until: "2026-03-01"} }), "T5"},
		{party("US", func(p *events.Party) { p.DPF = &events.DPF{} }), "T5"},
		{party("BE", func(p *events.Party) { p.InternationalOrganisation = true }), "T5"},
	} {
		for _, class := range strings.Fields("T0 T1 T2 T3 T4 T5 U") {
			sent := shared(t, 0)
			st := storedOf(sent)
			st.Facts.Party, st.Facts.Class, st.Facts.Region, st.Facts.Outside = c.party, class, "", nil
			switch {
			case c.party == nil:
				st.Facts.Region = "ZZ"
			case c.party.Country != "BE":
				st.Facts.Region, st.Facts.Outside = c.party.Country, []string{c.party.Country}
			}
			if class == "T0" {
				st.Facts.Region = "" // of one inside there is none
			}
			err := compared(t, proven(t, st, nil), sent)
			if can := slices.Contains(strings.Fields(c.classes), class); can != (err == nil) {
				t.Errorf("%s of %+v: %v", class, c.party, err)
			}
		}
	}
}
