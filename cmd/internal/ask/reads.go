package ask

import (
	"context"

	"github.com/imalink/custody/events"
)

// Reads is who asked this ledger about somebody.
type Reads struct {
	AsOf   AsOf   `json:"as_of"`
	Window Window `json:"window"`
	Total  uint64 `json:"total"`
	Items  []Read `json:"items" nullable:"false"`
	Next   string `json:"next,omitempty" doc:"cursor of the next page, absent on the last"`

	Restricted *Restricted `json:"restricted,omitempty" doc:"processing of the person's data is restricted"`
}

// A Read is one question that was asked.
type Read struct {
	Position uint64   `json:"position"`
	Source   string   `json:"source"`
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`
	Time     Instant  `json:"time" format:"date-time"`
	Role     string   `json:"role" doc:"of the token that asked"`
	Token    string   `json:"token,omitempty" doc:"its name; not in a person's own record, which names no employee"`
	Query    string   `json:"query" doc:"what was asked, such as person.accesses; empty where identifiers were shown"`
	Reason   string   `json:"reason_code,omitempty" doc:"why identifiers were shown"`
	Approved string   `json:"approved_by,omitempty" doc:"the name of the token that approved it"`
	Case     string   `json:"case,omitempty"`
	Filters  []string `json:"filters,omitempty" doc:"what it was restricted by; not to which values"`
	Persons  int64    `json:"persons" doc:"people in the answer, or data subjects whose identifiers were shown"`
	AsOf     uint64   `json:"as_of" doc:"the position up to which the answer was complete; 0 where identifiers were shown"`
}

// Reads lists who asked about a person.
func (d *Desk) Reads(ctx context.Context, a Asker, handle string, q Question) (Reads, error) {
	if err := d.about(a, Person, handle, &q); err != nil {
		return Reads{}, err
	}
	if err := q.show(Person, "reads"); err != nil {
		return Reads{}, err
	}
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Reads{}, err
	}
	now, err := s.restricted(ctx)
	if err != nil {
		return Reads{}, err
	}
	out, err := s.reads(ctx)
	if err != nil {
		return Reads{}, err
	}
	out.Restricted = now
	return out, nil
}

func (s *sitting) reads(ctx context.Context) (Reads, error) {
	positions, more, err := s.paged(ctx)
	if err != nil {
		return Reads{}, err
	}
	out := Reads{AsOf: s.asOf, Window: s.window(), Total: s.total, Items: make([]Read, len(positions))}
	for i, position := range positions {
		st, err := s.stored(ctx, position)
		if err != nil {
			return Reads{}, err
		}
		out.Items[i] = readOf(position, st)
		if s.q.own { // employees are not to be named to data subjects: CJEU, C-579/21, 22 June 2023
			out.Items[i].Token, out.Items[i].Approved = "", ""
		}
	}
	if more {
		if out.Next, err = s.next(positions[len(positions)-1]); err != nil {
			return Reads{}, err
		}
	}
	return given(ctx, s, out, 1, false)
}

func readOf(position uint64, st *events.Stored) Read {
	e := st.Event
	text := func(name string) string { return e.Data.Get(name).Text() }
	r := Read{
		Position: position, Source: e.Source, ID: e.ID, Kind: e.Kind.Name(), Time: Instant{e.At},
		Role: text("role"), Token: text("token"), Query: text("query"), Case: text("case"), Filters: e.Data.Get("filter").Texts(),
		Reason: text("reason_code"), Approved: text("approved_by"), Persons: e.Data.Get("persons").Int(), AsOf: uint64(e.Data.Get("as_of").Int()),
	}
	if e.Kind == events.LedgerIdentityRevealed {
		r.Persons = int64(len(e.Data.Get("subjects").List()))
	}
	return r
}
