package pkcs11

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadPIN: only a file that nobody else could read is taken.
func TestReadPIN(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		name, text string
		mode       fs.FileMode
		pin        string // empty: refused
	}{
		{"plain", "s3cret\n", 0o600, "s3cret"},
		{"read-only", "s3cret", 0o400, "s3cret"},
		{"windows", "s3cret\r\n", 0o600, "s3cret"},
		{"with spaces", " s3 cret \n", 0o600, " s3 cret "},
		{"longest", strings.Repeat("7", maxPIN) + "\r\n", 0o600, strings.Repeat("7", maxPIN)},
		{"group may read", "s3cret", 0o640, ""},
		{"others may read", "s3cret", 0o604, ""},
		{"others may write", "s3cret", 0o602, ""},
		{"executable", "s3cret", 0o700, ""},
		{"empty", "", 0o600, ""},
		{"empty line", "\n", 0o600, ""},
		{"two lines", "s3cret\nother\n", 0o600, ""},
		{"zero byte", "s3\x00cret", 0o600, ""},
		{"too long", strings.Repeat("7", maxPIN+1), 0o600, ""},
		{"far too long", strings.Repeat("7", 100*maxPIN), 0o600, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(dir, test.name)
			if err := errors.Join(os.WriteFile(path, []byte(test.text), 0o600), os.Chmod(path, test.mode)); err != nil {
				t.Fatal(err)
			}
			pin, err := ReadPIN(path)
			if test.pin == "" {
				if !errors.Is(err, ErrConfig) || pin.text != nil || strings.Contains(err.Error(), "s3") {
					t.Fatalf("error %v", err)
				}
				return
			}
			if err != nil || *pin.text != test.pin {
				t.Fatalf("error %v, or another PIN", err)
			}
			if b, err := json.Marshal(pin); err != nil || string(b) != `"`+redacted+`"` {
				t.Errorf("as JSON it is %s, %v", b, err)
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				if got := fmt.Sprintf(verb, pin); got != redacted {
					t.Errorf("%s prints %s", verb, got)
				}
				if got := fmt.Sprintf(verb, struct{ hidden PIN }{pin}); strings.Contains(got, test.pin) {
					t.Errorf("%s prints it in an unexported field", verb)
				}
			}
		})
	}
	if _, err := ReadPIN(dir); !errors.Is(err, ErrConfig) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := ReadPIN(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
