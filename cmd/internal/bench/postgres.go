package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A postgres is a server of its own, on a socket in a folder, and one session
// with it.
type postgres struct {
	dir   string
	as    *syscall.SysProcAttr // who runs it; nil is who runs this
	psql  *exec.Cmd
	in    *bufio.Writer
	close io.Closer // of in
	out   *bufio.Reader
	said  bytes.Buffer // by psql on standard error
}

// errNoPostgres reports that there is none to measure, and why.
var errNoPostgres = errors.New("not installed")

// newPostgres makes an empty database. It is durable, as it is by default, with
// a tenth of the memory for its own buffers.
func newPostgres(ctx context.Context, dir string) (*postgres, error) {
	for _, program := range []string{"initdb", "pg_ctl", "postgres", "psql"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, errNoPostgres
		}
	}
	pg := &postgres{dir: dir}
	if err := pg.prepare(); err != nil {
		return nil, err
	}
	if err := pg.run(ctx, "initdb", "-D", filepath.Join(dir, "data"), "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale"); err != nil {
		return nil, err
	}
	settings := "-c listen_addresses='' -c unix_socket_directories='" + dir + "' -c shared_buffers=2GB -c max_wal_size=8GB -c work_mem=64MB"
	if err := pg.run(ctx, "pg_ctl", "-D", filepath.Join(dir, "data"), "-l", filepath.Join(dir, "log"), "-w", "-o", settings, "start"); err != nil {
		return nil, err
	}
	return pg, pg.connect(ctx)
}

// prepare makes the folder, of a user that PostgreSQL accepts: it refuses root.
func (pg *postgres) prepare() error {
	if err := os.Mkdir(pg.dir, 0o700); err != nil || os.Geteuid() != 0 {
		return err
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("%w: there is no user postgres to run it as", errNoPostgres)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	pg.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return errors.Join(err1, err2, os.Chmod(filepath.Dir(pg.dir), 0o711), os.Chown(pg.dir, uid, gid))
}

func (pg *postgres) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.SysProcAttr = pg.dir, pg.as
	return cmd
}

func (pg *postgres) run(ctx context.Context, program string, args ...string) error {
	out, err := os.CreateTemp("", "custody-bench-") // a pipe would stay open in the server
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := pg.command(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %.500s", program, err, said)
	}
	return nil
}

// connect begins the session.
func (pg *postgres) connect(ctx context.Context) error {
	pg.psql = pg.command(ctx, "psql", "-X", "-q", "-A", "-t", "-h", pg.dir, "-U", "bench", "-d", "postgres", "-v", "ON_ERROR_STOP=1")
	in, err1 := pg.psql.StdinPipe()
	out, err2 := pg.psql.StdoutPipe()
	pg.psql.Stderr = &pg.said
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	pg.in, pg.close, pg.out = bufio.NewWriterSize(in, 1<<20), in, bufio.NewReaderSize(out, 1<<16)
	return pg.psql.Start()
}

// stop ends the session and the server.
func (pg *postgres) stop() {
	if pg.psql != nil {
		pg.close.Close()
		pg.psql.Wait()
	}
	// The context may have ended; the server must not outlive this process.
	pg.run(context.Background(), "pg_ctl", "-D", filepath.Join(pg.dir, "data"), "-m", "immediate", "-w", "stop")
	os.RemoveAll(pg.dir)
}

// endOfAnswer is what no row looks like.
const endOfAnswer = "--- end of answer ---"

// do runs statements and returns how many rows they gave.
func (pg *postgres) do(statements string) (rows int, err error) {
	pg.in.WriteString(statements)
	fmt.Fprintf(pg.in, "\n\\echo '%s'\n", endOfAnswer)
	if err := pg.in.Flush(); err != nil {
		return 0, pg.broken(err)
	}
	for {
		line, err := pg.out.ReadString('\n')
		if err != nil {
			return rows, pg.broken(err)
		}
		if strings.TrimSpace(line) == endOfAnswer {
			return rows, nil
		}
		rows++
	}
}

func (pg *postgres) broken(err error) error {
	pg.psql.Wait()
	return fmt.Errorf("psql: %w: %.500s", err, pg.said.String())
}

// took runs a statement n times.
func (pg *postgres) took(n int, statement func() string) (times, error) {
	return timed(n, func() error {
		_, err := pg.do(statement())
		return err
	})
}

// load copies the first n events of a stream, 10,000 a transaction.
func (pg *postgres) load(ctx context.Context, from *stream, n int) (time.Duration, error) {
	const copied = 10_000
	begin := time.Now()
	var line []byte
	for i := range n {
		if i%copied == 0 {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			if i > 0 {
				pg.in.WriteString("\\.\n")
			}
			pg.in.WriteString("COPY events FROM STDIN;\n")
		}
		e := from.at(from.first + uint64(i))
		line = e.appendRow(line[:0], i+1)
		if _, err := pg.in.Write(line); err != nil {
			return 0, pg.broken(err)
		}
	}
	_, err := pg.do("\\.")
	return time.Since(begin), err
}
