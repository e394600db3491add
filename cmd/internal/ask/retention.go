package ask

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/search"
)

// RetentionPlan is what it would mean to end how long a class of events is kept.
// It names nobody.
type RetentionPlan struct {
	AsOf     AsOf           `json:"as_of"`
	Class    string         `json:"class"`
	Before   string         `json:"before" doc:"the first month that stays"`
	Events   uint64         `json:"events" doc:"whose people can no longer be resolved afterwards, and whose sealed fields no longer be opened"`
	Months   []MonthForgets `json:"months" nullable:"false" doc:"cells that are destroyed"`
	Held     int            `json:"held" doc:"people whom a legal hold names: their keys stay"`
	Holds    []Hold         `json:"holds" nullable:"false" doc:"legal holds in force"`
	Blocking []Blocking     `json:"blocking" nullable:"false" doc:"what is in the way"`

	Rows []vault.PersonID `json:"-"` // whose keys stay
}

// Cells is how many are destroyed.
func (p *RetentionPlan) Cells() (n int) {
	for _, m := range p.Months {
		n += m.Cells
	}
	return n
}

// MonthForgets is the cells of one month that are destroyed.
type MonthForgets struct {
	Month string `json:"month"`
	Cells int    `json:"cells" doc:"one for each role: subject, actor"`
}

// Blocking is an event that is in the way of a retention.
type Blocking struct {
	Position uint64 `json:"position"`
	Why      string `json:"why" enum:"hold-of-everybody,hold-unclear,hold-forgotten,erasure-forgotten" doc:"a hold that names nobody, whom keys cannot be kept for; one of whose people somebody can no longer be known; one whose own event would be forgotten; an open erasure that would be"`
}

// Why something is in the way.
const (
	holdOfEverybody  = "hold-of-everybody"
	holdUnclear      = "hold-unclear"
	holdForgotten    = "hold-forgotten"
	erasureForgotten = "erasure-forgotten"
)

// Retention says what ending the retention of a class before a month would mean,
// as of now: it changes nothing.
func (d *Desk) Retention(ctx context.Context, a Asker, class events.Retention, before vault.Month, forCase string) (RetentionPlan, error) {
	s, err := d.begin(ctx, a, Question{Name: "retention.plan", Case: forCase})
	if err != nil {
		return RetentionPlan{}, err
	}
	p, err := s.retention(ctx, class, before)
	if err != nil {
		return RetentionPlan{}, err
	}
	return given(ctx, s, p, 0, false)
}

// RetentionDue is [Desk.Retention] for whoever carries out a schedule. It shows
// nobody to anybody, and is not recorded.
func (d *Desk) RetentionDue(ctx context.Context, class events.Retention, before vault.Month) (RetentionPlan, error) {
	s := &sitting{Desk: d}
	var err error
	if s.asOf, err = d.knownAt(ctx, ""); err != nil {
		return RetentionPlan{}, err
	}
	return s.retention(ctx, class, before)
}

func (s *sitting) retention(ctx context.Context, class events.Retention, before vault.Month) (RetentionPlan, error) {
	if !slices.Contains(classes(), class) {
		return RetentionPlan{}, fmt.Errorf("%w: there is no such class", ErrQuestion)
	}
	if err := s.waitForErasure(ctx); err != nil {
		return RetentionPlan{}, err
	}
	p := RetentionPlan{AsOf: s.asOf, Class: class.String(), Before: before.String(), Months: []MonthForgets{}, Holds: []Hold{}, Blocking: []Blocking{}}
	for _, cell := range s.vault.Cells() { // ascending by class, role, month
		if cell.Class == uint8(class) && cell.Month < before {
			p.forget(cell.Month.String())
		}
	}
	slices.SortFunc(p.Months, func(a, b MonthForgets) int { return strings.Compare(a.Month, b.Month) })
	if err := s.counted(&p, before); err != nil {
		return RetentionPlan{}, err
	}
	if err := s.heldBack(&p, class, before); err != nil {
		return RetentionPlan{}, err
	}
	return p, s.erasuresForgotten(ctx, &p, class, before)
}

// forget notes that a cell of a month is destroyed.
func (p *RetentionPlan) forget(month string) {
	for i := range p.Months {
		if p.Months[i].Month == month {
			p.Months[i].Cells++
			return
		}
	}
	p.Months = append(p.Months, MonthForgets{month, 1})
}

// counted counts the events whose cells are destroyed.
func (s *sitting) counted(p *RetentionPlan, before vault.Month) error {
	if len(p.Months) == 0 {
		return nil
	}
	return s.search(func(r *search.Reader) (err error) {
		f := search.Filter{Until: s.asOf.Position, To: firstOf(before), Any: map[search.Facet][]string{search.Retention: {p.Class}}}
		first, err := time.Parse("2006-01", p.Months[0].Month)
		if err != nil {
			return fmt.Errorf("the month of a cell: %w", err)
		}
		f.From = first
		p.Events, err = r.Count(f)
		return err
	})
}

// heldBack finds whose keys stay because of a hold, and which holds are in the way.
func (s *sitting) heldBack(p *RetentionPlan, class events.Retention, before vault.Month) error {
	all, people, err := s.held()
	if err != nil {
		return err
	}
	rows := map[vault.PersonID]bool{}
	for _, h := range all {
		p.Holds = append(p.Holds, h.Hold)
		switch {
		case !h.named:
			p.Blocking = append(p.Blocking, Blocking{h.Position, holdOfEverybody})
		case h.lost:
			p.Blocking = append(p.Blocking, Blocking{h.Position, holdUnclear})
		case class == HoldClass && vault.Month(h.cell.Month) < before:
			p.Blocking = append(p.Blocking, Blocking{h.Position, holdForgotten})
		}
		for _, tag := range h.people {
			if err := s.rowsOfTag(people, h.cell, tag, rows); err != nil {
				return err
			}
		}
	}
	for row := range rows {
		p.Rows = append(p.Rows, row)
	}
	known, _ := people.persons()
	p.Held = known
	return nil
}

// rowsOfTag adds the rows of the person who has a tag; none if nobody has it.
func (s *sitting) rowsOfTag(people *crowd, cell projections.Cell, tag projections.Tag, rows map[vault.PersonID]bool) error {
	who := people.who(cell, tag)
	if who.IsZero() {
		return nil
	}
	id, err := s.vault.IdentifierOf(who)
	if errors.Is(err, vault.ErrGone) {
		return nil // erased meanwhile
	}
	if err != nil {
		return fmt.Errorf("finding whom a hold names: %w", err)
	}
	all, _, err := s.vault.RowsOf(id)
	if err != nil {
		return fmt.Errorf("finding linked identifiers: %w", err)
	}
	for _, row := range all {
		rows[row] = true
	}
	return nil
}

// erasuresForgotten finds open erasures whose person is known by a tag that would
// be forgotten.
func (s *sitting) erasuresForgotten(ctx context.Context, p *RetentionPlan, class events.Retention, before vault.Month) error {
	if class != events.LedgerErasureOpened.Retention() {
		return nil
	}
	open, err := s.OpenErasures(ctx)
	if err != nil {
		return err
	}
	for _, e := range open {
		o, err := s.opening(ctx, e.Position)
		if err != nil {
			return err
		}
		if vault.Month(o.people.SubjectCell.Month) < before {
			p.Blocking = append(p.Blocking, Blocking{e.Position, erasureForgotten})
		}
	}
	return nil
}

// firstOf is the first instant of a month.
func firstOf(m vault.Month) time.Time {
	t, _ := time.Parse("2006-01", m.String()) // what String gives
	return t
}
