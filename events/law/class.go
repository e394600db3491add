package law

// Class says what an event is under Chapter V of the GDPR, as EDPB Guidelines 05/2021 read it.
// Its text is stored; the numbers are not and may change.
type Class uint8

// The classes. An event that moves no data to anyone has none.
const (
	None Class = iota
	T0         // importer, storage and access all inside the EEA, and no international organisation
	T1         // own staff work from outside: processing outside, no transfer
	T1f        // a contractor established inside works from outside: likewise
	T2         // transfer under an adequacy decision whose condition is shown
	T3         // transfer with appropriate safeguards, Art. 46
	T4         // transfer under a derogation, Art. 49
	T5         // transfer without a ground
	U          // a fact that decides is missing
)

// String returns the class as stored, such as "T1f"; "" for [None].
func (c Class) String() string {
	switch c {
	case T0:
		return "T0"
	case T1:
		return "T1"
	case T1f:
		return "T1f"
	case T2:
		return "T2"
	case T3:
		return "T3"
	case T4:
		return "T4"
	case T5:
		return "T5"
	case U:
		return "U"
	}
	return ""
}

// Classes lists the classes that an event can have.
func Classes() []Class { return []Class{T0, T1, T1f, T2, T3, T4, T5, U} }

// ParseClass is the inverse of [Class.String].
func ParseClass(text string) (Class, bool) {
	for c := None; c <= U; c++ {
		if c.String() == text {
			return c, true
		}
	}
	return None, false
}

// gravity orders the classes of one event with two importers: a transfer known to have no ground
// outweighs a missing fact, and a missing fact outweighs everything that is in order.
func (c Class) gravity() int {
	switch c {
	case T5:
		return int(U)
	case U:
		return int(T5)
	}
	return int(c)
}
