package ledger

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
)

// governed are the events of governance of the year, the first few of each kind.
func governed(t testing.TB) (all []*events.Event) {
	seen := map[events.Kind]int{}
	for _, line := range year(t) {
		if !bytes.Contains(line, []byte(`"type":"eu.custody.governance.`)) {
			continue
		}
		if e := decode(t, line); seen[e.Kind] < 3 {
			seen[e.Kind]++
			all = append(all, e)
		}
	}
	if len(seen) < 4 {
		t.Fatalf("the year has %d kinds of governance", len(seen))
	}
	return all
}

// FuzzRegister demands that a snapshot is refused, or is one that a register gives; and that the register goes on from it
// and goes back to it.
func FuzzRegister(f *testing.F) {
	all := governed(f)
	r := newRegister()
	for i, e := range all {
		r.apply(e, uint64(i)+1)
	}
	whole, err := r.snapshot()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(whole), "", "null", "{}", string(whole[:len(whole)/2]), string(whole) + "{}", strings.Repeat("{", 1<<12),
		`{"parties":null,"tools":{},"agreements":{},"activities":{}}`, `{"parties":{},"tools":null,"agreements":{},"activities":{}}`,
		`{"parties":{},"tools":{},"agreements":{},"activities":{}}`, `{"parties":{"a":null},"tools":{"a":[]},"agreements":{"a":null},"activities":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r *register
		var err error
		if most, used := uint64(1<<20+128*len(b)), allocated(func() { r, err = restoreRegister(b) }); used > most {
			t.Fatalf("%d bytes take %d of memory", len(b), used)
		}
		if err != nil {
			return
		}
		for i, e := range all {
			r.apply(e, uint64(i)+1)
		}
		r.back(0)
		again, err := r.snapshot()
		if err != nil || len(b) > 0 && !bytes.Equal(again, b) {
			t.Fatalf("%s was taken for %s: %v", b, again, err)
		}
		if len(b) == 0 && !reflect.DeepEqual(r.Parties, newRegister().Parties) {
			t.Fatal("something out of nothing")
		}
	})
}

// TestRegisterSnapshot demands that every snapshot is taken back, and none that says nothing of a table.
func TestRegisterSnapshot(t *testing.T) {
	r := newRegister()
	for i, e := range append([]*events.Event{nil}, governed(t)...) {
		if e != nil {
			r.apply(e, uint64(i))
		}
		b, err := r.snapshot()
		if err != nil {
			t.Fatal(err)
		}
		back, err := restoreRegister(b)
		if err != nil {
			t.Fatalf("after %d events: %v", i, err)
		}
		back.undo = r.undo
		if again, err := back.snapshot(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("after %d events it comes back as another: %v", i, err)
		}
		for _, table := range []string{"parties", "tools", "agreements", "activities"} {
			without := bytes.Replace(b, []byte(`"`+table+`":{`), []byte(`"`+table+`":null,"x":{`), 1)
			if _, err := restoreRegister(without); err == nil {
				t.Errorf("a snapshot without %s is accepted", table)
			}
		}
	}
}
