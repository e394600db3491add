package report

import "strings"

// opening writes the title, and what kind of copy it is.
func (d *document) opening() {
	c, t := d.c, d.texts
	for _, line := range d.lines(titling(), d.frame.title, textWide) {
		d.write(titling(), left, d.y, line)
		d.y += titling().leading
	}
	d.gap(1)
	d.pairs([]pair{
		{label: t.say("k.ledger"), value: c.Ledger.Name},
		{value: c.Ledger.ID, face: machine()},
		{label: t.say("k.erasure"), value: d.erasureName()},
		{label: t.say("k.issued"), value: instant(c.Issued)},
	})
	switch {
	case c.Identifiers == nil:
	case !c.Identifiers.Shown:
		d.box(body(), []string{t.say("copy.unnamed")})
	case c.Kind == Erased:
		d.box(strong(), []string{t.say("copy.named")})
	default:
		d.box(strong(), []string{t.say("copy.plan")})
	}
}

// erasureName says which erasure it is; "" if the document is of none.
func (d *document) erasureName() string {
	switch e := d.c.Erasure; {
	case e == nil:
		return ""
	case e.Position == 0:
		return d.texts.say("v.dry")
	default:
		return d.texts.say("v.erasure", position(e.Position))
	}
}

// short says it all in a few sentences.
func (d *document) short() {
	d.subtitle(d.texts.say("s.short"), 20)
	for _, text := range append(d.shortActs(), d.shortDue()...) {
		d.paragraph(body(), text)
	}
}

func (d *document) shortActs() []string {
	c, t := d.c, d.texts
	if r := c.Retention; r != nil {
		name, in := "short.retention.plan", []any{}
		if c.Shredding != nil {
			name, in = "short.retention", append(in, date(c.Shredding.At))
		}
		in = append(in, t.say("class."+r.Class), string(r.Before), t.count("n.cells", r.Cells))
		acts := []string{t.say(name, in...), t.say("short.cells")}
		if r.Held > 0 {
			acts = append(acts, t.count("n.held", r.Held))
		}
		return acts
	}
	known := t.count("n.identifiers", c.Identifiers.Count)
	evidence := t.say("short.evidence", t.count("n.events", c.events()))
	if c.Remains.Uncounted {
		evidence = t.say("p.uncounted")
	}
	switch c.Kind {
	case Erased:
		return []string{t.say("short.erased", date(c.Shredding.At), c.Ledger.Name, known),
			t.say("short.effect", t.say("s.stays"), t.say("s.remains")), evidence}
	case Restricted:
		return []string{t.say("short.restricted", date(c.Erasure.Opened), known, date(c.Erasure.Restricted)),
			t.say("short.until", date(c.Erasure.Due)), t.count("n.holds", uint64(len(c.Holds)))}
	default:
		return []string{t.say("short.plan", known), evidence, t.count("n.holds", uint64(len(c.Holds)))}
	}
}

// events is how many events remain.
func (c *Certificate) events() (n uint64) {
	for _, count := range c.Remains.Events {
		n += count.Events
	}
	return n
}

// shortDue says how much is due.
func (d *document) shortDue() []string {
	var recipients, legs, copies uint64
	for _, r := range d.c.Recipients {
		recipients += one(r.State == Due)
	}
	for _, l := range d.c.Legs {
		legs += one(l.State == Due)
	}
	for _, x := range d.c.Copies {
		copies += one(x.State == Due)
	}
	t := d.texts
	var due []string
	for _, part := range []struct {
		name string
		n    uint64
	}{{"n.recipients", recipients}, {"n.legs", legs}, {"n.copies", copies}} {
		if part.n > 0 {
			due = append(due, t.count(part.name, part.n))
		}
	}
	switch {
	case d.c.Remains.Uncounted && len(due) == 0:
		return nil // that it is not known is said already
	case len(due) == 0:
		return []string{t.say("short.due.none")}
	}
	return []string{t.say("short.due", strings.Join(due, "; "))}
}

func one(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

// decision says what was decided, and by whom.
func (d *document) decision() {
	d.begin("s.decision")
	if d.c.Retention != nil {
		d.retention()
		return
	}
	t, e := d.texts, d.c.Erasure
	actor := t.say("v.no")
	if e.AsActor {
		actor = t.say("v.actor", e.Ground)
	}
	d.pairs([]pair{
		{label: t.say("k.ground"), value: t.say("reason." + e.Reason)},
		{label: t.say("k.request"), value: orNone(e.Request)},
		{label: t.say("k.by"), value: d.who(e.By)},
		{label: t.say("k.approved"), value: e.By.Approved},
		{label: t.say("k.opened"), value: instantOrNot(e.Opened)},
		{label: t.say("k.restricted"), value: instantOrNot(e.Restricted)},
		{label: t.say("k.due"), value: instantOrNot(e.Due)},
		{label: t.say("k.actor"), value: actor},
	})
}

func (d *document) retention() {
	t, r := d.texts, d.c.Retention
	by := t.say("v.hand")
	if r.Schedule != "" {
		by = t.say("v.schedule", r.Schedule)
	}
	d.pairs([]pair{
		{label: t.say("k.class"), value: t.say("class." + r.Class)},
		{label: t.say("k.before"), value: string(r.Before)},
		{label: t.say("k.cells"), value: t.number(r.Cells)},
		{label: t.say("k.held"), value: t.number(r.Held)},
		{label: t.say("k.schedule"), value: by},
	})
}

func (d *document) who(w Who) string { return d.texts.say("v.who", w.Token, w.Role) }

func instantOrNot(i Instant) string {
	if i.IsZero() {
		return ""
	}
	return instant(i)
}
