package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
)

// FuzzAnswer demands of any answer to log that what is shown ascends one by one, is what came, and that only the line
// that says so makes it whole.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "{}\n", "null\n", shared(1, 2) + `{"end":{"position":2}}` + "\n", shared(1, 2), shared(2, 4) + `{"end":{}}` + "\n", shared(1) + closing,
		`{"end":null}` + "\n", `{"position":-1}` + "\n", `{"position":18446744073709551615}` + "\n" + `{"position":0}` + "\n", strings.Repeat("[", 1<<12) + "\n",
	} {
		f.Add(seed, 0)
	}
	f.Fuzz(func(t *testing.T, body string, format int) {
		var out bytes.Buffer
		s := &session{Env: Env{Stdout: &out, Stderr: io.Discard, Getenv: func(string) string { return "" }}, format: formats[uint(format)%uint(len(formats))]}
		a, err := s.answer()
		if err != nil {
			t.Fatal(err)
		}
		r := &replay{list: a.listing(column{}, column{}, column{}, column{}, column{}, column{}), zone: time.UTC, note: s.note}
		err = r.list.end(r.copy(strings.NewReader(body)))
		if err == nil && !strings.Contains(body, `"`) {
			t.Error("whole without an end")
		}
		if s.format != "ndjson" {
			return
		}
		if !strings.HasPrefix(body, out.String()) && err == nil {
			t.Errorf("shown as\n%s", &out)
		}
		last := uint64(0)
		for text := range strings.Lines(out.String()) {
			var l logLine
			if err := json.Unmarshal([]byte(text), &l); err != nil || l.End == nil && last > 0 && l.Position != last+1 {
				t.Errorf("after %d: %s", last, text)
			}
			last = l.Position
		}
	})
}
