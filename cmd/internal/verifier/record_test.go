package verifier_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// fields are those of a record but for the producer's number, which no event alone has.
type fields struct {
	Version int    `json:"version"`
	Kind    uint8  `json:"kind"`
	Flags   uint32 `json:"flags"`
	Region  string `json:"region"`
	Time    int64  `json:"time"`
	Seq     uint64 `json:"seq"`
	Digest  string `json:"digest"`
}

// TestRecords makes records of events of every kind, with all that a flag depends on: the page must make the same.
func TestRecords(t *testing.T) {
	stored := storedEvents(t)
	texts := make([]string, len(stored))
	for i, raw := range stored {
		texts[i] = string(raw)
	}
	script := fmt.Sprintf("JSON.stringify(%s.map((text) => custody.record(new TextEncoder().encode(text))))", encoded(t, texts))
	var got []fields
	if err := json.Unmarshal([]byte(evaluate[string](t, script)), &got); err != nil {
		t.Fatal(err)
	}
	flags := uint32(0)
	for i, raw := range stored {
		r := evidencetest.RecordOf(raw)
		want := fields{1, r.Kind, uint32(r.Flags), string(r.Region[:]), r.Time, r.Sequence, hex.EncodeToString(r.Digest[:])}
		if r.Region == [2]byte{} {
			want.Region = ""
		}
		if got[i] != want {
			t.Errorf("%+v, want %+v of %s", got[i], want, raw)
		}
		flags |= want.Flags
	}
	if flags != 0xffff {
		t.Errorf("only flags %x were seen", flags)
	}
}

// storedEvents are the examples of docs/events, each stored in several ways.
func storedEvents(t *testing.T) (all [][]byte) {
	t.Helper()
	block := regexp.MustCompile("(?s)```json( stored)?\n(.*?)```")
	seen := map[events.Kind]bool{}
	for _, page := range []string{"data", "subject", "governance", "breach", "ledger"} {
		text, err := os.ReadFile("../../../docs/events/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range block.FindAllSubmatch(text, -1) {
			if b[1] != nil {
				all = append(all, regexp.MustCompile(`\n *`).ReplaceAll(b[2], nil))
			} else {
				e, err := events.Decode(b[2])
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, stored(e)...)
			}
			st, err := events.DecodeStored(all[len(all)-1])
			if err != nil {
				t.Fatal(err)
			}
			seen[st.Event.Kind] = true
		}
	}
	for _, k := range events.Kinds() {
		if !seen[k] && k != events.LedgerCommitted && k != events.LedgerKeyAnnounced {
			t.Errorf("no example of %s; there are %v", k, slices.Sorted(maps.Keys(seen)))
		}
	}
	return all
}

// stored gives an event as a ledger could store it: with tags that no vault made, on the edge of being late, and with
// other facts each time.
func stored(e *events.Event) (all [][]byte) {
	e = e.Rewrite(func(_ string, s events.Secrecy, v events.Value) events.Value {
		if s == events.Sealed {
			return events.Value{}
		}
		sum := sha256.Sum256([]byte(v.Text()))
		return events.TextOf(hex.EncodeToString(sum[:16]))
	})
	for i, class := range []string{"", "T0", "T1", "T1f", "T2", "T3", "T4", "T5", "U"} {
		facts := events.Facts{Class: class, Special: i%2 == 1}
		if class > "T1f" {
			facts.Region = []string{"US", "ZZ"}[i%2]
		}
		delay := 24*time.Hour + time.Duration(i-4)*time.Millisecond
		st := events.Stored{Event: e, Recorded: e.At.UTC().Truncate(time.Millisecond).Add(delay), Salt: [16]byte{byte(i)}, Facts: facts}
		all = append(all, st.Append(nil))
	}
	return all
}
