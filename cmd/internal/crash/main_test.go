package crash_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// How much is tried when nobody asks for more, so that all tests together stay
// short.
const (
	fewRounds   = 5
	fewErasures = 3 // rounds
	fewCuts     = 12
	fewFails    = 13
)

// custody is the path of the program under test, built by TestMain.
var custody string

// TestMain builds the program once for all tests.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "custody-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	custody = filepath.Join(dir, "custody")
	build := exec.Command("go", "build", "-o", custody, "github.com/imalink/custody/cmd/custody")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building custody:", err)
		return 1
	}
	return m.Run()
}

// setting returns the number in the environment variable, or otherwise.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s is not a number", name)
	}
	return n
}

// newSeed returns the seed of this test and prints it.
func newSeed(t *testing.T) uint64 {
	t.Helper()
	seed := setting(t, "CUSTODY_CRASH_SEED", 0)
	if seed == 0 {
		seed = rand.Uint64()>>1 | 1
	}
	t.Logf("CUSTODY_CRASH_SEED=%d", seed)
	return seed
}

// random returns the numbers of one part of a test: the same for the same seed,
// whatever the other parts drew.
func random(seed uint64, part string, n int) *rand.Rand {
	for _, b := range []byte(part) {
		seed = seed*1099511628211 ^ uint64(b)
	}
	return rand.New(rand.NewPCG(seed, uint64(n)))
}
