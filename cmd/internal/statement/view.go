package statement

import (
	"cmp"
	"html/template"
	"slices"
	"strings"
)

// Langs are the languages, for the switch; Called is what one calls itself, and
// Title the title in one.
func (p page) Langs() []Lang              { return Langs() }
func (p page) Called(lang Lang) string    { return p.in(lang, "lang") }
func (p page) Title(lang Lang) string     { return p.in(lang, "title") + " · " + p.Ledger.Name }
func (p page) List(items []Item) itemList { return itemList{items} }

// An itemList is a table of events.
type itemList struct{ Items []Item }

// Claim is the outcome in one sentence: what is recorded, and what cannot be said.
func (p page) Claim() template.HTML {
	r := &p.Result
	parts := clauses{word("claim.none")}
	if r.Transfers > 0 {
		parts[0] = counted{"claim.transfers", r.Transfers}
	}
	if r.Unknown > 0 {
		parts = append(parts, counted{"claim.unknown", r.Unknown})
	}
	if r.Unmapped > 0 {
		parts = append(parts, counted{"claim.unmapped", r.Unmapped})
	}
	return p.say("claim", parts)
}

// Proven and Asserted are the marks of what the proofs show and what they do not.
func (p page) Proven() template.HTML   { return p.mark(Proven) }
func (p page) Asserted() template.HTML { return p.mark(Asserted) }

func (p page) mark(how string) template.HTML {
	return `<b class="mark ` + template.HTML(how) + `">` + p.say("mark."+how) + `</b>`
}

// Mark is that of a row of the table of classes.
func (p page) Mark(c Class) template.HTML { return p.mark(c.Shown) }

// Examined is how many events have a class, Persons how many data subjects they
// list, and Late how many of them were recorded late.
func (p page) Examined() (n uint64) { return p.sum(func(c Class) uint64 { return c.Events }) }
func (p page) Persons() (n uint64)  { return p.sum(func(c Class) uint64 { return c.Persons }) }
func (p page) Late() (n uint64)     { return p.sum(func(c Class) uint64 { return c.Late }) }

func (p page) sum(of func(Class) uint64) (n uint64) {
	for _, c := range p.Classes {
		if c.Shown == Proven {
			n += of(c)
		}
	}
	return n
}

// Why is the text of a reason.
func (p page) Why(why string) template.HTML {
	if why == WhyStale {
		return p.say("why."+why, p.Covers.Months)
	}
	return p.say("why." + why)
}

// As is what a party is in an event: the recipient's role, or the kind of whoever
// acted. A statement that was decoded can have another word, which stands as it is.
func (p page) As(role string) template.HTML {
	if _, known := p.all[0].table["as."+role]; !known {
		return template.HTML(template.HTMLEscapeString(role))
	}
	return p.say("as." + role)
}

// Flow is what went to one party in one way.
type Flow struct {
	Party, Role, Class, Missing string
	Outside                     []string
	IO                          bool
	Events, Persons             uint64
	First, Last                 Day
}

// Flows sums the transfers and unknowns up by party, the gravest first.
func (p page) Flows() (flows []Flow) {
	sums := map[string]int{}
	for _, it := range p.Transfers {
		key := strings.Join([]string{it.Party, it.Role, it.Class, it.Missing, strings.Join(it.Outside, ",")}, " ")
		i, ok := sums[key]
		if !ok {
			i = len(flows)
			sums[key] = i
			flows = append(flows, Flow{Party: it.Party, Role: it.Role, Class: it.Class, Missing: it.Missing, Outside: it.Outside, IO: it.IO, First: it.Day, Last: it.Day})
		}
		f := &flows[i]
		f.Events, f.Persons = f.Events+1, f.Persons+it.Persons
		f.First, f.Last = min(f.First, it.Day), max(f.Last, it.Day)
	}
	grave := []string{"T5", "U", "T4", "T3", "T2"}
	slices.SortStableFunc(flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(slices.Index(grave, a.Class), slices.Index(grave, b.Class)), strings.Compare(a.Party, b.Party))
	})
	return flows
}

// Beats is on how many of the days a system was to send a heartbeat it did.
func (row System) Beats() uint64 { return row.Expected - count(row.Without) }

// Sums are all events of a system, and those examined.
func (row System) Sums() (sums SystemDay) {
	for _, d := range row.Days {
		sums.Events, sums.Examined = sums.Events+d.Events, sums.Examined+d.Examined
	}
	return sums
}

// One reports whether the days are one day.
func (d Days) One() bool { return d.From == d.To }

// Found is what a control counted, as one line.
func (p page) Found(c Control) template.HTML {
	var lines []string
	for _, f := range c.Findings {
		switch {
		case slices.Contains(Plain(), f.What):
			lines = append(lines, string(p.say("found."+f.What))+": "+number(f.Count))
		case f.Count > 0:
			lines = append(lines, string(p.Why(f.What))+": "+number(f.Count))
		}
	}
	return template.HTML(strings.Join(lines, "<br>"))
}

// OrOpen is a day of an attestation, or that it is not said.
func (a Attestation) OrOpen(d Day) any {
	if d == "" {
		return word("attested.open")
	}
	return d
}

// Mapped is how many an attestation leaves unmapped, or that it is not said.
func (a Attestation) Mapped() any {
	if a.Unmapped == nil {
		return word("attested.open")
	}
	return *a.Unmapped
}
