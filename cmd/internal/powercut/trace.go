package powercut

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// traced lists the calls by which a program can change files, or learn that
// they are safe. Reading is not among them.
const traced = "open,openat,openat2,creat,close,dup,dup2,dup3,fcntl,lseek," +
	"write,pwrite64,writev,pwritev,pwritev2,sendfile,splice,copy_file_range,mmap,msync," +
	"truncate,ftruncate,fallocate,fsync,fdatasync,sync_file_range,sync,syncfs," +
	"rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir," +
	"mkdir,mkdirat,chdir,fchdir,io_uring_setup"

// Command returns a command that runs name under strace, writing the trace to
// the file trace. The process started is the program, not strace: signals
// reach it directly, and its end is waited for as usual. The trace is complete
// when [Read] has seen the process's own last line, see [Read].
func Command(ctx context.Context, trace, name string, arg ...string) *exec.Cmd {
	args := []string{"-D", "-f", "--seccomp-bpf", "-xx", "-s", "67108864",
		"-e", "signal=none", "-e", "trace=" + traced, "-o", trace, "--", name}
	return exec.CommandContext(ctx, "strace", append(args, arg...)...)
}

// A call is one system call as strace prints it.
type call struct {
	start, end int
	name       string
	args       []string
	ret        int64
	failed     bool
	hasRet     bool
}

// calls reads a trace and hands over every call twice: to enter when it was
// called, to leave when it returned. A call cut short by the end of the
// process is entered and never left.
func calls(r io.Reader, enter, leave func(*call) error) (lines int, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	open := map[string]*call{} // by thread
	for n := 1; ; n++ {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			if line != "" {
				return 0, fmt.Errorf("%w: line %d has no end", ErrTrace, n)
			}
			return n, nil
		} else if err != nil {
			return 0, fmt.Errorf("reading line %d: %w", n, err)
		}
		thread, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		text = strings.TrimLeft(text, " ")
		if err := step(open, n, thread, text, enter, leave); err != nil {
			return 0, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// step reads one line.
func step(open map[string]*call, n int, thread, text string, enter, leave func(*call) error) error {
	switch {
	case strings.HasPrefix(text, "+++"), strings.HasPrefix(text, "---"):
		return nil
	case strings.HasPrefix(text, "<... "):
		c := open[thread]
		name, rest, ok := strings.Cut(text[len("<... "):], " resumed>")
		if c == nil || !ok || name != c.name {
			return fmt.Errorf("%w: resumes no call", ErrTrace)
		}
		delete(open, thread)
		if err := c.finish(n, rest); err != nil {
			return err
		}
		return leave(c)
	}
	name, rest, ok := strings.Cut(text, "(")
	if !ok {
		return fmt.Errorf("%w: no call", ErrTrace)
	}
	c := &call{start: n, end: Never, name: name}
	if args, ok := strings.CutSuffix(rest, " <unfinished ...>"); ok {
		c.args = split(args)
		open[thread] = c
		return enter(c)
	}
	if err := c.finish(n, rest); err != nil {
		return err
	}
	if err := enter(c); err != nil {
		return err
	}
	return leave(c)
}

// finish reads the rest of a call: arguments not seen yet, ")", "= value".
// Strings are printed as hexadecimal escapes, so that no quote, comma or
// bracket stands in one.
func (c *call) finish(line int, rest string) error {
	i := strings.LastIndex(rest, "= ")
	if i < 0 {
		return fmt.Errorf("%w: %s has no result", ErrTrace, c.name)
	}
	args, result := strings.TrimRight(rest[:i], " "), rest[i+2:]
	args, ok := strings.CutSuffix(args, ")")
	if !ok {
		return fmt.Errorf("%w: %s has no end of arguments", ErrTrace, c.name)
	}
	c.args = append(c.args, split(args)...)
	if strings.HasPrefix(result, "?") { // the process ended inside the call
		return nil
	}
	c.end, c.hasRet = line, true
	word, _, _ := strings.Cut(result, " ")
	v, err := strconv.ParseInt(word, 0, 64)
	if err != nil && c.name != "mmap" {
		return fmt.Errorf("%w: result of %s", ErrTrace, c.name)
	}
	c.ret, c.failed = v, v < 0
	return nil
}

func split(args string) []string {
	args = strings.TrimSuffix(strings.TrimPrefix(args, ", "), ",")
	if args == "" {
		return nil
	}
	return strings.Split(args, ", ")
}

// arg returns argument i as printed, "" if there is none.
func (c *call) arg(i int) string {
	if i >= len(c.args) {
		return ""
	}
	return c.args[i]
}

// bytes returns argument i as the string it is.
func (c *call) bytes(i int) ([]byte, error) {
	hex, opened := strings.CutPrefix(c.arg(i), `"`)
	hex, closed := strings.CutSuffix(hex, `"`)
	if !opened || !closed {
		return nil, fmt.Errorf("%w: argument %d of %s is not a whole string", ErrTrace, i, c.name)
	}
	out := make([]byte, 0, len(hex)/4)
	for ; len(hex) >= 4; hex = hex[4:] {
		hi, lo := digit(hex[2]), digit(hex[3])
		if hex[0] != '\\' || hex[1] != 'x' || hi > 15 || lo > 15 {
			return nil, fmt.Errorf("%w: argument %d of %s is not in hexadecimal", ErrTrace, i, c.name)
		}
		out = append(out, hi<<4|lo)
	}
	if hex != "" {
		return nil, fmt.Errorf("%w: argument %d of %s ends half-way", ErrTrace, i, c.name)
	}
	return out, nil
}

func digit(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	}
	return 255
}

// number returns argument i as a number.
func (c *call) number(i int) (int64, error) {
	v, err := strconv.ParseInt(c.arg(i), 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: argument %d of %s is not a number", ErrTrace, i, c.name)
	}
	return v, nil
}

// has reports whether argument i, flags joined by "|", holds flag.
func (c *call) has(i int, flag string) bool {
	for f := range strings.SplitSeq(c.arg(i), "|") {
		if f == flag {
			return true
		}
	}
	return false
}

// Ended reports whether the trace file holds the end of the process pid, after
// which strace writes no more.
func Ended(trace string, pid int) (bool, error) {
	f, err := os.Open(trace)
	if err != nil {
		return false, fmt.Errorf("opening the trace: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("looking at the trace: %w", err)
	}
	tail := make([]byte, min(info.Size(), 8192))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return false, fmt.Errorf("reading the trace: %w", err)
	}
	for line := range strings.Lines(string(tail)) {
		if strings.HasPrefix(line, strconv.Itoa(pid)+" ") && strings.Contains(line, "+++") && strings.HasSuffix(line, "\n") {
			return true, nil
		}
	}
	return false, nil
}
