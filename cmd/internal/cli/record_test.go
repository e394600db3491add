package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// fieldsOf writes the data of an event as the fields that give it.
func fieldsOf(prefix string, value any) (list []assignment) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			list = append(list, fieldsOf(strings.TrimPrefix(prefix+"."+name, "."), member)...)
		}
	case []any:
		for i, element := range v {
			if _, object := element.(map[string]any); object {
				list = append(list, fieldsOf(fmt.Sprintf("%s.%d", prefix, i), element)...)
			} else {
				list = append(list, assignment{prefix, fmt.Sprint(element)})
			}
		}
	case float64:
		list = append(list, assignment{prefix, fmt.Sprintf("%.0f", v)})
	default:
		list = append(list, assignment{prefix, fmt.Sprint(v)})
	}
	return list
}

// The events of a year can be given as fields, and come out the same.
func TestEventsAsFields(t *testing.T) {
	packed, err := os.Open("../../../events/testdata/events.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	in, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	contract, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[events.Kind]int{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, eventLimit)
	for n := 1; lines.Scan(); n++ {
		var want map[string]any
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		k, _ := events.ParseType(want["type"].(string))
		if kinds[k]++; kinds[k] > 50 {
			continue // enough of this kind
		}
		fields := fieldsOf("", want["data"])
		for _, name := range []string{"id", "time", "producerseq", "producerinstance", "correlationid", "causationid"} {
			if text, ok := want[name].(string); ok {
				fields = append(fields, assignment{"ce-" + name, text})
			}
		}
		m := &maker{contract: contract, kind: k, source: want["source"].(string), now: time.Now()}
		raw, err := m.event(inOrder(fields))
		if err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		var got map[string]any
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("line %d of kind %v comes out differently", n, k)
		}
	}
	if lines.Err() != nil || len(kinds) < 14 {
		t.Errorf("%d kinds were tried: %v", len(kinds), lines.Err())
	}
}

// inOrder gives the fields so that no element of a list comes before the one
// with the index below it.
func inOrder(fields []assignment) []assignment {
	var list []assignment
	for i := 0; len(list) < len(fields); i++ {
		for _, f := range fields {
			if highest(f.key) == i {
				list = append(list, f)
			}
		}
	}
	return list
}

func highest(key string) (n int) {
	for step := range strings.SplitSeq(key, ".") {
		var i int
		if _, err := fmt.Sscanf(step, "%d", &i); err == nil {
			n = max(n, i)
		}
	}
	return n
}

func TestRows(t *testing.T) {
	contract, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{contract: contract, kind: events.GovernancePartyRegistered, source: "/register", now: time.Now()}
	common := []assignment{{"actor.id", "employee:zulu1"}, {"actor.role", "dpo"}}
	const head = "\ufeffparty,name,roles,country,storage\n"
	made, err := m.rows(csv.NewReader(strings.NewReader(head+"a,\"A, B\",client,BE,\"BE,LU\"\nb,B,processor,NL,\n")), common)
	if err != nil || len(made) != 2 || made[0].line != 2 || made[1].line != 3 {
		t.Fatalf("%d rows, %v", len(made), err)
	}
	for _, want := range []string{`"name":"A, B"`, `"storage":["BE","LU"]`, `"roles":["client"]`} {
		if !bytes.Contains(made[0].raw, []byte(want)) {
			t.Errorf("no %s", want)
		}
	}
	if bytes.Contains(made[1].raw, []byte("storage")) {
		t.Error("an empty cell is a field")
	}
	for name, table := range map[string]string{
		"no rows": "", "too few cells": head + "a,A\n", "unknown key": "nosuch\n1\n", "given twice": "party,name,roles,country,actor.id\na,A,client,BE,employee:zulu2\n",
		"outside the vocabulary": head + "a,A,klient,BE,\n", "quotes": head + "a,\"A,client,BE,\n",
	} {
		if _, err := m.rows(csv.NewReader(strings.NewReader(table)), common); err == nil || strings.Contains(err.Error(), "zulu") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if none, err := m.rows(csv.NewReader(strings.NewReader(head)), common); err != nil || len(none) != 0 {
		t.Errorf("a table without rows: %d, %v", len(none), err)
	}
}

func TestKind(t *testing.T) {
	for text, want := range map[string]events.Kind{
		"data.shared": events.DataShared, "shared": events.DataShared, "eu.custody.data.shared.v1": events.DataShared,
		"party-registered": events.GovernancePartyRegistered,
	} {
		if got, err := kind(text); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	for text, hint := range map[string]string{
		"": "custody schema", "data": "custody schema", "data.shard": "data.shared", "ledger.refused": "custody schema",
		"eu.custody.ledger.refused.v1": "custody schema", "nonsense": "custody schema",
	} {
		_, err := kind(text)
		if f, ok := err.(*fault); !ok || f.status != misused || !strings.Contains(f.hint, hint) {
			t.Errorf("%q: %v, want a hint of %s", text, err, hint)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"system", "dataset", "A6-1-a", "A6-1-b", "processor"}
	for given, want := range map[string]string{
		"sistem": "system", "SYSTEM": "system", "procesor": "processor", "A6-1-z": "", "comment": "", "": "", "x": "",
		strings.Repeat("system", 100): "",
	} {
		if got := nearest(given, words); got != want {
			t.Errorf("nearest to %q is %q, want %q", given, got, want)
		}
	}
}
