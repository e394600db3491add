package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// server is custody serve, running.
type server struct {
	cmd    *exec.Cmd
	exited chan error
}

type serversKey struct{}

// serversOf are the servers of a script, by their data directory.
func serversOf(ts *testscript.TestScript) map[string]*server {
	return ts.Value(serversKey{}).(map[string]*server)
}

// start D K [FLAG...] makes a ledger with the producers ats and register, serves
// it, and leaves tokens in relay.token and dpo.token. Scripts that are about exact
// positions start it with --commit-every 0: else commits come between.
func start(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) >= 2, "start D K [FLAG...]")
	ts.Check(ts.Exec("custody", "init", "--data", args[0], "--keys", args[1]))
	serve(ts, false, args)
	operator := []string{"--url", ts.Getenv("CUSTODY_URL"), "--token-file", args[0] + "/operator.token"}
	ts.Check(ts.Exec("custody", append(operator, "producer", "add", "ats", "--families", "data,subject,ledger")...))
	ts.Check(ts.Exec("custody", append(operator, "producer", "add", "register", "--families", "governance")...))
	for _, role := range []string{"relay", "dpo"} {
		ts.Check(ts.Exec("custody", append(operator, "token", "create", "--role", role, "--name", role+"-1", "--out", role+".token")...))
	}
}

// serve D K [FLAG...] runs custody serve, waits for the line that says where,
// and sets CUSTODY_URL. What it logs is added to D.log. With ! it must end by
// itself; STATUS is then its exit status.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) > 1, "serve D K [FLAG...]")
	program, err := exec.LookPath("custody")
	ts.Check(err)
	logs, err := os.OpenFile(ts.MkAbs(args[0]+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer logs.Close() // the server has its own
	s := &server{exited: make(chan error, 1)}
	s.cmd = exec.Command(program, append([]string{"serve", "--data", args[0], "--keys", args[1], "--listen", "127.0.0.1:0"}, args[2:]...)...)
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}
	s.cmd.Stderr = logs
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
		failure := <-s.exited
		if !neg {
			ts.Fatalf("serve ended with %v:\n%s", failure, ts.ReadFile(args[0]+".log"))
		}
		ts.Setenv("STATUS", strconv.Itoa(exitCode(failure)))
		return
	}
	serversOf(ts)[args[0]] = s
	ts.Defer(func() { end(s, syscall.SIGKILL) })
	if neg {
		ts.Fatalf("serve is listening")
	}
	ts.Setenv("CUSTODY_URL", url)
	f := frontOf(ts)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.server = url
}

// quit D asks the server of D to stop, and waits until it has, without error.
func quit(ts *testscript.TestScript, neg bool, args []string) {
	if failure := endOf(ts, neg, args, syscall.SIGTERM); failure != nil {
		ts.Fatalf("the server ended with %v:\n%s", failure, ts.ReadFile(args[0]+".log"))
	}
}

// crash D kills the server of D, as kill -9 does.
func crash(ts *testscript.TestScript, neg bool, args []string) { endOf(ts, neg, args, syscall.SIGKILL) }

func endOf(ts *testscript.TestScript, neg bool, args []string, sig os.Signal) error {
	usage(ts, !neg && len(args) == 1, "quit D, crash D")
	s := serversOf(ts)[args[0]]
	if s == nil {
		ts.Fatalf("no server of %s", args[0])
	}
	delete(serversOf(ts), args[0])
	return end(s, sig)
}

// end sends a signal and waits. Ending what has ended does nothing.
func end(s *server, sig os.Signal) error {
	s.cmd.Process.Signal(sig)
	err := <-s.exited
	s.exited <- err
	return err
}

// status N COMMAND... runs a command that must exit with this status.
func exitStatus(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) > 1, "status N COMMAND...")
	err := ts.Exec(args[1], args[2:]...)
	if got := strconv.Itoa(exitCode(err)); got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return -1
}

// nocore D checks that the server of D leaves no core dump, which would hold
// keys. Where it may not even be asked, it is as closed as it should be.
func noCore(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "nocore D")
	limits, err := os.ReadFile("/proc/" + strconv.Itoa(serversOf(ts)[args[0]].cmd.Process.Pid) + "/limits")
	if errors.Is(err, os.ErrPermission) {
		return
	}
	ts.Check(err)
	for line := range strings.Lines(string(limits)) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "Max core file size") && fields[4] == "0" && fields[5] == "0" {
			return
		}
	}
	ts.Fatalf("core dumps are possible:\n%s", limits)
}
