package layering

import (
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	xmodule "golang.org/x/mod/module"
)

// reach follows the imports of an emitter's package and of its tests, through
// our own packages and through modules, and returns where they lead to what
// emitters must not pull in.
func reach(root string, p *build.Package) ([]string, error) {
	mods, err := readModules(root)
	if err != nil {
		return nil, err
	}
	var faults []string
	seen := map[string]bool{}
	var follow func(imports []string, way string) error
	follow = func(imports []string, way string) error {
		for _, imp := range imports {
			if standard(imp) || seen[imp] {
				continue
			}
			seen[imp] = true
			way := way + " → " + imp
			if slices.ContainsFunc(strings.Fields(heavy), func(h string) bool { return under(imp, h) }) {
				faults = append(faults, "an emitter reaches too far: "+way)
				continue
			}
			next, err := build.ImportDir(mods.dir(imp), 0)
			if err != nil {
				return fmt.Errorf("following %s: %w", way, err)
			}
			if err := follow(next.Imports, way); err != nil {
				return err
			}
		}
		return nil
	}
	rel, err := filepath.Rel(root, p.Dir)
	if err != nil {
		return nil, err
	}
	err = follow(slices.Concat(p.Imports, p.TestImports, p.XTestImports), filepath.ToSlash(rel))
	return faults, err
}

// modules says where the packages of the modules of go.mod lie.
type modules struct {
	root, cache string
	folders     map[string]string // by module path
}

func readModules(root string) (*modules, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, fmt.Errorf("reading go.mod: %w", err)
	}
	file, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return nil, fmt.Errorf("reading go.mod: %w", err)
	}
	m := &modules{root: root, cache: os.Getenv("GOMODCACHE"), folders: map[string]string{}}
	if m.cache == "" {
		m.cache = filepath.Join(filepath.SplitList(build.Default.GOPATH)[0], "pkg", "mod")
	}
	for _, r := range file.Require {
		escaped, err := xmodule.EscapePath(r.Mod.Path)
		if err != nil {
			return nil, fmt.Errorf("reading go.mod: %w", err)
		}
		m.folders[r.Mod.Path] = escaped + "@" + r.Mod.Version
	}
	return m, nil
}

// dir returns the folder of the package imp.
func (m *modules) dir(imp string) string {
	if own, ok := strings.CutPrefix(imp, module+"/"); ok {
		return filepath.Join(m.root, filepath.FromSlash(own))
	}
	for mod := imp; mod != "."; mod = filepath.ToSlash(filepath.Dir(mod)) {
		if folder, ok := m.folders[mod]; ok {
			return filepath.Join(m.cache, folder, strings.TrimPrefix(imp, mod))
		}
	}
	return filepath.Join(m.cache, imp)
}
