// Package year gives the tests of views a year of events as they would be recorded, with tags that no vault made:
// the same identifier has the same tag in a cell, and that is all that views may rely on.
package year

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// Tag is the tag of an identifier in a cell.
func Tag(c projections.Cell, identifier string) projections.Tag {
	sum := sha256.Sum256(append(c.Append(nil), identifier...))
	return projections.Tag(sum[:16])
}

// Load gives the year: each event of its producers once, in the order they came, from position 1. root is the path of
// the repository. The events' data still hold identifiers in clear, which no stored event does.
func Load(tb testing.TB, root string) []*projections.Event {
	tb.Helper()
	var answers struct {
		Class map[string]string `json:"transfer_class"`
	}
	if err := json.NewDecoder(unzip(tb, root+"/events/law/testdata/classes.json.gz")).Decode(&answers); err != nil {
		tb.Fatal(err)
	}
	var all []*projections.Event
	seen := map[[2]string]bool{}
	parties := map[string]*events.Party{}
	lines := bufio.NewScanner(unzip(tb, root+"/events/testdata/events.ndjson.gz"))
	lines.Buffer(nil, 8<<20)
	recorded := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for lines.Scan() {
		e, err := events.Decode(lines.Bytes())
		if err != nil {
			tb.Fatal(err)
		}
		if id := [2]string{e.Source, e.ID}; seen[id] {
			continue
		} else {
			seen[id] = true
		}
		position := uint64(len(all)) + 1
		recorded = recorded.Add(time.Millisecond)
		st := &events.Stored{Event: e, Recorded: recorded, Facts: events.Facts{Class: answers.Class[e.ID]}}
		if st.Facts.Class != "" {
			st.Facts.Tables = "test"
		}
		if p := parties[e.Data.Get("recipient").Object().Get("party").Text()]; p != nil {
			st.Facts.Party = p
		} else if p := parties[e.Data.Get("actor").Object().Get("party").Text()]; p != nil {
			st.Facts.Party = p
		}
		if e.Kind == events.GovernancePartyRegistered {
			d := e.Data
			parties[d.Get("party").Text()] = &events.Party{Code: d.Get("party").Text(), Position: position,
				Country: d.Get("country").Text(), Storage: d.Get("storage").Texts(), Access: d.Get("access").Texts()}
		}
		all = append(all, &projections.Event{Position: position, Digest: sha256.Sum256([]byte(e.ID)), Stored: st, People: people(e)})
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

func people(e *events.Event) projections.People {
	p := projections.People{
		SubjectCell: projections.CellOf(e.Kind, e.At, projections.Subject),
		ActorCell:   projections.CellOf(e.Kind, e.At, projections.Actor),
	}
	tag := func(v events.Value, c projections.Cell) (t projections.Tag) {
		if v.Text() != "" {
			t = Tag(c, v.Text())
		}
		return t
	}
	for _, s := range e.Data.Get("subjects").List() {
		p.Subjects = append(p.Subjects, tag(s.Object().Get("id"), p.SubjectCell))
	}
	actor := e.Data.Get("actor").Object()
	p.Actor, p.Session = tag(actor.Get("id"), p.ActorCell), tag(actor.Get("session"), p.ActorCell)
	if t := tag(actor.Get("for"), p.ActorCell); !t.IsZero() {
		p.Named = append(p.Named, t)
	}
	return p
}

func unzip(tb testing.TB, path string) *gzip.Reader {
	tb.Helper()
	file, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { file.Close() })
	z, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatal(err)
	}
	return z
}
