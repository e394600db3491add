package ask

import (
	"cmp"
	"maps"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections/search"
)

// A Tie is one event by which an identifier is linked with others of the person.
type Tie struct {
	With     []Disclosed `json:"with" nullable:"false"`
	Position uint64      `json:"position"`
	Time     Instant     `json:"time" format:"date-time"`
	Source   string      `json:"source"`
	By       Linker      `json:"by"`
}

// A Linker is who linked identifiers.
type Linker struct {
	ID   Disclosed `json:"id,omitempty" doc:"absent if the tag is nobody's any more"`
	Role string    `json:"role,omitempty"`
	Kind string    `json:"kind,omitempty"`
}

// pair is two identifiers of a kin, by their numbers, the lower first.
type pair struct{ a, b int }

// ties gives, for each identifier of a person, the events that link it with
// others, and the identifiers of who recorded them. What was unlinked since is
// left out; so is what was said before events of their class were forgotten.
func (s *sitting) ties(k *kin, listed []uint64) (ties [][]Tie, linkers []vault.Identifier, err error) {
	linking := map[uint64]shown{}
	by := map[pair]uint64{} // position of the event that links two
	actors := newCrowd(s.vault)
	err = s.search(func(r *search.Reader) error {
		f := s.among(listed, events.SubjectIdentifiersLinked, events.SubjectIdentifiersUnlinked)
		for position, err := range r.Walk(f) {
			if err != nil {
				return err
			}
			e, err := show(r, position)
			if err != nil {
				return err
			}
			linking[position] = e
			actors.add(e.people.ActorCell, e.people.Actor)
			k.link(by, &e)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if err := actors.resolve(); err != nil {
		return nil, nil, err
	}
	t := tying{k, newNaming(actors), linking, make([][]Tie, len(k.ids)), map[vault.Identifier]bool{}}
	if err := t.all(by); err != nil {
		return nil, nil, err
	}
	return t.ties, slices.Sorted(maps.Keys(t.linkers)), nil
}

// link takes in what an event says of every two identifiers of a person. Linking
// what is linked says nothing new, as for the vault.
func (k *kin) link(by map[pair]uint64, e *shown) {
	var of []int
	for _, tag := range e.people.Subjects {
		if i, own := k.tags[vault.Subject][e.people.SubjectCell][tag]; own {
			of = append(of, i)
		}
	}
	for i, one := range of {
		for _, other := range of[i+1:] {
			p := pair{min(one, other), max(one, other)}
			switch _, linked := by[p]; {
			case e.Kind == events.SubjectIdentifiersUnlinked:
				delete(by, p)
			case !linked:
				by[p] = e.Position
			}
		}
	}
}

// A tying gathers ties.
type tying struct {
	*kin
	naming  *naming
	events  map[uint64]shown
	ties    [][]Tie
	linkers map[vault.Identifier]bool
}

func (t *tying) all(by map[pair]uint64) error {
	with := make([]map[uint64][]int, len(t.ids)) // identifiers that an event links each with
	for p, position := range by {
		for _, one := range []pair{p, {p.b, p.a}} {
			if with[one.a] == nil {
				with[one.a] = map[uint64][]int{}
			}
			with[one.a][position] = append(with[one.a][position], one.b)
		}
	}
	for i := range t.ids {
		t.ties[i] = []Tie{}
		for position, others := range with[i] {
			tie, err := t.tie(position, others)
			if err != nil {
				return err
			}
			t.ties[i] = append(t.ties[i], tie)
		}
		slices.SortFunc(t.ties[i], func(a, b Tie) int { return cmp.Compare(a.Position, b.Position) })
	}
	return nil
}

func (t *tying) tie(position uint64, others []int) (Tie, error) {
	e := t.events[position]
	tie := Tie{Position: position, Time: Instant{e.Time}, Source: e.Source, By: Linker{Role: e.Get(search.ActorRole), Kind: e.Get(search.ActorKind)}}
	slices.Sort(others)
	for _, i := range others {
		tie.With = append(tie.With, disclosed(t.ids[i]))
	}
	id, known, err := t.naming.identifier(e.people.ActorCell, e.people.Actor)
	if known {
		tie.By.ID = disclosed(id)
		t.linkers[id] = true
	}
	return tie, err
}
