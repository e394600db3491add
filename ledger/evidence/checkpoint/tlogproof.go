package checkpoint

import (
	"fmt"
	"strconv"
)

// TlogProof writes the proof that the leaf of an index is in the tree of a note in the text format of
// c2sp.org/tlog-proof. The hashes are those of RFC 6962, section 2.1.1, from the leaf's sibling up. The error wraps
// [ErrFormat] if there is no such leaf, or another number of hashes must prove it.
func TlogProof(index uint64, hashes []Hash, n Note) ([]byte, error) {
	if index >= n.Size || len(hashes) != pathLength(index, n.Size) {
		return nil, fmt.Errorf("%w: no such proof of a leaf", ErrFormat)
	}
	b := append(strconv.AppendUint([]byte("c2sp.org/tlog-proof@v1\nindex "), index, 10), '\n')
	b = append(appendHashes(b, hashes), '\n')
	return append(b, n.Bytes()...), nil
}

// pathLength is how many hashes prove a leaf of a tree: one for each node above it.
func pathLength(index, size uint64) (length int) {
	for last := size - 1; last > 0; index, last = index>>1, last>>1 {
		if index != last || index&1 == 1 {
			length++ // else the node is the last of its level and has no sibling
		}
	}
	return length
}
