package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// setenv NAME FILE sets a variable to the content of a file, as $(cat FILE) does.
func setenv(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "setenv NAME FILE")
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// is NAME VALUE checks a variable.
func is(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2, "is NAME VALUE")
	if got := ts.Getenv(args[0]); (got == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

// tokenid NAME VARIABLE sets a variable to the id of a token.
func tokenID(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "tokenid NAME VARIABLE")
	ts.Check(ts.Exec("custody", "token", "list", "-o", "csv"))
	rows, err := csv.NewReader(strings.NewReader(ts.ReadFile("stdout"))).ReadAll()
	ts.Check(err)
	for _, row := range rows {
		if row[2] == args[0] {
			ts.Setenv(args[1], row[0])
			return
		}
	}
	ts.Fatalf("no token %s", args[0])
}

// line NAME VARIABLE sets a variable to what the last command said of a name.
func line(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "line NAME VARIABLE")
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if value, found := strings.CutPrefix(line, args[0]+" "); found {
			ts.Setenv(args[1], strings.TrimSpace(value))
			return
		}
	}
	ts.Fatalf("nothing is said of %s", args[0])
}

// year FILE writes the year of input.
func year(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "year FILE")
	packed, err := os.Open(filepath.Join(ts.Getenv("CORPUS"), "events.ndjson.gz"))
	ts.Check(err)
	defer packed.Close()
	in, err := gzip.NewReader(packed)
	ts.Check(err)
	content, err := io.ReadAll(in)
	ts.Check(err)
	write(ts, args[0], content)
}

// bad CASES EVENTS writes the bad events with what is wrong with each, and the
// events alone.
func bad(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "bad CASES EVENTS")
	cases, err := os.ReadFile(filepath.Join(ts.Getenv("CORPUS"), "bad.ndjson"))
	ts.Check(err)
	write(ts, args[0], cases)
	var events bytes.Buffer
	for line := range bytes.Lines(cases) {
		var one struct{ Event json.RawMessage }
		ts.Check(json.Unmarshal(line, &one))
		events.Write(append(one.Event, '\n'))
	}
	write(ts, args[1], events.Bytes())
}

// head N FILE OUT writes the first lines of a file.
func head(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 3, "head N FILE OUT")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	lines := strings.SplitAfterN(ts.ReadFile(args[1]), "\n", n+1)
	write(ts, args[2], []byte(strings.Join(lines[:n], "")))
}

// long FILE writes a line of 3 MiB and one of a good event.
func long(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "long FILE")
	second := strings.Split(ts.ReadFile("small/access.ndjson"), "\n")[1]
	write(ts, args[0], []byte(strings.Repeat("x", 3<<20)+"\n"+second+"\n"))
}

// flip PATTERN OFFSET flips one bit of the first file that matches; a negative
// offset counts from its end.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "flip PATTERN OFFSET")
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no file matches")
	}
	content, err := os.ReadFile(files[0])
	ts.Check(err)
	if offset < 0 {
		offset += len(content)
	}
	content[offset] ^= 1
	write(ts, files[0], content)
	ts.Logf("flipped a bit of byte %d of %s", offset, files[0])
}

// copy DIR NEW copies a folder.
func copyDir(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "copy DIR NEW")
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(ts.MkAbs(args[0]))))
}

// same DIR DIR compares the files of two folders byte for byte.
func same(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "same DIR DIR")
	one, other := listing(ts, args[0]), listing(ts, args[1])
	for name := range one {
		if one[name] != other[name] {
			ts.Fatalf("%s differs", name)
		}
	}
	if len(one) == 0 || len(one) != len(other) {
		ts.Fatalf("%d files and %d", len(one), len(other))
	}
}

func listing(ts *testscript.TestScript, dir string) map[string]string {
	files := map[string]string{}
	root := ts.MkAbs(dir)
	ts.Check(filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		files[strings.TrimPrefix(name, root)] = string(content)
		return err
	}))
	return files
}

// mode OCTAL FILE checks who may read a file.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "mode OCTAL FILE")
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("mode %s", got)
	}
}

// post STATUS TYPE FILE posts a file to /v1/events, as curl would with the token
// of CUSTODY_TOKEN. The answer goes to answer.json.
func post(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 3, "post STATUS TYPE FILE")
	ask(ts, http.MethodPost, "/v1/events", ts.Getenv("CUSTODY_TOKEN"), args[0], args[1], ts.ReadFile(args[2]), "answer.json")
}

// get PATH OUT TOKENFILE gets a page, which goes to a file.
func get(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 3, "get PATH OUT TOKENFILE")
	ask(ts, http.MethodGet, args[0], strings.TrimSpace(ts.ReadFile(args[2])), "200", "", "", args[1])
}

func ask(ts *testscript.TestScript, method, path, token, status, mediaType, body, out string) {
	request, err := http.NewRequest(method, ts.Getenv("CUSTODY_URL")+path, strings.NewReader(body))
	ts.Check(err)
	request.Header.Set("Authorization", "Bearer "+token)
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	ts.Check(err)
	write(ts, out, answer)
	if !strings.HasPrefix(response.Status, status) {
		ts.Fatalf("answered %s, want %s:\n%s", response.Status, status, answer)
	}
}

func write(ts *testscript.TestScript, file string, content []byte) {
	ts.Check(os.WriteFile(ts.MkAbs(file), content, 0o600))
}

func usage(ts *testscript.TestScript, ok bool, text string) {
	if !ok {
		ts.Fatalf("usage: %s", text)
	}
}
