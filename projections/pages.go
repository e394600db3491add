package projections

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
)

// bbolt trusts its pages: on a damaged one it panics, reads beyond the file or, worst, takes a page in use for a
// free one and overwrites it later. So the structure is read here first, from bbolt's file format version 2: integers
// of the machine's order; each page a header of id, flags, count and overflow; two meta pages; then the pages
// of trees and the list of free ones. Every page must be one of these exactly once.
const (
	pageSize   = 4096
	pageHeader = 16

	branchFlag, leafFlag, metaFlag, freelistFlag = 0x01, 0x02, 0x04, 0x10

	branchElement, leafElement = 16, 16
	bucketFlag, bucketHeader   = 0x01, 16 // a leaf element that is a bucket: its root page and sequence

	metaMagic, metaVersion = 0xED0CDAED, 2
	metaSum                = 56 // bytes of a meta before its checksum
)

// pages checks one file.
type pages struct {
	file io.ReaderAt
	buf  []byte
	used []bool // by page, below the high-water mark
}

// checkPages checks the structure of a bbolt file of a size, as its newest transaction left it.
func checkPages(file io.ReaderAt, size int64) error {
	p := pages{file: file, buf: make([]byte, pageSize)}
	root, freelist, end, err := p.metas()
	if err != nil {
		return err
	}
	if end < 2 || end > uint64(size)/pageSize {
		return damaged("the file ends before its pages do")
	}
	p.used = make([]bool, end)
	p.used[0], p.used[1] = true, true
	if err := p.freelist(freelist); err != nil {
		return err
	}
	if err := p.tree(subtree{root: root}); err != nil {
		return err
	}
	for id, used := range p.used {
		if !used {
			return damaged("page %d is neither in use nor free", id)
		}
	}
	return nil
}

// metas returns what the newest sound meta page says. One of the two may be torn: that is what there are two for.
func (p *pages) metas() (root, freelist, end uint64, err error) {
	var newest uint64
	found := false
	for id := range uint64(2) {
		if _, err := p.file.ReadAt(p.buf, int64(id)*pageSize); err != nil {
			return 0, 0, 0, damaged("meta page %d: %v", id, err)
		}
		m := p.buf[pageHeader:]
		sum := fnv.New64a()
		sum.Write(m[:metaSum])
		if u32(m) != metaMagic || u32(m[4:]) != metaVersion || u64(m[metaSum:]) != sum.Sum64() {
			continue
		}
		if u64(p.buf) != id || u16(p.buf[8:]) != metaFlag || u32(m[8:]) != pageSize {
			return 0, 0, 0, damaged("meta page %d is not one", id)
		}
		if txid := u64(m[48:]); !found || txid > newest {
			found, newest = true, txid
			root, freelist, end = u64(m[16:]), u64(m[32:]), u64(m[40:])
		}
	}
	if !found {
		return 0, 0, 0, damaged("no sound meta page")
	}
	return root, freelist, end, nil
}

// read returns page id with its overflow, having marked all of it used. It is valid until the next read.
func (p *pages) read(id uint64) (page []byte, flags, count uint16, err error) {
	if id >= uint64(len(p.used)) {
		return nil, 0, 0, damaged("page %d is beyond the last", id)
	}
	if _, err := p.file.ReadAt(p.buf[:pageSize], int64(id)*pageSize); err != nil {
		return nil, 0, 0, damaged("page %d: %v", id, err)
	}
	flags, count = u16(p.buf[8:]), u16(p.buf[10:])
	n := uint64(u32(p.buf[12:])) + 1
	if u64(p.buf) != id || n > uint64(len(p.used))-id {
		return nil, 0, 0, damaged("page %d has a wrong header", id)
	}
	for i := range n {
		if err := p.claim(id + i); err != nil {
			return nil, 0, 0, err
		}
	}
	if size := int(n) * pageSize; size > len(p.buf) {
		p.buf = append(p.buf, make([]byte, size-len(p.buf))...)
	}
	if n > 1 {
		if _, err := p.file.ReadAt(p.buf[pageSize:n*pageSize], int64(id+1)*pageSize); err != nil {
			return nil, 0, 0, damaged("page %d: %v", id, err)
		}
	}
	return p.buf[:n*pageSize], flags, count, nil
}

func (p *pages) claim(id uint64) error {
	if id >= uint64(len(p.used)) || p.used[id] {
		return damaged("page %d is used twice or beyond the last", id)
	}
	p.used[id] = true
	return nil
}

// freelist claims the pages of the list and those it lists.
func (p *pages) freelist(id uint64) error {
	page, flags, count, err := p.read(id)
	if err != nil {
		return err
	}
	list, n := page[pageHeader:], uint64(count)
	if count == 0xFFFF { // the first number is the count
		n, list = u64(list), list[8:]
	}
	if flags != freelistFlag || n > uint64(len(list))/8 {
		return damaged("page %d is no list of free pages", id)
	}
	for i := range n {
		if err := p.claim(u64(list[i*8:])); err != nil {
			return err
		}
	}
	return nil
}

// A subtree is what a page refers to: keys from a key on and before another, where not nil.
type subtree struct {
	root        uint64
	from, until []byte
	inline      bool // a bucket's only page, kept in a leaf of another bucket: bbolt keeps no bucket in it
}

// holds reports whether key may stand in the subtree behind last, nil if it is the first.
func (t *subtree) holds(last, key []byte) bool {
	return len(key) > 0 && bytes.Compare(last, key) < 0 && bytes.Compare(t.from, key) <= 0 &&
		(t.until == nil || bytes.Compare(key, t.until) < 0)
}

// tree claims a page and all below it. It ends because no page is claimed twice.
func (p *pages) tree(t subtree) error {
	page, flags, count, err := p.read(t.root)
	if err != nil {
		return err
	}
	var below []subtree
	switch {
	case flags == branchFlag && count > 0:
		below, err = t.branch(page, int(count))
	case flags == leafFlag:
		below, err = t.leaf(page, int(count))
	default:
		err = damaged("is no page of a tree")
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", t.root, err)
	}
	for _, t := range below {
		if err := p.tree(t); err != nil {
			return err
		}
	}
	return nil
}

// branch returns what is below a branch page.
func (t *subtree) branch(page []byte, count int) (below []subtree, err error) {
	var last []byte
	for i := range count {
		at := pageHeader + i*branchElement
		if at+branchElement > len(page) {
			return nil, damaged("more elements than fit")
		}
		e := page[at:]
		key := extent(e, uint64(u32(e)), uint64(u32(e[4:])))
		if !t.holds(last, key) {
			return nil, damaged("element %d has a wrong key", i)
		}
		last = bytes.Clone(key) // below, the page is gone
		if i > 0 {
			below[i-1].until = last
		}
		below = append(below, subtree{root: u64(e[8:]), from: last, until: t.until})
	}
	return below, nil
}

// leaf returns the buckets in a leaf page.
func (t *subtree) leaf(page []byte, count int) (below []subtree, err error) {
	var last []byte
	for i := range count {
		at := pageHeader + i*leafElement
		if at+leafElement > len(page) {
			return nil, damaged("more elements than fit")
		}
		e := page[at:]
		flags, pos, keySize, valueSize := u32(e), uint64(u32(e[4:])), uint64(u32(e[8:])), uint64(u32(e[12:]))
		key, value := extent(e, pos, keySize), extent(e, pos+keySize, valueSize)
		if !t.holds(last, key) || value == nil || flags&^bucketFlag != 0 || t.inline && flags != 0 {
			return nil, damaged("element %d is wrong", i)
		}
		last = key
		if flags != bucketFlag {
			continue
		}
		roots, err := bucket(value)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		below = append(below, roots...)
	}
	return below, nil
}

// bucket returns the tree of a bucket, which one kept inline does not have.
func bucket(value []byte) ([]subtree, error) {
	switch {
	case len(value) == bucketHeader && u64(value) != 0:
		return []subtree{{root: u64(value)}}, nil
	case len(value) < bucketHeader+pageHeader || u64(value) != 0 || u16(value[bucketHeader+8:]) != leafFlag:
		return nil, damaged("is no bucket")
	}
	inline := subtree{inline: true}
	return inline.leaf(value[bucketHeader:], int(u16(value[bucketHeader+10:])))
}

// extent returns size bytes at pos of an element, which may lie anywhere behind it on its page; nil if they do not.
func extent(element []byte, pos, size uint64) []byte {
	if pos+size > uint64(len(element)) {
		return nil
	}
	return element[pos : pos+size]
}

func u16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }
