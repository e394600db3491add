package ask

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections/search"
)

// Me is the handle by which somebody with a token of role subject asks about the
// own record.
const Me = "me"

// Found is somebody found by identifier, with the first page of what was asked
// to be shown.
type Found struct {
	Handle      string      `json:"handle" doc:"stands for them in URLs: an hour long, for this token only"`
	Identifiers int         `json:"identifiers,omitempty" doc:"identifiers that are linked as one person's, this one included"`
	Restricted  *Restricted `json:"restricted,omitempty" doc:"of a person: processing is restricted"`
	*Page
	Reads   *Reads   `json:"reads,omitempty"`
	Shares  *Shares  `json:"recipients,omitempty"`
	Summary *Summary `json:"summary,omitempty"`
}

// Lookup finds a person, an actor or a session by identifier and, if show says
// so, answers with the first page of a list at once. Then the list is what is
// recorded, else the look-up. The error is [ErrNotKnown] or an [*Ambiguous] if it
// is nobody in particular: that was recorded, without the identifier.
func (d *Desk) Lookup(ctx context.Context, a Asker, w What, identifier, show string, q Question) (Found, error) {
	if err := q.show(w, show); err != nil {
		return Found{}, err
	}
	id, rows, err := d.find(ctx, a, w, vault.Identifier(identifier), q)
	if err != nil {
		return Found{}, err
	}
	found := Found{Identifiers: rows}
	if found.Handle, err = d.handle(a, w, id); err != nil {
		return Found{}, err
	}
	q.About = []About{{What: w, ID: opaqueID{id}}}
	if show != "" {
		q.Name = string(w) + "." + show
	}
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Found{}, err
	}
	if w == Person {
		if found.Restricted, err = s.restricted(ctx); err != nil {
			return Found{}, err
		}
	}
	switch show {
	case "":
		return given(ctx, s, found, 0, false)
	case "reads":
		found.Reads, err = there(s.reads(ctx))
	case "recipients":
		found.Shares, err = there(s.recipients(ctx))
	case "summary":
		found.Summary, err = there(s.summary(ctx))
	default:
		found.Page, err = there(s.list(ctx))
	}
	if err != nil {
		return Found{}, err
	}
	return found, nil
}

// show narrows a question about somebody to what is shown of them, or of a session.
func (q *Question) show(w What, show string) error {
	switch {
	case show == "", w == Session && (show == "events" || show == "summary"), w == Person && show == "recipients":
		return nil
	case w == Session:
		return fmt.Errorf("%w: show is events or summary", ErrQuestion)
	case show == "accesses":
		return q.only(accesses())
	case show == "disclosures":
		return q.only(disclosures())
	case show == "timeline":
		return q.only(ofProducers())
	case w == Person && show == "reads":
		return q.only(readings())
	}
	return fmt.Errorf("%w: show is accesses, disclosures or timeline, of a person also reads or recipients", ErrQuestion)
}

// there is a part of an answer, nil after an error.
func there[T any](v T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// find is known for a question. That nobody has the identifier, or that several
// may be meant, is an answer: it is recorded, and that much of it only.
func (d *Desk) find(ctx context.Context, a Asker, w What, named vault.Identifier, q Question) (id vault.Identifier, rows int, err error) {
	q.About, q.Cursor = nil, ""
	s, err := d.begin(ctx, a, q) // nobody learns by a question that makes no sense who is known
	if err != nil {
		return "", 0, err
	}
	id, rows, err = d.known(w, named)
	if errors.Is(err, ErrNotKnown) {
		err = s.nobody(ctx)
	}
	if _, several := errors.AsType[*Ambiguous](err); several {
		if refused := s.recorded(ctx, 0, false); refused != nil {
			return "", 0, refused
		}
	}
	return id, rows, err
}

// known finds who has an identifier, and how many identifiers are linked with
// it. A session is whatever it is called: there is nobody to find.
func (d *Desk) known(w What, id vault.Identifier) (_ vault.Identifier, rows int, err error) {
	if w == Session {
		return id, 0, nil
	}
	_, linked, err := d.vault.People(id)
	if errors.Is(err, vault.ErrLimit) {
		return "", 0, fmt.Errorf("%w: an identifier has 1 to %d bytes", ErrQuestion, vault.MaxIdentifier)
	}
	if err != nil || len(linked) > 0 {
		return id, len(linked), err
	}
	candidates, err := d.vault.Candidates(id)
	switch {
	case err != nil:
		return "", 0, fmt.Errorf("looking for candidates: %w", err)
	case len(candidates) == 0:
		return "", 0, ErrNotKnown
	case len(candidates) > 1:
		typed := make([]string, len(candidates))
		for i, c := range candidates {
			typed[i] = c.Reveal()
		}
		return "", 0, &Ambiguous{typed}
	}
	_, linked, err = d.vault.People(candidates[0])
	return candidates[0], len(linked), err
}

// Person lists what concerns a data subject: accesses, disclosures, timeline.
func (d *Desk) Person(ctx context.Context, a Asker, handle, show string, q Question) (Page, error) {
	s, err := d.people(ctx, a, Person, handle, show, q)
	if err != nil {
		return Page{}, err
	}
	now, err := s.restricted(ctx)
	if err != nil {
		return Page{}, err
	}
	page, err := s.list(ctx)
	if err != nil {
		return Page{}, err
	}
	page.Restricted = now
	return page, nil
}

// Actor lists what somebody did: accesses, timeline.
func (d *Desk) Actor(ctx context.Context, a Asker, handle, show string, q Question) (Page, error) {
	s, err := d.people(ctx, a, Acting, handle, show, q)
	if err != nil {
		return Page{}, err
	}
	return s.list(ctx)
}

// Session lists what was done in a session.
func (d *Desk) Session(ctx context.Context, a Asker, handle string, q Question) (Page, error) {
	if err := d.about(a, Session, handle, &q); err != nil {
		return Page{}, err
	}
	return d.events(ctx, a, q)
}

// people narrows a question to what is listed of somebody, and begins it.
func (d *Desk) people(ctx context.Context, a Asker, w What, handle, show string, q Question) (*sitting, error) {
	if err := d.about(a, w, handle, &q); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"accesses", "disclosures", "timeline"}, show) {
		return nil, fmt.Errorf("%w: show is accesses, disclosures or timeline", ErrQuestion)
	}
	if err := q.show(w, show); err != nil {
		return nil, err
	}
	return d.begin(ctx, a, q)
}

// ofProducers are the kinds that producers send; the others are the ledger's own.
func ofProducers() []events.Kind { return slices.DeleteFunc(events.Kinds(), events.Kind.ByLedger) }

// readings are the kinds that say who asked this ledger.
func readings() []events.Kind {
	return []events.Kind{events.LedgerQueried, events.LedgerIdentityRevealed}
}

// accesses are the kinds in which somebody had a person's data in hand.
func accesses() []events.Kind {
	return []events.Kind{events.DataAccessed, events.DataUsed, events.DataAltered, events.DataExported}
}

// disclosures are the kinds in which data were made available to a recipient
// (GDPR Art. 4(9)).
func disclosures() []events.Kind {
	return []events.Kind{events.DataShared, events.DataTransferred, events.DataHosted}
}

// only narrows the question to some kinds, on top of those it names itself.
func (q *Question) only(kinds []events.Kind) error {
	names := make([]string, 0, len(kinds))
	asked := q.Any[search.Kind]
	for _, k := range kinds {
		if len(asked) == 0 || slices.Contains(asked, k.Name()) {
			names = append(names, k.Name())
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%w: kind names none of what is shown", ErrQuestion)
	}
	q.Any = maps.Clone(q.Any)
	if q.Any == nil {
		q.Any = map[search.Facet][]string{}
	}
	q.Any[search.Kind] = names
	return nil
}

// about opens a handle, or finds who asks about the own record.
func (d *Desk) about(a Asker, w What, text string, q *Question) error {
	if a.Role == access.RoleSubject || text == Me {
		row, ok := vault.ParsePersonID(a.Person)
		if w != Person || text != Me || !ok {
			return ErrBox
		}
		id, err := d.vault.IdentifierOf(row)
		if errors.Is(err, vault.ErrGone) {
			return ErrNotKnown
		}
		if err != nil {
			return fmt.Errorf("finding who asks: %w", err)
		}
		q.About, q.own = []About{{What: w, ID: opaqueID{id}}}, true
		return nil
	}
	id, err := d.whose(a, w, text)
	if err != nil {
		return err
	}
	q.About = []About{{What: w, ID: opaqueID{id}}}
	return nil
}
