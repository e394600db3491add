package events

// Facts is what the ledger knew when it recorded an event. Rules and views join on these, never on
// what is sealed. The zero Facts is "nothing to add".
type Facts struct {
	Class     string   // transfer class: T0 T1 T1f T2 T3 T4 T5 U; "" when the event has none
	Tables    string   // version of the legal tables that gave Class, a code
	Region    string   // the outside country if there is exactly one, ZZ if several or unknown, "" if none
	Outside   []string // countries outside the EEA among the places, sorted, each once
	Party     *Party   // the recipient, or the actor's party, as registered then; nil when not registered
	Defaulted []string // fields filled in from the registered activity
	Special   bool     // the event says special categories (Art. 9(1) GDPR)
	A9        bool     // it says a condition of Art. 9(2)
	Art10     bool     // it says criminal convictions (Art. 10)
	BasisRef  uint64   // position of what basis_ref refers to; 0 when unknown
	Reference uint64   // position of what reference refers to; 0 when unknown
	Forgotten bool     // its keys' period was forgotten before it came: tags are random, nothing is sealed
}

// Party is what the register said about a party at one moment.
type Party struct {
	Code                      string
	Position                  uint64 // of the registration
	Country                   string
	Storage, Access           []string // countries
	InternationalOrganisation bool
	DPF                       *DPF // nil when nothing is registered about it
	PIPEDA                    bool
	ParentCountry             string
	Agreement                 string // the one in force, "" when none
	Tool, ToolRef             string // the transfer tool in force and its reference, "" when none
}

// DPF is what is registered about the list of the EU-US Data Privacy Framework.
type DPF struct {
	Listed bool
	HR     bool   // the listing covers human resources data
	Until  string // last day of the listing, "" when open
}

// append appends the facts as the last field of a stored event's data.
func (f *Facts) append(dst []byte) []byte {
	w := objectWriter{dst: append(dst, '{')}
	w.text("class", f.Class)
	w.text("tables", f.Tables)
	w.text("region", f.Region)
	w.texts("outside", f.Outside)
	if f.Party != nil {
		w.key("party")
		w.dst = f.Party.append(w.dst)
	}
	w.texts("defaulted", f.Defaulted)
	w.flag("special", f.Special)
	w.flag("a9", f.A9)
	w.flag("art10", f.Art10)
	w.number("basis_ref", f.BasisRef)
	w.number("reference", f.Reference)
	w.flag("forgotten", f.Forgotten)
	return w.end()
}

func (p *Party) append(dst []byte) []byte {
	w := objectWriter{dst: append(dst, '{')}
	w.text("code", p.Code)
	w.number("position", p.Position)
	w.text("country", p.Country)
	w.texts("storage", p.Storage)
	w.texts("access", p.Access)
	w.flag("international_organisation", p.InternationalOrganisation)
	if p.DPF != nil {
		w.key("dpf")
		inner := objectWriter{dst: append(w.dst, '{')}
		inner.boolean("listed", p.DPF.Listed)
		inner.flag("hr", p.DPF.HR)
		inner.text("until", p.DPF.Until)
		w.dst = inner.end()
	}
	w.flag("pipeda", p.PIPEDA)
	w.text("parent_country", p.ParentCountry)
	w.text("agreement", p.Agreement)
	w.text("tool", p.Tool)
	w.text("tool_ref", p.ToolRef)
	return w.end()
}

func factsOf(o Object) Facts {
	f := Facts{
		Class:     o.Get("class").Text(),
		Tables:    o.Get("tables").Text(),
		Region:    o.Get("region").Text(),
		Outside:   o.Get("outside").Texts(),
		Defaulted: o.Get("defaulted").Texts(),
		Special:   o.Get("special").Bool(),
		A9:        o.Get("a9").Bool(),
		Art10:     o.Get("art10").Bool(),
		BasisRef:  uint64(o.Get("basis_ref").Int()),
		Reference: uint64(o.Get("reference").Int()),
		Forgotten: o.Get("forgotten").Bool(),
	}
	if party := o.Get("party"); !party.IsZero() {
		f.Party = partyOf(party.Object())
	}
	return f
}

func partyOf(o Object) *Party {
	p := &Party{
		Code:                      o.Get("code").Text(),
		Position:                  uint64(o.Get("position").Int()),
		Country:                   o.Get("country").Text(),
		Storage:                   o.Get("storage").Texts(),
		Access:                    o.Get("access").Texts(),
		InternationalOrganisation: o.Get("international_organisation").Bool(),
		PIPEDA:                    o.Get("pipeda").Bool(),
		ParentCountry:             o.Get("parent_country").Text(),
		Agreement:                 o.Get("agreement").Text(),
		Tool:                      o.Get("tool").Text(),
		ToolRef:                   o.Get("tool_ref").Text(),
	}
	if dpf := o.Get("dpf").Object(); dpf.n > 0 {
		p.DPF = &DPF{Listed: dpf.Get("listed").Bool(), HR: dpf.Get("hr").Bool(), Until: dpf.Get("until").Text()}
	}
	return p
}
