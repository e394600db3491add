package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// split gives the pieces of a batch, and the verdict on what could not be cut.
func split(b string) (pieces []string, fault string) {
	for piece, err := range SplitBatch([]byte(b)) {
		if err != nil {
			return pieces, verdict(err)
		}
		pieces = append(pieces, string(piece))
	}
	return pieces, ""
}

func TestSplitBatch(t *testing.T) {
	for batch, want := range map[string]struct {
		pieces []string
		fault  string
	}{
		`[]`:                            {},
		" [ \n] \r\n\t":                 {},
		`[{}]`:                          {pieces: []string{`{}`}},
		` [ {"a":[1,"]"]} , {"b":2} ] `: {pieces: []string{`{"a":[1,"]"]}`, `{"b":2}`}},
		`["a\"],",{"}":"{"}]`:           {pieces: []string{`"a\"],"`, `{"}":"{"}`}},
		`[1,true,nul,x]`:                {pieces: []string{`1`, `true`, `nul`, `x`}}, // for Decode to refuse
		`[{"a":},{}]`:                   {pieces: []string{`{"a":}`, `{}`}},
		`[{},[[]]]`:                     {pieces: []string{`{}`, `[[]]`}},
		``:                              {fault: " not-json"},
		`{}`:                            {fault: " not-json"},
		`"[]"`:                          {fault: " not-json"},
		"\ufeff[]":                      {fault: " not-json"},
		`[`:                             {fault: "/0 not-json"},
		`[,{}]`:                         {fault: "/0 not-json"},
		`[{},]`:                         {pieces: []string{`{}`}, fault: "/1 not-json"},
		`[{},,{}]`:                      {pieces: []string{`{}`}, fault: "/1 not-json"},
		`[{}`:                           {pieces: []string{`{}`}, fault: "/1 not-json"},
		`[{} {}]`:                       {pieces: []string{`{}`}, fault: "/1 not-json"},
		`[{}{}]`:                        {pieces: []string{`{}`}, fault: "/1 not-json"},
		`[{},{"a":1],{}]`:               {pieces: []string{`{}`}, fault: "/1 not-json"},
		`[{},{},{"a":"b}]`:              {pieces: []string{`{}`, `{}`}, fault: "/2 not-json"},
		`[{},"\`:                        {pieces: []string{`{}`}, fault: "/1 not-json"},
		`[{}}`:                          {pieces: []string{`{}`}, fault: "/1 not-json"},
		`[{}]]`:                         {pieces: []string{`{}`}, fault: " trailing-bytes"},
		`[] []`:                         {fault: " trailing-bytes"},
		"[]\x00":                        {fault: " trailing-bytes"},
		`[` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `]`: {pieces: []string{strings.Repeat("[", 64) + strings.Repeat("]", 64)}},
		`[{},` + strings.Repeat("[", 65):                              {pieces: []string{`{}`}, fault: "/1 too-deep"},
	} {
		if pieces, fault := split(batch); !slices.Equal(pieces, want.pieces) || fault != want.fault {
			t.Errorf("%.60q: %q, %q", batch, pieces, fault)
		}
	}
}

func TestSplitBatchStops(t *testing.T) {
	for range SplitBatch([]byte(`[1,2,`)) {
		break
	}
	for piece := range SplitBatch([]byte(`[1,2]`)) {
		if len(piece) != cap(piece) {
			t.Error("appending to an element would write over the next")
		}
	}
}

// Every event of a batch comes out as it went in, whatever stands between them.
func TestSplitBatchRoundTrip(t *testing.T) {
	lines := bindingEvents(t)
	space := rapid.StringMatching(`[ \t\r\n]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Map(rapid.SampledFrom(lines), func(b []byte) string { return string(b) }), 0, 5).Draw(t, "events")
		batch := space.Draw(t, "space") + "["
		for i, event := range want {
			if i > 0 {
				batch += ","
			}
			batch += space.Draw(t, "before") + event + space.Draw(t, "after")
		}
		batch += "]" + space.Draw(t, "end")
		if got, fault := split(batch); !slices.Equal(got, want) || fault != "" {
			t.Fatalf("%q: %d elements, %q", batch, len(got), fault)
		}
		cut := rapid.IntRange(0, len(strings.TrimRight(batch, " \t\r\n"))-1).Draw(t, "cut")
		if got, fault := split(batch[:cut]); fault == "" || !slices.Equal(got, want[:len(got)]) {
			t.Fatalf("cut at %d: %d elements, %q", cut, len(got), fault)
		}
	})
}

func FuzzSplitBatch(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"a":"\"]"},1]`, `[{},`, `[[[]`, `[{}]x`, `[1 2]`, "[\"\\"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		pieces, fault := split(string(b))
		var want []json.RawMessage
		valid := json.Unmarshal(b, &want) == nil && want != nil
		if valid && !strings.HasSuffix(fault, TooDeep) && (fault != "" || len(pieces) != len(want)) {
			t.Fatalf("%d of %d elements, %q", len(pieces), len(want), fault)
		}
		all := fault == ""
		for i, piece := range pieces {
			if valid && piece != string(want[i]) {
				t.Errorf("element %d: %q, want %q", i, piece, want[i])
			}
			all = all && json.Valid([]byte(piece))
		}
		if all && !json.Valid(b) {
			t.Error("every element is valid, the whole is not, and nobody noticed")
		}
	})
}

// lines gives "number text" or "number verdict" of each line.
func lines(r io.Reader) (got []string, failed error) {
	for line, err := range SplitLines(r) {
		var fault *Error
		switch {
		case err == nil:
			got = append(got, fmt.Sprint(line.Number, " ", string(line.Raw)))
		case errors.As(err, &fault):
			got = append(got, fmt.Sprint(line.Number, verdict(err)))
		default:
			failed = err
		}
	}
	return got, failed
}

func TestSplitLines(t *testing.T) {
	full := strings.Repeat("x", MaxEvent)
	for text, want := range map[string][]string{
		"":                         nil,
		"\n\n \t\r\n":              nil,
		"a":                        {"1 a"},
		"a\n":                      {"1 a"},
		"a\r\nb\n\nc":              {"1 a", "2 b", "4 c"},
		" a \n":                    {"1  a "},
		"a\rb\r\r\n":               {"1 a\rb\r"},
		"\ufeffa\nb":               {"1 not-json", "2 b"},
		"a\n\ufeffb":               {"1 a", "2 \ufeffb"}, // for Decode to refuse
		"a\n" + full + "\r\nb":     {"1 a", "2 " + full, "3 b"},
		"a\n" + full + "x\nb":      {"1 a", "2 too-large", "3 b"},
		full + full + full + "\nb": {"1 too-large", "2 b"},
		full + "x":                 {"1 too-large"},
		full + "\r":                {"1 " + full},
		full + "\rx":               {"1 too-large"},
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "halved": iotest.HalfReader(strings.NewReader(text)), "early EOF": iotest.DataErrReader(strings.NewReader(text))} {
			got, err := lines(r)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%.20q (%d bytes), %s: %.60q, %v", text, len(text), name, got, err)
			}
		}
	}
}

func TestSplitLinesReadFails(t *testing.T) {
	broken := errors.New("broken")
	got, err := lines(io.MultiReader(strings.NewReader("a\nb\nhalf"), iotest.ErrReader(broken)))
	if !slices.Equal(got, []string{"1 a", "2 b"}) || !errors.Is(err, broken) || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("%q, %v", got, err)
	}
	for range SplitLines(iotest.ErrReader(broken)) {
		break
	}
}

func TestLineKeepsAndHides(t *testing.T) {
	var kept []Line
	for line := range SplitLines(strings.NewReader("jan\npeeters\n")) {
		kept = append(kept, line)
	}
	if string(kept[0].Raw) != "jan" || string(kept[1].Raw) != "peeters" {
		t.Error("a line was written over")
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "line", kept[0], "lines", kept)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "line", kept[0], "lines", kept)
	fmt.Fprintf(&out, "%v %+v %#v %s %d %x %v", kept[0], kept[0], kept[0], kept[0], kept[0], kept[0], kept)
	for _, secret := range []string{"jan", "106", "6a61", "amFu"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("printed: %s", &out)
		}
	}
}

func FuzzSplitLines(f *testing.F) {
	for _, seed := range []string{"", "a\r\nb", "\n\n", "\ufeff", "a\n \nb\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want []string
		for i, line := range strings.Split(string(b), "\n") {
			line = strings.TrimSuffix(line, "\r")
			switch {
			case i == 0 && strings.HasPrefix(line, "\ufeff"):
				want = append(want, "1 not-json")
			case strings.Trim(line, " \t\r\n") != "":
				want = append(want, fmt.Sprint(i+1, " ", line))
			}
		}
		if got, err := lines(bytes.NewReader(b)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	})
}

func BenchmarkSplitBatch(b *testing.B) {
	var batch []byte
	events := bindingEvents(b)
	for i := range 1000 {
		batch = append(append(batch, ','), events[i%len(events)]...)
	}
	batch[0] = '['
	batch = append(batch, ']')
	b.SetBytes(int64(len(batch)))
	for b.Loop() {
		for _, err := range SplitBatch(batch) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkSplitLines(b *testing.B) {
	text := bytes.Repeat(append(slices.Clone(bindingEvents(b)[0]), '\n'), 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for _, err := range SplitLines(bytes.NewReader(text)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
