package projections

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// errPanic reports a mistake in a model, which does not take the ledger down.
var errPanic = errors.New("projections: model panicked")

// guarded runs fn, which uses a bbolt file, and makes an error that wraps [ErrDamaged] of the panic of a damaged
// page. Other panics are mistakes in the program and go on.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if ofDamage() {
			err = fmt.Errorf("%w: %v", ErrDamaged, recover())
		}
	}()
	return fn()
}

// contained runs fn, which uses a model, and makes an error of any panic. stack is where it was.
func contained(fn func() error) (stack []byte, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		damage := ofDamage()
		switch cause := recover().(type) {
		case nil:
			return
		case runtime.Error:
			err = fmt.Errorf("%w: %w", errPanic, cause)
		default: // not shown: nobody knows what it holds
			err = fmt.Errorf("%w with a %T", errPanic, cause)
		}
		if stack = debug.Stack(); damage {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}()
	return nil, fn()
}

// ofDamage reports, to the deferred function that calls it, whether there is a panic and bbolt raised it, as it does on
// pages that contradict themselves; or it is an access to mapped memory that no file backs, or to an address that
// only a damaged page can have given.
func ofDamage() bool {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	panicking := false
	for {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panicking = true
		case !panicking:
		case frame.Function == "runtime.panicmemAddr", strings.HasPrefix(frame.Function, "go.etcd.io/bbolt"):
			return true
		case !isStandard(frame.Function):
			return false // whose mistake it is
		}
		if !more {
			return false
		}
	}
}

// isStandard reports whether a function is of the standard library, on which bbolt calls to search and to compare.
func isStandard(function string) bool {
	path, _, found := strings.Cut(function, "/")
	return !found || !strings.Contains(path, ".")
}
