package docstest

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/cli"
)

// program is the real one, serving, of which this test is a client.
type program struct {
	t                  *testing.T
	url, token, ledger string
}

// serving starts the program as OPERATIONS says, with a port for NATS, and stops it when the test ends.
func serving(t *testing.T) *program {
	t.Helper()
	dir := t.TempDir()
	data, keys := filepath.Join(dir, "data"), filepath.Join(dir, "keys")
	p := &program{t: t, ledger: data}
	p.run("init", "--data", data, "--keys", keys)
	token, err := os.ReadFile(filepath.Join(data, "operator.token"))
	if err != nil {
		t.Fatal(err)
	}
	p.token = strings.TrimSpace(string(token))
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.RunContext(ctx, cli.Env{Args: []string{"serve", "--data", data, "--keys", keys, "--listen", "127.0.0.1:0", "--nats", "127.0.0.1:0"},
			Stdin: strings.NewReader(""), Stdout: in, Stderr: io.Discard, Getenv: func(string) string { return "" }})
		in.Close()
	}()
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != 0 {
			t.Errorf("serve ended with status %d", status)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("serve said nothing: %v", err)
	}
	go io.Copy(io.Discard, out)
	p.url = strings.TrimPrefix(strings.TrimSpace(line), "listening on ")
	return p
}

// run carries out one command and gives what it printed.
func (p *program) run(args ...string) string {
	p.t.Helper()
	var out, errs strings.Builder
	env := map[string]string{"CUSTODY_URL": p.url, "CUSTODY_TOKEN": p.token}
	status := cli.RunContext(p.t.Context(), cli.Env{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: func(name string) string { return env[name] }})
	if status != 0 {
		p.t.Fatalf("%s: status %d: %s", args[0], status, errs.String())
	}
	return strings.TrimSpace(out.String())
}

// post sends one event and wants this status.
func (p *program) post(token, event string, want int) {
	p.t.Helper()
	p.ask(http.MethodPost, "/v1/events", token, strings.NewReader(event), want)
}

func (p *program) ask(method, path, token string, body io.Reader, want int) string {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/cloudevents+json")
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		p.t.Fatalf("%s: status %d, want %d (%v): %s", path, answer.StatusCode, want, err, text)
	}
	return string(text)
}
