package law

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sync"
)

// reviewed is the day on which the tables were last read against published sources.
const reviewed = "2026-11-22"

// Version names the tables: the day of their last review and the first eight hexadecimal digits of the SHA-256 of
// what [WriteTables] writes, so that tables that differ anywhere, a note included, differ in version.
func Version() string { return version() }

var version = sync.OnceValue(func() string {
	hash := sha256.New()
	WriteTables(hash) // a hash never fails to write
	return fmt.Sprintf("%s-%x", reviewed, hash.Sum(nil)[:4])
})

// WriteTables writes every row of every table, one a line, fields separated by tabs, for people who check
// them and for [Version]. Its error is w's.
func WriteTables(w io.Writer) error {
	var failed error
	line := func(format string, fields ...any) {
		if _, err := fmt.Fprintf(w, format+"\n", fields...); err != nil && failed == nil {
			failed = err
		}
	}
	for _, r := range places {
		line("place\t%s\t%s\t%s\t%s\t%s\t%t\t%s", r.Codes, r.Status, r.From, r.Until, r.Source, r.Verified, r.Note)
	}
	line("countries\t%q", countries)
	for _, r := range decisions {
		line("decision\t%s\t%s\t%s\t%s\t%s\t%t\t%s", r.Code, r.Condition, r.From, r.Until, r.Source, r.Verified, r.Note)
	}
	for _, r := range tools {
		line("tool\t%s\t%d\t%s\t%s\t%s\t%t\t%s", r.Code, r.Ground, r.From, r.Until, r.Source, r.Verified, r.Note)
	}
	for _, r := range instruments {
		line("instrument\t%s\t%s\t%s\t%s\t%s\t%s\t%t\t%s", r.Code, r.Signable.From, r.Signable.Until, r.From, r.Until, r.Source, r.Verified, r.Note)
	}
	return failed
}

// Published reports whether tables of this version ever shipped: the present ones, or former ones, whose
// versions are listed here when the tables change.
func Published(version string) bool {
	former := []string{} // none yet
	return version == Version() || slices.Contains(former, version)
}
