package bundle

import (
	"bytes"
	"fmt"
	"strings"
)

const manifestLine = "custody bundle 1"

// manifest is the text that is signed: what it is, of which ledger, and the hash and name of every other member,
// as sha256sum writes them.
func manifest(origin string, files Files) []byte {
	b := fmt.Appendf(nil, "%s\n%s\n", manifestLine, origin)
	for _, name := range names {
		b = fmt.Appendf(b, "%x  %s\n", files.hash(name), name)
	}
	return b
}

// readManifest returns the origin, if the text is the manifest of these files. The error wraps [ErrFormat] or
// [ErrFalse].
func readManifest(text []byte, files Files) (origin string, err error) {
	lines := strings.Split(string(text), "\n")
	if len(lines) != 2+len(names)+1 || lines[0] != manifestLine {
		return "", fmt.Errorf("%w: a manifest is the line %q, the origin, and a line for each of %d members", ErrFormat, manifestLine, len(names))
	}
	origin = lines[1]
	if !bytes.Equal(manifest(origin, files), text) {
		return "", fmt.Errorf("%w: a member is not that of the manifest", ErrFalse)
	}
	return origin, nil
}
