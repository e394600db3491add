package checkpoint

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawCheckpoint(t *rapid.T) Checkpoint {
	return Checkpoint{
		Origin: rapid.StringMatching(`[!-*,-~]{1,40}`).Draw(t, "origin"),
		Size:   rapid.Uint64Max(MaxSize-1).Draw(t, "size"),
		Root:   Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "root")),
	}
}

// Reading what was written gives the same checkpoint.
func TestBodyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCheckpoint(t)
		got, err := Parse(c.Body())
		if err != nil || got != c {
			t.Fatalf("%q read back: %+v, %v", c.Body(), got, err)
		}
	})
}

func TestBodyRefused(t *testing.T) {
	root := "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	good := "o.example\n7\n" + root + "\n"
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"nothing":            "",
		"no last line end":   strings.TrimSuffix(good, "\n"),
		"an extension line":  good + "more\n",
		"a blank line":       good + "\n",
		"no origin":          "\n7\n" + root + "\n",
		"a space in origin":  "o example\n7\n" + root + "\n",
		"a plus in origin":   "o+example\n7\n" + root + "\n",
		"a no-break space":   "o\u00a0example\n7\n" + root + "\n",
		"an accent":          "ö.example\n7\n" + root + "\n",
		"a bidi override":    "o\u202e.example\n7\n" + root + "\n",
		"a byte order mark":  "\ufeff" + good,
		"a long origin":      strings.Repeat("o", MaxName+1) + "\n7\n" + root + "\n",
		"a leading zero":     "o.example\n07\n" + root + "\n",
		"a sign":             "o.example\n+7\n" + root + "\n",
		"a size below zero":  "o.example\n-7\n" + root + "\n",
		"an underscore":      "o.example\n1_0\n" + root + "\n",
		"no size":            "o.example\n\n" + root + "\n",
		"a size of 2^53":     "o.example\n9007199254740992\n" + root + "\n",
		"a size of 2^64":     "o.example\n18446744073709551616\n" + root + "\n",
		"other digits":       "o.example\n٧\n" + root + "\n",
		"CR":                 "o.example\r\n7\r\n" + root + "\r\n",
		"CR in base64":       "o.example\n7\n" + root[:20] + "\r" + root[20:] + "\n",
		"stray bits":         "o.example\n7\n" + root[:42] + "9=\n",
		"no padding":         "o.example\n7\n" + root[:43] + "\n",
		"a hash of 31 bytes": "o.example\n7\n" + root[:40] + "HQ==\n",
		"a hash of 33 bytes": "o.example\n7\n" + root[:43] + "8h\n",
		"base64 of URLs":     "o.example\n7\n" + strings.Repeat("_", 43) + "=\n",
	} {
		if c, err := Parse([]byte(body)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	last := Checkpoint{Origin: strings.Repeat("o", MaxName), Size: MaxSize - 1}
	if got, err := Parse(last.Body()); err != nil || got != last {
		t.Errorf("the largest: %v", err)
	}
}

// Every changed bit, cut and longer body is refused or is another checkpoint, in its one spelling.
func TestBodyHasOneSpelling(t *testing.T) {
	c := Checkpoint{Origin: origin, Size: 1000, Root: counting(0xa0)}
	for changed := range changes(c.Body()) {
		got, err := Parse(changed)
		if err == nil && (got == c || !bytes.Equal(got.Body(), changed)) {
			t.Fatalf("%q reads as %+v", changed, got)
		}
	}
}
