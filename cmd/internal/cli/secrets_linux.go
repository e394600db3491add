package cli

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// keepMemoryPrivate turns core dumps off: they would hold keys and the people
// they stand for. It also keeps processes of the same user from attaching.
func keepMemoryPrivate() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("turning core dumps off: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("turning core dumps off: %w", err)
	}
	return nil
}
