package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"custody": main})
}

// TestScripts shows the product's behaviour end to end: each script drives the
// real binary, its server too, on real files.
func TestScripts(t *testing.T) {
	corpus, err := filepath.Abs("../../events/testdata")
	if err != nil {
		t.Fatal(err)
	}
	small := os.DirFS(filepath.Join(filepath.Dir(corpus), "../cmd/custody/testdata/small"))
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("CORPUS", corpus)
			env.Setenv("ANSWERS", filepath.Join(corpus, "../../cmd/internal/ask/testdata/answers.json.gz"))
			env.Setenv("HOME", env.WorkDir)
			env.Values[serversKey{}] = map[string]*server{}
			env.Values[frontKey{}] = &front{}
			return os.CopyFS(filepath.Join(env.WorkDir, "small"), small)
		},
		Cmds: commands(),
	})
}

// commands are what a script can do beside running the program. Each is
// explained where it is.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		// the server
		"start": start, "serve": serve, "quit": quit, "crash": crash, "flaky": flaky, "nocore": noCore, "certificate": certificate,
		"natsurl": natsURL, "nats": sendNATS, "tour": tour, "witness": witness, "cosigned": cosigned,
		// requests, and what is asked of answers
		"post": post, "get": get, "status": exitStatus, "judge": judge, "judgebad": judgeBad, "nobody": nobody, "tagged": tagged,
		"judgeanswers": judgeAnswers, "sameanswers": sameAnswers, "live": live, "ordeal": ordeal,
		"forgotten": forgotten,
		// variables
		"setenv": setenv, "is": is, "tokenid": tokenID, "numbered": numbered, "approval": approval, "line": line, "glob": glob,
		// files
		"year": year, "bad": bad, "head": head, "long": long, "flip": flip, "copy": copyDir, "same": same, "mode": mode,
	}
}
