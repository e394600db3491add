package main

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// The population of the events.
const (
	perPerson  = 20  // events to a person, on average
	employees  = 200 // who act
	largest    = 0   // the person with a hundredth of all events
	span       = 365 * 24 * time.Hour
	firstHuman = 1_000_000
)

// A stream makes events: the n-th is a function of the seed and of n, so that
// two stores can be given the same. People are drawn with a heavy tail: the
// density falls with the root of the rank, and one has a hundredth of all.
type stream struct {
	seed   uint64
	people uint64
	first  uint64    // number of the first event
	count  uint64    // of events that the times are spread over
	begin  time.Time // of the first; the last is a span later
}

// newStream makes a stream with a random seed: no two runs send the same ids.
func newStream(count int, first uint64, begin time.Time) *stream {
	return &stream{seed: rand.Uint64(), people: uint64(max(count/perPerson, employees)), first: first, count: uint64(count), begin: begin}
}

// An event is what one of them says.
type event struct {
	id              [16]byte
	source, kind    string
	seq             uint64
	at              time.Time
	person          uint64
	actor, session  uint64
	party           string // that received; "" for none
	system, dataset string
	purpose, basis  string
	more            string // what only this kind has
}

// at gives the n-th event.
func (s *stream) at(n uint64) event {
	var source rand.PCG
	source.Seed(s.seed, n)
	r := rand.New(&source)
	e := event{person: s.draw(r), purpose: "service_provision", basis: "A6-1-b"}
	binary.BigEndian.PutUint64(e.id[:8], r.Uint64())
	binary.BigEndian.PutUint64(e.id[8:], r.Uint64())
	e.id[6], e.id[8] = e.id[6]&0x0f|0x40, e.id[8]&0x3f|0x80
	e.actor = uint64(skew(r, employees))
	offset := float64(n-s.first) / float64(s.count)
	e.at = s.begin.Add(time.Duration(offset*float64(span)) - time.Duration(r.Int64N(int64(time.Hour))))
	e.session = e.actor*1000 + uint64(e.at.YearDay())
	e.of(r, n)
	return e
}

// draw gives a person's number.
func (s *stream) draw(r *rand.Rand) uint64 {
	if r.IntN(100) == 0 {
		return largest
	}
	return 1 + uint64(skew(r, int(s.people-1)))
}

// anyone gives the number of any person, all with the same chance.
func (s *stream) anyone() uint64 { return 1 + rand.Uint64N(s.people-1) }

func skew(r *rand.Rand, n int) int {
	u := r.Float64()
	return int(math.Floor(u * u * float64(n)))
}

// of settles what happened: of ten events in a row seven are the ATS's, two the
// CRM's and one HR's, each numbered by its producer.
func (e *event) of(r *rand.Rand, n uint64) {
	round, turn := n/10, n%10
	switch chance := r.IntN(100); {
	case turn < 7:
		e.source, e.system, e.dataset, e.seq = "/ats", "ats", "career_cv", round*7+turn+1
		switch {
		case chance < 60:
			e.kind, e.more = "data.accessed", accessModes[r.IntN(len(accessModes))]
		case chance < 75:
			e.kind, e.more = "data.used", `"automation":"none"`
		case chance < 95:
			e.kind, e.more = "data.shared", `"artefact":{"type":"imalink_cv","template":"3"}`
			e.party = parties[skew(r, len(parties))].code
		default:
			e.kind, e.more = "data.altered", `"trigger":"correction"`
		}
	case turn < 9:
		e.source, e.system, e.dataset, e.seq = "/crm", "crm", "client_contacts", round*2+turn-6
		e.purpose, e.basis = "relationship", "A6-1-f"
		if chance < 25 {
			e.kind, e.party = "data.transferred", parties[len(parties)-1-skew(r, outside)].code
		} else {
			e.kind, e.more = "data.accessed", accessModes[0]
		}
	default:
		e.source, e.system, e.dataset, e.seq = "/hr", "hrm", "staff_file", round+1
		e.purpose, e.basis = "run_business", "A6-1-c"
		e.kind, e.more = "data.accessed", accessModes[1]
	}
}

var accessModes = [...]string{`"mode":"view","result_count":1`, `"mode":"search","result_count":12`}

// appendText gives a UUID as it is written.
func appendText(dst []byte, id [16]byte) []byte {
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

// identifier is what producers call a person.
func identifier(person uint64) string {
	return "candidate:" + strconv.FormatUint(firstHuman+person, 10)
}

func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// appendJSON writes the event as a producer sends it.
func (e *event) appendJSON(dst []byte) []byte {
	dst = appendText(append(dst, `{"specversion":"1.0","id":"`...), e.id)
	dst = append(append(dst, `","source":"`...), e.source...)
	dst = append(append(dst, `","type":"eu.custody.`...), e.kind...)
	dst = appendTime(append(dst, `.v1","time":"`...), e.at)
	dst = append(dst, `","datacontenttype":"application/json","producerseq":"`...)
	dst = strconv.AppendUint(dst, e.seq, 10)
	dst = append(e.appendData(append(dst, `","data":`...)), '}')
	return dst
}

func (e *event) appendData(dst []byte) []byte {
	dst = append(dst, `{"subjects":[{"id":"`...)
	dst = append(append(dst, identifier(e.person)...), `","role":"candidate"}],"actor":{"id":"employee:r`...)
	dst = strconv.AppendUint(dst, e.actor, 10)
	dst = append(dst, `","role":"recruiter","kind":"human","unit":"recruitment","session":"sess-`...)
	dst = strconv.AppendUint(dst, e.session, 10)
	dst = append(append(dst, `"},"system":"`...), e.system...)
	dst = append(append(dst, `","dataset":"`...), e.dataset...)
	dst = append(append(dst, `","categories":["contact","career_cv"],"purpose":"`...), e.purpose...)
	dst = append(append(dst, `","basis":"`...), e.basis...)
	if e.party != "" {
		dst = append(append(dst, `","recipient":{"role":"processor","party":"`...), e.party...)
		dst = append(dst, `"}`...)
	} else {
		dst = append(dst, '"')
	}
	if e.more != "" {
		dst = append(append(dst, ','), e.more...)
	}
	return append(dst, '}')
}

// A party is one that receives data.
type party struct{ code, country string }

// outside is how many of the parties, the last ones, are not in the EEA.
const outside = 6

// parties are those that the register has.
var parties = [...]party{
	{"north-bank", "BE"}, {"river-insurance", "NL"}, {"old-town-clinic", "BE"}, {"harbour-logistics", "DE"}, {"hill-retail", "FR"},
	{"lake-energy", "LU"}, {"field-foods", "BE"}, {"stone-works", "IT"}, {"glass-media", "ES"}, {"wool-textile", "PT"},
	{"cloud-host", "DE"}, {"mail-sender", "IE"}, {"pay-roller", "BE"}, {"help-desk", "PL"},
	{"crm-abroad", "US"}, {"mail-abroad", "US"}, {"backup-abroad", "CH"}, {"code-abroad", "IN"}, {"desk-abroad", "GB"}, {"shop-abroad", "BR"},
}

// appendJSON writes the event that registers the party.
func (p party) appendJSON(dst []byte, id [16]byte, at time.Time) []byte {
	dst = appendText(append(dst, `{"specversion":"1.0","id":"`...), id)
	dst = appendTime(append(dst, `","source":"/register","type":"eu.custody.governance.party-registered.v1","time":"`...), at)
	dst = append(dst, `","datacontenttype":"application/json","data":{"actor":{"id":"employee:d01","role":"dpo","kind":"human","unit":"dpo"},"party":"`...)
	dst = append(append(dst, p.code...), `","name":"`...)
	dst = append(append(dst, p.code...), `","roles":["processor"],"country":"`...)
	for _, list := range []string{`","storage":["`, `"],"access":["`} {
		dst = append(append(dst, p.country...), list...)
	}
	return append(append(dst, p.country...), `"]}}`...)
}
