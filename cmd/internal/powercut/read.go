package powercut

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A node is a file or folder as the program sees it.
type node struct {
	dir     bool
	mode    uint32
	size    int64
	entries map[string]int // of a folder
	link    string         // where a symbolic link leads
	source  string         // where its first content is, "" for none
}

// A handle is an open file description; descriptors made by dup share one.
type handle struct {
	file    int    // number of the node, or -1 outside the root
	path    string // outside: where it is, absolute
	pos     int64
	append  bool
	through bool
}

// A reader follows one process through its trace.
type reader struct {
	root, cwd string
	nodes     []node
	fds       map[int64]*handle
	closed    map[int64]int // line of the last close
	pending   map[*call]*Op // writes under way
	ops       []*Op
	marks     []Mark
}

// Read reads the trace of a run that worked on the folder root, whole. base is a copy
// of root from before the run, or "" when root was an empty folder. root must
// be absolute and free of symbolic links; the process must have started in cwd.
func Read(trace io.Reader, root, cwd, base string) (*Log, error) {
	r := &reader{root: root, cwd: cwd, fds: map[int64]*handle{}, closed: map[int64]int{}, pending: map[*call]*Op{}}
	if err := r.scan(base); err != nil {
		return nil, err
	}
	first := cloneNodes(r.nodes)
	lines, err := calls(trace, r.enter, r.leave)
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	l := &Log{Marks: r.marks, Lines: lines, base: first}
	for _, op := range r.ops {
		if op.Kind != 0 {
			l.Ops = append(l.Ops, *op)
		}
	}
	slices.SortStableFunc(l.Ops, func(a, b Op) int { return cmp.Compare(a.Start, b.Start) })
	return l, nil
}

// scan numbers what stands in base.
func (r *reader) scan(base string) error {
	r.nodes = []node{{dir: true, mode: 0o755, entries: map[string]int{}}}
	if base == "" {
		return nil
	}
	numbers := map[string]int{base: 0}
	return filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == base {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		n := node{dir: d.IsDir(), mode: uint32(info.Mode().Perm()), source: path, size: info.Size()}
		switch {
		case n.dir:
			n.entries = map[string]int{}
		case d.Type()&fs.ModeSymlink != 0:
			if n.link, err = os.Readlink(path); err != nil {
				return err
			}
			if !inMemory(n.link) {
				return fmt.Errorf("%w: a symbolic link that does not lead into memory", ErrTrace)
			}
		}
		numbers[path] = len(r.nodes)
		r.nodes[numbers[filepath.Dir(path)]].entries[d.Name()] = len(r.nodes)
		r.nodes = append(r.nodes, n)
		return nil
	})
}

func cloneNodes(in []node) []node {
	out := slices.Clone(in)
	for i := range out {
		if out[i].dir {
			entries := make(map[string]int, len(in[i].entries))
			for name, n := range in[i].entries {
				entries[name] = n
			}
			out[i].entries = entries
		}
	}
	return out
}

// locate finds the folder and the entry a path names. ok is false outside the
// root, where symbolic links lead, and where the way there does not exist.
func (r *reader) locate(dirfd, path string) (dir int, name string, ok bool) {
	dir, name, away := r.follow(dirfd, path)
	return dir, name, away == ""
}

// follow is locate, and says where outside the root a path leads. A link that
// is the path's last part is not followed.
func (r *reader) follow(dirfd, path string) (dir int, name, away string) {
	at, path := r.from(dirfd, path)
	if path == r.root {
		return 0, ".", ""
	}
	below, inside := strings.CutPrefix(path, r.root+"/")
	if filepath.IsAbs(path) && !inside {
		return 0, "", path
	}
	parts := strings.Split(below, "/")
	for i, p := range parts[:len(parts)-1] {
		next, found := r.nodes[at].entries[p]
		switch {
		case found && r.nodes[next].link != "":
			return 0, "", filepath.Join(r.nodes[next].link, filepath.Join(parts[i+1:]...))
		case !found || !r.nodes[next].dir:
			return 0, "", unknown(path)
		}
		at = next
	}
	return at, parts[len(parts)-1], ""
}

// from makes a path absolute, or relative to a folder of the root.
func (r *reader) from(dirfd, path string) (at int, clean string) {
	switch h := r.folder(dirfd); {
	case filepath.IsAbs(path):
	case h == nil:
		path = filepath.Join(r.cwd, path)
	case h.file < 0:
		path = filepath.Join(h.path, path)
	default:
		at = h.file
	}
	return at, filepath.Clean(path)
}

// unknown is where something is whose path the log cannot follow: never in the
// root by a relative path.
func unknown(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join("/?", path)
}

// inMemory reports whether a link leads where a power cut leaves nothing.
func inMemory(target string) bool {
	return strings.HasPrefix(filepath.Clean(target), Memory+"/")
}

// folder returns the handle a dirfd argument means, nil for the working folder.
func (r *reader) folder(dirfd string) *handle {
	var fd int64
	if _, err := fmt.Sscan(dirfd, &fd); err != nil {
		return nil
	}
	return r.fds[fd]
}

// find returns the number of what an entry leads to.
func (r *reader) find(dir int, name string) (int, bool) {
	if name == "." {
		return dir, true
	}
	n, ok := r.nodes[dir].entries[name]
	return n, ok
}

// enter notes what counts from the moment of the call: writes, and closes,
// after which another thread may be given the same number.
func (r *reader) enter(c *call) error {
	switch c.name {
	case "close":
		fd, err := c.number(0)
		if err != nil {
			return err
		}
		delete(r.fds, fd)
		r.closed[fd] = c.start
	case "write", "pwrite64":
		return r.startWrite(c)
	}
	return nil
}

func (r *reader) startWrite(c *call) error {
	fd, err := c.number(0)
	if err != nil {
		return err
	}
	data, err := c.bytes(1)
	if err != nil {
		return err
	}
	h := r.fds[fd]
	if h == nil {
		r.marks = append(r.marks, Mark{At: c.start, FD: int(fd), Opened: r.closed[fd], Data: data})
		return nil
	}
	if h.file < 0 {
		return nil
	}
	op := &Op{Kind: Write, Start: c.start, End: Never, File: h.file, Offset: h.pos, Data: data, Through: h.through}
	if c.name == "pwrite64" {
		if op.Offset, err = c.number(3); err != nil {
			return err
		}
	} else if h.append {
		op.Offset = r.nodes[h.file].size
	}
	r.ops = append(r.ops, op)
	r.pending[c] = op
	return nil
}

// endWrite completes a write: what it wrote is what the call returned.
func (r *reader) endWrite(c *call) error {
	op := r.pending[c]
	delete(r.pending, c)
	if op == nil || !c.hasRet {
		return nil
	}
	if c.failed {
		op.Kind = 0
		return nil
	}
	if c.ret > int64(len(op.Data)) {
		return fmt.Errorf("%w: wrote more than it had", ErrTrace)
	}
	op.End, op.Data = c.end, op.Data[:c.ret]
	n := &r.nodes[op.File]
	n.size = max(n.size, op.Offset+c.ret)
	if fd, _ := c.number(0); c.name == "write" && r.fds[fd] != nil {
		r.fds[fd].pos = op.Offset + c.ret
	}
	return nil
}
