package powercut

import "fmt"

// leave notes what counts once the call has returned: everything but writes.
func (r *reader) leave(c *call) error {
	if c.name == "write" || c.name == "pwrite64" {
		return r.endWrite(c)
	}
	if c.failed || !c.hasRet {
		return nil
	}
	switch c.name {
	case "open":
		return r.opened(c, "AT_FDCWD", 0)
	case "openat":
		return r.opened(c, c.arg(0), 1)
	case "dup", "dup2", "dup3":
		return r.duplicated(c)
	case "fcntl":
		if c.has(1, "F_DUPFD") || c.has(1, "F_DUPFD_CLOEXEC") {
			return r.duplicated(c)
		}
		return nil
	case "lseek":
		return r.withFile(c, 0, func(h *handle) error { h.pos = c.ret; return nil })
	case "fsync":
		return r.synced(c, Sync)
	case "fdatasync":
		return r.synced(c, DataSync)
	case "ftruncate":
		return r.withFile(c, 0, func(h *handle) error { return r.truncated(c, h.file, 1) })
	case "truncate":
		return r.truncatedPath(c)
	case "fallocate":
		return r.allocated(c)
	case "mkdir":
		return r.made(c, "AT_FDCWD", 0)
	case "mkdirat":
		return r.made(c, c.arg(0), 1)
	case "symlink":
		return r.linked(c, "AT_FDCWD", 1)
	case "symlinkat":
		return r.linked(c, c.arg(1), 2)
	case "link":
		return r.named(c, "AT_FDCWD", 0, "AT_FDCWD", 1)
	case "linkat":
		return r.named(c, c.arg(0), 1, c.arg(2), 3)
	case "unlink", "rmdir":
		return r.removed(c, "AT_FDCWD", 0)
	case "unlinkat":
		return r.removed(c, c.arg(0), 1)
	case "rename":
		return r.renamed(c, "AT_FDCWD", 0, "AT_FDCWD", 1)
	case "renameat", "renameat2":
		return r.renamed(c, c.arg(0), 1, c.arg(2), 3)
	}
	return r.refuse(c)
}

// refuse admits the calls that change no file of the root, and reports others.
func (r *reader) refuse(c *call) error {
	var fds []int
	switch c.name {
	case "close", "sync_file_range": // promises nothing about a power cut
		return nil
	case "mmap":
		if !c.has(2, "PROT_WRITE") || !c.has(3, "MAP_SHARED") {
			return nil
		}
		fds = []int{4}
	case "writev", "pwritev", "pwritev2", "sendfile":
		fds = []int{0}
	case "splice", "copy_file_range":
		fds = []int{2}
	case "msync", "syncfs":
		fds = []int{0}
	default:
		return r.refusePath(c)
	}
	for _, i := range fds {
		if fd, err := c.number(i); err == nil && r.fds[fd] != nil && r.fds[fd].file >= 0 {
			return fmt.Errorf("%w: %s on a file of the folder", ErrTrace, c.name)
		}
	}
	return nil
}

func (r *reader) refusePath(c *call) error {
	for i := range c.args {
		if path, err := c.bytes(i); err == nil {
			if _, _, inside := r.locate("AT_FDCWD", string(path)); inside {
				return fmt.Errorf("%w: %s on a path of the folder", ErrTrace, c.name)
			}
		}
	}
	if c.name == "chdir" || c.name == "fchdir" || c.name == "sync" || c.name == "io_uring_setup" {
		return fmt.Errorf("%w: %s", ErrTrace, c.name)
	}
	return nil
}

// withFile calls fn when argument i is a descriptor of a file of the root.
func (r *reader) withFile(c *call, i int, fn func(*handle) error) error {
	fd, err := c.number(i)
	if err != nil {
		return err
	}
	if h := r.fds[fd]; h != nil && h.file >= 0 {
		return fn(h)
	}
	return nil
}

func (r *reader) add(c *call, op Op) {
	op.Start, op.End = c.start, c.end
	r.ops = append(r.ops, &op)
}

func (r *reader) opened(c *call, dirfd string, i int) error {
	path, err := c.bytes(i)
	if err != nil {
		return err
	}
	dir, name, away := r.follow(dirfd, string(path))
	h := &handle{file: -1, path: away, append: c.has(i+1, "O_APPEND"), through: c.has(i+1, "O_SYNC") || c.has(i+1, "O_DSYNC")}
	r.fds[c.ret] = h
	if away != "" {
		return nil
	}
	if c.has(i+1, "O_TMPFILE") {
		return fmt.Errorf("%w: open flags %s", ErrTrace, c.arg(i+1))
	}
	file, found := r.find(dir, name)
	switch {
	case found && r.nodes[file].link != "":
		h.path = r.nodes[file].link
	case found:
		h.file = file
		if c.has(i+1, "O_TRUNC") && r.nodes[file].size > 0 {
			r.nodes[file].size = 0
			r.add(c, Op{Kind: Truncate, File: file})
		}
	case c.has(i+1, "O_CREAT"):
		mode, err := c.number(i + 2)
		if err != nil {
			return err
		}
		h.file = r.create(c, Create, dir, name, uint32(mode))
	case c.has(i+1, "O_RDONLY"):
		// Another thread is making it: its call is seen to return after this
		// one. Nothing can be written here, and a sync not counted only makes
		// the disk worse than it is.
		_, from := r.from(dirfd, string(path))
		h.path = unknown(from)
	default:
		return fmt.Errorf("%w: opened %q, which the log does not know", ErrTrace, name)
	}
	return nil
}

func (r *reader) duplicated(c *call) error {
	fd, err := c.number(0)
	if err != nil {
		return err
	}
	if h := r.fds[fd]; h != nil {
		r.fds[c.ret] = h
	} else {
		delete(r.fds, c.ret)
	}
	return nil
}

func (r *reader) synced(c *call, kind Kind) error {
	return r.withFile(c, 0, func(h *handle) error {
		r.add(c, Op{Kind: kind, File: h.file})
		return nil
	})
}

func (r *reader) truncated(c *call, file, i int) error {
	size, err := c.number(i)
	if err != nil {
		return err
	}
	r.nodes[file].size = size
	r.add(c, Op{Kind: Truncate, File: file, Offset: size})
	return nil
}

func (r *reader) truncatedPath(c *call) error {
	path, err := c.bytes(0)
	if err != nil {
		return err
	}
	dir, name, inside := r.locate("AT_FDCWD", string(path))
	if !inside {
		return nil
	}
	file, found := r.find(dir, name)
	if !found {
		return fmt.Errorf("%w: truncated %q, which the log does not know", ErrTrace, name)
	}
	if r.nodes[file].link != "" {
		return nil
	}
	return r.truncated(c, file, 1)
}

// allocated handles fallocate, which grows the file unless told to keep its
// size. Other modes are not understood.
func (r *reader) allocated(c *call) error {
	return r.withFile(c, 0, func(h *handle) error {
		offset, err := c.number(2)
		if err != nil {
			return err
		}
		length, err := c.number(3)
		if err != nil {
			return err
		}
		switch end := offset + length; {
		case c.arg(1) == "FALLOC_FL_KEEP_SIZE":
		case c.arg(1) != "0":
			return fmt.Errorf("%w: fallocate %s", ErrTrace, c.arg(1))
		case end > r.nodes[h.file].size:
			r.nodes[h.file].size = end
			r.add(c, Op{Kind: Truncate, File: h.file, Offset: end})
		}
		return nil
	})
}
