package main

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// numbered VARIABLE sets a variable to the number of the erasure opened last.
func numbered(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "numbered VARIABLE")
	ts.Check(ts.Exec("custody", "erasure", "list", "--newest", "--limit", "1", "-o", "ndjson"))
	var one struct{ Position uint64 }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &one))
	ts.Setenv(args[0], strconv.FormatUint(one.Position, 10))
}

// approval VARIABLE sets a variable to what the last command waits for.
func approval(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "approval VARIABLE")
	found := regexp.MustCompile(`custody approve ([0-9a-f]{32})`).FindStringSubmatch(ts.ReadFile("stderr"))
	if found == nil {
		ts.Fatalf("the last command waits for nobody")
	}
	ts.Setenv(args[0], found[1])
}

// forgotten CLASS waits until nothing of a class is left that is older than this
// month: the server does that by itself.
func forgotten(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "forgotten CLASS")
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		cmd := exec.Command("custody", "retain", "--class", args[0], "--before", time.Now().UTC().AddDate(0, -1, 0).Format("2006-01"), "--dry-run", "-o", "json")
		cmd.Env = []string{"CUSTODY_URL=" + ts.Getenv("CUSTODY_URL"), "CUSTODY_TOKEN=" + ts.Getenv("CUSTODY_TOKEN")}
		out, err := cmd.Output()
		ts.Check(err)
		if strings.Contains(string(out), `"months":[]`) || strings.Contains(string(out), `"months": []`) {
			return
		}
	}
	ts.Fatalf("there is still something of class %s", args[0])
}
