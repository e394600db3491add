package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/notary"
)

// A register is what governance events have said so far: the state that facts
// and classes of later events are resolved from, in arrival order. It belongs
// to the sequencer alone. Applied changes can be undone until they are kept, so
// that a group that was not recorded leaves nothing behind.
type register struct {
	Parties    map[string]party       `json:"parties"`
	Tools      map[string][]tool      `json:"tools"`      // by party, in order of registration
	Agreements map[string][]agreement `json:"agreements"` // by party, in order of signing
	Activities map[string]activity    `json:"activities"`
	Shredded   uint64                 `json:"shredded,omitempty"` // highest root version that a ledger.key-shredded names
	Announced  notary.Announced       `json:"announced"`          // keys that sign evidence

	undo []func()
}

type party struct {
	Position      uint64   `json:"position"` // of the registration
	Country       string   `json:"country"`
	Storage       []string `json:"storage,omitempty"`
	Access        []string `json:"access,omitempty"`
	International bool     `json:"io,omitempty"`
	DPF           *dpf     `json:"dpf,omitempty"`
	PIPEDA        bool     `json:"pipeda,omitempty"`
	Parent        string   `json:"parent,omitempty"`
}

// dpf is the listing of a US organisation under Decision (EU) 2023/1795.
type dpf struct {
	Listed bool   `json:"listed"`
	HR     bool   `json:"hr,omitempty"`
	Until  string `json:"until,omitempty"` // a day, inclusive
}

// A tool is a transfer tool of GDPR Art. 45 to 49; days are inclusive.
type tool struct {
	Tool       string `json:"tool"`
	Ref        string `json:"ref"`
	TIA        string `json:"tia,omitempty"`
	Instrument string `json:"instrument,omitempty"`
	From       string `json:"from"`
	To         string `json:"to,omitempty"`
}

// An agreement is one of GDPR Art. 26 or 28; days are inclusive.
type agreement struct {
	Ref  string `json:"ref"`
	Kind string `json:"kind"`
	From string `json:"from"`
	To   string `json:"to,omitempty"`
}

// An activity is a line of the register of processing, GDPR Art. 30.
type activity struct {
	System     string            `json:"system,omitempty"`
	Dataset    string            `json:"dataset,omitempty"`
	Purposes   []string          `json:"purposes"`
	Categories []string          `json:"categories"`
	Basis      map[string]string `json:"basis,omitempty"` // by purpose, where there is exactly one
}

func newRegister() *register {
	return &register{
		Parties:    map[string]party{},
		Tools:      map[string][]tool{},
		Agreements: map[string][]agreement{},
		Activities: map[string]activity{},
	}
}

// apply folds one event in: of governance, or that keys were destroyed. Other
// kinds change nothing.
func (r *register) apply(e *events.Event, position uint64) {
	d := e.Data
	switch e.Kind {
	case events.GovernancePartyRegistered:
		set(r, r.Parties, d.Get("party").Text(), partyOf(d, position))
	case events.GovernanceTransferTool:
		key := d.Get("party").Text()
		next := tool{
			Tool: d.Get("tool").Text(), Ref: d.Get("tool_ref").Text(), TIA: d.Get("tia_ref").Text(),
			Instrument: d.Get("instrument").Text(), From: d.Get("from").Text(), To: d.Get("to").Text(),
		}
		same := func(t tool) bool { return t.Tool == next.Tool && t.Ref == next.Ref }
		set(r, r.Tools, key, append(slices.DeleteFunc(slices.Clone(r.Tools[key]), same), next))
	case events.GovernanceAgreementSigned:
		key := d.Get("party").Text()
		next := agreement{
			Ref: d.Get("agreement").Text(), Kind: d.Get("kind").Text(),
			From: d.Get("from").Text(), To: d.Get("to").Text(),
		}
		same := func(a agreement) bool { return a.Ref == next.Ref }
		set(r, r.Agreements, key, append(slices.DeleteFunc(slices.Clone(r.Agreements[key]), same), next))
	case events.GovernanceAgreementEnded:
		key, ref, at := d.Get("party").Text(), d.Get("agreement").Text(), d.Get("at").Text()
		list := slices.Clone(r.Agreements[key])
		for i := range list {
			if list[i].Ref == ref {
				list[i].To = at
			}
		}
		set(r, r.Agreements, key, list)
	case events.GovernanceActivityRegistered:
		set(r, r.Activities, d.Get("activity").Text(), activityOf(d))
	case events.LedgerKeyAnnounced:
		old := r.Announced
		r.undo = append(r.undo, func() { r.Announced = old })
		r.Announced = old.After(d)
	case events.LedgerKeyShredded:
		old := r.Shredded
		r.undo = append(r.undo, func() { r.Shredded = old })
		r.Shredded = max(old, uint64(d.Get("root").Int()))
	}
}

// set stores value under key and remembers how to take it back.
func set[V any](r *register, m map[string]V, key string, value V) {
	old, had := m[key]
	r.undo = append(r.undo, func() {
		if had {
			m[key] = old
		} else {
			delete(m, key)
		}
	})
	m[key] = value
}

// depth marks a point that back returns to; keep forgets how to go back
// before the newest n changes.
func (r *register) depth() int { return len(r.undo) }

func (r *register) back(depth int) {
	for i := len(r.undo) - 1; i >= depth; i-- {
		r.undo[i]()
	}
	r.undo = r.undo[:depth]
}

func (r *register) keep(changes int) { r.undo = slices.Delete(r.undo, 0, changes) }

// snapshot and restore carry the register in the identity index, so that a
// start need not read the whole ledger. The snapshot is disposable.
func (r *register) snapshot() ([]byte, error) { return json.Marshal(r) }

// restoreRegister accepts exactly what snapshot gives.
func restoreRegister(b []byte) (*register, error) {
	r := newRegister()
	if len(b) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("register snapshot: %w", err)
	}
	whole := r.Parties != nil && r.Tools != nil && r.Agreements != nil && r.Activities != nil
	if again, err := r.snapshot(); err != nil || !whole || !bytes.Equal(again, b) {
		return nil, errors.New("register snapshot: not one of this version")
	}
	return r, nil
}

func partyOf(d events.Object, position uint64) party {
	p := party{
		Position:      position,
		Country:       d.Get("country").Text(),
		Storage:       d.Get("storage").Texts(),
		Access:        d.Get("access").Texts(),
		International: d.Get("international_organisation").Bool(),
		PIPEDA:        d.Get("pipeda").Bool(),
		Parent:        d.Get("parent_country").Text(),
	}
	if v := d.Get("dpf"); !v.IsZero() {
		o := v.Object()
		p.DPF = &dpf{Listed: o.Get("listed").Bool(), HR: o.Get("hr").Bool(), Until: o.Get("until").Text()}
	}
	return p
}

func activityOf(d events.Object) activity {
	a := activity{
		System: d.Get("system").Text(), Dataset: d.Get("dataset").Text(),
		Purposes: d.Get("purposes").Texts(), Categories: d.Get("categories").Texts(),
		Basis: map[string]string{},
	}
	several := map[string]bool{}
	for _, g := range d.Get("grounds").List() {
		purpose, basis := g.Object().Get("purpose").Text(), g.Object().Get("basis").Text()
		if old, ok := a.Basis[purpose]; ok && old != basis {
			several[purpose] = true
		}
		a.Basis[purpose] = basis
	}
	for purpose := range several {
		delete(a.Basis, purpose)
	}
	return a
}
