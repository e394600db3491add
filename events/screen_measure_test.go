package events

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

var machineTokens = []struct {
	name string
	make func(r *rand.Rand, b []byte) []byte
}{
	{"UUID", func(r *rand.Rand, b []byte) []byte {
		b = fmt.Appendf(b, "%016x%016x", r.Uint64(), r.Uint64())
		s := string(b)
		return append(b[:0], s[:8]+"-"+s[8:12]+"-"+s[12:16]+"-"+s[16:20]+"-"+s[20:]...)
	}},
	{"hex16", func(r *rand.Rand, b []byte) []byte { return fmt.Appendf(b, "%016x", r.Uint64()) }},
	{"HEX16", func(r *rand.Rand, b []byte) []byte { return fmt.Appendf(b, "%016X", r.Uint64()) }},
	{"hex32", func(r *rand.Rand, b []byte) []byte { return fmt.Appendf(b, "%016x%016x", r.Uint64(), r.Uint64()) }},
	{"base62-22", alphabetToken("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 22)},
	{"base64url-43", alphabetToken("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_", 43)},
	{"base64-44", alphabetToken("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/", 44)},
	{"base32-26", alphabetToken("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26)},
	{"digits-10", alphabetToken("0123456789", 10)},
	{"digits-11", alphabetToken("0123456789", 11)},
	{"digits-18", alphabetToken("0123456789", 18)},
}

func alphabetToken(alphabet string, n int) func(*rand.Rand, []byte) []byte {
	return func(r *rand.Rand, b []byte) []byte {
		for range n {
			b = append(b, alphabet[r.IntN(len(alphabet))])
		}
		return b
	}
}

// The short form of BenchmarkFalsePositives.
func TestScreenFalsePositives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, token := range machineTokens[:8] {
		for range 50_000 {
			if b := token.make(r, nil); screenText(string(b)) != "" {
				t.Errorf("%s %s: %s", token.name, b, screenText(string(b)))
			}
		}
	}
}

// BenchmarkFalsePositives says how many random tokens in ten million are taken for something:
// go test -run xxx -bench FalsePositives -benchtime 10000000x
func BenchmarkFalsePositives(b *testing.B) {
	for _, token := range machineTokens {
		b.Run(token.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(3, 4))
			flagged, buffer := 0, make([]byte, 0, 64)
			for b.Loop() {
				if screenText(string(token.make(r, buffer[:0]))) != "" {
					flagged++
				}
			}
			b.ReportMetric(float64(flagged)/float64(b.N)*1e7, "flagged/10M")
		})
	}
}

func BenchmarkScreen(b *testing.B) {
	for name, text := range map[string]string{
		"code": "service_provision", "reference": "vacancy:2291", "uuid": "550e8400-e29b-41d4-a716-446655440000", "time": "2026-03-02T09:14:05.120Z",
		"kind": "eu.custody.data.shared.v1", "reason": "corrected after the yearly review of 2025, wrong team and wrong day", "accents": "Société Générale",
		"trace": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				screenText(text)
			}
		})
	}
}
