package transfers

import (
	"encoding/binary"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections/rows"
)

// A path is all that two events must share to be told apart only by their times.
type path struct {
	class, party, region, purpose, tool string
	categories                          []string // in the event's order
	countries                           []string // each place: of the location, and of the importer as registered then; sorted
	outside                             []string // those outside the EEA, sorted
}

// pathOf gives the path of an event that has a class. registered tells the parties registered before it.
func pathOf(st *events.Stored, registered func(party string) bool) path {
	d, f := st.Event.Data, &st.Facts
	location := d.Get("location").Object()
	p := path{
		class: f.Class, region: f.Region, purpose: d.Get("purpose").Text(), tool: d.Get("transfer").Object().Get("tool").Text(),
		categories: d.Get("categories").Texts(), outside: f.Outside,
		countries: append(location.Get("storage").Texts(), location.Get("access").Texts()...),
	}
	if importer := f.Party; importer != nil {
		p.countries = append(append(append(p.countries, importer.Country), importer.Storage...), importer.Access...)
		p.party = importer.Code
		if p.tool == "" {
			p.tool = importer.Tool
		}
	} else {
		p.party = unregistered(d, registered)
	}
	if p.class == "T1" {
		p.party = "" // own staff: nobody imports
	}
	slices.Sort(p.countries)
	p.countries = slices.Compact(p.countries)
	return p
}

// unregistered is the importer of an event with which no registration was stored: its recipient or, where there is none
// or that one was registered, so that it did not decide the class, the actor's party.
func unregistered(d events.Object, registered func(party string) bool) string {
	recipient, party := d.Get("recipient").Object(), d.Get("actor").Object().Get("party").Text()
	code := recipient.Get("party").Text()
	if code == "" || recipient.Get("role").Text() == "subject" || party != "" && registered(code) {
		return party
	}
	return code
}

// append appends the path's stored form: each text with its length, each list with the number of its texts.
func (p *path) append(dst []byte) []byte {
	for _, text := range []string{p.class, p.party, p.region, p.purpose, p.tool} {
		dst = appendText(dst, text)
	}
	for _, list := range [][]string{p.categories, p.countries, p.outside} {
		dst = binary.AppendUvarint(dst, uint64(len(list)))
		for _, text := range list {
			dst = appendText(dst, text)
		}
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// parsePath reads what append wrote.
func parsePath(text string) (p path, err error) {
	t := texts{rest: []byte(text)}
	for _, to := range []*string{&p.class, &p.party, &p.region, &p.purpose, &p.tool} {
		*to = t.text()
	}
	for _, to := range []*[]string{&p.categories, &p.countries, &p.outside} {
		for range t.count() {
			*to = append(*to, t.text())
		}
	}
	if t.bad || len(t.rest) > 0 {
		return path{}, rows.Damaged("a path of %d bytes", len(text))
	}
	return p, nil
}

// texts reads texts one after another. Once it is bad it stays so, and gives nothing.
type texts struct {
	rest []byte
	bad  bool
}

// count is a number of bytes, or of things of at least a byte each, that follow.
func (t *texts) count() int {
	n, size := binary.Uvarint(t.rest)
	if size <= 0 || n > uint64(len(t.rest)-size) {
		t.bad, t.rest = true, nil
		return 0
	}
	t.rest = t.rest[size:]
	return int(n)
}

func (t *texts) text() string {
	n := t.count()
	text := string(t.rest[:n])
	t.rest = t.rest[n:]
	return text
}
