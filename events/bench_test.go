package events

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// typical is an event of about 700 bytes, as a staffing company's tracking system would send it.
const typical = `{"specversion":"1.0","id":"0198f3c2-7a11-7c3e-9d10-5f0c2a7b9e01","source":"/ats",` +
	`"type":"eu.custody.data.shared.v1","time":"2026-03-02T09:14:05.120Z","datacontenttype":"application/json",` +
	`"producerseq":"1841","correlationid":"place-2291","data":{"subjects":[{"id":"candidate:10412","role":"candidate"}],` +
	`"actor":{"id":"employee:jdp","role":"recruiter","kind":"human","unit":"recruitment","session":"sess-0289"},` +
	`"system":"ats","dataset":"career_cv","environment":"prod","operation":"dpv:DiscloseByTransmission",` +
	`"categories":["contact","career_cv"],"purpose":"service_provision","basis":"A6-1-b","basis_ref":"precontract:771",` +
	`"activity":"placement","reference":"vacancy:2291","recipient":{"party":"acme-bank","role":"client"},` +
	`"location":{"storage":["BE"],"access":["BE","FR"]},"volume":{"records":1},"assertion":"observed"}}`

// crowded is an event that lists n subjects.
func crowded(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"specversion":"1.0","id":"0198f3c2-7a11-7c3e-9d10-5f0c2a7b9e01","source":"/ats",` +
		`"type":"eu.custody.data.accessed.v1","time":"2026-03-02T09:14:05.120Z","data":{"subjects":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"candidate:%d","role":"candidate"}`, 10_000+i)
	}
	b.WriteString(`],"actor":{"id":"employee:jdp","role":"recruiter"},"activity":"placement","mode":"list"}}`)
	return []byte(b.String())
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name string
		raw  []byte
	}{{"typical", []byte(typical)}, {"subjects=5000", crowded(MaxSubjects)}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(c.raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendRewritten(b *testing.B) {
	s := storedOf(mustDecode(b, typical))
	s.Event = mustDecode(b, typical)
	replace := func(dst []byte, _ string, _ Secrecy, _ Value) []byte { return append(dst, `"`+tagText+`"`...) }
	seal := func() []byte { return s.Salt[:] }
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = s.AppendRewritten(dst[:0], replace, seal)
	}
}

func BenchmarkAppendStored(b *testing.B) {
	s := storedOf(mustDecode(b, typical))
	var dst []byte
	b.SetBytes(int64(len(s.Append(nil))))
	b.ReportAllocs()
	for b.Loop() {
		dst = s.Append(dst[:0])
	}
}

func BenchmarkDecodeStored(b *testing.B) {
	raw := storedOf(mustDecode(b, typical)).Append(nil)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeStored(raw); err != nil {
			b.Fatal(err)
		}
	}
}

const tagText = "0123456789abcdef0123456789abcdef"

func mustDecode(t testing.TB, raw string) *Event {
	t.Helper()
	e, err := Decode([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// pseudonymised is the event with one tag for every identifier and reference, and nothing sealed.
func pseudonymised(e *Event) *Event {
	return e.Rewrite(func(_ string, s Secrecy, _ Value) Value {
		if s == Sealed {
			return Value{}
		}
		return TextOf(tagText)
	})
}

// storedOf is the event as a ledger could store it.
func storedOf(e *Event) *Stored {
	return &Stored{
		Event:    pseudonymised(e),
		Recorded: time.Date(2026, 3, 2, 9, 14, 6, 7_000_000, time.UTC),
		Relay:    "import",
		Salt:     [16]byte{1, 2, 3, 0xfe, 0xff},
		Sealed:   []byte("sealed"),
		Facts: Facts{
			Class: "T3", Tables: "2026-01-15", Region: "US", Outside: []string{"US"},
			Party: &Party{Code: "acme-bank", Position: 12, Country: "BE", Storage: []string{"BE", "US"}, Access: []string{"BE"},
				DPF: &DPF{Listed: false}, Agreement: "dpa:12", Tool: "A46-2-c", ToolRef: "scc:12"},
			Defaulted: []string{"purpose", "basis"}, Special: true, A9: true, BasisRef: 7, Reference: 1 << 40,
		},
	}
}
