package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/imalink/custody/events"
)

// contract is the schema of events, as custody schema prints it, read back:
// which fields a kind has, of which type, out of which vocabulary. Commands that
// help people write events ask it; whether an event is right is for
// [events.Decode] to say.
type contract struct {
	Properties map[string]*node `json:"properties"`
	Defs       map[string]*node `json:"$defs"`
	AllOf      []struct {
		If struct {
			Properties struct {
				Type struct {
					Const string `json:"const"`
				} `json:"type"`
			} `json:"properties"`
		} `json:"if"`
		Then node `json:"then"`
	} `json:"allOf"`
}

// node is one subschema, as far as it is needed here.
type node struct {
	Ref        string           `json:"$ref"`
	Type       string           `json:"type"`
	Properties map[string]*node `json:"properties"`
	Items      *node            `json:"items"`
}

func readContract() (*contract, error) {
	c := &contract{}
	if err := json.Unmarshal(events.AppendSchema(nil), c); err != nil {
		return nil, fmt.Errorf("reading the schema of events: %w", err)
	}
	return c, nil
}

// data is the schema of the data of a type of event, or nil.
func (c *contract) data(eventType string) *node {
	for i := range c.AllOf {
		if c.AllOf[i].If.Properties.Type.Const == eventType {
			return c.AllOf[i].Then.Properties["data"]
		}
	}
	return nil
}

func (c *contract) resolve(n *node) *node {
	for n != nil && n.Ref != "" {
		n = c.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
	}
	return n
}

// fields names what an object may hold.
func (n *node) fields() []string {
	var names []string
	for name := range n.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// kind finds a kind by its type, its name, or the last part of its name where
// no other kind has the same.
func kind(text string) (events.Kind, error) {
	var found []events.Kind
	for _, k := range events.Kinds() {
		if k.ByLedger() {
			continue
		}
		if text == k.Type() || text == k.Name() {
			return k, nil
		}
		if text == strings.TrimPrefix(k.Name(), k.Family()+".") {
			found = append(found, k)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	err := misuse("this is no kind of event")
	if len(found) > 1 {
		return 0, advise(err, "did you mean %s or %s?", found[0].Name(), found[1].Name())
	}
	if near := nearest(text, kindNames()); near != "" {
		return 0, advise(err, "did you mean %s?", near)
	}
	return 0, advise(err, "custody schema lists them; one is governance.party-registered")
}

func kindNames() []string {
	var names []string
	for _, k := range events.Kinds() {
		if !k.ByLedger() {
			names = append(names, k.Name())
		}
	}
	return names
}

// nearest is the one word close enough to the given one to be taken for it by a
// slip of the hand: at most a quarter of its letters differ, and at least one may.
func nearest(given string, words []string) string {
	if given == "" || len(given) > 128 {
		return ""
	}
	best, least := "", max(1, len(given)/4)+1
	for _, w := range words {
		switch d := distance(strings.ToLower(given), strings.ToLower(w)); {
		case d < least:
			best, least = w, d
		case d == least:
			best = "" // two are as near: neither is likely
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
