// Package layering holds the repository to its layout: who may import whom,
// what stands at the top, how long a file may be.
//
// It reads imports itself, in process. A test that asked the go command would
// report a cached pass: the test cache knows only the files the test opens.
package layering

import (
	"bytes"
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// module is the path of our own module.
const module = "github.com/imalink/custody"

// Faults returns every breach of the rules in the repository at root, one line
// each, sorted. The error reports a repository that cannot be read.
func Faults(root string) ([]string, error) {
	top, err := topLevel(root)
	if err != nil {
		return nil, err
	}
	faults := top
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		switch name := d.Name(); {
		case d.IsDir() && file != root && (name[0] == '.' || name[0] == '_' || name == "testdata" || rel == "bin"):
			return fs.SkipDir
		case d.IsDir():
			more, err := packageFaults(root, filepath.ToSlash(rel))
			faults = append(faults, more...)
			return err
		case strings.HasSuffix(name, ".go"):
			text, err := os.ReadFile(file)
			if n := bytes.Count(text, []byte("\n")); n > maxLines {
				faults = append(faults, fmt.Sprintf("%s has %d lines, more than %d", filepath.ToSlash(rel), n, maxLines))
			}
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the repository: %w", err)
	}
	slices.Sort(faults)
	return slices.Compact(faults), nil
}

// topLevel returns what stands at the top and should not.
func topLevel(root string) (faults []string, err error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("reading the top level: %w", err)
	}
	for _, e := range entries {
		if e.Name()[0] != '.' && !slices.Contains(strings.Fields(atTop), e.Name()) {
			faults = append(faults, e.Name()+" does not belong at the top level")
		}
	}
	return faults, nil
}

// packageFaults checks the package in the folder dir, if there is one.
func packageFaults(root, dir string) (faults []string, err error) {
	p, err := build.ImportDir(filepath.Join(root, dir), 0)
	if none := (*build.NoGoError)(nil); errors.As(err, &none) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading package %s: %w", dir, err)
	}
	if slices.Contains(strings.Fields(noNames), p.Name) {
		faults = append(faults, fmt.Sprintf("%s: the name %s says nothing", dir, p.Name))
	}
	l, ok := layerOf(dir)
	if !ok {
		return append(faults, dir+" is in no layer of the policy"), nil
	}
	for _, imp := range p.Imports {
		if !permitted(dir, imp, l.ours, l.others) {
			faults = append(faults, fmt.Sprintf("%s imports %s", dir, imp))
		}
	}
	for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
		if !permitted(dir, imp, l.ours+" "+l.tests, l.others+" "+l.tests) {
			faults = append(faults, fmt.Sprintf("a test of %s imports %s", dir, imp))
		}
	}
	if slices.Contains(strings.Fields(emitters), dir) {
		reached, err := reach(root, p)
		faults = append(faults, reached...)
		if err != nil {
			return nil, err
		}
	}
	return faults, nil
}

// layerOf returns the layer of the package in dir: its own line, or that of a
// folder above it.
func layerOf(dir string) (layer, bool) {
	for _, l := range policy() {
		if l.packages == dir {
			return l, true
		}
		if above, all := strings.CutSuffix(l.packages, "/*"); all && strings.HasPrefix(dir, above+"/") {
			return l, true
		}
	}
	return layer{}, false
}

// permitted reports whether the package in dir may import imp.
func permitted(dir, imp, ours, others string) bool {
	if own, ok := strings.CutPrefix(imp, module+"/"); ok {
		return own == dir || slices.ContainsFunc(strings.Fields(ours), func(o string) bool {
			above, all := strings.CutSuffix(o, "/*")
			return own == above || all && strings.HasPrefix(own, above+"/")
		})
	}
	return standard(imp) || slices.ContainsFunc(strings.Fields(others), func(o string) bool { return under(imp, o) })
}

// under reports whether the import path imp is prefix or below it.
func under(imp, prefix string) bool {
	return imp == prefix || strings.HasPrefix(imp, prefix+"/")
}

// standard reports whether imp is of the standard library, whose first element
// has no dot.
func standard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".") && path.Clean(imp) == imp && imp != "C"
}
