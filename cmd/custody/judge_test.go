package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"
)

// verdict is one line of emit -o ndjson.
type verdict struct {
	Line     int
	Source   string
	ID       string
	Status   string
	Position uint64
	Error    struct{ Type, Path, Detail string }
}

func verdicts(ts *testscript.TestScript, file string) (list []verdict) {
	for line := range strings.Lines(ts.ReadFile(file)) {
		var v verdict
		ts.Check(json.Unmarshal([]byte(line), &v))
		list = append(list, v)
	}
	return list
}

type identity struct{ Source, ID string }

// judge EVENTS RESULTS [again] holds the results of emit against the events: one
// for each line, in order, the first of an identity recorded at the next
// position, every other a duplicate of it; with again all are duplicates.
func judge(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && (len(args) == 2 || len(args) == 3), "judge EVENTS RESULTS [again]")
	results := verdicts(ts, args[1])
	first := map[identity]uint64{}
	line := 0
	for text := range strings.Lines(ts.ReadFile(args[0])) {
		var event identity
		ts.Check(json.Unmarshal([]byte(text), &event))
		line++
		if line > len(results) {
			ts.Fatalf("no result for line %d", line)
		}
		want := verdict{Line: line, Source: event.Source, ID: event.ID, Status: "duplicate", Position: first[event]}
		if want.Position == 0 {
			want.Position = uint64(len(first)) + 1
			first[event] = want.Position
			if len(args) == 2 {
				want.Status = "recorded"
			}
		}
		if got := results[line-1]; got != want {
			ts.Fatalf("line %d: got %+v, want %+v", line, got, want)
		}
	}
	if len(results) != line {
		ts.Fatalf("%d results for %d lines", len(results), line)
	}
}

// judgebad BAD RESULTS: every event is refused at its path.
func judgeBad(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "judgebad BAD RESULTS")
	results := verdicts(ts, args[1])
	line := 0
	for text := range strings.Lines(ts.ReadFile(args[0])) {
		var bad struct{ Path, Why string }
		ts.Check(json.Unmarshal([]byte(text), &bad))
		line++
		if line > len(results) {
			ts.Fatalf("no result for line %d", line)
		}
		if got := results[line-1]; got.Line != line || got.Status != "refused" || got.Error.Path != bad.Path || got.Error.Type == "" || got.Error.Detail == "" {
			ts.Fatalf("line %d (%s at %s): got %+v", line, bad.Why, bad.Path, got)
		}
	}
	if len(results) != line {
		ts.Fatalf("%d results for %d lines", len(results), line)
	}
}

// nobody EVENTS PATH... finds no identifier of a person of the events in any
// file below the paths: not in clear, not as hex, not as base64 at any offset.
func nobody(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) > 1, "nobody EVENTS PATH...")
	needles := disguises(ts, people(ts, args[0]))
	files, found := 0, 0
	for _, path := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(path), func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(name)
			files++
			if needle := needles.in(content); needle != "" {
				found++
				if !neg {
					ts.Fatalf("%s holds %q", name, needle)
				}
			}
			return err
		}))
	}
	if files == 0 || neg && found == 0 {
		ts.Fatalf("%d files were read, and nobody found", files)
	}
}

// people lists the identifiers that the events hold.
func people(ts *testscript.TestScript, file string) []string {
	set := map[string]bool{}
	var walk func(key string, value any)
	walk = func(key string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for k, member := range v {
				if id, ok := member.(string); ok && (key == "subjects" || key == "actor") && (k == "id" || k == "for") || ok && k == "employee" {
					set[id] = true
				}
				walk(k, member)
			}
		case []any:
			for _, member := range v {
				if id, ok := member.(string); ok && key == "handlers" {
					set[id] = true
				}
				walk(key, member)
			}
		}
	}
	in := bufio.NewScanner(strings.NewReader(ts.ReadFile(file)))
	in.Buffer(nil, 8<<20)
	for in.Scan() {
		var event map[string]any
		ts.Check(json.Unmarshal(in.Bytes(), &event))
		walk("", event["data"])
	}
	ts.Check(in.Err())
	var list []string
	for id := range set {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

// needles are what to look for, by their first bytes.
type needles map[string][]string

const prefix = 6

// disguises is the words in clear, in hex, and as base64 shows them inside
// longer bytes.
func disguises(ts *testscript.TestScript, words []string) needles {
	list := needles{}
	for _, w := range words {
		looks := []string{w, hex.EncodeToString([]byte(w)), strings.ToUpper(hex.EncodeToString([]byte(w)))}
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for offset := range 3 {
				looks = append(looks, core(encoding, w, offset))
			}
		}
		for _, look := range looks {
			if len(look) < prefix {
				ts.Fatalf("an identifier is too short to look for")
			}
			list[look[:prefix]] = append(list[look[:prefix]], look)
		}
	}
	return list
}

// in gives the first of the needles that content holds, or "".
func (n needles) in(content []byte) string {
	for i := 0; i+prefix <= len(content); i++ {
		for _, look := range n[string(content[i:i+prefix])] {
			if bytes.HasPrefix(content[i:], []byte(look)) {
				return look
			}
		}
	}
	return ""
}

// core is what every base64 of bytes that hold w at this offset modulo 3 has in
// common.
func core(encoding *base64.Encoding, w string, offset int) string {
	encoded := encoding.EncodeToString(append(bytes.Repeat([]byte{0}, offset), w...))
	start := (offset*8 + 5) / 6
	end := (offset + len(w)) * 8 / 6
	return encoded[start:end]
}

// tagged EVENTS LOG holds a replay against the events it came from: no string of
// a stored event has the bare number of a subject in it, as a word of its own.
// Sealed bytes and numbers of the producer's own counting are let be.
func tagged(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "tagged EVENTS LOG")
	bare := map[string]bool{}
	for _, id := range people(ts, args[0]) {
		_, local, _ := strings.Cut(id, ":")
		bare[local] = true
	}
	var walk func(key string, value any)
	walk = func(key string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for k, member := range v {
				walk(k, member)
			}
		case []any:
			for _, member := range v {
				walk(key, member)
			}
		case string:
			for word := range strings.FieldsFuncSeq(v, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
				if bare[word] && key != "salt" && key != "sealed" && key != "producerseq" {
					ts.Fatalf("%s holds the number of a subject", key)
				}
			}
		}
	}
	lines := 0
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		var stored map[string]any
		ts.Check(json.Unmarshal([]byte(line), &stored))
		walk("", stored)
		lines++
	}
	if lines == 0 {
		ts.Fatalf("the log is empty")
	}
}
