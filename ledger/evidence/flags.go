package evidence

import (
	"fmt"
	"math/bits"
	"strings"
)

// Flags say what a record is counted under; the bits are those of docs/FORMAT.md, "Record".
type Flags uint32

// The counted flags. A record has at most one of the classes.
const (
	T0 Flags = 1 << iota
	T1       // T1f too
	T2
	T3
	T4
	T5
	Unknown
	Collected
	Used
	Shared
	Deleted
	Special
	NoBasis
	Correction
	Late
	Bulk

	Classes = T0 | T1 | T2 | T3 | T4 | T5 | Unknown
	Counted = Flags(1<<FlagCount - 1)
)

// FlagCount is how many flags are counted.
const FlagCount = 16

var flagNames = [FlagCount]string{
	"T0", "T1", "T2", "T3", "T4", "T5", "U",
	"collected", "used", "shared", "deleted", "special", "no-basis", "correction", "late", "bulk",
}

// FlagNames are the names of the counted flags, in the order of their bits.
func FlagNames() []string { return append([]string(nil), flagNames[:]...) }

// ParseFlags reads names of flags, separated by commas. The error names the first that is none.
func ParseFlags(text string) (Flags, error) {
	var f Flags
	for name := range strings.SplitSeq(text, ",") {
		i := index(name)
		if i < 0 {
			return 0, fmt.Errorf("%w: not a flag; there are %s", ErrQuestion, strings.Join(flagNames[:], " "))
		}
		f |= 1 << i
	}
	return f, nil
}

func index(name string) int {
	for i, n := range flagNames {
		if n == name {
			return i
		}
	}
	return -1
}

// String is the names of the counted flags that are set, separated by commas.
func (f Flags) String() string {
	var names []string
	for i := range FlagCount {
		if f&(1<<i) != 0 {
			names = append(names, flagNames[i])
		}
	}
	return strings.Join(names, ",")
}

// summable reports whether counts of these flags may be added up: one flag, or classes, of which a record has one.
func (f Flags) summable() bool {
	return f != 0 && f&^Counted == 0 && (bits.OnesCount32(uint32(f)) == 1 || f&^Classes == 0)
}
