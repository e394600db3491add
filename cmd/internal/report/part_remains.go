package report

import (
	"strconv"
	"strings"
)

// remains says what is left, and all that can still be learnt from it.
func (d *document) remains() {
	c, t := d.c, d.texts
	d.begin("s.remains")
	if c.Remains.Uncounted {
		d.paragraph(body(), t.say("p.uncounted"))
	} else {
		d.counts()
	}
	d.subtitle(t.say("h.clear"), 12)
	var clear []string
	for _, name := range c.Remains.Clear {
		clear = append(clear, t.say("clear."+name))
	}
	d.items(func(int) string { return "–" }, clear)
	d.subtitle(t.say("h.learn"), 12)
	var learn []string
	for _, name := range c.Remains.Learnable {
		learn = append(learn, d.learn(name))
	}
	d.items(func(i int) string { return string(rune('a'+i)) + "." }, learn)
}

// counts says how many events are left.
func (d *document) counts() {
	c, t := d.c, d.texts
	var rows []row
	for _, n := range c.Remains.Events {
		rows = append(rows, row{t.say("class." + n.Class), t.say("family." + n.Family), t.number(n.Events), date(n.First), date(n.Last)})
	}
	if len(rows) > 0 {
		rows = append(rows, row{t.say("t.total"), "", t.number(c.events()), "", ""})
	}
	d.table([]column{
		{title: t.say("t.class"), wide: 42},
		{title: t.say("t.family"), wide: 50},
		{title: t.say("t.events"), wide: 26, number: true},
		{title: t.say("t.first"), wide: 26},
		{title: t.say("t.last"), wide: 26},
	}, rows, true)
	d.pairs([]pair{
		{label: t.say("k.shared"), value: t.count("n.events", c.Remains.Shared)},
		{label: t.say("k.crowd"), value: t.count("n.events", c.Remains.Crowd)},
	})
}

// learn is one thing that can still be learnt.
func (d *document) learn(name string) string {
	t, r := d.texts, d.c.Remains
	number := func(n uint64) string {
		if r.Uncounted {
			return t.say("v.uncounted")
		}
		return t.count("n.events", n)
	}
	switch name {
	case "shared":
		return t.say("learn.shared", number(r.Shared))
	case "crowd":
		return t.say("learn.crowd", number(r.Crowd))
	case "copies":
		return t.say("learn.copies", t.say("h.copies"))
	}
	return t.say("learn." + name)
}

// due says what is still to be done, and what was.
func (d *document) due() {
	d.begin("s.due")
	switch {
	case d.c.Remains.Uncounted:
		d.paragraph(body(), d.texts.say("p.uncounted"))
	case d.c.Erasure != nil:
		d.recipients()
		d.legs()
	}
	d.copies()
}

func (d *document) recipients() {
	t := d.texts
	d.subtitle(t.say("h.recipients"), 12)
	var rows []row
	for _, r := range d.c.Recipients {
		state := t.say("told." + r.State)
		if r.State != Due {
			state = t.say("told."+r.State, date(r.Told), position(r.Event))
		}
		rows = append(rows, row{r.Party, t.number(r.Events), date(r.First), date(r.Last), state})
	}
	d.table([]column{
		{title: t.say("t.party"), wide: 45},
		{title: t.say("t.disclosures"), wide: 27, number: true},
		{title: t.say("t.first"), wide: 22},
		{title: t.say("t.last"), wide: 22},
		{title: t.say("t.state"), wide: 54},
	}, rows, false)
	d.paragraph(fine(), t.say("p.recipients"))
}

func (d *document) legs() {
	t := d.texts
	d.subtitle(t.say("h.legs"), 12)
	var rows []row
	for _, l := range d.c.Legs {
		state := d.state(l.State, l.Due, l.Confirmed)
		if l.Attest != "" {
			state += "\n" + t.say("state.attest", l.Attest)
		}
		rows = append(rows, row{l.Deletion, t.say("leg." + l.Kind), orNone(l.Party), orNone(l.Due), state})
	}
	d.table([]column{
		{title: t.say("t.deletion"), wide: 40},
		{title: t.say("t.place"), wide: 26},
		{title: t.say("t.party"), wide: 36},
		{title: t.say("t.due"), wide: 22},
		{title: t.say("t.state"), wide: 46},
	}, rows, false)
}

// copies says of each place that had the former root key, or has rows that it
// opens, how it stands.
func (d *document) copies() {
	t := d.texts
	d.subtitle(t.say("h.copies"), 12)
	d.paragraph(body(), t.say("p.copies"))
	var items []string
	for _, x := range d.c.Copies {
		name, in := "copies."+x.Kind+"."+x.State, []any{}
		if x.State != None {
			in = append(in, position(x.Former))
		}
		item := t.say(name, in...)
		if !x.Found.IsZero() {
			item += " " + t.say("copies.found", date(x.Found), position(x.Root))
		}
		items = append(items, item)
	}
	d.items(func(int) string { return "–" }, items)
}

// state says how something due stands: overdue from the day after, by the date
// of issue.
func (d *document) state(state string, due Day, done Instant) string {
	switch {
	case state == Done && !done.IsZero():
		return d.texts.say("state.done") + " " + date(done)
	case state == Done:
		return d.texts.say("state.done")
	case due != "" && string(due) < date(d.c.Issued):
		return d.texts.say("state.late")
	}
	return d.texts.say("state.due")
}

// evidence says as of when this is, and how to verify it.
func (d *document) evidence() {
	t, e := d.texts, d.c.Evidence
	d.begin("s.evidence")
	d.pairs([]pair{
		{label: t.say("k.as_of"), value: t.say("v.as_of", position(e.AsOf), instant(e.At))},
		{label: t.say("k.digest"), value: e.Digest, face: machine()},
		{label: t.say("k.form"), value: t.say("v.form", strconv.Itoa(d.c.Version))},
	})
	d.paragraph(body(), t.say("p.evidence"))
	d.pairs([]pair{{label: t.say("k.verify"), value: strings.Join(e.Verify, "\n"), face: machine()}})
	d.paragraph(fine(), t.say("utc"))
}

// signature leaves room for whoever answers for it to sign.
func (d *document) signature() {
	t := d.texts
	d.gap(4)
	d.room(42)
	d.write(lesser(), left, d.y, t.say("s.signature"))
	d.y += 14
	half := textWide / 2
	for i, name := range []string{"k.name", "k.function", "k.date", "k.signature"} {
		x := left + half*float64(i%2)
		d.pdf.SetLineWidth(0.2)
		d.pdf.SetDrawColor(0, 0, 0)
		d.pdf.Line(x, d.y, x+half-8, d.y)
		d.write(fine(), x, d.y+1, t.say(name))
		if i%2 == 1 {
			d.y += 18
		}
	}
}
