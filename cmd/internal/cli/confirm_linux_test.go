package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	papers "github.com/imalink/custody/cmd/internal/report"
)

// typed is a terminal at which somebody typed something.
func typed(t *testing.T, text string) *os.File {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if _, err := keyboard.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return screen
}

// TestRetainAsks: whoever is at a terminal is told what goes, and says yes or
// nothing goes; a schedule by hand asks for each class.
func TestRetainAsks(t *testing.T) {
	schedule := filepath.Join(t.TempDir(), "s.json")
	if err := os.WriteFile(schedule, []byte(`{"format":1,"keep":[{"class":"access","months":3}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	byHand, byFile := "retain --class access --before 2023-07", "retain --schedule "+schedule
	for _, test := range []struct {
		args, typed string
		status      int
		asks        bool
	}{
		{byHand, "yes\n", done, true},
		{byHand, "no\n", failed, true},
		{byHand, "\n", failed, true},
		{byHand, "\x04", failed, true}, // the end of what is typed
		{byHand + " --yes", "", done, false},
		{byHand + " --dry-run", "", done, false},
		{byFile, "yes\n", done, true},
		{byFile, "no\n", failed, true},
		{byFile + " --yes", "", done, false},
		{byFile + " --dry-run", "", done, false},
	} {
		d := certifying(t, map[string]papers.Kind{"POST /v1/retention": papers.Retained})
		d.objects = map[string]string{"/v1/retention/access": `{` + asOfJSON + `,"events":12,"held":1,"months":[{"month":"2020-01","cells":2},{"month":"2020-02","cells":1}],"blocking":[]}`}
		i := deskOf(t, d)
		var out, err bytes.Buffer
		status := RunContext(t.Context(), Env{Args: strings.Fields(test.args), Stdin: typed(t, test.typed), Stdout: &out, Stderr: &err, Getenv: func(name string) string { return i.env[name] }})
		asked := strings.Contains(err.String(), "3 cells of 2 months; of 12 events") && strings.Contains(err.String(), "Held: 1.") && strings.Contains(err.String(), "Type yes to go on")
		if status != test.status || asked != test.asks {
			t.Errorf("%s, %q: status %d, %q", test.args, test.typed, status, err.String())
		}
		if did := strings.Contains(strings.Join(d.lines(), "\n"), "POST "); did != (test.status == done && !strings.Contains(test.args, "dry-run")) {
			t.Errorf("%s, %q: it was done, %t", test.args, test.typed, did)
		}
	}
}
