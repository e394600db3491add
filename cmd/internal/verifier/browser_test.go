package verifier_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/imalink/custody/cmd/internal/verifier"
)

// browser is the one of this package's tests, with the page open in a tab.
type browser struct {
	tab    context.Context
	folder string // of files to upload
	page   string // URL of the page, file://
}

var shared *browser

func TestMain(m *testing.M) {
	code, err := inBrowser(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the verifier's tests need a browser:", err)
		code = 1
	}
	os.Exit(code)
}

// inBrowser runs the tests with the shared browser, and takes it down.
func inBrowser(m *testing.M) (code int, err error) {
	program, err := chromium()
	if err != nil {
		return 1, err
	}
	folder, err := os.MkdirTemp("", "verifier")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, removed(folder)) }()
	page := filepath.Join(folder, "verify.html")
	if err := os.WriteFile(page, verifier.Page(), 0o600); err != nil {
		return 1, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.UserDataDir(filepath.Join(folder, "profile")), chromedp.ProxyServer("127.0.0.1:9"), // nothing is there
		chromedp.Flag("lang", "en"))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	tab, closeTab := chromedp.NewContext(allocator)
	defer closeTab()
	if err := chromedp.Do(tab, chromedp.Navigate("file://"+page)); err != nil {
		return 1, fmt.Errorf("%s does not open the page: %w", program, err)
	}
	shared = &browser{tab: tab, folder: folder, page: "file://" + page}
	code = m.Run()
	return code, chromedp.Cancel(tab)
}

// chromium finds a browser, under any of its names.
func chromium() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("none of %s is installed; on Debian: apt-get install chromium", strings.Join(names, ", "))
}

// removed removes a folder in which a browser that has ended may still write for a moment.
func removed(folder string) (err error) {
	for range 100 {
		if err = os.RemoveAll(folder); err == nil {
			return nil
		}
		<-time.After(20 * time.Millisecond)
	}
	return err
}

// A vector is what is asked of the page: a file, and a trust file or none.
type vector struct {
	File  []byte
	Trust []byte
}

// evaluate runs a script in the shared tab; it may give a promise.
func evaluate[T any](t testing.TB, script string) T {
	t.Helper()
	return evaluateIn[T](t, shared.tab, script)
}

func evaluateIn[T any](t testing.TB, tab context.Context, script string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// library is what the scripts of tests share.
const library = `
const unbase64 = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
const given = (s) => s === null ? null : unbase64(s);
const verdict = async (file, trust) => { try { return await custody.verify(file, trust); } catch (e) { return {outcome: 'error', why: e.code || String(e)}; } };
`

// verify asks the page about each vector and gives its verdicts as JSON.
func verify(t testing.TB, vectors ...vector) (verdicts []json.RawMessage) {
	t.Helper()
	script := fmt.Sprintf(`(async () => {%s
		const verdicts = [];
		for (const {File, Trust} of %s) verdicts.push(await verdict(unbase64(File), given(Trust)));
		return JSON.stringify(verdicts);
	})()`, library, encoded(t, vectors))
	if err := json.Unmarshal([]byte(evaluate[string](t, script)), &verdicts); err != nil {
		t.Fatal(err)
	}
	return verdicts
}

// changes asks the page about a file with a bit changed in each of the bytes at these places. It gives the first letters
// of the outcomes.
func changes(t testing.TB, v vector, places []int) string {
	t.Helper()
	return evaluate[string](t, fmt.Sprintf(`(async () => {%s
		const file = unbase64(%q), trust = given(%s);
		let outcomes = '';
		for (const i of %s) {
			file[i] ^= 1 << (i & 7);
			outcomes += (await verdict(file, trust)).outcome[0];
			file[i] ^= 1 << (i & 7);
		}
		return outcomes;
	})()`, library, base64.StdEncoding.EncodeToString(v.File), encoded(t, v.Trust), encoded(t, places)))
}

// lengths asks the page about a file cut off at each length, and made longer by a byte.
func lengths(t testing.TB, v vector) string {
	t.Helper()
	return evaluate[string](t, fmt.Sprintf(`(async () => {%s
		const file = unbase64(%q), trust = given(%s);
		let outcomes = '';
		for (let n = 0; n < file.length; n++) outcomes += (await verdict(file.slice(0, n), trust)).outcome[0];
		const longer = new Uint8Array(file.length + 1);
		longer.set(file);
		return outcomes + (await verdict(longer, trust)).outcome[0];
	})()`, library, base64.StdEncoding.EncodeToString(v.File), encoded(t, v.Trust)))
}

func encoded(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
