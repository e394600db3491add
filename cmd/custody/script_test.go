package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"custody": main})
}

// TestScripts shows the product's behaviour end to end: each script drives the
// real binary, its server too, on real files.
func TestScripts(t *testing.T) {
	data, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TESTDATA", data)
			env.Setenv("HOME", env.WorkDir)
			env.Values[servers{}] = map[string]*server{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":    serve,
			"stop":     stop,
			"kill":     kill,
			"setenv":   setenv,
			"year":     year,
			"post":     post,
			"status":   exitStatus,
			"judge":    judge,
			"judgebad": judgeBad,
			"nobody":   nobody,
			"tagged":   tagged,
			"flip":     flip,
			"same":     same,
		},
	})
}

// setenv NAME FILE sets a variable to the content of a file, as $(cat FILE) does.
func setenv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: setenv NAME FILE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// year FILE writes the year of input.
func year(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: year FILE")
	}
	packed, err := os.Open(filepath.Join(ts.Getenv("TESTDATA"), "imalink-2025.ndjson.gz"))
	ts.Check(err)
	defer packed.Close()
	in, err := gzip.NewReader(packed)
	ts.Check(err)
	out, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = io.Copy(out, in)
	ts.Check(err)
	ts.Check(out.Close())
}

// post STATUS TYPE FILE [PATH] posts a file as curl would, with the token of
// CUSTODY_TOKEN, and keeps the answer as standard output.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: post STATUS TYPE FILE [PATH]")
	}
	path := "/v1/events"
	if len(args) == 4 {
		path = args[3]
	}
	request, err := http.NewRequest(http.MethodPost, ts.Getenv("CUSTODY_URL")+path, strings.NewReader(ts.ReadFile(args[2])))
	ts.Check(err)
	request.Header.Set("Content-Type", args[1])
	if token := ts.Getenv("CUSTODY_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Logf("%s %s", response.Status, answer)
	ts.Check(os.WriteFile(ts.MkAbs("answer.json"), answer, 0o600))
	if !strings.HasPrefix(response.Status, args[0]) {
		ts.Fatalf("answered %s, want %s", response.Status, args[0])
	}
}

// same FILE FILE... compares files byte for byte without printing them.
func same(ts *testscript.TestScript, neg bool, args []string) {
	for _, other := range args[1:] {
		if (ts.ReadFile(args[0]) == ts.ReadFile(other)) == neg {
			ts.Fatalf("%s and %s: same is %v", args[0], other, neg)
		}
	}
}
