package ask

import (
	"context"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// An Erasure is one that was opened. It names nobody.
type Erasure struct {
	Position    uint64        `json:"position" doc:"of the event that opened it: the erasure's number"`
	Opened      Instant       `json:"opened" format:"date-time"`
	Due         Instant       `json:"due" format:"date-time" doc:"when keys are destroyed at the latest"`
	State       string        `json:"state" enum:"open,cancelled,shredded"`
	Reason      string        `json:"reason_code"`
	Request     string        `json:"request,omitempty"`
	Role        string        `json:"role" doc:"of the token that opened it"`
	Token       string        `json:"token" doc:"its name"`
	Approved    string        `json:"approved_by,omitempty" doc:"the name of the token that approved"`
	AsActor     bool          `json:"actor_too,omitempty" doc:"what the person did as an actor goes as well"`
	Ground      string        `json:"ground,omitempty" doc:"why that may go"`
	Keep        []Staying     `json:"keep,omitempty" doc:"what stays, and on which ground"`
	Identifiers int           `json:"identifiers" doc:"how many it is about"`
	Ended       *ErasureEnded `json:"ended,omitempty"`
}

// ErasureEnded is the event that ended an erasure.
type ErasureEnded struct {
	Position uint64  `json:"position"`
	Time     Instant `json:"time" format:"date-time"`
	Root     uint64  `json:"root,omitempty" doc:"version of the root key in force since keys were destroyed"`
}

// ErasureList is a page of the erasures that were opened.
type ErasureList struct {
	AsOf   AsOf      `json:"as_of"`
	Window Window    `json:"window"`
	Total  uint64    `json:"total" doc:"erasures in the whole answer"`
	Items  []Erasure `json:"items" nullable:"false"`
	Next   string    `json:"next,omitempty" doc:"cursor of the next page, absent on the last"`
}

// Erasures lists the erasures that were opened.
func (d *Desk) Erasures(ctx context.Context, a Asker, q Question) (ErasureList, error) {
	if err := q.only([]events.Kind{events.LedgerErasureOpened}); err != nil {
		return ErasureList{}, err
	}
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return ErasureList{}, err
	}
	positions, more, err := s.paged(ctx)
	if err != nil {
		return ErasureList{}, err
	}
	out := ErasureList{AsOf: s.asOf, Window: s.window(), Total: s.total, Items: make([]Erasure, len(positions))}
	for i, position := range positions {
		o, err := s.opening(ctx, position)
		if err != nil {
			return ErasureList{}, err
		}
		if out.Items[i], err = s.erasure(ctx, &o); err != nil {
			return ErasureList{}, err
		}
	}
	if more {
		if out.Next, err = s.next(positions[len(positions)-1]); err != nil {
			return ErasureList{}, err
		}
	}
	return given(ctx, s, out, 0, false)
}

// erasure is what a list shows of one.
func (s *sitting) erasure(ctx context.Context, o *opening) (Erasure, error) {
	e := Erasure{Position: o.position, Opened: Instant{o.at}, Due: Instant{o.due}, State: erasureOpen, Reason: o.reason, Request: o.request,
		Role: o.who.Role, Token: o.who.Token, Approved: o.who.Approved, AsActor: o.actor, Ground: o.ground, Identifiers: len(o.people.Subjects)}
	for _, k := range o.keep {
		e.Keep = append(e.Keep, Staying{vault.Subject.String(), k.Class.String(), k.Ground})
	}
	end, ended, err := s.ended(ctx, o.position)
	if ended {
		e.State, e.Ended = end.state, &ErasureEnded{end.position, Instant{end.at}, end.root}
	}
	return e, err
}

// ErasureDetail is one erasure, and while it is open what must happen before keys
// are destroyed. It names nobody.
type ErasureDetail struct {
	AsOf AsOf `json:"as_of"`
	Erasure
	Pursuit *Pursuit `json:"pursuit,omitempty" doc:"while it is open"`
}

// Erasure shows one, by the position of its opening. The error wraps
// ledger.ErrNoEvent if none was opened there. While it is open it is a question
// about the person, and recorded as one; a token with a window gets [ErrBox].
func (d *Desk) Erasure(ctx context.Context, a Asker, position uint64, forCase string) (ErasureDetail, error) {
	s, err := d.begin(ctx, a, Question{Name: "erasure", Case: forCase})
	if err != nil {
		return ErasureDetail{}, err
	}
	o, out, err := s.detail(ctx, position)
	if err != nil {
		return ErasureDetail{}, err
	}
	if out.State != erasureOpen {
		return given(ctx, s, out, 0, false)
	}
	if a.windowed() {
		return ErasureDetail{}, ErrBox
	}
	pursuit, about, err := s.pursue(ctx, &o)
	if err != nil {
		return ErasureDetail{}, err
	}
	out.Pursuit = &pursuit
	for _, id := range about {
		s.q.About = append(s.q.About, About{What: Person, ID: opaqueID{id}})
	}
	return given(ctx, s, out, len(about), false)
}
