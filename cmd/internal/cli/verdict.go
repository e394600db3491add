package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/imalink/custody/cmd/internal/attest"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// shownPositions is how many positions of a list a table shows; JSON has all.
const shownPositions = 40

// printVerdict shows what a proof proves.
func (s *session) printVerdict(a *answer, v *evidence.Verdict) error {
	zone, err := s.location()
	if err != nil {
		return noMisuse(err)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing the verdict: %w", err)
	}
	fields := []field{{"outcome", outcome(a, v.Outcome)}}
	for _, line := range claims(v) {
		fields = append(fields, field{"proven", line})
	}
	if v.Outcome != evidence.Proven {
		fields[1].name = "it says"
	}
	if class := v.Class(); class != "" {
		fields = append(fields, field{"class", class + trusting(class)})
	}
	newer, older := "as recorded up to", "older checkpoint"
	if v.Type == evidence.TypeShownLess {
		newer, older = "signed before", "shown"
	}
	fields = append(fields, under(newer, v.Head, zone)...)
	if v.Older != nil {
		fields = append(fields, under(older, *v.Older, zone)...)
	}
	fields = append(fields, cosigned("seen by", v.Sighting.Witnesses, zone)...)
	return a.describe(json.RawMessage(raw), append(fields, answerFields(v, zone)...)...)
}

func outcome(a *answer, o evidence.Outcome) string {
	switch o {
	case evidence.Proven:
		return a.paint(green, "PROVEN")
	case evidence.Unsigned:
		return a.paint(yellow, "SELF-CONSISTENT, SIGNERS UNKNOWN")
	}
	return a.paint(red, "FALSE")
}

func trusting(class string) string {
	if class == "REPLAY" {
		return ": it has every record of its range; nobody else is trusted"
	}
	return ": it trusts that one of the auditors who cosigned recomputed every record"
}

// claims are what is proven, in sentences.
func claims(v *evidence.Verdict) []string {
	switch v.Type {
	case evidence.TypeEvent:
		told := "; its stored bytes are told"
		if v.Event == nil {
			told = "; its stored bytes are not told"
		}
		claims := []string{fmt.Sprintf("position %d of ledger %s is recorded%s", v.Leaf.Position(), v.Head.Origin, told), recordLine(&v.Leaf.Record)}
		if v.Misdescribed() {
			claims = append(claims, "BEWARE: the record says otherwise than this event, which is a fault of the ledger: custody audit --events proves it")
		}
		return claims
	case evidence.TypeGrowth:
		return []string{fmt.Sprintf("ledger %s grew from %d to %d positions, and nothing before changed", v.Head.Origin, v.Older.Size, v.Head.Size)}
	case evidence.TypeReplay, evidence.TypeLight:
		return []string{answerLine(v)}
	}
	fault := "A FAULT OF THE LEDGER " + v.Head.Origin + ": "
	if v.Leaf != nil {
		fault += fmt.Sprintf("at position %d ", v.Leaf.Position())
	}
	return []string{fault + v.Fault}
}

// answerLine is the answer to a question.
func answerLine(v *evidence.Verdict) string {
	q := v.Question
	how := fmt.Sprintf("%d have", v.Count())
	if v.Count() == 0 {
		how = "none has"
	}
	return fmt.Sprintf("of the first %d positions of ledger %s, %s %s %s", v.Upto, v.Head.Origin, how,
		strings.ReplaceAll(q.Flags.String(), ",", " or "), rangeLine(q))
}

func rangeLine(q evidence.Question) string {
	day := func(n uint64) string { return time.Unix(int64(n)*24*60*60, 0).UTC().Format(time.DateOnly) }
	instant := func(n uint64) string { return time.UnixMilli(int64(n)).UTC().Format(time.RFC3339Nano) }
	switch q.Of {
	case evidence.Days:
		return fmt.Sprintf("with an event day from %s to %s (both included, UTC)", day(q.From), day(q.To))
	case evidence.Instants:
		return fmt.Sprintf("with an event time from %s to %s (the end not included)", instant(q.From), instant(q.To))
	}
	return fmt.Sprintf("at positions %d to %d (both included)", q.From+1, q.To)
}

// recordLine is a record in words.
func recordLine(r *evidence.Record) string {
	kind := events.Kind(r.Kind).Name()
	if r.Kind == evidence.KindWithheld {
		kind = "a kind that is withheld"
	}
	line := fmt.Sprintf("%s of %s, producer %d", kind, time.UnixMilli(r.Time).UTC().Format(time.RFC3339Nano), r.Producer)
	if r.Sequence > 0 {
		line += fmt.Sprintf(" event %d", r.Sequence)
	}
	if flags := r.Flags.String(); flags != "" {
		line += ", " + flags
	}
	if r.Region != [2]byte{} {
		line += ", region " + string(r.Region[:])
	}
	return line
}

// under says whose signatures a checkpoint has.
func under(what string, h evidence.Head, zone *time.Location) []field {
	fields := []field{{what, fmt.Sprintf("position %d, root %x", h.Size, h.Root)}}
	for _, k := range h.Log {
		fields = append(fields, field{"signed by the log", k.String()})
	}
	fields = append(fields, cosigned("witness cosigned", h.Witnesses, zone)...)
	fields = append(fields, cosigned("auditor cosigned", h.Replays, zone)...)
	if h.Unknown > 0 {
		fields = append(fields, field{"note", fmt.Sprintf("%s by keys that the trust file does not name: ignored", some(h.Unknown, "signature"))})
	}
	return fields
}

// cosigned says who cosigned something, and when by their clocks.
func cosigned(what string, all []checkpoint.Cosignature, zone *time.Location) (fields []field) {
	for _, c := range all {
		fields = append(fields, field{what, fmt.Sprintf("%s, %s", c.Key, c.Time.In(zone).Format("2006-01-02 15:04:05 -0700"))})
	}
	return fields
}

// answerFields is what else an answer must say.
func answerFields(v *evidence.Verdict, zone *time.Location) (fields []field) {
	if v.Class() == "" {
		return nil
	}
	if q := v.Question; q.Flags&evidence.Classes != 0 && q.Flags&evidence.Unknown == 0 {
		fields = append(fields, field{"note", "transfers of unknown class (U) were not asked about: none is shown only by none of them too"})
	}
	for i, name := range evidence.FlagNames() {
		if v.Question.Flags&(1<<i) != 0 {
			fields = append(fields, field{name, count(v.Counts[i])})
		}
	}
	return append(append(fields, positionsOf(v)...), timeFields(v, zone)...)
}

// timeFields is what must be said of the times of events: how many came late, and whether more may come.
func timeFields(v *evidence.Verdict, zone *time.Location) (fields []field) {
	looked := v.Upto
	if v.Type == evidence.TypeReplay && v.Question.Of == evidence.Positions {
		looked = v.Question.To - v.Question.From
	}
	late := v.Totals[14].Count // of the flag late
	fields = append(fields, field{"late events", fmt.Sprintf("%s of the %s looked at", count(late), count(looked))})
	if v.Question.Of != evidence.Positions {
		closed := "period not closed: no quorum of witnesses has cosigned a day after its end"
		if at, ok := v.Closed(); ok {
			closed = "closed, by the witnesses' clocks at " + at.In(zone).Format("2006-01-02 15:04:05 -0700")
			if v.Overtaken() {
				closed += ", and by the ledger's for what was committed to"
			}
		}
		fields = append(fields, field{"period", closed}, field{"note", "the time of an event is its producer's claim"})
	}
	return fields
}

func positionsOf(v *evidence.Verdict) []field {
	if len(v.List) == 0 {
		return nil
	}
	var texts []string
	for i := range min(len(v.List), shownPositions) {
		texts = append(texts, fmt.Sprint(v.List[i].Position()))
	}
	if more := len(v.List) - shownPositions; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more: -o json has all", more))
	}
	return []field{{"positions", strings.Join(texts, " ")}}
}

// printBundle shows what a bundle proves.
func (s *session) printBundle(a *answer, v *attest.Verdict) error {
	zone, err := s.location()
	if err != nil {
		return noMisuse(err)
	}
	shown := struct {
		Outcome   string              `json:"outcome"`
		Proofs    []*evidence.Verdict `json:"proofs"`
		Signed    []string            `json:"signed"`
		Grade     string              `json:"grade"`
		Statement string              `json:"statement"`
	}{Outcome: v.Outcome.String(), Proofs: v.Proofs, Signed: []string{}, Grade: string(v.Statement.Result.Grade), Statement: "agrees with the proofs"}
	fields := []field{{"outcome", outcome(a, v.Outcome)}, {"statement", "of recorded non-transfer, grade " + shown.Grade + "; what no proof holds is asserted"}}
	for _, p := range v.Proofs {
		fields = append(fields, field{"proven", answerLine(p)})
	}
	fields = append(fields, under("as recorded up to", v.Proofs[0].Head, zone)...)
	for _, k := range v.Signed {
		shown.Signed = append(shown.Signed, k.String())
		fields = append(fields, field{"bundle signed by", k.String()})
	}
	for i, name := range evidence.FlagNames()[:7] {
		fields = append(fields, field{name, count(v.Proofs[1].Counts[i])})
	}
	fields = append(fields, timeFields(v.Proofs[0], zone)...)
	page := "that of this program"
	if !v.Own {
		page = "not that of this program: compare its hash with the published ones before you rely on it"
	}
	fields = append(fields, field{"verify.html", fmt.Sprintf("%x, %s", v.Page, page)})
	return a.describe(shown, fields...)
}
