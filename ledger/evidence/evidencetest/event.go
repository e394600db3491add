package evidencetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
)

// RecordOf is the record of a stored event by producer 1.
func RecordOf(stored []byte) evidence.Record {
	st, err := events.DecodeStored(stored)
	if err != nil {
		panic(err)
	}
	return evidence.RecordOf(st, sha256.Sum256(stored), 1)
}

// commitEvent is the stored event that commits, recorded as the n-th.
func commitEvent(c evidence.Commit, n uint64) []byte {
	what := events.Commitment{Size: c.Size, Root: c.Root, Annotated: c.Annotated, Rules: c.Rules, Totals: [evidence.AnnotationSize]byte(c.Totals.Append(nil))}
	at := time.UnixMilli(int64(FirstDay+n/10%10000) * dayMillis).UTC()
	e := must(what.Event(fmt.Sprintf("0198f3c2-7a11-7c3e-9d10-%012x", n), "/custody", at))
	st := events.Stored{Event: e, Recorded: at}
	st.Salt[15] = byte(n)
	return st.Append(nil)
}

// Shared is a stored event by which data were given to a recipient.
type Shared struct {
	Class   string // T0 to T5, U; "" if the ledger decided nothing: then neither a region nor special
	Region  string // of the recipient; "" of none
	Time    time.Time
	Delay   time.Duration // until it was recorded
	Special bool
	Bulk    bool
}

// sharedForm has the members that every such event has; $ stands for what differs.
const sharedForm = `{"custodyformat":"1","specversion":"1.0","id":"0198f3c2-7a11-7c3e-9d10-5f0c2a7b9e01","source":"/ats",` +
	`"type":"eu.custody.data.shared.v1","time":"$TIME","datacontenttype":"application/json","producerseq":"1841","recordedtime":"$RECORDED",` +
	`"salt":"AAECAwQFBgcICQoLDA0ODw","data":{"actor":{"id":"101112131415161718191a1b1c1d1e1f","role":"recruiter"},` +
	`"subjects":[{"id":"000102030405060708090a0b0c0d0e0f","role":"candidate"}],"system":"ats",$BULK"dataset":"career_cv",` +
	`"categories":["contact","career_cv"],"purpose":"service_provision","basis":"A6-1-b","activity":"placement","recipient":{"party":"acme-bank","role":"client"},` +
	`"ledger":{$CLASS$REGION$SPECIAL}}}`

// Stored is the event as it is stored.
func (s Shared) Stored() []byte {
	const layout = "2006-01-02T15:04:05.000Z"
	values := []string{"$TIME", s.Time.UTC().Format(layout), "$RECORDED", s.Time.Add(s.Delay).UTC().Format(layout)}
	optional := func(name, value string, said bool) {
		if !said {
			value = ""
		}
		values = append(values, name, value)
	}
	optional("$CLASS", `"class":"`+s.Class+`","tables":"2026-11-22.0"`, s.Class != "")
	optional("$REGION", `,"region":"`+s.Region+`","outside":["`+s.Region+`"]`, s.Region != "")
	optional("$SPECIAL", `,"special":true`, s.Special)
	optional("$BULK", `"bulk":{"id":"0198f3c2-7a11-7c3e-9d10-5f0c2a7b9e02","part":1,"parts":2},`, s.Bulk)
	stored := []byte(strings.NewReplacer(values...).Replace(sharedForm))
	if st, err := events.DecodeStored(stored); err != nil || !bytes.Equal(st.Append(nil), stored) {
		panic(fmt.Sprintf("evidencetest: the form of the event has changed: %v", err))
	}
	return stored
}

// Registered is the stored event by which the recipient of every [Shared] was registered, in a country.
func Registered(country string, at time.Time) []byte {
	return register("governance.party-registered", at, `"party":"acme-bank","name":"Acme Bank","roles":["client"],"country":"`+country+`","storage":["`+country+`"],"access":["`+country+`"]`)
}

// ended is the stored event by which an agreement with it ended.
func ended(at time.Time) []byte {
	return register("governance.agreement-ended", at, `"party":"acme-bank","agreement":"dpa:acme-bank","at":"2026-01-01"`)
}

// register is a stored event of the register.
func register(kind string, at time.Time, data string) []byte {
	stored := fmt.Appendf(nil, `{"custodyformat":"1","specversion":"1.0","id":"0198f3c2-7a11-7c3e-9d10-5f0c2a7b9e03","source":"/register",`+
		`"type":"eu.custody.%s.v1","time":"%[2]s","datacontenttype":"application/json","recordedtime":"%[2]s","salt":"AAECAwQFBgcICQoLDA0ODw",`+
		`"data":{"actor":{"id":"202122232425262728292a2b2c2d2e2f","role":"dpo","kind":"human"},%s,"ledger":{}}}`, kind, at.UTC().Format("2006-01-02T15:04:05.000Z"), data)
	if st, err := events.DecodeStored(stored); err != nil || !bytes.Equal(st.Append(nil), stored) {
		panic(fmt.Sprintf("evidencetest: the form of the event has changed: %v", err))
	}
	return stored
}
