package witness

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const testOrigin = "custody.example/ledger"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// An xlog is an append-only log of x/mod, which signs as x/mod does: nothing of it is ours.
type xlog struct {
	hashes []tlog.Hash
	size   int64
	signer note.Signer
	public string
}

func newLog(leaves ...string) *xlog {
	private, public, err := note.GenerateKey(nil, testOrigin)
	if err != nil {
		panic(err)
	}
	l := &xlog{signer: must(note.NewSigner(private)), public: public}
	l.add(leaves...)
	return l
}

func (l *xlog) add(leaves ...string) {
	for _, leaf := range leaves {
		l.hashes = append(l.hashes, must(tlog.StoredHashes(l.size, []byte(leaf), l))...)
		l.size++
	}
}

// grow adds leaves until there are so many.
func (l *xlog) grow(size int64) *xlog {
	for l.size < size {
		l.add(fmt.Sprint(l.size))
	}
	return l
}

func (l *xlog) ReadHashes(indexes []int64) (all []tlog.Hash, err error) {
	for _, i := range indexes {
		all = append(all, l.hashes[i])
	}
	return all, nil
}

// note is a checkpoint, signed.
func (l *xlog) note(size int64) []byte {
	root := must(tlog.TreeHash(size, l))
	text := fmt.Sprintf("%s\n%d\n%s\n", testOrigin, size, base64.StdEncoding.EncodeToString(root[:]))
	return must(note.Sign(&note.Note{Text: text}, l.signer))
}

// request is the body of add-checkpoint, as https://c2sp.org/tlog-witness says.
func (l *xlog) request(old, size int64) string {
	body := fmt.Sprintf("old %d\n", old)
	if old > 0 {
		for _, h := range must(tlog.ProveTree(size, old, l)) {
			body += h.String() + "\n"
		}
	}
	return body + "\n" + string(l.note(size))
}

// A cosignature is a verifier of https://c2sp.org/tlog-cosignature for package note of x/mod.
type cosignature struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (c cosignature) Name() string    { return c.name }
func (c cosignature) KeyHash() uint32 { return c.id }

func (c cosignature) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	text := fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, text, sig[8:])
}

func newCosignature(verifier string) cosignature {
	name, rest, _ := strings.Cut(verifier, "+")
	_, key, _ := strings.Cut(rest, "+")
	raw := must(base64.StdEncoding.DecodeString(key))
	id := sha256.Sum256(append([]byte(name+"\n"), raw...))
	return cosignature{name, binary.BigEndian.Uint32(id[:]), raw[1:]}
}

// A bench is a witness behind its handler, for one log.
type bench struct {
	t       *testing.T
	witness *Witness
	url     string
	logged  *lockedBuffer
}

func newBench(t *testing.T, l *xlog) *bench {
	t.Helper()
	b := &bench{t: t, logged: &lockedBuffer{}, witness: &Witness{
		Key: must(checkpoint.NewCosigner("witness.example/w1")), Memory: Memory{Dir: t.TempDir(), Role: "witness"}, Now: time.Now,
		Trust: must(checkpoint.ParseTrust([]byte("log " + l.public + "\n"))),
	}}
	server := httptest.NewServer(b.witness.Handler(b.logged.logger()))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// post asks the witness.
func (b *bench) post(body string) (status int, mediaType, answer string) {
	b.t.Helper()
	response, err := http.Post(b.url+"/add-checkpoint", "text/plain", strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header.Get("Content-Type"), string(must(io.ReadAll(response.Body)))
}

// cosigned demands that the witness cosigns, so that x/mod takes the cosignature.
func (b *bench) cosigned(l *xlog, old, size int64) {
	b.t.Helper()
	status, _, answer := b.post(l.request(old, size))
	if status != http.StatusOK {
		b.t.Fatalf("from %d to %d: %d %s", old, size, status, answer)
	}
	n, err := note.Open(append(l.note(size), answer...), note.VerifierList(newCosignature(b.witness.Key.Verifier())))
	if err != nil || len(n.Sigs) != 1 {
		b.t.Fatalf("the cosignature of %d: %v", size, err)
	}
}

func (b *bench) forks() []string {
	return must(filepath.Glob(filepath.Join(b.witness.Memory.Dir, "fork-*.proof")))
}

// A lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
