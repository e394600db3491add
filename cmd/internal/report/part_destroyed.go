package report

import "strings"

// identifiers lists whom it is about, or says how many there were.
func (d *document) identifiers() {
	t, ids := d.texts, d.c.Identifiers
	d.begin("s.identifiers")
	d.paragraph(body(), t.say("p.identifiers", t.count("n.identifiers", ids.Count)))
	if !ids.Shown {
		return
	}
	var rows []row
	for _, one := range ids.List {
		then, acted := "then.goes", ""
		if one.Acted > 0 {
			acted = t.count("n.events", one.Acted)
		}
		if one.Stays {
			then = "then.stays"
		}
		rows = append(rows, row{d.glyph.shown(one.Identifier.text), d.links(one.Links), orNone(acted), t.say(then)})
	}
	d.table([]column{
		{title: t.say("t.identifier"), wide: 66, face: machine()},
		{title: t.say("t.links"), wide: 60, face: machine()},
		{title: t.say("t.acted"), wide: 26},
		{title: t.say("t.then"), wide: 18},
	}, rows, false)
}

// links writes each link on its own line.
func (d *document) links(list []Link) string {
	var lines []string
	for _, l := range list {
		line := position(l.Position)
		if !l.By.IsZero() {
			line += " " + d.glyph.shown(l.By.text)
		}
		lines = append(lines, line)
	}
	return orNone(strings.Join(lines, "\n"))
}

// destroyed says what went, or goes.
func (d *document) destroyed() {
	c, t := d.c, d.texts
	name, how := "s.destroyed.plan", "p.destroyed.plan"
	switch c.Kind {
	case Restricted:
		name = "s.destroyed.due"
	case Erased, Retained:
		name, how = "s.destroyed.done", "p.destroyed"
	}
	if c.Retention != nil {
		how = "p.cells"
	}
	d.begin(name)
	d.paragraph(body(), t.say(how))
	if s := c.Shredding; s != nil {
		shards, gone := t.say("v.shards", t.number(s.Shards)), t.number(s.Rows)
		if c.Remains.Uncounted {
			shards, gone = t.say("v.uncounted"), t.say("v.uncounted")
		}
		d.pairs([]pair{
			{label: t.say("k.at"), value: instant(s.At)},
			{label: t.say("k.event"), value: t.say("v.event", position(s.Position))},
			{label: t.say("k.digest"), value: s.Digest, face: machine()},
			{label: t.say("k.carried"), value: d.who(s.By)},
			{label: t.say("k.approved"), value: s.By.Approved},
			{label: t.say("k.roots"), value: t.say("v.roots", position(s.RootBefore), position(s.RootAfter))},
			{label: t.say("k.shards"), value: shards},
			{label: t.say("k.rows"), value: gone},
		})
	}
	var rows []row
	total := uint64(0)
	for _, x := range c.Cells {
		rows = append(rows, row{t.say("class." + x.Class), string(x.From), string(x.To), t.number(x.Keys)})
		total += x.Keys
	}
	if c.Remains.Uncounted {
		return // which cells, too, stands in another copy
	}
	if len(rows) > 0 {
		rows = append(rows, row{t.say("t.total"), "", "", t.number(total)})
	}
	d.table([]column{
		{title: t.say("t.class"), wide: 80},
		{title: t.say("t.from"), wide: 30},
		{title: t.say("t.to"), wide: 30},
		{title: t.say("t.keys"), wide: 30, number: true},
	}, rows, true)
}

// stays says what does not go, and why.
func (d *document) stays() {
	c, t := d.c, d.texts
	d.begin("s.stays")
	d.subtitle(t.say("h.holds"), 12)
	var holds []row
	for _, h := range c.Holds {
		holds = append(holds, row{position(h.Position), h.Hold, t.say("ground." + h.Ground), orNone(h.Dataset), orNone(h.Review)})
	}
	d.table([]column{
		{title: t.say("t.event"), wide: 22},
		{title: t.say("t.hold"), wide: 40},
		{title: t.say("t.ground"), wide: 54},
		{title: t.say("t.dataset"), wide: 30},
		{title: t.say("t.review"), wide: 24},
	}, holds, false)
	d.subtitle(t.say("h.kept"), 12)
	var kept []row
	for _, x := range c.Kept {
		what, ground := t.say("kept.actor"), ""
		if x.What == KeptClass {
			what, ground = t.say("kept.class", t.say("class."+x.Class)), t.say("ground."+x.Ground)
		}
		kept = append(kept, row{what, orNone(ground), t.number(x.Rows), t.number(x.Events)})
	}
	d.table([]column{
		{title: t.say("t.what"), wide: 60},
		{title: t.say("t.ground"), wide: 66},
		{title: t.say("t.rows"), wide: 20, number: true},
		{title: t.say("t.events"), wide: 24, number: true},
	}, kept, false)
	if len(kept) > 0 {
		d.paragraph(body(), t.say("p.kept"))
	}
}
