package ledger

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// secretsSound holds an event's tags and seal against the vault: every tag is
// somebody's, the seal opens for the people it names, and the keyed tags in
// clear are those of the references inside it. Tags that are nobody's, and seals
// whose keys are gone, are counted: erasure and retention leave them behind.
func (c *checker) secretsSound(position uint64, st *events.Stored) {
	if c.resolver == nil {
		return
	}
	if st.Facts.Forgotten {
		if c.resolver.Live(cellOf(st.Event, vault.Subject)) && c.resolver.Live(cellOf(st.Event, vault.Actor)) {
			c.report.find("vault", position, "it says that its keys' month was forgotten, and the vault has them")
		}
		return
	}
	people, unresolved := c.people(st.Event)
	c.unresolved += unresolved
	if st.Sealed == nil {
		return
	}
	subject := cellOf(st.Event, vault.Subject)
	plain, err := c.resolver.Open(subject, st.Salt, people, st.Sealed)
	switch {
	case err != nil && (unresolved > 0 || !c.resolver.Live(subject)):
		c.closed++
	case err != nil:
		c.report.find("vault", position, "its seal: %v", err)
	default:
		if err := c.sealAgrees(st, plain); err != nil {
			c.report.find("events", position, "%v", err)
		}
	}
}

// people resolves an event's subjects, and counts the tags that are nobody's.
func (c *checker) people(e *events.Event) (subjects []vault.Person, unresolved int) {
	e.Rewrite(func(_ string, s events.Secrecy, v events.Value) events.Value {
		if s != events.Subject && s != events.Actor {
			return v
		}
		role := vault.Actor
		if s == events.Subject {
			role = vault.Subject
		}
		var tag vault.Tag
		hex.Decode(tag[:], []byte(v.Text())) // the codec allows 32 digits only
		person, ok := c.resolver.Who(cellOf(e, role), tag)
		if !ok {
			unresolved++
		}
		if s == events.Subject {
			subjects = append(subjects, person)
		}
		return v
	})
	return subjects, unresolved
}

// sealAgrees holds what is inside a seal against what stands in clear beside it.
func (c *checker) sealAgrees(st *events.Stored, plain []byte) error {
	var inside map[string]json.RawMessage
	if err := json.Unmarshal(plain, &inside); err != nil {
		return errors.New("its seal does not hold fields") // the cause may quote them
	}
	if (inside["/data/special"] != nil) != st.Facts.Special || (inside["/data/a9"] != nil) != st.Facts.A9 {
		return errors.New("what it says of special categories in clear is not what its seal holds")
	}
	var failure error
	e := st.Event
	e.Rewrite(func(ptr string, s events.Secrecy, v events.Value) events.Value {
		if s != events.Joinable {
			return v
		}
		role := vault.Subject
		if ptr == sessionPointer {
			role = vault.Actor
		}
		var value string
		if err := json.Unmarshal(inside[ptr], &value); err != nil {
			failure = fmt.Errorf("its seal lacks what stands tagged at %s", ptr)
			return v
		}
		if tag, live := c.resolver.RefOf(cellOf(e, role), vault.Identifier(value)); live && tag.String() != v.Text() {
			failure = fmt.Errorf("its tag at %s is not that of what its seal holds", ptr)
		}
		return v
	})
	return failure
}
