package events

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const aVerifierKey = "custody/ledger/0001+00a1b2c3+AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh"

func anAnnouncement() KeyAnnouncement {
	return KeyAnnouncement{Who: Who{Role: "operator", Token: "first"}, What: "log", Key: aVerifierKey, Ancestor: "custody/ledger/0000"}
}

// TestWitnessedEvents spells the ledger's own events about evidence. The end of a commitment is read by
// verifiers as it stands here, byte by byte (docs/FORMAT.md, "Commit").
func TestWitnessedEvents(t *testing.T) {
	at, _ := time.Parse(time.RFC3339, askedAt)
	h := func(c string, n int) string { return strings.Repeat(c, n) }
	for _, c := range []struct {
		event func(id, source string, at time.Time) (*Event, error)
		kind  Kind
		want  string
	}{
		{Commitment{Size: 9, Root: [32]byte{0: 0xab}, Rules: [32]byte{31: 1}}.Event, LedgerCommitted,
			`{"size":9,"root":"ab` + h("0", 62) + `","annotated":"` + h("0", 64) + `","totals":"` + h("0", 288) + `","rules":"` + h("0", 62) + `01"`},
		{anAnnouncement().Event, LedgerKeyAnnounced,
			`{"role":"operator","token":"first","what":"log","state":"added","key":"` + aVerifierKey + `","ancestor":"custody/ledger/0000"`},
		{KeyAnnouncement{Who: Who{Role: "dpo", Token: "d"}, What: "log", Retired: true, Key: aVerifierKey, Operator: "acme", Upto: 7}.Event, LedgerKeyAnnounced,
			`{"role":"dpo","token":"d","what":"log","state":"retired","key":"` + aVerifierKey + `","operator":"acme","upto":7`},
	} {
		e, err := c.event("id-1", "/custody", at)
		if got := string(made(t, e, err).AppendJSON(nil)); !strings.HasSuffix(got, `"data":`+c.want+"}}") || e.Kind != c.kind {
			t.Errorf("%v\n got %s\nwant %s", e.Kind, got, c.want)
		}
		stored := storable(e).Append(nil)
		if again, err := DecodeStored(stored); err != nil || string(again.Append(nil)) != string(stored) {
			t.Errorf("%v: stored and not readable: %v", e.Kind, err)
		}
	}
}

// TestWitnessedRefuses names the field of what cannot be said.
func TestWitnessedRefuses(t *testing.T) {
	at, _ := time.Parse(time.RFC3339, askedAt)
	announcing := func(change func(*KeyAnnouncement)) func(string, string, time.Time) (*Event, error) {
		k := anAnnouncement()
		change(&k)
		return k.Event
	}
	for path, event := range map[string]func(string, string, time.Time) (*Event, error){
		"/data/size":     Commitment{}.Event,
		"/data/what":     announcing(func(k *KeyAnnouncement) { k.What = "root" }),
		"/data/key":      announcing(func(k *KeyAnnouncement) { k.Key += "=" }),
		"/data/ancestor": announcing(func(k *KeyAnnouncement) { k.Ancestor = "with space" }),
		"/data/operator": announcing(func(k *KeyAnnouncement) { k.Operator = "A b" }),
	} {
		_, err := event("id-1", "/custody", at)
		if refused, ok := errors.AsType[*Error](err); !ok || refused.Path != path {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, key := range []string{"", "+00a1b2c3+" + aVerifierKey[28:], strings.Replace(aVerifierKey, "+00a1b2c3", "+00A1b2c3", 1), strings.ReplaceAll(aVerifierKey, "+", "-"), aVerifierKey[:len(aVerifierKey)-4] + "Hy\nh"} {
		if isVerifierKey([]byte(key)) {
			t.Errorf("%q taken for a verifier key", key)
		}
	}
}
