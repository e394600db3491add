package erased

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A hoard is everything that somebody holds: whole files, wherever they lay.
type hoard []file

type file struct {
	path string
	key  bool // it lay in the key directory, or came out of the escrow
	data []byte
	vain bool // every 32 bytes of it were tried in vain already
}

// gather reads every file under the folders, and those that links lead to: what is
// staged lies in memory. keys are the folders whose files hold keys. If a file goes
// meanwhile, as a view does that takes another's place, all is read again.
func gather(t testing.TB, folders []string, keys ...string) hoard {
	t.Helper()
	for range 100 {
		h, err := readAll(folders, keys)
		if err == nil {
			return h
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	t.Fatal("files come and go: nothing to be had as a whole")
	return nil
}

func readAll(folders, keys []string) (h hoard, err error) {
	for _, dir := range folders {
		err = errors.Join(err, h.read(dir, false))
	}
	for _, dir := range keys {
		err = errors.Join(err, h.read(dir, true))
	}
	return h, err
}

// read adds the files of a folder.
func (h *hoard) read(dir string, key bool) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 {
			to, err := filepath.EvalSymlinks(path)
			if err != nil {
				return err
			}
			return h.read(to, key)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		*h = append(*h, file{path: path, key: key, data: data})
		return err
	})
}

// with is a hoard and something more.
func (h hoard) with(more ...file) hoard { return append(h[:len(h):len(h)], more...) }

// inVain is a hoard in which no key is found but where keys are kept.
func (h hoard) inVain() (same hoard) {
	for _, f := range h {
		f.vain = !f.key
		same = append(same, f)
	}
	return same
}

// only are the files whose path has a part.
func (h hoard) only(part string) (some hoard) {
	for _, f := range h {
		if strings.Contains(f.path, part) {
			some = append(some, f)
		}
	}
	return some
}

// size is how many bytes there are.
func (h hoard) size() (n int) {
	for _, f := range h {
		n += len(f.data)
	}
	return n
}

// forms are the spellings in which a secret might be found: as it is, hex, base64
// as a part of something longer, and UTF-16.
func forms(secret string) map[string][]byte {
	b := []byte(secret)
	all := map[string][]byte{"clear": b, "hex": []byte(hex.EncodeToString(b)), "HEX": []byte(strings.ToUpper(hex.EncodeToString(b)))}
	for shift := range 3 {
		for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := enc.EncodeToString(append(make([]byte, shift), b...))
			all[fmt.Sprint(name, shift)] = []byte(text[(shift*8+5)/6 : (shift+len(b))*8/6])
		}
	}
	var little, big []byte
	for _, c := range b {
		little, big = append(little, c, 0), append(big, 0, c)
	}
	all["utf-16le"], all["utf-16be"] = little, big
	return all
}

// A needle is a secret in one form.
type needle struct {
	what, form string
	text       []byte
}

// search finds secrets in any form, each once a file. All are at least 8 bytes long.
func (h hoard) search(secrets map[string]string) (found []string) {
	needles := map[uint64][]needle{} // by the last 8 bytes: beginnings are alike
	for secret, what := range secrets {
		for form, text := range forms(secret) {
			end := binary.LittleEndian.Uint64(text[len(text)-8:])
			needles[end] = append(needles[end], needle{what, form, text})
		}
	}
	for _, f := range h {
		seen := map[string]bool{}
		for i := 8; i <= len(f.data); i++ {
			for _, n := range needles[binary.LittleEndian.Uint64(f.data[i-8:])] {
				if line := fmt.Sprintf("%s: %s, in %s", f.path, n.what, n.form); bytes.HasSuffix(f.data[:i], n.text) && !seen[line] {
					seen[line] = true
					found = append(found, line)
				}
			}
		}
	}
	return found
}

// A tag stands for somebody in one cell.
type tag [16]byte

// An event is one stored event, as far as an adversary cares.
type event struct {
	id, source, kind string
	at               time.Time
	salt, sealed     []byte
	tags             map[tag]struct{} // every text that may be one
	people           []tag            // those that stand for somebody
	raw              []byte
}

// events finds stored events wherever they stand.
func (h hoard) events(t testing.TB) (all []*event) {
	seen := map[string]bool{}
	for _, f := range h {
		rest := f.data
		for {
			i := bytes.Index(rest, []byte(`{"custodyformat":"1"`))
			if i < 0 {
				break
			}
			rest = rest[i:]
			var raw json.RawMessage
			if err := json.NewDecoder(bytes.NewReader(rest)).Decode(&raw); err == nil && !seen[string(raw)] {
				seen[string(raw)] = true
				all = append(all, parseEvent(t, raw))
			}
			rest = rest[1:]
		}
	}
	return all
}

// person is how the data of an event name somebody.
type person struct{ ID, For string }

func parseEvent(t testing.TB, raw []byte) *event {
	var e struct {
		ID, Source, Type string
		Time             time.Time
		Salt, Sealed     string
		Data             struct {
			Actor    person
			Subjects []person
			Employee string
			Handlers []string
		}
	}
	var whole map[string]any
	if err := errors.Join(json.Unmarshal(raw, &e), json.Unmarshal(raw, &whole)); err != nil {
		t.Fatal(err)
	}
	out := &event{id: e.ID, source: e.Source, kind: e.Type, at: e.Time, raw: raw, tags: map[tag]struct{}{}}
	out.salt, _ = base64.RawURLEncoding.DecodeString(e.Salt)
	out.sealed, _ = base64.RawURLEncoding.DecodeString(e.Sealed)
	names := append([]string{e.Data.Actor.ID, e.Data.Actor.For, e.Data.Employee}, e.Data.Handlers...)
	for _, s := range e.Data.Subjects {
		names = append(names, s.ID)
	}
	for _, name := range names {
		if t, ok := parseTag(name); ok {
			out.people = append(out.people, t)
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if t, ok := parseTag(v); ok {
				out.tags[t] = struct{}{}
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(whole)
	return out
}

func parseTag(text string) (t tag, ok bool) {
	n, err := hex.Decode(t[:], []byte(text[:min(len(text), 32)]))
	return t, err == nil && n == 16 && len(text) == 32
}
