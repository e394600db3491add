package evidence

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// The form of a verdict that programs read (docs/FORMAT.md, "Verdict").
type (
	verdictJSON struct {
		Outcome string `json:"outcome"`
		*provenJSON
	}
	provenJSON struct {
		Type string `json:"type"`
		headJSON
		Older    *headJSON       `json:"older,omitempty"`
		Sighting []signatureJSON `json:"sighting,omitempty"`
		Leaf     *leafJSON       `json:"leaf,omitempty"`
		Event    string          `json:"event,omitempty"`
		Commit   *commitJSON     `json:"commit,omitempty"`
		Question *questionJSON   `json:"question,omitempty"`
		Counts   []countJSON     `json:"counts,omitempty"`
		List     []leafJSON      `json:"list,omitempty"`
		Upto     uint64          `json:"upto,omitempty"`
		Closed   *bool           `json:"closed,omitempty"`
		Totals   []countJSON     `json:"totals,omitempty"`
	}
	headJSON struct {
		Origin    string          `json:"origin"`
		Size      uint64          `json:"size"`
		Root      string          `json:"root"`
		Log       []string        `json:"log"`
		Witnesses []signatureJSON `json:"witnesses"`
		Replays   []signatureJSON `json:"replays"`
		Unknown   int             `json:"unknown"`
		Void      int             `json:"void"`
	}
	signatureJSON struct {
		Key  string `json:"key"`
		Time string `json:"time"`
	}
	leafJSON struct {
		Index  uint64 `json:"index"`
		Record string `json:"record"`
	}
	commitJSON struct {
		Size      uint64 `json:"size"`
		Root      string `json:"root"`
		Annotated string `json:"annotated"`
		Totals    string `json:"totals"`
		Rules     string `json:"rules"`
	}
	questionJSON struct {
		What  string   `json:"what"`
		Flags []string `json:"flags"`
		Of    string   `json:"of"`
		From  uint64   `json:"from"`
		To    uint64   `json:"to"`
	}
	countJSON struct {
		Flag  string  `json:"flag"`
		Count uint64  `json:"count"`
		First *uint16 `json:"first,omitempty"`
		Last  *uint16 `json:"last,omitempty"`
	}
)

// MarshalJSON writes the verdict as docs/FORMAT.md says.
func (v *Verdict) MarshalJSON() ([]byte, error) {
	p := &provenJSON{Type: v.Type.String(), headJSON: v.Head.json()}
	if v.Older != nil {
		h := v.Older.json()
		p.Older = &h
	}
	p.Sighting = signaturesJSON(v.Sighting.Witnesses)
	if v.Leaf != nil {
		p.Leaf = &leafJSON{v.Leaf.Index, hex.EncodeToString(v.Raw)}
	}
	p.Event = hex.EncodeToString(v.Event)
	if c := v.Commit; c != nil {
		p.Commit = &commitJSON{c.Size, hex.EncodeToString(c.Root[:]), hex.EncodeToString(c.Annotated[:]),
			hex.EncodeToString(c.Totals.Append(nil)), hex.EncodeToString(c.Rules[:])}
	}
	if v.Class() != "" {
		v.answerJSON(p)
	}
	return json.Marshal(verdictJSON{v.Outcome.String(), p})
}

// answerJSON writes the answer to a question.
func (v *Verdict) answerJSON(p *provenJSON) {
	q := v.Question
	p.Question = &questionJSON{What: q.What.String(), Of: q.Of.String(), From: q.From, To: q.To}
	for i, name := range flagNames {
		if q.Flags>>i&1 == 1 {
			p.Question.Flags = append(p.Question.Flags, name)
			p.Counts = append(p.Counts, countJSON{Flag: name, Count: v.Counts[i]})
		}
		if t := v.Totals[i]; t.Count > 0 {
			p.Totals = append(p.Totals, countJSON{name, t.Count, &t.First, &t.Last})
		}
	}
	for _, l := range v.List {
		p.List = append(p.List, leafJSON{l.Index, hex.EncodeToString(l.Record.Append(nil))})
	}
	p.Upto = v.Upto
	if v.Question.Of != Positions {
		_, closed := v.Closed()
		p.Closed = &closed
	}
}

func (h *Head) json() headJSON {
	j := headJSON{
		Origin: h.Origin, Size: h.Size, Root: hex.EncodeToString(h.Root[:]), Log: []string{},
		Witnesses: signaturesJSON(h.Witnesses), Replays: signaturesJSON(h.Replays), Unknown: h.Unknown, Void: h.Void,
	}
	for _, k := range h.Log {
		j.Log = append(j.Log, k.String())
	}
	return j
}

func signaturesJSON(all []checkpoint.Cosignature) []signatureJSON {
	signatures := []signatureJSON{}
	for _, c := range all {
		signatures = append(signatures, signatureJSON{c.Key.String(), c.Time.UTC().Format(time.RFC3339)})
	}
	return signatures
}
