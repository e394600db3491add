package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// witness A TRUST runs custody audit witness with the folder A, and sets WITNESS to where it listens. What it logs is
// added to A.log.
func witness(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "witness A TRUST")
	program, err := exec.LookPath("custody")
	ts.Check(err)
	logs, err := os.OpenFile(ts.MkAbs(args[0]+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer logs.Close() // the witness has its own
	s := &server{exited: make(chan error, 1), cmd: exec.Command(program, "audit", "witness", "--listen", "127.0.0.1:0", "--state", args[0], "--trust", args[1])}
	s.cmd.Dir, s.cmd.Stderr = ts.MkAbs("."), logs
	s.cmd.Env = []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}
	stdout, err := s.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	go func() {
		io.Copy(io.Discard, stdout)
		s.exited <- s.cmd.Wait()
	}()
	url, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		ts.Fatalf("the witness ended with %v:\n%s", <-s.exited, ts.ReadFile(args[0]+".log"))
	}
	serversOf(ts)[args[0]] = s
	ts.Defer(func() { end(s, syscall.SIGKILL) })
	ts.Setenv("WITNESS", url)
}

// glob PATTERN NAME sets a variable to the one file that matches.
func glob(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "glob PATTERN NAME")
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) != 1 {
		ts.Fatalf("%d files match", len(files))
	}
	ts.Setenv(args[1], files[0])
}

// cosigned NAME waits until the checkpoint that is served has the signature of a key with this name.
func cosigned(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "cosigned NAME")
	again, deadline := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer again.Stop()
	for {
		response, err := http.Get(ts.Getenv("CUSTODY_URL") + "/v1/checkpoint?witnessed=true")
		ts.Check(err)
		note, err := io.ReadAll(response.Body)
		ts.Check(err)
		response.Body.Close()
		if strings.Contains(string(note), "— "+args[0]+" ") {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			ts.Fatalf("never cosigned:\n%s", note)
		}
	}
}
