package powercut

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Rebuild writes into the new folder dst what the disk could hold after the
// cut. The same log and cut give the same folder. What its links lead to must
// be gone, as after a power cut it is: else the error wraps [ErrMemory].
func (l *Log) Rebuild(dst string, cut Cut) error {
	im, err := l.image(newFates(l, cut))
	if err != nil {
		return err
	}
	return im.write(0, dst)
}

// Verify compares the folder dir with what the log says the whole run left
// behind. It returns an error wrapping [ErrDiffers] when they are not the same.
// The run must have ended by itself: of a killed one the last calls are open.
func (l *Log) Verify(dir string) error {
	im, err := l.image(everything{})
	if err != nil {
		return err
	}
	seen := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		seen++
		return im.compare(rel, path, d)
	})
	if err != nil {
		return fmt.Errorf("comparing with the log: %w", err)
	}
	if want := im.count(0); seen != want {
		return fmt.Errorf("%w: %d entries, the log has %d", ErrDiffers, seen, want)
	}
	return nil
}

// A chooser decides what reached the disk.
type chooser interface {
	issued(op *Op) bool // called before the cut
	whole(op *Op) bool  // there, entirely
	part(op *Op, buf []byte) []byte
}

// everything is the disk on which nothing is lost.
type everything struct{}

func (everything) issued(*Op) bool               { return true }
func (everything) whole(*Op) bool                { return true }
func (everything) part(_ *Op, buf []byte) []byte { return buf }

// An image is a folder about to be written.
type image struct {
	nodes   []node
	content map[int][]byte
	written map[int]string // where a file has been written: its other names are links to that
}

// image applies to the first state what ch lets through. Names change in the
// order in which the calls returned, contents in the order they were made.
func (l *Log) image(ch chooser) (*image, error) {
	im := &image{nodes: cloneNodes(l.base), content: map[int][]byte{}, written: map[int]string{}}
	for i := range l.base {
		if src := l.base[i].source; src != "" && !l.base[i].dir && l.base[i].link == "" {
			data, err := os.ReadFile(src)
			if err != nil {
				return nil, fmt.Errorf("reading the first state: %w", err)
			}
			im.content[i] = data
		}
	}
	for i := range l.Ops {
		if op := &l.Ops[i]; op.Kind == Create || op.Kind == Mkdir || op.Kind == Symlink {
			im.grow(op)
		}
	}
	for _, op := range l.byReturn() {
		if ch.issued(op) && ch.whole(op) {
			im.rename(op)
		}
	}
	for i := range l.Ops {
		if op := &l.Ops[i]; (op.Kind == Write || op.Kind == Truncate) && ch.issued(op) {
			im.fill(op, ch)
		}
	}
	return im, nil
}

// grow makes room for the node op created, entered nowhere yet.
func (im *image) grow(op *Op) {
	for len(im.nodes) <= op.File {
		im.nodes = append(im.nodes, node{})
	}
	n := node{dir: op.Kind == Mkdir, mode: op.Mode}
	switch op.Kind {
	case Mkdir:
		n.entries = map[string]int{}
	case Symlink:
		n.link = string(op.Data)
	}
	im.nodes[op.File] = n
}

func (im *image) rename(op *Op) {
	entries := im.nodes[op.Dir].entries
	switch op.Kind {
	case Create, Mkdir, Symlink, Link:
		entries[op.Name] = op.File
	case Remove:
		delete(entries, op.Name)
	case Rename:
		if entries[op.Name] == op.File {
			delete(entries, op.Name)
		}
		im.nodes[op.ToDir].entries[op.ToName] = op.File
	}
}

func (im *image) fill(op *Op, ch chooser) {
	buf := im.content[op.File]
	switch {
	case !ch.whole(op):
		if op.Kind == Write {
			buf = ch.part(op, buf)
		}
	case op.Kind == Write:
		buf = put(buf, op.Offset, op.Data)
	default:
		buf = resize(buf, op.Offset)
	}
	im.content[op.File] = buf
}

// put writes data into buf at offset, growing it with zeros.
func put(buf []byte, offset int64, data []byte) []byte {
	if end := offset + int64(len(data)); int64(len(buf)) < end {
		buf = resize(buf, end)
	}
	copy(buf[offset:], data)
	return buf
}

func resize(buf []byte, size int64) []byte {
	if int64(len(buf)) >= size {
		return buf[:size]
	}
	return append(buf, make([]byte, size-int64(len(buf)))...)
}

// write writes the folder n and all below it.
func (im *image) write(n int, dst string) error {
	if err := os.Mkdir(dst, fs.FileMode(im.nodes[n].mode)|0o700); err != nil {
		return fmt.Errorf("rebuilding: %w", err)
	}
	for name, child := range im.nodes[n].entries {
		if err := im.writeEntry(child, filepath.Join(dst, name)); err != nil {
			return err
		}
	}
	return nil
}

func (im *image) writeEntry(n int, path string) (err error) {
	switch node := im.nodes[n]; {
	case node.dir:
		return im.write(n, path)
	case node.link != "":
		if _, gone := os.Lstat(node.link); !errors.Is(gone, fs.ErrNotExist) {
			return fmt.Errorf("%w: what %s leads to is there", ErrMemory, filepath.Base(path))
		}
		err = os.Symlink(node.link, path)
	case im.written[n] != "":
		err = os.Link(im.written[n], path)
	default:
		im.written[n] = path
		err = os.WriteFile(path, im.content[n], fs.FileMode(node.mode))
	}
	if err != nil {
		return fmt.Errorf("rebuilding: %w", err)
	}
	return nil
}

func (im *image) count(n int) int {
	total := 0
	for _, child := range im.nodes[n].entries {
		total++
		if im.nodes[child].dir {
			total += im.count(child)
		}
	}
	return total
}

// compare checks one entry of a real folder.
func (im *image) compare(rel, path string, d fs.DirEntry) error {
	n := 0
	for part := range strings.SplitSeq(rel, "/") {
		next, ok := im.nodes[n].entries[part]
		if !ok {
			return fmt.Errorf("%w: %s is not in the log", ErrDiffers, rel)
		}
		n = next
	}
	if im.nodes[n].dir != d.IsDir() {
		return fmt.Errorf("%w: %s is a folder in one only", ErrDiffers, rel)
	}
	if d.IsDir() {
		return nil
	}
	if link := im.nodes[n].link; link != "" || d.Type()&fs.ModeSymlink != 0 {
		if target, err := os.Readlink(path); err != nil || target != link {
			return fmt.Errorf("%w: %s leads elsewhere", ErrDiffers, rel)
		}
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, im.content[n]) {
		return fmt.Errorf("%w: %s has other content", ErrDiffers, rel)
	}
	return nil
}
