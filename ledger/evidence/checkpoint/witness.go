package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// MaxRequest is the most bytes of a request to a witness.
	MaxRequest = 1 << 15
	// SizeType is the media type of the answer that says the size that a witness has.
	SizeType = "text/x.tlog.size"

	maxProof = 63
)

// ErrFork is returned for two roots of one size: both are signed by the log, which has lied to somebody.
var ErrFork = errors.New("checkpoint: another root of the same size")

// A Request asks a witness to cosign a checkpoint (c2sp.org/tlog-witness, add-checkpoint).
type Request struct {
	Old   uint64 // the size that the witness cosigned last; 0 if none
	Proof []Hash // that the log only grew since (RFC 6962, section 2.1.2); at most 63
	Note  Note
}

// Bytes is the body of the request.
func (r Request) Bytes() []byte {
	b := append(strconv.AppendUint([]byte("old "), r.Old, 10), '\n')
	b = append(appendHashes(b, r.Proof), '\n')
	return append(b, r.Note.Bytes()...)
}

func appendHashes(b []byte, hashes []Hash) []byte {
	for _, h := range hashes {
		b = append(base64.StdEncoding.AppendEncode(b, h[:]), '\n')
	}
	return b
}

// ParseRequest reads the body of a request. The error wraps [ErrFormat]: the answer is 400.
func ParseRequest(body []byte) (Request, error) {
	if len(body) > MaxRequest {
		return Request{}, fmt.Errorf("%w: a request of more than %d bytes", ErrFormat, MaxRequest)
	}
	head, note, found := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	old, isOld := strings.CutPrefix(lines[0], "old ")
	if !found || !isOld || len(lines)-1 > maxProof {
		return Request{}, fmt.Errorf("%w: a request is an old size, at most %d hashes, a blank line and a note", ErrFormat, maxProof)
	}
	var r Request
	var err error
	if r.Old, err = parseSize(old); err != nil {
		return Request{}, err
	}
	for _, line := range lines[1:] {
		h, err := parseHash(line)
		if err != nil {
			return Request{}, err
		}
		r.Proof = append(r.Proof, h)
	}
	r.Note, err = Open(note)
	return r, err
}

// An Answer is what a witness says to a request.
type Answer struct {
	Status int    // 200, 400, 403, 404, 409 or 422
	Size   uint64 // with 409 and no fork, the size that it has
	Err    error  // nil with 200; wraps ErrFork if the log signed two roots of one size
}

// Witness decides what a witness answers that trusts the log's keys in t, and of this origin cosigned last (the
// zero Checkpoint if none). With 200 the caller replaces last, if it is still that, with the request's checkpoint,
// durably; then it cosigns.
func Witness(t *Trust, last Checkpoint, r Request) Answer {
	refuse := func(status int, why string) Answer {
		return Answer{Status: status, Err: errors.New("checkpoint: " + why)}
	}
	if last.Size == 0 {
		last.Root = sha256.Sum256(nil) // the root of nothing, RFC 6962, section 2.1
	}
	c := r.Note.Checkpoint
	switch {
	case c.Origin != t.Origin():
		return refuse(http.StatusNotFound, "an origin that is not witnessed")
	case !t.loggedBy(r.Note):
		return refuse(http.StatusForbidden, "not signed by the log")
	case r.Old > c.Size:
		return refuse(http.StatusBadRequest, "the old size is greater than the checkpoint's")
	case r.Old != last.Size:
		a := refuse(http.StatusConflict, "the old size is not that of the last checkpoint")
		a.Size = last.Size
		return a
	case r.Old == c.Size && c.Root != last.Root:
		return Answer{Status: http.StatusConflict, Err: ErrFork}
	case !r.grown(last):
		return refuse(http.StatusUnprocessableEntity, "the proof does not show that the log only grew")
	}
	return Answer{Status: http.StatusOK}
}

// loggedBy reports whether the log signed the note, with a key that counts, and with none falsely.
func (t *Trust) loggedBy(n Note) bool {
	logs := n.Only(func(k Key) bool { known := t.find(k); return known != nil && known.role == roleLog })
	return t.Judge(logs).Lacks(NeedLog) == nil
}

// grown reports whether the proof shows that the checkpoint continues last.
func (r Request) grown(last Checkpoint) bool {
	if last.Size == 0 {
		return len(r.Proof) == 0 // everything continues nothing
	}
	proof := make(tlog.TreeProof, len(r.Proof))
	for i, h := range r.Proof {
		proof[i] = tlog.Hash(h)
	}
	c := r.Note.Checkpoint
	return tlog.CheckTree(proof, int64(c.Size), tlog.Hash(c.Root), int64(last.Size), tlog.Hash(last.Root)) == nil
}

// SizeText is the body of the answer that says a size; ParseSizeText reads it. The error wraps [ErrFormat].
func SizeText(size uint64) []byte { return append(strconv.AppendUint(nil, size, 10), '\n') }

// ParseSizeText reads a body of [SizeText].
func ParseSizeText(body []byte) (uint64, error) {
	text, ended := strings.CutSuffix(string(body), "\n")
	if !ended {
		return 0, fmt.Errorf("%w: a size is a line", ErrFormat)
	}
	return parseSize(text)
}
