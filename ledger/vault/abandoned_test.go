package vault

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// opens opens the closed vault with a root that was once in escrow, elsewhere: beside
// a copy of the index, and without one. Inspect and NewResolver must agree. What is
// refused must have changed nothing.
func (b *bench) opens(r EscrowedRoot) (err error) {
	b.t.Helper()
	dir := b.t.TempDir()
	again := *b
	again.root, again.index, again.escrow = filepath.Join(dir, "root"), filepath.Join(dir, "vault.db"), nil
	must(b.t, RestoreRoot(again.root, r.Reveal(), nil))
	root, index := b.read(again.root), b.read(b.index)
	all := b.log.Replay(b.t.Context(), 1, math.MaxUint64)
	_, inspected := Inspect(all, again.openRoot())
	_, resolved := NewResolver(all, again.openRoot())
	for _, has := range []string{"a copy of the index", "no index"} {
		must(b.t, os.RemoveAll(again.index))
		if has != "no index" {
			must(b.t, os.WriteFile(again.index, []byte(index), 0o600))
		}
		last := b.log.Last()
		var v *Vault
		if v, err = Open(b.t.Context(), again.options()); err == nil {
			must(b.t, v.Close())
		}
		for _, named := range []error{ErrRetiredRoot, ErrAbandonedRoot} {
			if is := errors.Is(err, named); errors.Is(inspected, named) != is || errors.Is(resolved, named) != is {
				b.t.Errorf("with %s, Open says %v, Inspect %v, NewResolver %v", has, err, inspected, resolved)
			}
		}
		if err != nil && (b.log.Last() != last || b.read(again.root) != root) {
			b.t.Errorf("with %s, a refused root has changed something", has)
		}
	}
	return err
}

func (b *bench) read(path string) string {
	b.t.Helper()
	data, err := os.ReadFile(path)
	must(b.t, err)
	return string(data)
}

// A root that was put in escrow and never came into force opens what it was made
// for, until anything is written under the one that stayed in force. From then on
// it would leave that out, and is refused by name.
func TestAbandonedRoot(t *testing.T) {
	rekey := func(b *bench) error { return b.Rekey(b.t.Context(), []uint8{1}) }
	for name, goOn := range map[string]func(b *bench){
		"a row":             func(b *bench) { b.tag(march, "candidate:new") },
		"a cell":            func(b *bench) { b.tag(april, "candidate:1") },
		"the next root":     func(b *bench) { must(b.t, rekey(b)) },
		"one abandoned too": func(b *bench) { b.escrow.fails = []*fault{{}}; wantErr(b.t, rekey(b), ErrAbandoned) },
	} {
		for _, how := range []string{"given up", "crash before the commit point"} {
			t.Run(name+" after "+how, func(t *testing.T) {
				b := newBenchWith(t, bench{escrow: &escrow{}, unsynced: true})
				b.tag(march, "candidate:1")
				if how == "given up" {
					b.escrow.fails = []*fault{{done: true}}
					wantErr(t, rekey(b), ErrAbandoned)
				} else {
					b.Vault.root.write = func(string, int, []byte) error { return errFault }
					wantErr(t, rekey(b), ErrHalted)
					b.crash()
					b.open()
				}
				never := b.escrow.given[1]
				equal(t, "version that never came into force", never.Version, 2)
				must(t, b.Close())
				must(t, b.opens(never))
				b.open()
				goOn(b)
				must(t, b.Close())
				wantErr(t, b.opens(never), ErrAbandonedRoot)
				b.open()
			})
		}
	}
}

// An outcome is what may become of a change of keys.
type outcome struct {
	arm  func(b *bench)
	want error // ErrHalted: the vault is then opened again
}

func outcomes() map[string]outcome {
	escrow := func(f ...*fault) func(*bench) { return func(b *bench) { b.escrow.fails = f } }
	commit := func(written bool) func(*bench) {
		return func(b *bench) {
			b.Vault.root.write = func(path string, at int, data []byte) error {
				if written {
					must(b.t, overwrite(path, at, data))
				}
				return errFault
			}
		}
	}
	return map[string]outcome{
		"done":                        {escrow(), nil},
		"not in escrow":               {escrow(&fault{}), ErrAbandoned},
		"in escrow, answer lost":      {escrow(&fault{done: true}), ErrAbandoned},
		"cut before the commit point": {commit(false), ErrHalted},
		"cut after it":                {commit(true), ErrHalted},
	}
}

// Of all roots that were ever in escrow, only the one in force opens the vault once
// something was written under it, and of every other it is said what became of it.
func TestRootsThatWere(t *testing.T) {
	ways := outcomes()
	rapid.Check(t, func(r *rapid.T) {
		b := newBenchWith(t, bench{escrow: &escrow{}, unsynced: true})
		force := map[uint64]bool{1: true} // versions that were
		for n := range rapid.IntRange(1, 3).Draw(r, "changes") {
			way := ways[rapid.SampledFrom(slices.Sorted(maps.Keys(ways))).Draw(r, "change")]
			way.arm(b)
			wantErr(t, b.Rekey(t.Context(), []uint8{0}), way.want)
			if way.want == ErrHalted || rapid.Bool().Draw(r, "crash") {
				b.crash()
				b.open()
			}
			force[b.Vault.root.Version()] = true
			if rapid.Bool().Draw(r, "goes on") {
				b.tag(march, Identifier(fmt.Sprint("candidate:", n)))
			}
		}
		b.tag(march, "candidate:last")
		now := b.Vault.root.Version()
		must(t, b.Close())
		roots := map[uint64]EscrowedRoot{}
		for _, root := range b.escrow.given {
			roots[root.Version] = root
		}
		for version, root := range roots {
			switch err := b.opens(root); {
			case version == now:
				must(t, err)
			case force[version]:
				wantErr(t, err, ErrRetiredRoot)
			default:
				wantErr(t, err, ErrAbandonedRoot)
			}
		}
		b.open()
	})
}
