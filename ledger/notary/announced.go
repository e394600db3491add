package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// Announced are the keys that events of the ledger announced (docs/FORMAT.md, "Checkpoint").
type Announced struct {
	Cosigners []Cosigner   `json:"cosigners,omitempty"` // not retired, in the order of their announcement
	Retired   []RetiredKey `json:"retired,omitempty"`   // of the log, under whatever origin, in the order of that
	Ancestors []string     `json:"ancestors,omitempty"` // former origins
}

// Clone is a copy that shares nothing.
func (a Announced) Clone() Announced {
	return Announced{slices.Clone(a.Cosigners), slices.Clone(a.Retired), slices.Clone(a.Ancestors)}
}

// After is what is announced after an event of kind ledger.key-announced with these data. It changes nothing.
func (a Announced) After(d events.Object) Announced {
	if d.Get("state").Text() != "retired" || d.Get("what").Text() == "log" {
		return a.Ever(d)
	}
	key := d.Get("key").Text()
	a.Cosigners = slices.DeleteFunc(slices.Clone(a.Cosigners), func(c Cosigner) bool { return c.Key == key })
	return a
}

// Ever is After, but a cosigner that is retired stays: what it cosigned before does.
func (a Announced) Ever(d events.Object) Announced {
	role, key, retired := d.Get("what").Text(), d.Get("key").Text(), d.Get("state").Text() == "retired"
	if former := d.Get("ancestor").Text(); former != "" {
		a.Ancestors = append(a.Ancestors[:len(a.Ancestors):len(a.Ancestors)], former)
	}
	switch {
	case role == "log" && retired:
		a.Retired = slices.DeleteFunc(slices.Clone(a.Retired), func(k RetiredKey) bool { return k.Key == key })
		a.Retired = append(a.Retired, RetiredKey{Key: key, Upto: uint64(d.Get("upto").Int())})
	case (role == "witness" || role == "replay") && !retired:
		a.Cosigners = slices.DeleteFunc(slices.Clone(a.Cosigners), func(c Cosigner) bool { return c.Key == key })
		a.Cosigners = append(a.Cosigners, Cosigner{Role: role, Key: key, Operator: d.Get("operator").Text()})
	}
	return a
}

// A Cosigner is a witness or an auditor, as announced.
type Cosigner struct {
	Role     string `json:"role"`               // witness or replay
	Key      string `json:"key"`                // verifier key
	Operator string `json:"operator,omitempty"` // code of the party that keeps it; "" for the controller
}

// A RetiredKey is a key of the log that signs no more.
type RetiredKey struct {
	Key  string `json:"key"`            // verifier key
	Upto uint64 `json:"upto,omitempty"` // the last size that it signed for; of what it signs beyond nothing counts
}

// Trust trusts the log's keys, the retired ones up to their sizes, and the announced cosigners; of one public key
// under two names the first.
func (n *Notary) Trust(ctx context.Context) (*checkpoint.Trust, error) {
	trust, _, err := n.trust(ctx)
	return trust, err
}

// trust is Trust, and its text.
func (n *Notary) trust(ctx context.Context) (trust *checkpoint.Trust, lines []byte, err error) {
	status := n.Status()
	if len(status.Keys) == 0 {
		return nil, nil, fmt.Errorf("%w: %s", ErrUnsigned, status.Unsigned)
	}
	announced, err := n.cfg.Stream.Announced(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("looking up which keys were announced: %w", err)
	}
	announced.Retired = status.Retired(announced)
	return trustIn(status.Keys, announced)
}

// trustIn trusts keys of the log, and those that were announced, as far as they go with one another.
func trustIn(keys []string, announced Announced) (trust *checkpoint.Trust, lines []byte, err error) {
	for _, key := range keys {
		lines = fmt.Appendf(lines, "log %s\n", key)
	}
	if trust, err = checkpoint.ParseTrust(lines); err != nil {
		return nil, nil, err
	}
	add := func(line string) {
		more := append(lines[:len(lines):len(lines)], line...)
		if with, err := checkpoint.ParseTrust(more); err == nil { // one that goes with none before it is left out
			lines, trust = more, with
		}
	}
	for _, k := range announced.Retired {
		add(fmt.Sprintf("log %s upto %d\n", k.Key, k.Upto))
	}
	for _, c := range announced.Cosigners {
		add(fmt.Sprintf("%s %s\n", c.Role, c.Key))
	}
	return trust, lines, nil
}

// Retired are the announced keys that signed under the present origin before, and do not now: one whose retirement
// was announced and then failed signs on.
func (s Status) Retired(a Announced) (keys []RetiredKey) {
	for _, k := range a.Retired {
		if strings.HasPrefix(k.Key, s.Origin+"+") && !slices.Contains(s.Keys, k.Key) {
			keys = append(keys, k)
		}
	}
	return keys
}

// Suits is nil if a key of a witness or an auditor goes with those that sign and cosign already. Else it wraps
// [ErrKeys]: no trust file may have both.
func (n *Notary) Suits(ctx context.Context, role, key string) error {
	_, lines, err := n.trust(ctx)
	if errors.Is(err, ErrUnsigned) { // then there is nothing to go with
		return nil
	}
	if err != nil || bytes.Contains(lines, fmt.Appendf(nil, "%s %s\n", role, key)) {
		return err
	}
	if _, err := checkpoint.ParseTrust(fmt.Appendf(lines, "%s %s\n", role, key)); err != nil {
		return fmt.Errorf("%w: %w", ErrKeys, err)
	}
	return nil
}
