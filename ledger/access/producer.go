package access

import (
	"slices"
	"strconv"

	"github.com/imalink/custody/events"
)

// A Producer is a source of events: the one named "/" and Name.
type Producer struct {
	Name     string   // 1 to 32 of [a-z0-9-]
	Families []string // what it may send, such as "data"; at least one
	Except   []string // kinds of those families that it may not, such as "data.deleted"
}

// reserved are the names that no producer can have: that of the ledger's own
// events, and those under which refusals and metrics count all who are none.
func reserved() []string { return []string{"custody", "unregistered", "other"} }

func (p Producer) clone() Producer {
	return Producer{p.Name, slices.Clone(p.Families), slices.Clone(p.Except)}
}

func (p Producer) equal(q Producer) bool {
	return p.Name == q.Name && slices.Equal(p.Families, q.Families) && slices.Equal(p.Except, q.Except)
}

// normal returns p with its lists in the catalogue's order, or says which field
// is not as it should be.
func (p Producer) normal() (Producer, *events.Error) {
	if !validName(p.Name) {
		return Producer{}, &events.Error{Path: "/name", Type: events.BadFormat, Detail: "must be 1 to 32 of a-z, 0-9 and -, not beginning with -"}
	}
	if slices.Contains(reserved(), p.Name) {
		return Producer{}, &events.Error{Path: "/name", Type: events.NotInVocabulary, Detail: "is the ledger's own"}
	}
	if len(p.Families) == 0 {
		return Producer{}, &events.Error{Path: "/families", Type: events.MissingField, Detail: "at least one family is required"}
	}
	families, i := inOrder(p.Families, families())
	if i >= 0 {
		return Producer{}, &events.Error{Path: index("/families", i), Type: events.NotInVocabulary, Detail: "is not a family of events, or is there twice"}
	}
	except, i := inOrder(p.Except, kindsOf(families))
	if i >= 0 {
		return Producer{}, &events.Error{Path: index("/except", i), Type: events.NotInVocabulary, Detail: "is not a kind of the families given, or is there twice"}
	}
	return Producer{p.Name, families, except}, nil
}

// index is the JSON pointer to element i of the list at path.
func index(path string, i int) string { return path + "/" + strconv.Itoa(i) }

// inOrder returns the members of list in the order of all, nil if there are
// none. It returns the index of the first that is not in all or comes twice, or -1.
func inOrder(list, all []string) ([]string, int) {
	for i, s := range list {
		if !slices.Contains(all, s) || slices.Contains(list[:i], s) {
			return nil, i
		}
	}
	var sorted []string
	for _, s := range all {
		if slices.Contains(list, s) {
			sorted = append(sorted, s)
		}
	}
	return sorted, -1
}

// families returns the families of the catalogue, in its order.
func families() []string {
	var list []string
	for k := range sendable {
		if f := k.Family(); !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

// sendable yields the kinds that a producer may be added for.
func sendable(yield func(events.Kind) bool) {
	for _, k := range events.Kinds() {
		if !k.ByLedger() && !yield(k) {
			return
		}
	}
}

// kindsOf returns the names of the kinds of families, in the catalogue's order.
func kindsOf(families []string) []string {
	var list []string
	for k := range sendable {
		if slices.Contains(families, k.Family()) {
			list = append(list, k.Name())
		}
	}
	return list
}

// kindSet has a bit for each kind.
type kindSet [4]uint64

func (s *kindSet) has(k events.Kind) bool { return s[k>>6]>>(k&63)&1 != 0 }

// kinds returns what p may send.
func (p Producer) kinds() kindSet {
	var set kindSet
	for k := range sendable {
		if slices.Contains(p.Families, k.Family()) && !slices.Contains(p.Except, k.Name()) {
			set[k>>6] |= 1 << (k & 63)
		}
	}
	return set
}
