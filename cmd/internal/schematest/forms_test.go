package schematest

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestForms tries times, days and numbers that are almost right: both give the same verdict. A sign
// where a digit belongs is left out: the validator takes "+1" for two digits.
func TestForms(t *testing.T) {
	v := newValidator(t)
	const digits = "00112233445566789"
	rapid.Check(t, func(rt *rapid.T) {
		for range 50 {
			instant := near(rt, rapid.StringMatching(`20[0-2][0-9]-(0[1-9]|1[0-2])-[0-3][0-9]T([01][0-9]|2[0-4]):[0-6][0-9]:([0-5][0-9]|60)(\.[0-9]{1,12})?(Z|[+-][0-2][0-9]:[0-6][0-9])`), digits+":.TtZz ")
			day := near(rt, rapid.StringMatching(`20[0-2][0-9]-(0[0-9]|1[0-3])-[0-3][0-9]`), digits+"- ")
			number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?`).Draw(rt, "number")
			v.compare(rt, fmt.Appendf(nil, `{"specversion":"1.0","id":"a1","source":"/ats","type":"eu.custody.ledger.heartbeat.v1","time":%q,"data":{"state":"running","last":%s}}`, instant, number))
			v.compare(rt, fmt.Appendf(nil, `{"specversion":"1.0","id":"a1","source":"/register","type":"eu.custody.governance.agreement-ended.v1",`+
				`"time":"2026-03-02T09:14:05Z","data":{"actor":{"id":"e1","role":"dpo"},"party":"acme","agreement":"dpa:1","at":%q}}`, day))
		}
	})
}

// near draws a text and replaces, one time in two, one of its characters.
func near(t *rapid.T, text *rapid.Generator[string], others string) string {
	s := text.Draw(t, "text")
	if rapid.Bool().Draw(t, "right") {
		return s
	}
	i := rapid.IntRange(0, len(s)-1).Draw(t, "at")
	other := string(others[rapid.IntRange(0, len(others)-1).Draw(t, "other")])
	return s[:i] + strings.TrimSpace(other) + s[i+1:]
}
