package powercut

import "fmt"

// create makes a node and its entry.
func (r *reader) create(c *call, kind Kind, dir int, name string, mode uint32) int {
	n := node{dir: kind == Mkdir, mode: mode}
	if n.dir {
		n.entries = map[string]int{}
	}
	file := len(r.nodes)
	r.nodes = append(r.nodes, n)
	r.nodes[dir].entries[name] = file
	r.add(c, Op{Kind: kind, File: file, Dir: dir, Name: name, Mode: mode})
	return file
}

func (r *reader) made(c *call, dirfd string, i int) error {
	path, err := c.bytes(i)
	if err != nil {
		return err
	}
	mode, err := c.number(i + 1)
	if err != nil {
		return err
	}
	if dir, name, inside := r.locate(dirfd, string(path)); inside && name != "." {
		r.create(c, Mkdir, dir, name, uint32(mode))
	}
	return nil
}

// linked handles symbolic links, which must lead into memory.
func (r *reader) linked(c *call, dirfd string, i int) error {
	target, err := c.bytes(0)
	if err != nil {
		return err
	}
	path, err := c.bytes(i)
	if err != nil {
		return err
	}
	dir, name, inside := r.locate(dirfd, string(path))
	if !inside {
		return nil
	}
	if _, _, in := r.locate("AT_FDCWD", string(target)); in || !inMemory(string(target)) {
		return fmt.Errorf("%w: a symbolic link that does not lead into memory", ErrTrace)
	}
	file := len(r.nodes)
	r.nodes = append(r.nodes, node{link: string(target)})
	r.nodes[dir].entries[name] = file
	r.add(c, Op{Kind: Symlink, File: file, Dir: dir, Name: name, Data: target})
	return nil
}

// named handles hard links: another name for a file of the root.
func (r *reader) named(c *call, fromFD string, from int, toFD string, to int) error {
	oldPath, err := c.bytes(from)
	if err != nil {
		return err
	}
	newPath, err := c.bytes(to)
	if err != nil {
		return err
	}
	dir, name, inside := r.locate(fromFD, string(oldPath))
	toDir, toName, toInside := r.locate(toFD, string(newPath))
	if !inside && !toInside {
		return nil
	}
	file, found := r.find(dir, name)
	if !inside || !toInside || !found || r.nodes[file].dir {
		return fmt.Errorf("%w: a link to %q across the folder's edge", ErrTrace, name)
	}
	r.nodes[toDir].entries[toName] = file
	r.add(c, Op{Kind: Link, File: file, Dir: toDir, Name: toName})
	return nil
}

func (r *reader) removed(c *call, dirfd string, i int) error {
	path, err := c.bytes(i)
	if err != nil {
		return err
	}
	dir, name, inside := r.locate(dirfd, string(path))
	if !inside {
		return nil
	}
	file, found := r.find(dir, name)
	if !found || name == "." {
		return fmt.Errorf("%w: removed %q, which the log does not know", ErrTrace, name)
	}
	delete(r.nodes[dir].entries, name)
	r.add(c, Op{Kind: Remove, File: file, Dir: dir, Name: name})
	return nil
}

func (r *reader) renamed(c *call, fromFD string, from int, toFD string, to int) error {
	oldPath, err := c.bytes(from)
	if err != nil {
		return err
	}
	newPath, err := c.bytes(to)
	if err != nil {
		return err
	}
	dir, name, inside := r.locate(fromFD, string(oldPath))
	toDir, toName, toInside := r.locate(toFD, string(newPath))
	if !inside && !toInside {
		return nil
	}
	file, found := r.find(dir, name)
	if !inside || !toInside || !found || c.has(4, "RENAME_EXCHANGE") {
		return fmt.Errorf("%w: rename of %q across the folder's edge", ErrTrace, name)
	}
	delete(r.nodes[dir].entries, name)
	r.nodes[toDir].entries[toName] = file
	r.add(c, Op{Kind: Rename, File: file, Dir: dir, Name: name, ToDir: toDir, ToName: toName})
	return nil
}
